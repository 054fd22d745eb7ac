"""Whether a store's file is still the one that was opened.

A file that is removed or renamed over (rsync and Syncthing replace a file that way) lives on for whoever
has it open: SQLite goes on writing, without an error, to something that no path leads to. The file is known
by its device and inode; so is the write-ahead log beside it, which holds what was written last.
"""

import os
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.engine import Dialect

from store.errors import StoreError


class FileIdentity(NamedTuple):
    """What a path leads to, whatever it is called."""

    device: int
    inode: int


class StoreReplaced(StoreError):
    """The store's file is no longer the one that was opened; what is written goes nowhere."""


# By dialect: an engine and what `execution_options` makes of it share one.
_OPENED: WeakKeyDictionary[Dialect, dict[Path, FileIdentity]] = WeakKeyDictionary()


def remember_file(engine: Engine) -> None:
    """Remember which file an engine has just opened. Databases that are no file are left alone."""
    name = engine.url.database
    if engine.dialect.name == "sqlite" and name and name != ":memory:":
        path = Path(name).absolute()  # a change of the working directory is not a change of the file
        paths = (path, path.with_name(f"{path.name}-wal"))
        known = {path: _identity(path) for path in paths}
        _OPENED[engine.dialect] = {path: identity for path, identity in known.items() if identity is not None}


def check_file(engine: Engine) -> None:
    """Raises `StoreReplaced` when the path of an open store leads to another file than it did, or to none."""
    for path, opened in _OPENED.get(engine.dialect, {}).items():
        now = _identity(path)
        if now != opened:
            happened = "removed" if now is None else "replaced by another file"
            raise StoreReplaced(
                f"{path} was {happened} while it was open: what is written now would be lost. "
                "Leave, see what has moved or replaced it, and open the store again."
            )


def _identity(path: Path) -> FileIdentity | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return FileIdentity(status.st_dev, status.st_ino)

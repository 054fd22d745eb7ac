"""Whether a store's file is still the one that was opened.

A file that is removed or renamed over (rsync and Syncthing replace a file that way) lives on for whoever
has it open: SQLite goes on writing, without an error, to something that no path leads to. The file is known
by its device and inode. The write-ahead log beside it is not looked at: SQLite itself removes it and makes
another whenever no connection is left, of this process or of any other.
"""

import os
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event
from sqlalchemy.engine import Dialect

from store.errors import StoreError


class FileIdentity(NamedTuple):
    """What a path leads to, whatever it is called."""

    device: int
    inode: int


class StoreReplaced(StoreError):
    """The store's file is no longer the one that was opened; what is written goes nowhere."""


class OpenFile(NamedTuple):
    """The path of a store that is open, and what it led to then."""

    path: Path
    identity: FileIdentity


# By dialect: an engine and what `execution_options` makes of it share one.
_OPENED: WeakKeyDictionary[Dialect, OpenFile] = WeakKeyDictionary()


def remember_file(engine: Engine) -> None:
    """Remember which file an engine has just opened. Databases that are no file are left alone.

    A further connection is made to that file only: SQLite would make an empty one in place of a file that is
    gone.
    """
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        return
    path = Path(name).absolute()  # a change of the working directory is not a change of the file
    identity = _identity(path)
    if identity is not None:
        _OPENED[engine.dialect] = OpenFile(path, identity)
        event.listen(engine, "do_connect", lambda *_arguments: check_file(engine))


def check_file(engine: Engine) -> None:
    """Raises `StoreReplaced` when the path of an open store leads to another file than it did, or to none."""
    opened = _OPENED.get(engine.dialect)
    if opened is None:
        return
    now = _identity(opened.path)
    if now != opened.identity:
        happened = "removed" if now is None else "replaced by another file"
        raise StoreReplaced(
            f"{opened.path} was {happened} while it was open: what is written now would be lost. "
            "Leave, see what has moved or replaced it, and open the store again."
        )


def _identity(path: Path) -> FileIdentity | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return FileIdentity(status.st_dev, status.st_ino)

"""Opening a store to read it and nothing else: not even its journal mode is touched."""

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from store import migrations
from store.engine import printable_name
from store.errors import StoreError
from store.secrets import without_secrets

_HEADER = b"SQLite format 3\x00"


def open_read_only(store: str | Path) -> Engine:
    """A store of this program's version, opened for reading: a SQLite file by path, or a database by URL.

    The file may lie in a folder that can't be written to. Raises `StoreError` when it is missing, is no
    store, or has another version than this program.
    """
    name = printable_name(store)
    try:
        engine = _file(store, name) if "://" not in str(store) else _database(str(store))
    except (ArgumentError, ModuleNotFoundError) as error:
        raise StoreError(f"{name} can't be opened as a store: {without_secrets(str(error))}.") from None
    except ValueError:
        raise StoreError(f"{name} can't be opened as a store: its port is no number.") from None
    try:
        version = migrations.stored_version(engine)
    except DatabaseError as error:
        engine.dispose()
        reason = without_secrets(str(error.orig or error).strip().splitlines()[0])
        raise StoreError(f"{name} can't be read as a store: {reason}.") from None
    if version == migrations.HEAD:
        return engine
    engine.dispose()
    if version is None:
        raise StoreError(f"{name} is a database but not a store of xlit.")
    if migrations.is_known(version):
        raise StoreError(
            f"{name} is a store of version {version}, this xlit works with {migrations.HEAD}. "
            f"Run `xlit-core upgrade --store {name}` first; it keeps a backup beside it."
        )
    raise StoreError(
        f"{name} was made by a newer xlit (store version {version}; this one knows {migrations.HEAD}). "
        "Update xlit."
    )


def _database(url: str) -> Engine:
    engine = create_engine(make_url(url))
    if engine.dialect.name == "postgresql":
        return engine.execution_options(postgresql_readonly=True)
    return engine


def _file(store: str | Path, name: str) -> Engine:
    path = Path(store)
    if not path.is_file():
        raise StoreError(f"No store at {name}.")
    with path.open("rb") as file:
        if file.read(len(_HEADER)) != _HEADER:
            raise StoreError(f"{name} is not a SQLite file.")
    where = f"file:{quote(str(path.resolve()))}?mode=ro"
    try:
        _look(where)
    except sqlite3.OperationalError:
        # A file with a write-ahead log needs another file beside it, unless nobody can be writing to it.
        if path.with_name(f"{path.name}-wal").exists():
            raise StoreError(
                f"{name} has changes in {path.name}-wal that can't be read here: copy both files to a folder "
                "that can be written to."
            ) from None
        where += "&immutable=1"
    except sqlite3.DatabaseError:
        pass  # not a database after all: the first question says so
    engine = create_engine("sqlite://", creator=lambda: _connect(where))
    event.listen(engine, "begin", _begin)
    return engine


def _connect(where: str) -> sqlite3.Connection:
    connection = sqlite3.connect(where, uri=True, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _look(where: str) -> Any:
    connection = _connect(where)
    try:
        return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        connection.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")

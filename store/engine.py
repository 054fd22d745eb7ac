"""Opening a store: a SQLite file by path, or any database by SQLAlchemy URL."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from store import migrations
from store.errors import StoreError
from store.file_identity import remember_file
from store.secrets import without_secrets
from store.time_limit import TimeLimit, connect_within

BUSY_TIMEOUT_MS = 10_000

# Set to 1, it leaves the mode of new stores and backups to the umask.
SHARE_VARIABLE = "XLIT_SHARE"


def store_url(store: str | Path) -> str:
    """The SQLAlchemy URL of a store named by URL or by path."""
    name = str(store)
    return name if "://" in name else f"sqlite:///{name}"


def printable_name(store: str | Path) -> str:
    """The store's name as it may be printed: never with a password."""
    name = str(store)
    if "://" not in name:
        return name
    try:
        return without_secrets(make_url(name).render_as_string(hide_password=True))
    except (ArgumentError, ValueError):  # where a password would be can't be told
        return name.split("://")[0] + "://..."


def open_store(store: str | Path, *, create: bool = False, time_limit: TimeLimit | None = None) -> Engine:
    """Open a store; with `create`, make it when it is not there. With `time_limit`, a database that does not
    answer within it is an error (a file has `BUSY_TIMEOUT_MS` for another program's lock, with or without).

    SQLite: write-ahead log, `synchronous=FULL` (a commit that returned survives a power cut), foreign keys
    on, and a wait of `BUSY_TIMEOUT_MS` for another writer.

    Raises `StoreError` when it is missing, is no store, or has another version than this program.
    """
    engine = _engine(store, create=create, time_limit=time_limit)
    name = printable_name(store)
    try:
        version = migrations.stored_version(engine)
        if version is None:
            if not create or inspect(engine).get_table_names():
                raise StoreError(f"{name} is a database but not a store of xlit. Name another with --store.")
            migrations.upgrade(engine)
        elif version != migrations.HEAD:
            raise StoreError(_version_message(name, version))
    except DatabaseError as error:
        engine.dispose()
        reason = without_secrets(str(error.orig or error).strip().splitlines()[0])
        raise StoreError(f"{name} can't be opened as a store: {reason}. Name another with --store.") from None
    except StoreError:
        engine.dispose()
        raise
    remember_file(engine)
    return engine


def _version_message(name: str, version: str) -> str:
    if migrations.is_known(version):
        return (
            f"{name} is a store of version {version}, this xlit works with {migrations.HEAD}. "
            f"Run `xlit-core upgrade --store {name}`; it keeps a backup beside it."
        )
    return (
        f"{name} was made by a newer xlit (store version {version}; this one knows {migrations.HEAD}). "
        "Update xlit."
    )


def upgrade_store(store: str | Path) -> tuple[str, str, Path | None]:
    """Bring an old store to this program's version. Returns (old version, new version, backup or None).

    A SQLite file is backed up first, to `NAME.VERSION.bak`; other databases are backed up by their own tools.
    """
    engine = _engine(store, create=False)
    name = printable_name(store)
    try:
        version = migrations.stored_version(engine)
        if version is None:
            raise StoreError(f"{name} is not a store of xlit. Name another with --store.")
        if version == migrations.HEAD:
            return version, version, None
        if not migrations.is_known(version):
            raise StoreError(_version_message(name, version))
        backup = (
            _back_up(Path(engine.url.database or ""), version) if engine.dialect.name == "sqlite" else None
        )
        migrations.upgrade(engine)
        return version, migrations.HEAD, backup
    except DatabaseError as error:
        reason = without_secrets(str(error.orig or error).strip().splitlines()[0])
        raise StoreError(f"{name} could not be upgraded: {reason}.") from None
    finally:
        engine.dispose()


def _back_up(path: Path, version: str) -> Path:
    backup = path.with_name(f"{path.name}.{version}.bak")
    _make_private(backup)
    with sqlite3.connect(path) as source, sqlite3.connect(backup) as target:
        source.backup(target)
    return backup


def _engine(store: str | Path, *, create: bool, time_limit: TimeLimit | None = None) -> Engine:
    name = printable_name(store)
    try:
        url = make_url(store_url(store))
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            _check_path(Path(str(url.database)), name, create=create)
        engine = create_engine(url)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise StoreError(f"{name} can't be opened as a store: {without_secrets(str(error))}.") from None
    except ValueError:
        raise StoreError(f"{name} can't be opened as a store: its port is no number.") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
    elif time_limit is not None and engine.dialect.driver == "psycopg":
        event.listen(
            engine, "do_connect", lambda _dialect, _record, args, opts: connect_within(time_limit, args, opts)
        )
    return engine


def _check_path(path: Path, name: str, *, create: bool) -> None:
    if path.is_dir():
        raise StoreError(f"{name} is a folder, not a store. Give the file, for example {path / 'xlit.db'}.")
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(16)
        if head and head != b"SQLite format 3\x00":
            raise StoreError(f"{name} is not a SQLite file. Name a store with --store.")
    if path.is_file() and (create or path.stat().st_size):
        return
    if not create:
        raise StoreError(
            f"No store at {name}. Name one with --store or XLIT_STORE; "
            "`xlit-core import` or `xlit-core demo` makes a new one."
        )
    if not path.parent.is_dir():
        raise StoreError(f"No folder {path.parent} to put the store {path.name} in. Make it first.")
    if not str(path).startswith("file:"):
        _make_private(path)


def _make_private(path: Path) -> None:
    """Make the file when it is not there, readable by its owner alone: a store holds people's names, the
    hashes of codes and the key of pseudonyms. SQLite gives the files beside it the same mode. With
    `XLIT_SHARE=1` the umask decides. What can't be made is said by who opens it."""
    mode = 0o666 if os.environ.get(SHARE_VARIABLE, "") not in ("", "0") else 0o600
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`, tables included
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def check_integrity(engine: Engine) -> str:
    """SQLite's own verdict on the file (`ok` when sound); other databases answer `ok`."""
    if engine.dialect.name != "sqlite":
        return "ok"
    with engine.connect() as connection:
        return str(connection.execute(text("PRAGMA quick_check")).scalar())

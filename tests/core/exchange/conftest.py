"""What the tests of the formats share: a store, files, and the real data where it is at hand."""

import json
import shutil
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from store import open_store, provenance

REAL_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def one_revision():
    """The revision of the checkout is asked of git once, and not for every import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provenance, "git_revision", cache(provenance.git_revision))
        yield


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without rows, made once: copying it is faster than making it."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    open_store(path, create=True).dispose()
    return path


@pytest.fixture
def engine(tmp_path: Path, empty_store: Path):
    opened = open_store(shutil.copy(empty_store, tmp_path / "s.db"))
    yield opened
    opened.dispose()


@pytest.fixture
def real_data() -> Path:
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real data at {REAL_DATA}")
    return REAL_DATA


@pytest.fixture
def write(tmp_path: Path):
    """Writes a file below the test's folder: text as UTF-8 without translation, objects as JSON Lines."""

    def file(name: str, content: str | bytes | list) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return file


@pytest.fixture
def ask(engine: Engine):
    """Asks the store in plain SQL, past the code under test."""

    def rows(sql: str) -> list[tuple]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    return rows


@pytest.fixture
def counts(ask):
    """How many rows the tables that an import fills hold."""

    def count() -> dict[str, int]:
        tables = ("suite", "instruction", "model", "decoding", "response")
        return {table: ask(f"SELECT count(*) FROM {table}")[0][0] for table in tables}

    return count

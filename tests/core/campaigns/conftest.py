"""A store to be shared out among reviewers, copied for every test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from store import open_store
from tests.reviewing import make_store, without_git


@pytest.fixture(scope="session")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("answered") / "s.db"
    make_store(path).dispose()
    return path


@pytest.fixture
def store_path(answered: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(answered, tmp_path / "s.db"))


@pytest.fixture
def engine(store_path: Path) -> Iterator[Engine]:
    found = open_store(store_path)
    yield found
    found.dispose()


@pytest.fixture(autouse=True)
def _quick_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    without_git(monkeypatch)

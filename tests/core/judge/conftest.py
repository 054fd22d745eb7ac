"""A small store to judge: instructions in several languages, with answers of two models."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.llm import limits
from store import open_store
from tests.core.judge.judged import fill
from tests.core.llm.serving import serving, without_keys


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store, made once: most tests here want their own, and making one takes longer than they do."""
    path = tmp_path_factory.mktemp("store") / "new.db"
    open_store(path, create=True).dispose()
    return path


@pytest.fixture
def store(tmp_path: Path, new_store: Path):
    shutil.copy(new_store, tmp_path / "s.db")
    engine = open_store(tmp_path / "s.db")
    yield engine
    engine.dispose()


@pytest.fixture
def answered(store: Engine) -> Callable[..., Engine]:
    """Fill the store: one instruction for each (language, instruction, response) or (..., check)."""
    return partial(fill, store)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No key of the one who runs the tests, and no long waits."""
    without_keys(monkeypatch)
    monkeypatch.setattr(limits, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(limits, "PATIENCE", 20)


@pytest.fixture
def serve():
    with serving() as start:
        yield start

"""A small store to judge: instructions in several languages, with answers of two models."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from store import open_store
from store.queries import models, responses, suites
from store.session import writing


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

    def fill(*rows: tuple, model: str = "m") -> Engine:
        with writing(store) as session:
            new = [
                suites.NewInstruction(f"k{place}", language, question, check=rest[0] if rest else None)
                for place, (language, question, _, *rest) in enumerate(rows)
            ]
            suite, _ = suites.add_suite(session, "s", "1", new)
            ids = {
                (row.language, row.key): row.id
                for language in {row[0] for row in rows}
                for row in suites.instructions_of(session, suite, language)
            }
            identity = {
                "model_id": models.model_id(session, model),
                "decoding_id": models.decoding_id(session, "imported", None, {}),
            }
            responses.add_responses(
                session,
                [
                    {**identity, "instruction_id": ids[language, f"k{place}"], "text": text}
                    for place, (language, _, text, *_) in enumerate(rows)
                ],
            )
        return store

    return fill

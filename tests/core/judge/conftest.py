"""A small store to judge: instructions in several languages, with answers of two models."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from store import open_store
from store.queries import models, responses, suites
from store.session import writing

Answers = list[tuple[str, str, str, dict | None]]


@pytest.fixture
def store(tmp_path: Path):
    engine = open_store(tmp_path / "s.db", create=True)
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

"""Model configurations, decodings, raters and rubrics: found by their identity, made when new."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, select

from store.tables import Criterion, Decoding, Model, Rater, Rubric
from store.upsert import insert_missing, row_id


def model_id(session: Session, name: str, **description: Any) -> int:
    """The id of a model configuration by its name; `description` (base, data, adaptation, learning_rate,
    checkpoint) is written when it is new."""
    return row_id(session, Model, {"name": name}, **description)


def decoding_digest(engine: str, quantization: str | None, parameters: dict[str, Any]) -> str:
    """The SHA-256 (hex) that identifies a decoding."""
    identity = {"engine": engine, "quantization": quantization, "parameters": parameters}
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def decoding_id(session: Session, engine: str, quantization: str | None, parameters: dict[str, Any]) -> int:
    """The id of a decoding by its whole content."""
    digest = decoding_digest(engine, quantization, parameters)
    return row_id(
        session, Decoding, {"digest": digest}, engine=engine, quantization=quantization, parameters=parameters
    )


def rater_id(session: Session, kind: str, name: str, version: str = "") -> int:
    """The id of a rater: `kind` is `human`, `llm` or `rule`."""
    return row_id(session, Rater, {"kind": kind, "name": name, "version": version})


def rubric_id(session: Session, name: str, version: str, criteria: Sequence[dict[str, Any]]) -> int:
    """The id of a rubric; `criteria` are rows of `store.tables.Criterion` without rubric and position."""
    found = row_id(session, Rubric, {"name": name, "version": version})
    rows = [{"rubric_id": found, "position": place, **row} for place, row in enumerate(criteria)]
    insert_missing(session, Criterion, rows, ["rubric_id", "name"])
    return found


def criteria_of(session: Session, rubric: int) -> list[Criterion]:
    """The criteria of a rubric in its order."""
    statement = select(Criterion).where(Criterion.rubric_id == rubric).order_by(Criterion.position)  # type: ignore[arg-type]
    return list(session.exec(statement))

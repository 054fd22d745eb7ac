"""What the choice of a learning rate needs: how models are configured, and surface metrics by response."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from store.queries.expected import expected_language, is_language
from store.queries.responses import is_empty
from store.tables import Instruction, Model, Response, SurfaceMetric


@dataclass(frozen=True)
class Described:
    """A model's configuration, as far as it is known."""

    base: str | None
    data: str | None
    adaptation: str | None
    learning_rate: float | None


@dataclass(frozen=True)
class Measured:
    """The surface metrics of a response, by the latest measurement of each; None where there is none.

    `right_language`: it is identified as the language that it is expected in (`store.queries.expected`).
    `spelling`: share of words that pass, 0 to 1. `relevant`: judged to address its task. `empty`: holds
    nothing but white space.
    """

    right_language: bool | None
    spelling: float | None
    relevant: bool | None
    empty: bool


def descriptions(session: Session) -> dict[int, Described]:
    """How each model is configured, by its id."""
    statement = select(
        col(Model.id), col(Model.base), col(Model.data), col(Model.adaptation), col(Model.learning_rate)
    )
    return {row[0]: Described(*row[1:]) for row in _rows(session, statement)}


def measured_in(session: Session, suite_id: int) -> dict[int, Measured]:
    """The surface metrics of every response to a suite, by its id."""
    latest: dict[str, dict[int, tuple[float | None, str | None]]] = {
        "language": {},
        "spelling": {},
        "relevance": {},
    }
    statement = (
        select(
            col(SurfaceMetric.response_id),
            col(SurfaceMetric.metric),
            col(SurfaceMetric.value),
            col(SurfaceMetric.label),
        )
        .join(Response, col(Response.id) == col(SurfaceMetric.response_id))
        .join(Instruction, col(Instruction.id) == col(Response.instruction_id))
        .where(col(Instruction.suite_id) == suite_id, col(SurfaceMetric.metric).in_(list(latest)))
        .order_by(col(SurfaceMetric.id))
    )
    for response, metric, value, label in _rows(session, statement):
        latest[metric][response] = (value, label)
    empty = is_empty(col(Response.text))
    answers = (
        select(col(Response.id), col(Instruction.language), col(Instruction.modifier), empty)
        .join(Instruction, col(Instruction.id) == col(Response.instruction_id))
        .where(col(Instruction.suite_id) == suite_id)
    )
    return {
        response: Measured(
            right_language=_right(latest["language"].get(response), language, modifier),
            spelling=latest["spelling"].get(response, (None, None))[0],
            relevant=_yes(latest["relevance"].get(response)),
            empty=bool(empty),
        )
        for response, language, modifier, empty in _rows(session, answers)
    }


def _rows(session: Session, statement: Any) -> Iterable[Any]:
    return session.connection().execute(statement)


def _right(found: tuple[float | None, str | None] | None, language: str, modifier: str | None) -> bool | None:
    """What no language was identified in is in none, and so not in the right one."""
    if found is None:
        return None
    label = found[1]
    return label is not None and is_language(label, expected_language(language, modifier))


def _yes(found: tuple[float | None, str | None] | None) -> bool | None:
    return None if found is None or found[0] is None else found[0] >= 0.5

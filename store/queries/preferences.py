"""Scores of all responses to one instruction after the other, to be compared."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlmodel import Session, col, select

from store.queries.raters import asked_first
from store.tables import CURRENT_RATING, Criterion, Instruction, Model, Rater, Response, Suite


@dataclass(frozen=True)
class ResponseScore:
    """The current score of one rater for one criterion of a response; None: left out on purpose."""

    response_id: int
    model: str
    kind: str
    rater: str
    version: str
    criterion: str
    score: int | None
    minimum: int
    maximum: int


@dataclass(frozen=True)
class ScoredInstruction:
    """An instruction with all that was scored of the answers to it."""

    suite: str
    key: str
    language: str
    task: str | None
    modifier: str | None
    text: str
    scores: tuple[ResponseScore, ...]


def scored_instructions(
    session: Session,
    criteria: Collection[str],
    *,
    rater: str | None = None,
    suite_id: int | None = None,
    language: str | None = None,
) -> Iterator[ScoredInstruction]:
    """The instructions that have scores on these criteria (by name), in the order of their ids: of the rater
    of this name, or else of all people. What was asked or read a second time is left out."""
    current = CURRENT_RATING.c
    statement = (
        select(  # type: ignore[call-overload]
            Suite.name, Suite.version, Instruction.id, Instruction.key, Instruction.language,
            Instruction.task, Instruction.modifier, Instruction.text, Response.id, Model.name, Rater.kind,
            Rater.name, Rater.version, Criterion.name, current.score, Criterion.minimum, Criterion.maximum,
        )
        .select_from(CURRENT_RATING)
        .join(Criterion, col(Criterion.id) == current.criterion_id)
        .join(Rater, col(Rater.id) == current.rater_id)
        .join(Response, col(Response.id) == current.response_id)
        .join(Model, col(Model.id) == Response.model_id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .join(Suite, col(Suite.id) == Instruction.suite_id)
        .where(col(Criterion.name).in_(criteria), asked_first())
        .where(Rater.kind == "human" if rater is None else Rater.name == rater)
        .order_by(col(Instruction.id), col(Response.id), col(Rater.id))
    )  # fmt: skip
    if suite_id is not None:
        statement = statement.where(Instruction.suite_id == suite_id)
    if language is not None:
        statement = statement.where(Instruction.language == language)
    rows = session.exec(statement.execution_options(yield_per=1_000))
    for _, same in groupby(rows, key=lambda row: row[2]):
        group = list(same)
        name, version, _, key, spoken, task, modifier, text = group[0][:8]
        scores = tuple(ResponseScore(*row[8:]) for row in group)
        yield ScoredInstruction(f"{name}/{version}", key, spoken, task, modifier, text, scores)

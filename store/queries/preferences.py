"""Scores of all responses to one instruction after the other, to be compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from store.queries import ledger
from store.tables import LEDGER, Criterion, Instruction, Model, Rater, Response, Rubric, Suite


@dataclass(frozen=True)
class ScoredCriterion:
    """A criterion that somebody has scored, of the rubric `name/version`."""

    id: int
    rubric_id: int
    rubric: str


@dataclass(frozen=True)
class ResponseScore:
    """One rater's score of a response, which counts in the rater's own means. `settled`: it also counts where
    the raters in question are taken together (see `store.queries.ledger`)."""

    response_id: int
    model: str
    kind: str
    rater: str
    version: str
    score: int
    minimum: int
    maximum: int
    settled: bool


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


def scored_criteria(
    session: Session, criterion: str, rater_ids: Sequence[int] | None
) -> list[ScoredCriterion]:
    """The criteria of this name that have scores of these raters (None: of people), by their rubrics."""
    scored = select(LEDGER.c.criterion_id).where(LEDGER.c.stands, _given_by(rater_ids)).distinct()
    statement = (
        select(Criterion.id, Criterion.rubric_id, Rubric.name, Rubric.version)
        .join(Rubric, col(Rubric.id) == Criterion.rubric_id)
        .where(Criterion.name == criterion, col(Criterion.id).in_(scored))
        .order_by(col(Rubric.id))
    )
    return [
        ScoredCriterion(number or 0, rubric_id, f"{name}/{version}")
        for number, rubric_id, name, version in session.exec(statement)
    ]


def scored_instructions(
    session: Session,
    criterion_id: int,
    *,
    rater_ids: Sequence[int] | None = None,
    suite_id: int | None = None,
    language: str | None = None,
) -> Iterator[ScoredInstruction]:
    """The instructions that have scores on a criterion, in the order of their ids: of these raters, each by
    its own, or else (None) of people together."""
    given = LEDGER.c
    statement = (
        select(  # type: ignore[call-overload]
            Suite.name, Suite.version, Instruction.id, Instruction.key, Instruction.language,
            Instruction.task, Instruction.modifier, Instruction.text, Response.id, Model.name, Rater.kind,
            Rater.name, Rater.version, given.score, Criterion.minimum, Criterion.maximum,
            ledger.counts(together=rater_ids is None),
        )
        .select_from(LEDGER)
        .join(Criterion, col(Criterion.id) == given.criterion_id)
        .join(Rater, col(Rater.id) == given.rater_id)
        .join(Response, col(Response.id) == given.response_id)
        .join(Model, col(Model.id) == Response.model_id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .join(Suite, col(Suite.id) == Instruction.suite_id)
        .where(given.criterion_id == criterion_id, ledger.counts(together=False), _given_by(rater_ids))
        .order_by(col(Instruction.id), col(Response.id), Rater.kind, Rater.name, Rater.version)
    )  # fmt: skip
    if suite_id is not None:
        statement = statement.where(Instruction.suite_id == suite_id)
    if language is not None:
        statement = statement.where(Instruction.language == language)
    rows: Any = session.exec(statement.execution_options(yield_per=1_000))
    for _, same in groupby(rows, key=lambda row: row[2]):
        group = list(same)
        name, version, _, key, spoken, task, modifier, text = group[0][:8]
        scores = tuple(ResponseScore(*row[8:]) for row in group)
        yield ScoredInstruction(f"{name}/{version}", key, spoken, task, modifier, text, scores)


def _given_by(rater_ids: Sequence[int] | None) -> ColumnElement[bool]:
    if rater_ids is None:
        return LEDGER.c.rater_kind == "human"
    return LEDGER.c.rater_id.in_(rater_ids)

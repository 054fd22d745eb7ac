"""All current scores of a suite, with what they are about: for numbers over many of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col
from sqlmodel import select as select_model

from store.labels import rater_label
from store.queries.expected import expected_language
from store.queries.raters import asked_first
from store.queries.scores import Source
from store.tables import CURRENT_RATING, Criterion, Decoding, Instruction, Model, Rater, Response


@dataclass(frozen=True)
class ScoredResponse:
    """A response: where it comes from, what it answers, and its length in characters.

    `language` is the instruction's, `expected` the one that the response should be in.
    """

    id: int
    source: Source
    key: str
    language: str
    expected: str
    task: str | None
    modifier: str | None
    length: int


@dataclass(frozen=True)
class ScoredBy:
    """A rater."""

    id: int
    kind: str
    name: str
    version: str

    @property
    def label(self) -> str:
        return rater_label(self.kind, self.name, self.version)


def responses_of(session: Session, suite_id: int) -> list[ScoredResponse]:
    """The responses to a suite, by their ids."""
    statement = (
        select(
            col(Response.id), col(Response.model_id), col(Response.decoding_id), col(Model.name),
            col(Decoding.engine), col(Decoding.quantization), col(Decoding.digest), col(Instruction.key),
            col(Instruction.language), col(Instruction.task), col(Instruction.modifier),
            func.length(Response.text),
        )
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .join(Model, col(Model.id) == Response.model_id)
        .join(Decoding, col(Decoding.id) == Response.decoding_id)
        .where(col(Instruction.suite_id) == suite_id)
        .order_by(col(Response.id))
    )  # fmt: skip
    return [
        ScoredResponse(
            found or 0, Source(model, decoding, name, engine, quantization, digest), key, language,
            expected_language(language, modifier), task, modifier or None, length,
        )
        for found, model, decoding, name, engine, quantization, digest, key, language, task, modifier, length
        in session.connection().execute(statement)
    ]  # fmt: skip


def raters_of(session: Session) -> list[ScoredBy]:
    """All raters, without the repeats of judges: people, then judges, then rules."""
    order = {"human": 0, "llm": 1, "rule": 2}
    raters = [
        ScoredBy(rater.id or 0, rater.kind, rater.name, rater.version)
        for rater in session.exec(select_model(Rater).where(asked_first()))
    ]
    return sorted(raters, key=lambda rater: (order.get(rater.kind, 3), rater.name, rater.version))


def scores_of(
    session: Session, suite_id: int, rubric_id: int, rater_ids: Sequence[int]
) -> list[tuple[int, int, int, int]]:
    """The current scores of these raters on a rubric, of responses to a suite: (response, rater, criterion,
    score), in no order. Skipped and cleared scores are none."""
    rating = CURRENT_RATING.c
    statement = (
        select(rating.response_id, rating.rater_id, rating.criterion_id, rating.score)
        .join(Criterion, col(Criterion.id) == rating.criterion_id)
        .join(Response, col(Response.id) == rating.response_id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(
            col(Criterion.rubric_id) == rubric_id,
            col(Instruction.suite_id) == suite_id,
            rating.rater_id.in_(rater_ids),
            rating.score.is_not(None),
        )
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.connection().execute(statement)]

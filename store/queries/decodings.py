"""Responses of a model under two decodings, side by side on the instructions that it answered under both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from store.queries.expected_language import expected_label_in_sql
from store.queries.responses import is_empty
from store.queries.surface import latest_of, spelling_in_sql
from store.tables import CURRENT_METRIC, Decoding, Instruction, Model, Response

ROWS_AT_ONCE = 1_000


@dataclass(frozen=True)
class AnsweredDecoding:
    """A model under a decoding that gave `responses` to a suite."""

    model_id: int
    model: str
    decoding_id: int
    engine: str
    quantization: str | None
    parameters: dict[str, Any]
    responses: int


@dataclass(frozen=True)
class Measures:
    """Means over `n` responses: tokens with the end token, and shares (0 to 1) of responses in the language
    expected, of words that pass spell checking, of relevant, cut (`finish_reason` "length") and empty
    responses. None where nothing is known. Of surface metrics the latest measurement counts."""

    n: int
    right_language: float | None
    spelling: float | None
    relevant: float | None
    tokens_out: float | None
    cut: float | None
    empty: float


@dataclass(frozen=True)
class Side:
    """The responses of a model to a suite under `decoding_id`, of which only those count whose instruction
    and sample it answered under `also` too. `languages`: of instructions."""

    suite_id: int
    model_id: int
    decoding_id: int
    also: int
    languages: Sequence[str]


def answered_in(session: Session, suite_id: int) -> list[AnsweredDecoding]:
    """Every model and decoding with responses to a suite, in the order in which they came."""
    counted = (
        select(
            col(Response.model_id).label("model"),
            col(Response.decoding_id).label("decoding"),
            func.count().label("responses"),
        )
        .join(Instruction, col(Instruction.id) == col(Response.instruction_id))
        .where(col(Instruction.suite_id) == suite_id)
        .group_by(col(Response.model_id), col(Response.decoding_id))
        .subquery()
    )
    statement = (
        select(
            col(Model.id), col(Model.name), col(Decoding.id), col(Decoding.engine),
            col(Decoding.quantization), col(Decoding.parameters), counted.c.responses,
        )
        .join(Model, col(Model.id) == counted.c.model)
        .join(Decoding, col(Decoding.id) == counted.c.decoding)
        .order_by(col(Model.id), col(Decoding.id))
    )  # fmt: skip
    return [AnsweredDecoding(*row) for row in session.connection().execute(statement)]


def measures_of(session: Session, side: Side) -> dict[str, Measures]:
    """The means over the responses of a side, by language of their instructions."""
    own = aliased(Response)
    metrics = {name: CURRENT_METRIC.alias(name) for name in ("language", "spelling", "relevance")}
    language, spelling, relevance = metrics.values()
    right = language.c.label == expected_label_in_sql(session)
    statement = _pairs(
        side,
        own,
        aliased(Response),
        col(Instruction.language),
        func.count(),
        _share_of(language.c.label, right),
        func.avg(spelling_in_sql(spelling)),
        _share_of(relevance.c.value, relevance.c.value >= 0.5),
        func.avg(col(own.tokens_out)),
        _share_of(col(own.finish_reason), col(own.finish_reason) == "length"),
        _share_of(col(own.id), is_empty(col(own.text))),
    ).group_by(col(Instruction.language))
    for name, metric in metrics.items():
        statement = statement.outerjoin(metric, latest_of(metric, col(own.id), name))
    return {
        row[0]: Measures(row[1], *map(_number, row[2:])) for row in session.connection().execute(statement)
    }


def identical_in(session: Session, side: Side) -> dict[str, int]:
    """How many responses are the same text under both decodings, by language of their instructions."""
    own, other = aliased(Response), aliased(Response)
    same = col(own.text_digest) == col(other.text_digest)
    statement = _pairs(side, own, other, col(Instruction.language), func.count()).where(same)
    rows = session.connection().execute(statement.group_by(col(Instruction.language)))
    return {row[0]: row[1] for row in rows}


def differing_in(session: Session, side: Side) -> Iterator[tuple[str, str, str]]:
    """(language, text, text under the other decoding) of all pairs of responses that differ, in no order."""
    own, other = aliased(Response), aliased(Response)
    differ = col(own.text_digest) != col(other.text_digest)
    statement = _pairs(side, own, other, col(Instruction.language), col(own.text), col(other.text)).where(
        differ
    )
    rows = session.connection().execute(statement.execution_options(yield_per=ROWS_AT_ONCE))
    for row in rows:
        yield row[0], row[1], row[2]


def _pairs(side: Side, own: Any, other: Any, *columns: Any) -> Select[Any]:
    """Columns of a side's responses (`own`) and of those to the same instructions and samples (`other`)."""
    paired = and_(
        other.instruction_id == own.instruction_id,
        other.model_id == own.model_id,
        other.decoding_id == side.also,
        other.sample == own.sample,
    )
    return (
        select(*columns)
        .select_from(own)
        .join(Instruction, col(Instruction.id) == own.instruction_id)
        .join(other, paired)
        .where(
            own.model_id == side.model_id,
            own.decoding_id == side.decoding_id,
            col(Instruction.suite_id) == side.suite_id,
            col(Instruction.language).in_(side.languages),
        )
    )


def _share_of(known: Any, condition: ColumnElement[bool]) -> ColumnElement[float]:
    """The share of rows for which a condition holds, of those in which `known` is not null."""
    return func.avg(case((known.is_(None), None), (condition, 1.0), else_=0.0))


def _number(value: Any) -> Any:
    return None if value is None else float(value)  # PostgreSQL's averages of whole numbers are decimals

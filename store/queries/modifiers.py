"""Modifiers: how many responses each has, how many of them fulfil it, and the rubric that says so."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from store.labels import rater_label
from store.queries.ledger import counts_for
from store.queries.scores import ModelDecoding
from store.tables import Instruction, Response, Rubric

RUBRIC, CRITERION = "modifiers", "fulfilment"


@dataclass(frozen=True)
class ModifierTally:
    """Of `n` responses of a source that a rater decided about, `fulfilled` do what the modifier demands."""

    modifier: str
    language: str
    source: ModelDecoding
    rater: str
    n: int
    fulfilled: int


_TALLIES = f"""
SELECT instruction.modifier, instruction.language, response.model_id, response.decoding_id,
       model.name AS model, decoding.engine, decoding.quantization, decoding.digest,
       rater.kind, rater.name AS rater, rater.version, count(*) AS n, sum(verdict.score) AS fulfilled
FROM ledger AS verdict
JOIN criterion ON criterion.id = verdict.criterion_id
JOIN rubric ON rubric.id = criterion.rubric_id
JOIN rater ON rater.id = verdict.rater_id
JOIN response ON response.id = verdict.response_id
JOIN instruction ON instruction.id = response.instruction_id
JOIN model ON model.id = response.model_id
JOIN decoding ON decoding.id = response.decoding_id
WHERE instruction.suite_id = :suite AND instruction.modifier <> '' AND {counts_for("verdict", together=False)}
  AND rubric.name = :rubric AND criterion.name = :criterion
GROUP BY instruction.modifier, instruction.language, response.model_id, response.decoding_id, model.name,
         decoding.engine, decoding.quantization, decoding.digest, rater.kind, rater.name, rater.version
ORDER BY instruction.modifier, instruction.language, response.model_id, response.decoding_id, rater.kind,
         rater.name, rater.version
"""


def responses_by_modifier(session: Session, languages: Sequence[str] | None = None) -> dict[str, int]:
    """How many responses there are to instructions with each modifier, in these languages (default: all)."""
    statement = (
        select(Instruction.modifier, func.count())
        .select_from(Response)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(col(Instruction.modifier) != "")
        .group_by(col(Instruction.modifier))
        .order_by(col(Instruction.modifier))
    )
    if languages is not None:
        statement = statement.where(col(Instruction.language).in_(languages))
    return {modifier: count for modifier, count in session.exec(statement) if modifier is not None}


def modifier_tallies(session: Session, suite_id: int) -> list[ModifierTally]:
    """The tally of every modifier x language x source x rater of a suite, by the ratings that count; a
    response whose fulfilment was left undecided is not in it."""
    parameters = {"suite": suite_id, "rubric": RUBRIC, "criterion": CRITERION}
    return [
        ModifierTally(
            row.modifier,
            row.language,
            ModelDecoding(row.model_id, row.decoding_id, row.model, row.engine, row.quantization, row.digest),
            rater_label(row.kind, row.rater, row.version),
            row.n,
            int(row.fulfilled),
        )
        for row in session.connection().execute(text(_TALLIES), parameters)
    ]


def verdict_rubric(session: Session) -> int | None:
    """The id of the rubric for modifiers (the newest); None when nobody has judged any."""
    statement = select(Rubric.id).where(col(Rubric.name) == RUBRIC).order_by(col(Rubric.id).desc())
    return session.exec(statement).first()

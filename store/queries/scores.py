"""Current scores and surface metrics of a suite: means per model, language and rater, and every score."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import case, func, select, text
from sqlmodel import Session, col
from sqlmodel import select as select_model

from store.labels import people_label, rater_label
from store.queries import ledger
from store.queries.expected_language import expected_label_in_sql, expected_language
from store.queries.raters import asked_first
from store.queries.rubrics import stored_default_rubric
from store.queries.surface import latest_of, spelling_in_sql
from store.tables import (
    CURRENT_METRIC,
    LEDGER,
    Criterion,
    Decoding,
    Instruction,
    Model,
    Rater,
    Response,
)


@dataclass(frozen=True)
class ModelDecoding:
    """Where a response comes from: a model configuration under a decoding; a column of the room."""

    model_id: int
    decoding_id: int
    model: str
    engine: str
    quantization: str | None
    digest: str = field(default="", compare=False)

    @property
    def sample(self) -> int:
        """All samples of a decoding stand together here."""
        return 0


@dataclass(frozen=True)
class MeanScore:
    """The mean of `n` scores on a criterion, on the rubric's scale (0 to 2)."""

    source: ModelDecoding
    language: str
    rater: str
    criterion: str
    n: int
    mean: float


@dataclass(frozen=True)
class SurfaceShares:
    """Shares from 0 to 1 over the responses of a source in a language; None where nothing was measured.

    `right_language`: the identified language is the one that the response is expected in
    (`store.queries.expected_language`), of those whose language can be told; `not_measured`: how many were
    looked at whose language can't; `spelling`: words that pass, mean over responses.
    """

    source: ModelDecoding
    language: str
    responses: int
    right_language: float | None
    spelling: float | None
    not_measured: int = 0


# The mean over responses of the mean score of each, `by` rater or of people together.
_MEAN_SCORES = """
SELECT response.model_id, response.decoding_id, model.name AS model, decoding.engine, decoding.quantization,
       decoding.digest, instruction.language, rater.kind, rater.name AS rater, rater.version,
       criterion.name AS criterion, count(*) AS n, avg(given.score) AS mean
FROM (SELECT counted.response_id, {by} AS rater_id, counted.criterion_id, avg(counted.score) AS score
      FROM instruction JOIN response ON response.instruction_id = instruction.id
      JOIN ledger AS counted ON counted.response_id = response.id
      WHERE instruction.suite_id = :suite AND {counts} AND counted.criterion_id IN (
            SELECT criterion.id FROM criterion WHERE criterion.rubric_id = :rubric)
      GROUP BY counted.response_id, {by}, counted.criterion_id) AS given
LEFT JOIN rater ON rater.id = given.rater_id
JOIN criterion ON criterion.id = given.criterion_id
JOIN response ON response.id = given.response_id
JOIN instruction ON instruction.id = response.instruction_id
JOIN model ON model.id = response.model_id
JOIN decoding ON decoding.id = response.decoding_id
GROUP BY response.model_id, response.decoding_id, model.name, decoding.engine, decoding.quantization,
         decoding.digest, instruction.language, rater.kind, rater.name, rater.version, criterion.name,
         criterion.position
ORDER BY response.model_id, response.decoding_id, instruction.language, rater.kind, rater.name, rater.version,
         criterion.position
"""
_BY_RATER = _MEAN_SCORES.format(by="counted.rater_id", counts=ledger.counts_for("counted", together=False))
_TOGETHER = _MEAN_SCORES.format(
    by="NULL",
    counts=ledger.counts_for("counted", together=True) + " AND counted.rater_kind = 'human'",
)

_PEOPLE = """
SELECT count(DISTINCT scored.rater_id)
FROM instruction JOIN response ON response.instruction_id = instruction.id
JOIN ledger AS scored ON scored.response_id = response.id
WHERE instruction.suite_id = :suite AND scored.rubric_id = :rubric AND scored.rater_kind = 'human'
  AND scored.stands
"""

_SCORES_BY_MODEL = """
SELECT model.name AS model, instruction.language, instruction.key, criterion.name AS criterion, scored.score
FROM ledger AS scored
JOIN criterion ON criterion.id = scored.criterion_id
JOIN response ON response.id = scored.response_id
JOIN instruction ON instruction.id = response.instruction_id
JOIN model ON model.id = response.model_id
WHERE instruction.suite_id = :suite AND scored.rater_id = :rater AND scored.stands
"""


ScoresByCriterion = dict[tuple[str, str, str], int]
"""Scores by (language, key, criterion)."""


@dataclass(frozen=True)
class ScoredResponse:
    """A response: where it comes from, what it answers, and its length in characters.

    `language` is the instruction's, `expected` the one that the response should be in.
    """

    id: int
    source: ModelDecoding
    key: str
    language: str
    expected: str
    task: str | None
    modifier: str | None
    length: int


@dataclass(frozen=True)
class ScoringRater:
    """A rater, asked for the first time."""

    id: int
    kind: str
    name: str
    version: str

    @property
    def label(self) -> str:
        return rater_label(self.kind, self.name, self.version)


def mean_scores(session: Session, suite_id: int) -> list[MeanScore]:
    """Mean scores of every source x language x rater x criterion of a suite, on the default rubric: of people
    together where there are several, then of every rater. What counts is said by `store.queries.ledger`."""
    rubric = stored_default_rubric(session)
    if rubric is None:
        return []
    asked = {"suite": suite_id, "rubric": rubric}
    connection = session.connection()
    people = connection.execute(text(_PEOPLE), asked).scalar_one()
    together = list(connection.execute(text(_TOGETHER), asked)) if people > 1 else []
    return [
        MeanScore(
            ModelDecoding(row.model_id, row.decoding_id, row.model, row.engine, row.quantization, row.digest),
            row.language,
            people_label(people) if row.kind is None else rater_label(row.kind, row.rater, row.version),
            row.criterion,
            row.n,
            float(row.mean),
        )
        for row in (*together, *connection.execute(text(_BY_RATER), asked))
    ]


def surface_shares(session: Session, suite_id: int) -> list[SurfaceShares]:
    """Surface metrics of every source x language of a suite; the latest measurement of each counts."""
    rows = session.connection().execute(_surface_shares(session).where(col(Instruction.suite_id) == suite_id))
    return [
        SurfaceShares(
            ModelDecoding(row.model_id, row.decoding_id, row.model, row.engine, row.quantization, row.digest),
            row.language,
            row.responses,
            None if row.right_language is None else float(row.right_language),
            None if row.spelling is None else float(row.spelling),
            row.not_measured,
        )
        for row in rows
    ]


def _surface_shares(session: Session) -> Any:
    identified, spelling = CURRENT_METRIC.alias("identified"), CURRENT_METRIC.alias("spelling")
    right = case(
        (identified.c.label.is_(None), None),
        (identified.c.label == expected_label_in_sql(session), 1.0),
        else_=0.0,
    )
    source: list[Any] = [Response.model_id, Response.decoding_id, col(Model.name).label("model")]
    source += [Decoding.engine, Decoding.quantization, Decoding.digest, Instruction.language]
    return (
        select(
            *source,
            func.count().label("responses"),
            func.avg(right).label("right_language"),
            func.count(case((identified.c.label.is_(None), identified.c.id))).label("not_measured"),
            func.avg(spelling_in_sql(spelling)).label("spelling"),
        )
        .select_from(Response)
        .join(Instruction)
        .join(Model)
        .join(Decoding)
        .outerjoin(identified, latest_of(identified, col(Response.id), "language"))
        .outerjoin(spelling, latest_of(spelling, col(Response.id), "spelling"))
        .group_by(*source)
        .order_by(col(Response.model_id), col(Response.decoding_id), col(Instruction.language))
    )


def scores_by_model(session: Session, suite_id: int, rater_id: int) -> dict[str, ScoresByCriterion]:
    """What a rater gave to each model's responses to a suite. A model is taken to have one response to each
    instruction."""
    scores: dict[str, ScoresByCriterion] = {}
    for row in session.connection().execute(text(_SCORES_BY_MODEL), {"suite": suite_id, "rater": rater_id}):
        scores.setdefault(row.model, {})[row.language, row.key, row.criterion] = row.score
    return scores


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
            number or 0, ModelDecoding(model, decoding, name, engine, quantization, digest), key, language,
            expected_language(language, modifier), task, modifier or None, length,
        )
        for number, model, decoding, name, engine, quantization, digest, key, language, task, modifier, length
        in session.connection().execute(statement)
    ]  # fmt: skip


def raters_of(session: Session) -> list[ScoringRater]:
    """All raters, without the repeats of judges: people, then judges, then rules."""
    order = {"human": 0, "llm": 1, "rule": 2}
    raters = [
        ScoringRater(rater.id or 0, rater.kind, rater.name, rater.version)
        for rater in session.exec(select_model(Rater).where(asked_first()))
    ]
    return sorted(raters, key=lambda rater: (order.get(rater.kind, 3), rater.name, rater.version))


class LedgerRow(NamedTuple):
    """A score that stands, and what `store.queries.ledger` says of it."""

    response_id: int
    rater_id: int
    criterion_id: int
    score: int
    wrong_language: bool
    replaced: bool
    adjudicates: bool


def scores_of(session: Session, suite_id: int, rubric_id: int) -> list[LedgerRow]:
    """The scores that stand on a rubric, of all raters, of responses to a suite, in no order."""
    row = LEDGER.c
    statement = (
        select(
            row.response_id, row.rater_id, row.criterion_id, row.score, row.wrong_language,
            row.replaced, row.adjudicates,
        )
        .select_from(LEDGER)
        .join(Criterion, col(Criterion.id) == row.criterion_id)
        .join(Response, col(Response.id) == row.response_id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(col(Criterion.rubric_id) == rubric_id, col(Instruction.suite_id) == suite_id, row.stands)
    )  # fmt: skip
    return [LedgerRow(*scored) for scored in session.connection().execute(statement)]

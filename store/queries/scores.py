"""Current scores and surface metrics of a suite: means per model, language and rater, and every score."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import case, func, select, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col
from sqlmodel import select as select_model

from store.labels import rater_label
from store.queries.expected_language import expected_in_sql, expected_language, is_language_in_sql
from store.queries.raters import asked_first, split_version
from store.queries.rubrics import read_rubric
from store.tables import (
    CURRENT_RATING,
    Criterion,
    Decoding,
    Instruction,
    Model,
    Rater,
    Response,
    SurfaceMetric,
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
    (`store.queries.expected_language`); `spelling`: words that pass, mean over responses.
    """

    source: ModelDecoding
    language: str
    responses: int
    right_language: float | None
    spelling: float | None


# DESIGN: for every criterion but `language`, responses that the same rater found in the wrong language
# (language = 0) are left out (the paper, section 4).
_MEAN_SCORES = """
SELECT response.model_id, response.decoding_id, model.name AS model, decoding.engine, decoding.quantization,
       decoding.digest, instruction.language, rater.kind, rater.name AS rater, rater.version,
       criterion.name AS criterion, count(*) AS n, avg(current_rating.score) AS mean
FROM current_rating
JOIN criterion ON criterion.id = current_rating.criterion_id
JOIN rubric ON rubric.id = criterion.rubric_id AND rubric.name = :rubric AND rubric.version = :version
JOIN rater ON rater.id = current_rating.rater_id
JOIN response ON response.id = current_rating.response_id
JOIN instruction ON instruction.id = response.instruction_id
JOIN model ON model.id = response.model_id
JOIN decoding ON decoding.id = response.decoding_id
WHERE instruction.suite_id = :suite AND current_rating.score IS NOT NULL
  AND (criterion.name = 'language' OR NOT EXISTS (
        SELECT 1 FROM current_rating AS wrong JOIN criterion AS aspect ON aspect.id = wrong.criterion_id
        WHERE wrong.response_id = current_rating.response_id AND wrong.rater_id = current_rating.rater_id
          AND aspect.rubric_id = criterion.rubric_id AND aspect.name = 'language' AND wrong.score = 0))
GROUP BY response.model_id, response.decoding_id, model.name, decoding.engine, decoding.quantization,
         decoding.digest, instruction.language, rater.kind, rater.name, rater.version, criterion.name,
         criterion.position
ORDER BY response.model_id, response.decoding_id, instruction.language, rater.kind, rater.name, rater.version,
         criterion.position
"""


_SCORES_BY_MODEL = """
SELECT model.name AS model, instruction.language, instruction.key, criterion.name AS criterion,
       current_rating.score
FROM current_rating
JOIN criterion ON criterion.id = current_rating.criterion_id
JOIN response ON response.id = current_rating.response_id
JOIN instruction ON instruction.id = response.instruction_id
JOIN model ON model.id = response.model_id
WHERE instruction.suite_id = :suite AND current_rating.rater_id = :rater AND current_rating.score IS NOT NULL
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
    """Mean scores of every source x language x rater x criterion of a suite, on the default rubric; what a
    judge said when it was asked again is left out (`store.queries.raters`)."""
    rubric = read_rubric()
    asked = {"suite": suite_id, "rubric": rubric["name"], "version": rubric["version"]}
    rows = session.connection().execute(text(_MEAN_SCORES), asked)
    return [
        MeanScore(
            ModelDecoding(row.model_id, row.decoding_id, row.model, row.engine, row.quantization, row.digest),
            row.language,
            rater_label(row.kind, row.rater, row.version),
            row.criterion,
            row.n,
            float(row.mean),
        )
        for row in rows
        if split_version(row.version)[1] == 1
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
        )
        for row in rows
    ]


def _surface_shares(session: Session) -> Any:
    identified, spelling = aliased(SurfaceMetric), aliased(SurfaceMetric)
    right = case(
        (col(identified.id).is_(None), None),
        (is_language_in_sql(col(identified.label), expected_in_sql(session)), 1.0),
        else_=0.0,
    )
    source: list[Any] = [Response.model_id, Response.decoding_id, col(Model.name).label("model")]
    source += [Decoding.engine, Decoding.quantization, Decoding.digest, Instruction.language]
    return (
        select(
            *source,
            func.count().label("responses"),
            func.avg(right).label("right_language"),
            func.avg(col(spelling.value)).label("spelling"),
        )
        .select_from(Response)
        .join(Instruction)
        .join(Model)
        .join(Decoding)
        .outerjoin(identified, col(identified.id) == _latest("language"))
        .outerjoin(spelling, col(spelling.id) == _latest("spelling"))
        .group_by(*source)
        .order_by(col(Response.model_id), col(Response.decoding_id), col(Instruction.language))
    )


def _latest(metric: str) -> Any:
    """The id of the last measurement of a response."""
    measured = aliased(SurfaceMetric)
    newest = select(func.max(measured.id)).where(
        col(measured.response_id) == Response.id, col(measured.metric) == metric
    )
    return newest.correlate(Response).scalar_subquery()


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

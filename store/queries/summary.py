"""What a store holds, in counts: for `xlit-core status`."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

_RESPONSES = """
SELECT suite.name || '/' || suite.version AS suite, model.name AS model,
       decoding.engine, decoding.quantization, instruction.language, count(*) AS responses
FROM response
JOIN instruction ON instruction.id = response.instruction_id
JOIN suite ON suite.id = instruction.suite_id
JOIN model ON model.id = response.model_id
JOIN decoding ON decoding.id = response.decoding_id
GROUP BY suite.id, suite.name, suite.version, response.model_id, response.decoding_id, model.name,
         decoding.engine, decoding.quantization, instruction.language
ORDER BY suite.id, response.model_id, response.decoding_id, instruction.language
"""

_RATERS = """
SELECT rater.kind, rater.name, rater.version, count(*) AS ratings,
       count(DISTINCT current_rating.response_id) AS responses
FROM current_rating JOIN rater ON rater.id = current_rating.rater_id
GROUP BY rater.id, rater.kind, rater.name, rater.version ORDER BY rater.id
"""

_METRICS = """
SELECT metric, tool, count(*) AS responses FROM surface_metric GROUP BY metric, tool ORDER BY metric, tool
"""


@dataclass(frozen=True)
class ResponseCount:
    """How many responses a model gave to a suite in a language under one decoding."""

    suite: str
    model: str
    engine: str
    quantization: str | None
    language: str
    responses: int


@dataclass(frozen=True)
class RaterCount:
    """How many current ratings a rater has, on how many responses."""

    kind: str
    name: str
    version: str
    ratings: int
    responses: int


@dataclass(frozen=True)
class MetricCount:
    """How many responses a tool has measured."""

    metric: str
    tool: str
    responses: int


def response_counts(session: Session) -> list[ResponseCount]:
    return [ResponseCount(**row) for row in session.connection().execute(text(_RESPONSES)).mappings()]


def rater_counts(session: Session) -> list[RaterCount]:
    return [RaterCount(**row) for row in session.connection().execute(text(_RATERS)).mappings()]


def metric_counts(session: Session) -> list[MetricCount]:
    return [MetricCount(**row) for row in session.connection().execute(text(_METRICS)).mappings()]

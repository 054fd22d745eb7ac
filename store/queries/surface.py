"""Surface metrics: written once per (response, metric, tool), what is still missing, and the latest of each
response, as the choice of a learning rate needs them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlmodel import Session, col
from sqlmodel import select as select_model

from store.queries.expected_language import expected_in_sql, expected_language, is_language
from store.queries.responses import is_empty
from store.tables import CURRENT_METRIC, Instruction, Model, Response, SurfaceMetric
from store.upsert import dialect_of

_NOTHING: dict[str, Any] = {"value": None, "label": None, "detail": {}, "run_id": None}


# Why a metric has no value. The third: the identifier knows nothing of the text, or does not know the
# language that it is expected in.
NO_PROSE, TOO_SHORT, UNKNOWN_LANGUAGE = "no prose", "too short", "language unknown"
REASONS = (NO_PROSE, TOO_SHORT, UNKNOWN_LANGUAGE)

# What earlier rules called them.
_OLD_REASONS = {
    "empty": NO_PROSE,
    "no letters": NO_PROSE,
    "no words": NO_PROSE,
    "not recognised": UNKNOWN_LANGUAGE,
}

# The end of the name of the tool whose share of spelling left out words in another script.
_OLD_SPELLING = " words-1"

# The rows of a question that are held at once.
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class ModelDescription:
    """A model's configuration, as far as it is known."""

    base: str | None
    data: str | None
    adaptation: str | None
    learning_rate: float | None
    data_digest: str | None = None
    size: int | None = None
    mix: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class SurfaceMeasures:
    """The surface metrics of a response, by the latest measurement of each; None where there is none.

    `right_language`: it is identified as the language that it is expected in
    (`store.queries.expected_language`); where that can't be told, `reason` is one of `REASONS`. `spelling`:
    share of all words that pass, 0 to 1; `own_script`: of those in the script of the language. `relevant`:
    judged to address its task. `empty`: holds nothing but white space.
    """

    right_language: bool | None
    spelling: float | None
    relevant: bool | None
    empty: bool
    own_script: float | None = None
    reason: str | None = None


def add_metrics(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """Write the metrics (rows of `store.tables.SurfaceMetric`) not there yet; returns how many were new."""
    # Not through an object for each row, as `store.upsert` does: for these many small rows that takes as long
    # as measuring some of them.
    full = [{**_NOTHING, **row} for row in rows]
    if not full:
        return 0
    statement = (
        dialect_of(session)
        .insert(SurfaceMetric)
        .on_conflict_do_nothing(index_elements=["response_id", "metric", "tool"])
    )
    options = {"preserve_rowcount": True}
    return session.connection().execute(statement, full, execution_options=options).rowcount


def expected_languages(session: Session, languages: Sequence[str] | None = None) -> list[str]:
    """The languages in which responses are expected (`store.queries.expected_language`) to instructions in
    `languages` (default: all), where there are any responses, sorted."""
    answered = select_model(Response.id).where(Response.instruction_id == Instruction.id).exists()
    statement = select_model(Instruction.language, Instruction.modifier).where(answered).distinct()
    if languages is not None:
        statement = statement.where(col(Instruction.language).in_(languages))
    return sorted({expected_language(*pair) for pair in session.exec(statement)})


def responses_without(
    session: Session,
    metric: str,
    tool: str,
    languages: Sequence[str] | None = None,
    *,
    expected: str | None = None,
) -> Iterator[tuple[int, str]]:
    """(response id, language that it is expected in) of every response that this tool has not measured, in no
    order.

    `languages` are those of the instructions, `expected` is the one that responses are expected in.
    """
    measured = select_model(SurfaceMetric.response_id).where(
        SurfaceMetric.response_id == Response.id, SurfaceMetric.metric == metric, SurfaceMetric.tool == tool
    )
    wanted = expected_in_sql(session)
    statement = select_model(Response.id, wanted).join(Instruction).where(~measured.exists())
    if languages is not None:
        statement = statement.where(col(Instruction.language).in_(languages))
    if expected is not None:
        statement = statement.where(wanted == expected)
    for response_id, language in session.exec(statement.execution_options(yield_per=ROWS_AT_ONCE)):
        yield response_id or 0, language


def model_descriptions(session: Session) -> dict[int, ModelDescription]:
    """How each model is configured, by its id."""
    columns = [getattr(Model, field.name) for field in fields(ModelDescription)]
    statement = select(col(Model.id), *columns)
    return {row[0]: ModelDescription(*row[1:]) for row in _rows(session, statement)}


def surface_measures(session: Session, suite_id: int) -> dict[int, SurfaceMeasures]:
    """The surface metrics of every response to a suite, by its id."""
    latest: dict[str, dict[int, Any]] = {"language": {}, "spelling": {}, "relevance": {}}
    metric = CURRENT_METRIC.c
    own_script = metric.value * metric.detail["words"].as_integer() / own_words_in_sql(CURRENT_METRIC)
    statement = (
        select(
            metric.response_id,
            metric.metric,
            metric.value,
            metric.label,
            metric.detail["reason"].as_string().label("reason"),
            spelling_in_sql(CURRENT_METRIC).label("spelling"),
            case((metric.tool.like(f"%{_OLD_SPELLING}"), metric.value), else_=own_script).label("own_script"),
        )
        .join(Response, col(Response.id) == metric.response_id)
        .join(Instruction, col(Instruction.id) == col(Response.instruction_id))
        .where(col(Instruction.suite_id) == suite_id, metric.metric.in_(list(latest)))
    )
    for row in _rows(session, statement):
        latest[row.metric][row.response_id] = row
    empty = is_empty(col(Response.text))
    answers = (
        select(col(Response.id), col(Instruction.language), col(Instruction.modifier), empty)
        .join(Instruction, col(Instruction.id) == col(Response.instruction_id))
        .where(col(Instruction.suite_id) == suite_id)
    )
    measures = {}
    for response, language, modifier, is_blank in _rows(session, answers):
        identified, spelling, relevance = (latest[name].get(response) for name in latest)
        measures[response] = SurfaceMeasures(
            right_language=is_language(identified.label, expected_language(language, modifier))
            if identified is not None and identified.label is not None
            else None,
            spelling=spelling.spelling if spelling is not None else None,
            relevant=None if relevance is None or relevance.value is None else relevance.value >= 0.5,
            empty=bool(is_blank),
            own_script=spelling.own_script if spelling is not None else None,
            reason=not_measured_because(identified.reason)
            if identified is not None and identified.label is None
            else None,
        )
    return measures


def not_measured_because(reason: str | None) -> str:
    """One of `REASONS` for the reason that a row of the metric `language` without a label carries."""
    return reason if reason in REASONS else _OLD_REASONS.get(reason or "", UNKNOWN_LANGUAGE)


def spelling_in_sql(metrics: Any) -> ColumnElement[float]:
    """The share of all words that pass, of a row of `current_metric` under any name; null where an earlier
    rule measured that left out words in another script."""
    return case((metrics.c.tool.like(f"%{_OLD_SPELLING}"), None), else_=metrics.c.value)


def own_words_in_sql(metrics: Any) -> ColumnElement[int]:
    """How many words in the script of the language were checked; null for none, or where it is not known."""
    detail = metrics.c.detail
    return func.nullif(detail["words"].as_integer() - detail["other_script"].as_integer(), 0)


def latest_of(metrics: Any, response: Any, metric: str) -> ColumnElement[bool]:
    """The condition that joins the latest measurement of a metric (of `metrics`, which is the view
    `current_metric` under a name) to the responses with the id `response`."""
    return and_(metrics.c.response_id == response, metrics.c.metric == metric)


def _rows(session: Session, statement: Any) -> Iterable[Any]:
    return session.connection().execute(statement)

"""Surface metrics: written once per (response, metric, tool), and what is still missing."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from sqlmodel import Session, col
from sqlmodel import select as select_model

from store.queries.expected import expected_in_sql, expected_language
from store.tables import Instruction, Response, SurfaceMetric

_NOTHING: dict[str, Any] = {"value": None, "label": None, "detail": {}, "run_id": None}

# The rows of a question that are held at once, and the values in one: a database takes only so many.
ROWS_AT_ONCE = 10_000
IDS_AT_ONCE = 500


def add_metrics(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """Write the metrics (rows of `store.tables.SurfaceMetric`) not there yet; returns how many were new."""
    # Not through an object for each row, as `store.upsert` does: for these many small rows that takes as long
    # as measuring some of them.
    full = [{**_NOTHING, **row} for row in rows]
    if not full:
        return 0
    dialect = import_module(f"sqlalchemy.dialects.{session.get_bind().dialect.name}")
    statement = dialect.insert(SurfaceMetric).on_conflict_do_nothing(
        index_elements=["response_id", "metric", "tool"]
    )
    options = {"preserve_rowcount": True}
    return session.connection().execute(statement, full, execution_options=options).rowcount


def expected_languages(session: Session, languages: Sequence[str] | None = None) -> list[str]:
    """The languages in which responses are expected (`store.queries.expected`) to instructions in `languages`
    (default: all), where there are any responses, sorted."""
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
    for found, language in session.exec(statement.execution_options(yield_per=ROWS_AT_ONCE)):
        yield found or 0, language


def texts_of(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """The texts of these responses by id."""
    found: dict[int, str] = {}
    for first in range(0, len(ids), IDS_AT_ONCE):
        statement = select_model(Response.id, Response.text).where(
            col(Response.id).in_(ids[first : first + IDS_AT_ONCE])
        )
        found |= {number or 0: text for number, text in session.exec(statement)}
    return found

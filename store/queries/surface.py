"""Surface metrics: written once per (response, metric, tool), and what is still missing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from store.tables import Instruction, Response, SurfaceMetric
from store.upsert import insert_missing


def add_metrics(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """Write the metrics (rows of `store.tables.SurfaceMetric`) not there yet; returns how many were new."""
    return insert_missing(session, SurfaceMetric, rows, ("response_id", "metric", "tool"))


def count_without(session: Session, metric: str, tool: str, languages: Sequence[str] | None = None) -> int:
    """How many responses this tool has not measured."""
    statement = select(func.count()).select_from(Response).join(Instruction)
    return session.exec(statement.where(*_unmeasured(metric, tool, languages))).one()


def responses_without(
    session: Session,
    metric: str,
    tool: str,
    languages: Sequence[str] | None = None,
    *,
    after: int = 0,
    limit: int | None = None,
) -> list[tuple[int, str, str]]:
    """(response id, instruction's language, text) of every response that this tool has not measured.

    In the order of their ids, from the one after `after`, at most `limit`: a store may hold more text than
    fits in memory.
    """
    statement = (
        select(Response.id, Instruction.language, Response.text)
        .join(Instruction)
        .where(col(Response.id) > after, *_unmeasured(metric, tool, languages))
        .order_by(col(Response.id))
        .limit(limit)
    )
    return [(found or 0, language, body) for found, language, body in session.exec(statement)]


def _unmeasured(metric: str, tool: str, languages: Sequence[str] | None) -> list[ColumnElement[bool]]:
    measured = select(SurfaceMetric.response_id).where(
        SurfaceMetric.response_id == Response.id, SurfaceMetric.metric == metric, SurfaceMetric.tool == tool
    )
    conditions: list[ColumnElement[bool]] = [~measured.exists()]
    if languages is not None:
        conditions.append(col(Instruction.language).in_(languages))
    return conditions

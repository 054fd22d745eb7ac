"""Surface metrics: written once per (response, metric, tool), and what is still missing."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from store.tables import Instruction, Response, SurfaceMetric
from store.upsert import insert_missing


def add_metrics(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """Write the metrics (rows of `store.tables.SurfaceMetric`) not there yet; returns how many were new."""
    return insert_missing(session, SurfaceMetric, rows, ("response_id", "metric", "tool"))


def responses_without(
    session: Session, metric: str, tool: str, languages: Sequence[str] | None = None
) -> list[tuple[int, str, str]]:
    """(response id, instruction's language, text) of every response that this tool has not measured."""
    measured = select(SurfaceMetric.response_id).where(
        SurfaceMetric.response_id == Response.id, SurfaceMetric.metric == metric, SurfaceMetric.tool == tool
    )
    statement = (
        select(Response.id, Instruction.language, Response.text)
        .join(Instruction)
        .where(~measured.exists())
        .order_by(col(Response.id))
    )
    if languages is not None:
        statement = statement.where(col(Instruction.language).in_(languages))
    return [(found or 0, language, body) for found, language, body in session.exec(statement)]

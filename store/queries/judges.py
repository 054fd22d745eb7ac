"""Which judges have scored the responses of a view."""

from sqlalchemy import select
from sqlmodel import Session, col
from sqlmodel import select as select_model

from store.queries.finding import LEAD, Scope, in_scope
from store.tables import Rater, Rating, Response


def judges_in(session: Session, scope: Scope) -> list[Rater]:
    """The LLM judges and rules that have scored at least one response in scope, by their row numbers."""
    raters = select_model(Rater).where(col(Rater.kind).in_(("llm", "rule"))).order_by(col(Rater.id))
    return [rater for rater in session.exec(raters) if _has_scored(session, scope, rater.id or 0)]


def _has_scored(session: Session, scope: Scope, rater_id: int) -> bool:
    scored = (
        select(col(Rating.id))
        .where(
            col(Rating.response_id) == col(Response.id),
            col(Rating.rater_id) == rater_id,
            col(Rating.criterion_id).in_(scope.criterion_ids),
        )
        .correlate(Response)
        .exists()
    )
    statement = in_scope(scope, LEAD.c.id).where(scored).order_by(None).limit(1)
    return session.connection().execute(statement).first() is not None

"""Which judges have scored the responses of a view."""

from sqlalchemy import and_, func, select
from sqlmodel import Session, col
from sqlmodel import select as select_model

from store.queries.raters import asked_first
from store.queries.scope import LEAD, Scope, in_scope
from store.tables import Rater, Rating, Response

# Up to so many ratings, a judge's own are looked through; of one with more, the view is asked. A judge that
# rates every response of a view is found at the first of them.
FEW = 10_000


def judges_in(session: Session, scope: Scope) -> list[Rater]:
    """The LLM judges and rules that have scored at least one response in scope, by their row numbers.

    A judge that was asked repeatedly is there once: as the rater of the first time.
    """
    judges = select_model(Rater).where(col(Rater.kind).in_(("llm", "rule")), asked_first())
    found = session.exec(judges.order_by(col(Rater.id)))
    return [rater for rater in found if _has_scored(session, scope, rater.id or 0)]


def _has_scored(session: Session, scope: Scope, rater_id: int) -> bool:
    scored = and_(
        col(Rating.response_id) == col(Response.id),
        col(Rating.rater_id) == rater_id,
        col(Rating.criterion_id).in_(scope.criterion_ids),
    )
    statement = in_scope(scope, LEAD.c.id)
    if _has_few(session, rater_id):
        statement = statement.join(Rating, scored)
    else:
        statement = statement.where(select(col(Rating.id)).where(scored).correlate(Response).exists())
    return session.connection().execute(statement.order_by(None).limit(1)).first() is not None


def _has_few(session: Session, rater_id: int) -> bool:
    first = select(col(Rating.id)).where(col(Rating.rater_id) == rater_id).limit(FEW).subquery()
    return session.connection().execute(select(func.count()).select_from(first)).scalar_one() < FEW

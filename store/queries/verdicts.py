"""The rubric that says whether modifiers are fulfilled."""

from sqlmodel import Session, col, select

from store.queries.fulfilment import RUBRIC
from store.tables import Rubric


def verdict_rubric(session: Session) -> int | None:
    """The id of the rubric for modifiers (the newest); None when nobody has judged any."""
    statement = select(Rubric.id).where(col(Rubric.name) == RUBRIC).order_by(col(Rubric.id).desc())
    return session.exec(statement).first()

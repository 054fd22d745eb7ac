"""Raters: their identity, their repeats, and the judges that have scored the responses of a view.

A judge or a person that is asked again is a rater of its own each time, so that repeats show how far a rater
agrees with itself. The first time, it is the rater with its plain version; the second time, the rater of the
same kind and name with the version `VERSION#2`, then `VERSION#3` and so on. A version that ends in `#` and a
number from 2 on stands for nothing else.
"""

import re

from sqlalchemy import ColumnElement, and_, func, select
from sqlmodel import Session, col
from sqlmodel import select as select_model

from store.names import trimmed
from store.queries.filters import LEAD, ViewScope, select_in_scope
from store.tables import Rater, Rating, Response
from store.upsert import row_id

# Understood alike by Python, which does regular expressions for SQLite, and by PostgreSQL.
_REPEAT = r"#([2-9]|[1-9][0-9]+)\Z"

# Up to so many ratings, a judge's own are looked through; of one with more, the view is asked. A judge that
# rates every response of a view is found at the first of them.
_FEW_RATINGS = 10_000


def rater_id(session: Session, kind: str, name: str, version: str = "") -> int:
    """The id of a rater, who is written down when new: `kind` is `human`, `llm` or `rule`."""
    return row_id(session, Rater, {"kind": kind, "name": trimmed(name), "version": version})


def person_id(session: Session, name: str) -> int | None:
    """The id of the person of this name; None: the store knows none."""
    statement = select_model(Rater.id).where(
        Rater.kind == "human", Rater.name == trimmed(name), Rater.version == ""
    )
    return session.exec(statement).first()


def ids_named(session: Session, name: str) -> list[int]:
    """The raters of this name, of whatever kind and version; without repeats."""
    statement = (
        select_model(Rater.id).where(Rater.name == trimmed(name), asked_first()).order_by(col(Rater.id))
    )
    return [number or 0 for number in session.exec(statement)]


def people(session: Session) -> list[int]:
    """The ids of all people; without repeats."""
    statement = select_model(Rater.id).where(Rater.kind == "human", asked_first())
    return [number or 0 for number in session.exec(statement)]


def is_known(session: Session, name: str) -> bool:
    """Whether there is a rater of this name."""
    return session.exec(select_model(Rater.id).where(col(Rater.name) == trimmed(name))).first() is not None


def repeat_version(version: str, repeat: int) -> str:
    """The version of a judge's rater when it is asked for the `repeat`-th time, from 1: `v1`, 3 gives `v1#3`.

    Raises `ValueError` when there is no such time, or when `version` is that of a repeat already.
    """
    if repeat < 1:
        raise ValueError(f"There is no repeat {repeat}: the first is 1.")
    if split_version(version)[1] != 1:
        raise ValueError(f"{version!r} is the version of a repeat already.")
    return version if repeat == 1 else f"{version}#{repeat}"


def split_version(version: str) -> tuple[str, int]:
    """The plain version of a rater, and for the how-many-th time it was asked: `v1#3` gives `("v1", 3)`."""
    repeat = re.search(_REPEAT, version)
    return (version[: repeat.start()], int(repeat[1])) if repeat else (version, 1)


def asked_first() -> ColumnElement[bool]:
    """The condition on `Rater` that leaves repeats out."""
    return ~col(Rater.version).regexp_match(_REPEAT)


def judges_in(session: Session, scope: ViewScope) -> list[Rater]:
    """The LLM judges and rules that have scored at least one response in scope, by their row numbers.

    A judge that was asked repeatedly is there once: as the rater of the first time.
    """
    judges = select_model(Rater).where(col(Rater.kind).in_(("llm", "rule")), asked_first())
    in_order = session.exec(judges.order_by(col(Rater.id)))
    return [rater for rater in in_order if _has_scored(session, scope, rater.id or 0)]


def _has_scored(session: Session, scope: ViewScope, rater_id: int) -> bool:
    scored = and_(
        col(Rating.response_id) == col(Response.id),
        col(Rating.rater_id) == rater_id,
        col(Rating.criterion_id).in_(scope.criterion_ids),
    )
    statement = select_in_scope(scope, LEAD.c.id)
    if _has_few(session, rater_id):
        statement = statement.join(Rating, scored)
    else:
        statement = statement.where(select(col(Rating.id)).where(scored).correlate(Response).exists())
    return session.connection().execute(statement.order_by(None).limit(1)).first() is not None


def _has_few(session: Session, rater_id: int) -> bool:
    first = select(col(Rating.id)).where(col(Rating.rater_id) == rater_id).limit(_FEW_RATINGS).subquery()
    return session.connection().execute(select(func.count()).select_from(first)).scalar_one() < _FEW_RATINGS

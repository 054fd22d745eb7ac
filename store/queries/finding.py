"""Which responses of a view fit a filter, disagree with the judge, hold a word, or want a score."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlmodel import Session, col
from sqlmodel import select as select_model

from store.queries.compare import SourceKey, from_sources
from store.queries.scope import (
    LEAD,
    STATUSES,
    Filter,
    Scope,
    conditions,
    identified,
    in_scope,
    in_view,
    ratings,
    revealed,
    same_cell,
    scored,
    status,
    touched,
)
from store.tables import Instruction, Response

Found = tuple[int, int]


@dataclass(frozen=True)
class Disagreement:
    """A criterion on which reviewer and judge differ by `delta` (reviewer minus judge)."""

    instruction_id: int
    response_id: int
    criterion_id: int
    delta: int


def instructions_with_responses(session: Session, scope: Scope) -> list[int]:
    """The ids of the lead instructions with at least one response in scope, in the suite's order."""
    own, lead = Instruction.__table__.alias("own"), LEAD  # type: ignore[attr-defined]
    response = (
        select(col(Response.id))
        .join(own, own.c.id == Response.instruction_id)
        .where(
            own.c.suite_id == lead.c.suite_id,
            own.c.language.in_(scope.languages),
            own.c.key == lead.c.key,
            *in_view(scope),
        )
        .correlate(lead)
    )
    if scope.languages == (scope.lead,):
        response = (
            select(col(Response.id))
            .where(Response.instruction_id == lead.c.id, *in_view(scope))
            .correlate(lead)
        )
    statement = (
        select(lead.c.id)
        .where(lead.c.suite_id == scope.suite_id, lead.c.language == scope.lead, response.exists())
        .order_by(lead.c.position)
    )
    return list(session.connection().execute(statement).scalars())


def matching(session: Session, scope: Scope, wanted: Filter) -> list[Found]:
    """(lead instruction, response) of every response that fits the filter, in the suite's order."""
    statement = in_scope(scope, LEAD.c.id, col(Response.id)).where(*conditions(scope, wanted))
    rows = session.connection().execute(statement)
    # Not in SQL: there may be more of them than a database takes as parameters.
    these = wanted.responses
    return [(row[0], row[1]) for row in rows if these is None or row[1] in these]


def first_unscored(session: Session, scope: Scope, after: int) -> Found | None:
    """The first response after position `after` that lacks a mark on a criterion; then the first from the
    start; None when all is scored."""
    for bound in (LEAD.c.position > after, LEAD.c.position <= after):
        statement = in_scope(scope, LEAD.c.id, col(Response.id)).where(bound, ~scored(scope)).limit(1)
        row = session.connection().execute(statement).first()
        if row is not None:
            return row[0], row[1]
    return None


def disagreements(session: Session, scope: Scope) -> list[Disagreement]:
    """Every criterion of a revealed response on which reviewer and judge differ: by |Δ| from the largest,
    then in the suite's order."""
    if scope.judge_id is None:
        return []
    yours, judges = ratings("yours"), ratings("judges")
    delta = (yours.c.score - judges.c.score).label("delta")
    statement = (
        in_scope(scope, LEAD.c.id, col(Response.id), yours.c.criterion_id, delta)
        .join(yours, and_(yours.c.response_id == col(Response.id), yours.c.rater_id == scope.rater_id))
        .join(judges, same_cell(yours, judges, scope.judge_id))
        .where(yours.c.criterion_id.in_(scope.criterion_ids), delta != 0)
        .order_by(None)
        .order_by(func.abs(delta).desc(), LEAD.c.position, col(Response.id), yours.c.criterion_id)
    )
    statement = statement.where(*revealed(scope))
    return [Disagreement(*row) for row in session.connection().execute(statement)]


def texts(
    session: Session, scope: Scope, after: int, upto: int | None
) -> Iterator[tuple[int, int, str, str]]:
    """(lead instruction, response, instruction's text, response's text) after position `after`, up to
    position `upto`, in the suite's order, read as they are asked for."""
    statement = in_scope(scope, LEAD.c.id, col(Response.id), LEAD.c.text, Response.text).where(
        LEAD.c.position > after
    )
    if upto is not None:
        statement = statement.where(LEAD.c.position <= upto)
    for row in session.connection().execution_options(yield_per=200).execute(statement):
        yield row[0], row[1], row[2], row[3]


def group_counts(session: Session, scope: Scope) -> dict[str, dict[Any, int]]:
    """How many responses in scope each member of each group of a `Filter` fits: by the names of its fields;
    instructions without a task or modifier are left out of these groups."""
    connection = session.connection()
    counts: dict[str, dict[Any, int]] = {"tasks": {}, "modifiers": {}}
    total = 0
    kinds = (LEAD.c.task, LEAD.c.modifier)
    statement = in_scope(scope, *kinds, func.count()).order_by(None).group_by(*kinds)
    for task, modifier, count in connection.execute(statement):
        total += count
        for name, member in (("tasks", task), ("modifiers", modifier)):
            if member is not None:
                counts[name][member] = counts[name].get(member, 0) + count
    labels = in_scope(scope, identified().label("member")).where(*revealed(scope)).order_by(None).subquery()
    statement = select(labels.c.member, func.count()).group_by(labels.c.member)
    counts["identified"] = {row[0]: row[1] for row in connection.execute(statement) if row[0] is not None}
    yours = ratings("yours")
    statement = (
        in_scope(scope, yours.c.criterion_id, yours.c.score, func.count())
        .join(yours, and_(yours.c.response_id == col(Response.id), yours.c.rater_id == scope.rater_id))
        .where(yours.c.score.is_not(None), yours.c.criterion_id.in_(scope.criterion_ids))
        .order_by(None)
        .group_by(yours.c.criterion_id, yours.c.score)
    )
    rows = connection.execute(statement)
    counts["scores"] = {(criterion, score): count for criterion, score, count in rows}
    # What the reviewer has not touched has no status but `unscored`.
    others = [name for name in STATUSES if name != "unscored"]
    sums = [func.sum(case((status(scope, name), 1), else_=0)) for name in others]
    statement = in_scope(scope, *sums).where(touched(scope)).order_by(None)
    found = dict(zip(others, connection.execute(statement).one(), strict=True))
    unscored = total - int(found["scored"] or 0)
    counts["statuses"] = {name: int(found.get(name, unscored) or 0) for name in STATUSES}
    return counts


def lead_instruction(session: Session, suite_id: int, lead: str, response_id: int) -> int | None:
    """The instruction in the lead language that a response answers, itself or in translation; None when it
    answers another suite's, or one that the lead language lacks."""
    statement = (
        select(LEAD.c.id)
        .select_from(Response)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .join(LEAD, and_(LEAD.c.suite_id == Instruction.suite_id, LEAD.c.key == Instruction.key))
        .where(col(Response.id) == response_id, LEAD.c.suite_id == suite_id, LEAD.c.language == lead)
    )
    return session.connection().execute(statement).scalar()


def languages_answered(session: Session, suite_id: int, keys: Sequence[SourceKey]) -> list[str]:
    """The languages of a suite in which these sources answered something, sorted."""
    known = select_model(Instruction.language).where(Instruction.suite_id == suite_id).distinct()
    found = []
    for language in session.exec(known):
        answered = (
            select(col(Response.id))
            .join(Instruction, col(Instruction.id) == Response.instruction_id)
            .where(
                col(Instruction.suite_id) == suite_id,
                col(Instruction.language) == language,
                from_sources(keys),
            )
            .limit(1)
        )
        if session.connection().execute(answered).first() is not None:
            found.append(language)
    return sorted(found)

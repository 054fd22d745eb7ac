"""Which responses a view holds, and what it means that one fits a filter: the parts of the questions in
`store.queries.finding`.

A view has many responses, and a reviewer has read few of them. So what depends on the reviewer is asked once,
as the set of the responses for which it holds, and every response of the view is looked up in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_, union
from sqlmodel import col

from store.queries.compare import SourceKey, from_sources
from store.tables import (
    CURRENT_COMMENT,
    CURRENT_ERROR_SPAN,
    CURRENT_RATING,
    Assignment,
    Comment,
    Entry,
    ErrorSpan,
    Instruction,
    Rating,
    Response,
    SurfaceMetric,
)

# The instruction that stands for its translations, as the view's own language has it.
LEAD = Instruction.__table__.alias("lead")  # type: ignore[attr-defined]

STATUSES = ("unscored", "scored", "committed", "commented", "disagreement")


@dataclass(frozen=True)
class Scope:
    """The responses of a view: of these sources, to a suite, in `languages`; `lead` is the language by whose
    instructions they are told apart and ordered. `judge_id` is the rater that is set beside the reviewer;
    with `revealed_only` the judge and the surface metrics count only where the reviewer has committed. With
    `campaign_id`, they are only the responses that this campaign has given the reviewer."""

    suite_id: int
    lead: str
    languages: tuple[str, ...]
    keys: tuple[SourceKey, ...]
    rater_id: int
    criterion_ids: tuple[int, ...]
    judge_id: int | None = None
    revealed_only: bool = True
    campaign_id: int | None = None


@dataclass(frozen=True)
class Filter:
    """What a response must fit: in each group that is not empty, one of its members; all groups at once.

    `identified` are languages as the surface metric names them, `scores` are (criterion id, score) of the
    reviewer, `statuses` are of `STATUSES`, `responses` are the very ones (None: any).
    """

    tasks: frozenset[str] = frozenset()
    modifiers: frozenset[str] = frozenset()
    identified: frozenset[str] = frozenset()
    scores: frozenset[tuple[int, int]] = frozenset()
    statuses: frozenset[str] = frozenset()
    responses: frozenset[int] | None = None

    def __bool__(self) -> bool:
        return self != Filter()


def in_scope(scope: Scope, *columns: Any) -> Select[Any]:
    """The responses in scope with their lead instructions, in the suite's order."""
    own = and_(
        col(Instruction.suite_id) == LEAD.c.suite_id,
        col(Instruction.key) == LEAD.c.key,
        col(Instruction.language).in_(scope.languages),
    )
    if scope.languages == (scope.lead,):
        own = col(Instruction.id) == LEAD.c.id
    return (
        select(*columns)
        .select_from(LEAD)
        .join(Instruction, own)
        .join(Response, col(Response.instruction_id) == col(Instruction.id))
        .where(LEAD.c.suite_id == scope.suite_id, LEAD.c.language == scope.lead, *in_view(scope))
        .order_by(LEAD.c.position, col(Response.id))
    )


def in_view(scope: Scope) -> list[ColumnElement[bool]]:
    """The conditions that a response stands in the view."""
    found = [from_sources(scope.keys)]
    if scope.campaign_id is not None:
        theirs = select(col(Assignment.response_id)).where(
            col(Assignment.campaign_id) == scope.campaign_id, col(Assignment.rater_id) == scope.rater_id
        )
        found.append(_within(theirs))
    return found


def conditions(scope: Scope, wanted: Filter) -> list[ColumnElement[bool]]:
    """The conditions that a response fits the filter, its `responses` left out."""
    found: list[ColumnElement[bool]] = []
    if wanted.tasks:
        found.append(LEAD.c.task.in_(wanted.tasks))
    if wanted.modifiers:
        found.append(LEAD.c.modifier.in_(wanted.modifiers))
    if wanted.identified:
        found += [identified().in_(wanted.identified), *revealed(scope)]
    if wanted.scores:
        found.append(_scored_as(scope, wanted.scores))
    if wanted.statuses:
        found.append(or_(*(status(scope, name) for name in sorted(wanted.statuses))))
    return found


def ratings(name: str) -> Any:
    """The current ratings under a name of their own, so that a question can ask for several raters'."""
    return CURRENT_RATING.alias(name)


def same_cell(yours: Any, judges: Any, judge_id: int) -> ColumnElement[bool]:
    """Both are ratings of one response on one criterion, the second by this judge."""
    return and_(
        judges.c.response_id == yours.c.response_id,
        judges.c.rater_id == judge_id,
        judges.c.criterion_id == yours.c.criterion_id,
    )


def _within(responses: Any) -> ColumnElement[bool]:
    """The response is one of these. With `+ 0` SQLite looks it up among them; with the bare id it may look
    for each of them in the index of every instruction's responses, which ends with the id."""
    return (col(Response.id) + 0).in_(responses)


def scored(scope: Scope) -> ColumnElement[bool]:
    """Every criterion has a mark, skipped ones included."""
    marks = ratings("marks")
    return _within(
        select(marks.c.response_id)
        .where(marks.c.rater_id == scope.rater_id, marks.c.criterion_id.in_(scope.criterion_ids))
        .group_by(marks.c.response_id)
        .having(func.count() == len(scope.criterion_ids))
    )


def _scored_as(scope: Scope, scores: Iterable[tuple[int, int]]) -> ColumnElement[bool]:
    marks = ratings("scored")
    return _within(
        select(marks.c.response_id).where(
            marks.c.rater_id == scope.rater_id,
            tuple_(marks.c.criterion_id, marks.c.score).in_(sorted(scores)),
        )
    )


def _committed(scope: Scope) -> ColumnElement[bool]:
    return _within(
        select(col(Entry.response_id)).where(
            col(Entry.rater_id) == scope.rater_id, col(Entry.kind) == "commit"
        )
    )


def revealed(scope: Scope) -> list[ColumnElement[bool]]:
    """The condition that the reviewer may see the judge's scores and the surface metrics, if there is one."""
    return [_committed(scope)] if scope.revealed_only else []


def _commented(scope: Scope) -> ColumnElement[bool]:
    """A current comment, or an error span that is still there."""
    notes = (CURRENT_COMMENT, CURRENT_ERROR_SPAN)
    return _within(
        union(*(select(view.c.response_id).where(view.c.rater_id == scope.rater_id) for view in notes))
    )


def _disagreeing(scope: Scope) -> ColumnElement[bool]:
    yours, judges = ratings("yours"), ratings("judges")
    differing = (
        select(yours.c.response_id)
        .join(judges, same_cell(yours, judges, scope.judge_id or 0))
        .where(
            yours.c.rater_id == scope.rater_id,
            yours.c.criterion_id.in_(scope.criterion_ids),
            yours.c.score != judges.c.score,
        )
    )
    return and_(_within(differing), *revealed(scope))


def status(scope: Scope, name: str) -> ColumnElement[bool]:
    """The response has this one of `STATUSES`."""
    if name == "unscored":
        return ~scored(scope)
    if name == "scored":
        return scored(scope)
    if name == "committed":
        return _committed(scope)
    if name == "commented":
        return _commented(scope)
    return _disagreeing(scope)


def touched(scope: Scope) -> ColumnElement[bool]:
    """The reviewer has said something about the response, whether it still holds or not."""
    journal = (Rating, Comment, ErrorSpan, Entry)
    return _within(
        union(*(select(col(it.response_id)).where(col(it.rater_id) == scope.rater_id) for it in journal))
    )


def identified() -> Any:
    """The language that was identified last."""
    last = SurfaceMetric.__table__.alias("last")  # type: ignore[attr-defined]
    newest = (
        select(func.max(last.c.id))
        .where(last.c.response_id == col(Response.id), last.c.metric == "language")
        .correlate(Response)
        .scalar_subquery()
    )
    return select(col(SurfaceMetric.label)).where(col(SurfaceMetric.id) == newest).scalar_subquery()

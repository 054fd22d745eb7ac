"""Which responses of a view fit a filter, disagree with the judge, hold a word, or want a score.

A view has many responses, and a reviewer has read few of them. So what depends on the reviewer is asked once,
as the set of the responses for which it holds, and every response of the view is looked up in it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, tuple_, union
from sqlmodel import Session, col
from sqlmodel import select as select_model

from store.queries.compare import SourceKey, from_sources
from store.tables import (
    CURRENT_COMMENT,
    CURRENT_ERROR_SPAN,
    CURRENT_METRIC,
    CURRENT_RATING,
    Assignment,
    Comment,
    Entry,
    ErrorSpan,
    Instruction,
    Rating,
    Response,
)

# The instruction that stands for its translations, as the view's own language has it.
LEAD = Instruction.__table__.alias("lead")  # type: ignore[attr-defined]


STATUSES = ("unscored", "scored", "committed", "commented", "disagreement")


@dataclass(frozen=True)
class ViewScope:
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


ResponseRef = tuple[int, int]
"""A response in a view: (id of the lead instruction, id of the response)."""


@dataclass(frozen=True)
class Disagreement:
    """A criterion on which reviewer and judge differ by `delta` (reviewer minus judge)."""

    instruction_id: int
    response_id: int
    criterion_id: int
    delta: int


# The parts that questions are made of.


def select_in_scope(scope: ViewScope, *columns: Any) -> Select[Any]:
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
        .where(LEAD.c.suite_id == scope.suite_id, LEAD.c.language == scope.lead, *view_conditions(scope))
        .order_by(LEAD.c.position, col(Response.id))
    )


def view_conditions(scope: ViewScope) -> list[ColumnElement[bool]]:
    """The conditions that a response stands in the view."""
    conditions = [from_sources(scope.keys)]
    if scope.campaign_id is not None:
        theirs = select(col(Assignment.response_id)).where(
            col(Assignment.campaign_id) == scope.campaign_id, col(Assignment.rater_id) == scope.rater_id
        )
        conditions.append(_is_among(theirs))
    return conditions


def filter_conditions(scope: ViewScope, wanted: Filter) -> list[ColumnElement[bool]]:
    """The conditions that a response fits the filter, its `responses` left out."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.tasks:
        conditions.append(LEAD.c.task.in_(wanted.tasks))
    if wanted.modifiers:
        conditions.append(LEAD.c.modifier.in_(wanted.modifiers))
    if wanted.identified:
        conditions += [identified_language().in_(wanted.identified), *revealed_conditions(scope)]
    if wanted.scores:
        conditions.append(_scored_as(scope, wanted.scores))
    if wanted.statuses:
        conditions.append(or_(*(has_status(scope, name) for name in sorted(wanted.statuses))))
    return conditions


def current_ratings_as(name: str) -> Any:
    """The current ratings under a name of their own, so that a question can ask for several raters'."""
    return CURRENT_RATING.alias(name)


def same_cell(yours: Any, judges: Any, judge_id: int) -> ColumnElement[bool]:
    """Both are ratings of one response on one criterion, the second by this judge."""
    return and_(
        judges.c.response_id == yours.c.response_id,
        judges.c.rater_id == judge_id,
        judges.c.criterion_id == yours.c.criterion_id,
    )


def _is_among(responses: Any) -> ColumnElement[bool]:
    """The response is one of these. With `+ 0` SQLite looks it up among them; with the bare id it may look
    for each of them in the index of every instruction's responses, which ends with the id."""
    return (col(Response.id) + 0).in_(responses)


def is_scored(scope: ViewScope) -> ColumnElement[bool]:
    """Every criterion has a mark, skipped ones included."""
    marks = current_ratings_as("marks")
    return _is_among(
        select(marks.c.response_id)
        .where(marks.c.rater_id == scope.rater_id, marks.c.criterion_id.in_(scope.criterion_ids))
        .group_by(marks.c.response_id)
        .having(func.count() == len(scope.criterion_ids))
    )


def _scored_as(scope: ViewScope, scores: Iterable[tuple[int, int]]) -> ColumnElement[bool]:
    marks = current_ratings_as("scored")
    return _is_among(
        select(marks.c.response_id).where(
            marks.c.rater_id == scope.rater_id,
            tuple_(marks.c.criterion_id, marks.c.score).in_(sorted(scores)),
        )
    )


def _committed(scope: ViewScope) -> ColumnElement[bool]:
    return _is_among(
        select(col(Entry.response_id)).where(
            col(Entry.rater_id) == scope.rater_id, col(Entry.kind) == "commit"
        )
    )


def revealed_conditions(scope: ViewScope) -> list[ColumnElement[bool]]:
    """The condition that the reviewer may see the judge's scores and the surface metrics, if there is one."""
    return [_committed(scope)] if scope.revealed_only else []


def _commented(scope: ViewScope) -> ColumnElement[bool]:
    """A current comment, or an error span that is still there."""
    notes = (CURRENT_COMMENT, CURRENT_ERROR_SPAN)
    return _is_among(
        union(*(select(view.c.response_id).where(view.c.rater_id == scope.rater_id) for view in notes))
    )


def _disagreeing(scope: ViewScope) -> ColumnElement[bool]:
    yours, judges = current_ratings_as("yours"), current_ratings_as("judges")
    differing = (
        select(yours.c.response_id)
        .join(judges, same_cell(yours, judges, scope.judge_id or 0))
        .where(
            yours.c.rater_id == scope.rater_id,
            yours.c.criterion_id.in_(scope.criterion_ids),
            yours.c.score != judges.c.score,
        )
    )
    return and_(_is_among(differing), *revealed_conditions(scope))


def has_status(scope: ViewScope, name: str) -> ColumnElement[bool]:
    """The response has this one of `STATUSES`."""
    if name == "unscored":
        return ~is_scored(scope)
    if name == "scored":
        return is_scored(scope)
    if name == "committed":
        return _committed(scope)
    if name == "commented":
        return _commented(scope)
    return _disagreeing(scope)


def is_touched(scope: ViewScope) -> ColumnElement[bool]:
    """The reviewer has said something about the response, whether it still holds or not."""
    journal = (Rating, Comment, ErrorSpan, Entry)
    return _is_among(
        union(
            *(
                select(col(table.response_id)).where(col(table.rater_id) == scope.rater_id)
                for table in journal
            )
        )
    )


def identified_language() -> Any:
    """The language that was identified last."""
    return (
        select(CURRENT_METRIC.c.label)
        .where(CURRENT_METRIC.c.response_id == col(Response.id), CURRENT_METRIC.c.metric == "language")
        .correlate(Response)
        .scalar_subquery()
    )


# The questions.


def instructions_with_responses(session: Session, scope: ViewScope) -> list[int]:
    """The ids of the lead instructions with at least one response in scope, in the suite's order."""
    own, lead = Instruction.__table__.alias("own"), LEAD  # type: ignore[attr-defined]
    response = (
        select(col(Response.id))
        .join(own, own.c.id == Response.instruction_id)
        .where(
            own.c.suite_id == lead.c.suite_id,
            own.c.language.in_(scope.languages),
            own.c.key == lead.c.key,
            *view_conditions(scope),
        )
        .correlate(lead)
    )
    if scope.languages == (scope.lead,):
        response = (
            select(col(Response.id))
            .where(Response.instruction_id == lead.c.id, *view_conditions(scope))
            .correlate(lead)
        )
    statement = (
        select(lead.c.id)
        .where(lead.c.suite_id == scope.suite_id, lead.c.language == scope.lead, response.exists())
        .order_by(lead.c.position)
    )
    return list(session.connection().execute(statement).scalars())


def responses_matching(session: Session, scope: ViewScope, wanted: Filter) -> list[ResponseRef]:
    """(lead instruction, response) of every response that fits the filter, in the suite's order."""
    statement = select_in_scope(scope, LEAD.c.id, col(Response.id)).where(*filter_conditions(scope, wanted))
    rows = session.connection().execute(statement)
    # Not in SQL: there may be more of them than a database takes as parameters.
    chosen = wanted.responses
    return [(row[0], row[1]) for row in rows if chosen is None or row[1] in chosen]


def first_unscored(session: Session, scope: ViewScope, after: int) -> ResponseRef | None:
    """The first response after position `after` that lacks a mark on a criterion; then the first from the
    start; None when all is scored."""
    for bound in (LEAD.c.position > after, LEAD.c.position <= after):
        statement = (
            select_in_scope(scope, LEAD.c.id, col(Response.id)).where(bound, ~is_scored(scope)).limit(1)
        )
        row = session.connection().execute(statement).first()
        if row is not None:
            return row[0], row[1]
    return None


def disagreements(session: Session, scope: ViewScope) -> list[Disagreement]:
    """Every criterion of a revealed response on which reviewer and judge differ: by |Δ| from the largest,
    then in the suite's order."""
    if scope.judge_id is None:
        return []
    yours, judges = current_ratings_as("yours"), current_ratings_as("judges")
    delta = (yours.c.score - judges.c.score).label("delta")
    statement = (
        select_in_scope(scope, LEAD.c.id, col(Response.id), yours.c.criterion_id, delta)
        .join(yours, and_(yours.c.response_id == col(Response.id), yours.c.rater_id == scope.rater_id))
        .join(judges, same_cell(yours, judges, scope.judge_id))
        .where(yours.c.criterion_id.in_(scope.criterion_ids), delta != 0)
        .order_by(None)
        .order_by(func.abs(delta).desc(), LEAD.c.position, col(Response.id), yours.c.criterion_id)
    )
    statement = statement.where(*revealed_conditions(scope))
    return [Disagreement(*row) for row in session.connection().execute(statement)]


def texts_in_view(
    session: Session, scope: ViewScope, after: int, upto: int | None
) -> Iterator[tuple[int, int, str, str]]:
    """(lead instruction, response, instruction's text, response's text) after position `after`, up to
    position `upto`, in the suite's order, read as they are asked for."""
    statement = select_in_scope(scope, LEAD.c.id, col(Response.id), LEAD.c.text, Response.text).where(
        LEAD.c.position > after
    )
    if upto is not None:
        statement = statement.where(LEAD.c.position <= upto)
    for row in session.connection().execution_options(yield_per=200).execute(statement):
        yield row[0], row[1], row[2], row[3]


def group_counts(session: Session, scope: ViewScope) -> dict[str, dict[Any, int]]:
    """How many responses in scope each member of each group of a `Filter` fits: by the names of its fields;
    instructions without a task or modifier are left out of these groups."""
    connection = session.connection()
    counts: dict[str, dict[Any, int]] = {"tasks": {}, "modifiers": {}}
    total = 0
    kinds = (LEAD.c.task, LEAD.c.modifier)
    statement = select_in_scope(scope, *kinds, func.count()).order_by(None).group_by(*kinds)
    for task, modifier, count in connection.execute(statement):
        total += count
        for name, member in (("tasks", task), ("modifiers", modifier)):
            if member is not None:
                counts[name][member] = counts[name].get(member, 0) + count
    labels = (
        select_in_scope(scope, identified_language().label("member"))
        .where(*revealed_conditions(scope))
        .order_by(None)
        .subquery()
    )
    statement = select(labels.c.member, func.count()).group_by(labels.c.member)
    counts["identified"] = {row[0]: row[1] for row in connection.execute(statement) if row[0] is not None}
    yours = current_ratings_as("yours")
    statement = (
        select_in_scope(scope, yours.c.criterion_id, yours.c.score, func.count())
        .join(yours, and_(yours.c.response_id == col(Response.id), yours.c.rater_id == scope.rater_id))
        .where(yours.c.score.is_not(None), yours.c.criterion_id.in_(scope.criterion_ids))
        .order_by(None)
        .group_by(yours.c.criterion_id, yours.c.score)
    )
    rows = connection.execute(statement)
    counts["scores"] = {(criterion, score): count for criterion, score, count in rows}
    # What the reviewer has not touched has no status but `unscored`.
    others = [name for name in STATUSES if name != "unscored"]
    sums = [func.sum(case((has_status(scope, name), 1), else_=0)) for name in others]
    statement = select_in_scope(scope, *sums).where(is_touched(scope)).order_by(None)
    counts_by_status = dict(zip(others, connection.execute(statement).one(), strict=True))
    unscored = total - int(counts_by_status["scored"] or 0)
    counts["statuses"] = {name: int(counts_by_status.get(name, unscored) or 0) for name in STATUSES}
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
    languages_of_suite = select_model(Instruction.language).where(Instruction.suite_id == suite_id).distinct()
    languages = []
    for language in session.exec(languages_of_suite):
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
            languages.append(language)
    return sorted(languages)

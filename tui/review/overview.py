"""The numbers of the overview for one reader: progress, mean scores, and people against the judge."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine
from sqlmodel import Session

from core.analysis.agreement_table import CriterionAgreement, human_against_judge
from store.labels import labels_by_key
from store.queries import compare, overview, review_queue, rubrics
from store.queries import raters as rater_queries
from store.queries.compare import Source, SourceKey
from store.queries.overview import MeanCell, RaterScores, ReviewerProgress, Scope
from store.session import reading, writing
from tui.review import blind
from tui.review.view import View


@dataclass(frozen=True)
class OverviewQuery:
    """What the overview is of. `rater`: whose scores (None: all people together); `judge`: whose scores they
    are set beside (None: the first there is). `hidden_for`: the name of a blind reviewer, who sees nobody
    else's scores, only what is committed, and no names of models. `judged` false: nor any judge's scores."""

    scope: Scope
    rubric_id: int
    rater: int | None = None
    judge: int | None = None
    hidden_for: str | None = None
    judged: bool = True


@dataclass(frozen=True)
class HeatCell:
    """A cell of mean scores: whose responses, on which criterion."""

    source: SourceKey
    criterion_id: int


@dataclass(frozen=True)
class PairCell:
    """A cell of a table of people against the judge."""

    criterion_id: int
    human: int
    judge: int


@dataclass(frozen=True)
class Overview:
    """Everything on the page. `names` are those of the sources that may be shown; `means` by source and
    criterion."""

    query: OverviewQuery
    criteria: tuple[tuple[int, str, int], ...]
    raters: tuple[RaterScores, ...]
    judges: tuple[RaterScores, ...]
    progress: tuple[ReviewerProgress, ...]
    sources: tuple[Source, ...]
    names: dict[SourceKey, str]
    means: dict[tuple[SourceKey, int], MeanCell]
    agreement: tuple[CriterionAgreement, ...]

    @property
    def people(self) -> list[RaterScores]:
        """The people who are set beside the judge: the one asked for, else all."""
        return [row for row in self.raters if row.rater_id == self.query.rater] or list(self.raters)

    @property
    def scorers(self) -> list[RaterScores]:
        """Whose means are shown: the person or the judge asked for, else all people, or the judge where
        nobody has scored yet and nothing is hidden."""
        named = [row for row in (*self.raters, *self.judges) if row.rater_id == self.query.rater]
        alone = [self.judge] if self.judge and self.query.hidden_for is None else []
        return named or list(self.raters) or alone

    @property
    def judge(self) -> RaterScores | None:
        named = [judge for judge in self.judges if judge.rater_id == self.query.judge]
        return next(iter([*named, *self.judges]), None)


def query_of_view(view: View) -> OverviewQuery:
    """What a reviewer at work may see: with the names hidden, only the own committed scores."""
    scope = Scope(view.suite.id, view.language, sources=tuple(source.key for source in view.sources))
    judge = view.judge.id if view.judge else None
    if view.open:
        return OverviewQuery(scope, view.rubric_id, view.rater_id, judge)
    hidden = replace(scope, committed_by=view.rater_id)
    return OverviewQuery(
        hidden, view.rubric_id, view.rater_id, judge, view.reviewer, judged=not view.hides_judge
    )


def query_of_suite(
    engine: Engine, *, language: str | None, suite: str | None, reviewer: str
) -> tuple[OverviewQuery, str]:
    """What a researcher may see, and the suite's label: everything, in a language or (None) in all.

    A reviewer in an open, blind campaign on the suite sees what a reviewer at work may see. Raises
    `UsageError` when there are no responses.
    """
    with writing(engine) as session:
        summary = compare.suite_with_responses(session, language, suite)
        query = OverviewQuery(Scope(summary.id, language), rubrics.default_rubric_id(session))
        if review_queue.open_campaign_of(session, reviewer, summary.id) is None:
            return query, summary.label
        rater = rater_queries.rater_id(session, "human", reviewer)
        scope = replace(query.scope, committed_by=rater)
        sealed = review_queue.open_campaign_of(session, reviewer, summary.id, sealed=True) is not None
        return replace(query, scope=scope, rater=rater, hidden_for=reviewer, judged=not sealed), summary.label


def load_overview(engine: Engine, query: OverviewQuery) -> Overview:
    """Read all numbers. It may take a second on a store of a million responses: not for the event loop."""
    with reading(engine) as session:
        raters = overview.reviewers_of(session, query.scope, query.rubric_id)
        judges = overview.judges_of(session, query.scope, query.rubric_id) if query.judged else []
        if query.hidden_for is not None:
            raters = [rater for rater in raters if rater.rater_id == query.rater]
        sources = overview.sources_of(session, query.scope)
        criteria = rubrics.criteria_of(session, query.rubric_id)
        counted = Overview(
            query=query,
            criteria=tuple((row.id or 0, row.name, row.maximum) for row in criteria),
            raters=tuple(raters),
            judges=tuple(judges),
            progress=tuple(_progress(session, query)),
            sources=tuple(sources if query.hidden_for is None else blind.shuffled(_seed(query), sources)),
            names=_names(query, sources),
            means={},
            agreement=(),
        )
        people, judge = _ids(counted.people), counted.judge
        means = overview.heat_map(session, query.scope, query.rubric_id, _ids(counted.scorers))
        compared = (
            human_against_judge(session, query.scope, query.rubric_id, people, judge.rater_id)
            if judge
            else []
        )
    return replace(
        counted,
        means={(cell.source, cell.criterion_id): cell for cell in means},
        agreement=tuple(compared),
    )


def responses_behind(engine: Engine, shown: Overview, cell: HeatCell | PairCell) -> list[tuple[int, int]]:
    """The responses behind a cell: (instruction, response), in the suite's order."""
    scope, judge = shown.query.scope, shown.judge
    with reading(engine) as session:
        if isinstance(cell, HeatCell):
            ids = _ids(shown.scorers)
            return overview.responses_behind(session, scope, cell.source, cell.criterion_id, ids)
        if judge is None:
            return []
        people = _ids(shown.people)
        return overview.responses_behind_pair(
            session, scope, cell.criterion_id, people, cell.human, judge.rater_id, cell.judge
        )


def scorer_names(raters: Sequence[RaterScores]) -> str:
    """Who they are, in a few words."""
    return raters[0].name if len(raters) == 1 else "all reviewers"


def _ids(raters: Sequence[RaterScores]) -> list[int]:
    return [rater.rater_id for rater in raters]


def group_by_language(engine: Engine, pairs: Sequence[tuple[int, int]]) -> dict[str, list[tuple[int, int]]]:
    """The same responses by the language of their instructions, in the order in which they come."""
    groups: dict[str, list[tuple[int, int]]] = {}
    with reading(engine) as session:
        languages = compare.languages_of(session, [instruction for instruction, _ in pairs])
    for pair in pairs:
        groups.setdefault(languages[pair[0]], []).append(pair)
    return groups


def _progress(session: Session, query: OverviewQuery) -> Sequence[ReviewerProgress]:
    whole = replace(query.scope, committed_by=None)
    progress = overview.progress(session, whole, query.rubric_id)
    return [row for row in progress if row.started or row.rater_id == query.rater]


def _seed(query: OverviewQuery) -> str:
    return blind.seed_of(query.hidden_for or "", str(query.scope.suite_id), "overview", "")


def _names(query: OverviewQuery, sources: Sequence[Source]) -> dict[SourceKey, str]:
    if query.hidden_for is None:
        return labels_by_key(sources)
    shuffled = blind.shuffled(_seed(query), sources)
    return {source.key: f"hidden model {number}" for number, source in enumerate(shuffled, start=1)}

"""What a reviewer compares and under which conditions, and how it follows from the words of a command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Engine
from sqlmodel import Session

from core.text.visible import visible
from store.errors import UsageError
from store.labels import labels_by_key, rater_column_head
from store.names import trimmed
from store.queries import campaigns, compare, filters, raters, review_queue, rubrics
from store.queries.compare import Source, SourceKey
from store.queries.filters import ViewScope
from store.queries.suites import SuiteSummary, language_held, list_suites
from store.session import wait_for_writer, writing
from store.tables import Campaign

# A score waits this long for another program's write before the reviewer is told that it is not saved.
WAIT_FOR_WRITER_MS = 3_000


@dataclass(frozen=True)
class Judge:
    """The rater that is set beside the reviewer; `kind` is `llm` or `rule`."""

    id: int
    name: str
    kind: str

    @property
    def label(self) -> str:
        """The head of its column: the name of a model, or the word `rule`."""
        return rater_column_head(self.kind, self.name)


@dataclass(frozen=True)
class View:
    """The responses of some sources to a suite, one instruction at a time, for one reviewer.

    `by` says what stands side by side: the `model`s in `language`, or one model's responses in all
    `languages`; in a `queue` one response stands alone. `chosen`: the reviewer named the models, so that no
    other joins them. `names_shown`: the reviewer sees which model a column is. `open`: the judge's scores and
    the surface metrics are on show from the start; `reveal`: they are shown once a response is committed.
    `judge` is None while no judge has scored anything here. In a `campaign` (its name and `campaign_id`), the
    responses are those of the reviewer's queue.
    """

    suite: SuiteSummary
    language: str
    sources: tuple[Source, ...]
    reviewer: str
    rater_id: int
    criterion_ids: tuple[int, ...]
    criteria: tuple[str, ...]
    descriptions: tuple[Mapping[int, str], ...]
    best: tuple[int, ...]
    rubric_id: int
    rubric: str
    judge: Judge | None = None
    by: Literal["model", "language", "queue"] = "model"
    languages: tuple[str, ...] = ()
    chosen: bool = False
    names_shown: bool = False
    open: bool = False
    reveal: bool = True
    campaign: str | None = None
    campaign_id: int | None = None
    translation: str | None = "en"

    @property
    def hides_judge(self) -> bool:
        """Whether judge and surface metrics are never on show."""
        return not (self.open or self.reveal)

    @property
    def bookmark(self) -> str:
        """The name of the bookmark that is kept of this view."""
        if self.by == "queue":
            return f"score {self.campaign}"
        by = " by language" if self.by == "language" else ""
        campaign = "" if self.campaign is None else f" {self.campaign}"
        return f"compare {self.suite.label} {self.language}{by}{campaign}"

    @property
    def language_criterion(self) -> int | None:
        return self.criteria.index("language") if "language" in self.criteria else None

    @property
    def scope(self) -> ViewScope:
        """The same in the words of the store's questions."""
        return ViewScope(
            suite_id=self.suite.id,
            lead=self.language,
            languages=self.languages or (self.language,),
            keys=tuple(source.key for source in self.sources),
            rater_id=self.rater_id,
            criterion_ids=self.criterion_ids,
            judge_id=self.judge.id if self.judge else None,
            revealed_only=not self.open,
            campaign_id=self.campaign_id,
        )


@dataclass(frozen=True)
class CampaignPart:
    """What a campaign has given a reviewer of one suite in one language; `sources` wrote the responses."""

    campaign: Campaign
    suite: SuiteSummary
    sources: frozenset[SourceKey]


def member_of(session: Session, name: str, reviewer: str) -> tuple[Campaign, int]:
    """The campaign of this name, and the rater that the reviewer is in it.

    Raises `UsageError` when there is no such campaign, and when it has nothing for the reviewer."""
    campaign = campaigns.campaign_named(session, name)
    members = campaigns.reviewers_in(session, campaign.id or 0)
    rater = next((rater for rater, member in members.items() if member == reviewer), None)
    if rater is None:
        names = ", ".join(visible(member) for member in members.values())
        raise UsageError(
            f"Campaign {name!r} has nothing for {reviewer}. It is for: {names}. "
            "Say who you are with --reviewer."
        )
    return campaign, rater


def campaign_part(
    session: Session, name: str, reviewer: str, language: str, label: str | None
) -> CampaignPart:
    """The reviewer's part of the suite with this label (`name` or `name/version`; None: the last one) in a
    language. Raises `UsageError` as `member_of`, and with the parts that there are when this is none."""
    campaign, rater = member_of(session, name, reviewer)
    suites = {suite.id: suite for suite in list_suites(session)}
    assigned = review_queue.suites_of(session, campaign.id or 0, rater)
    parts = [(suites[suite_id], code) for suite_id, code in assigned]
    named = [suite for suite, code in parts if code == language and label in (None, suite.name, suite.label)]
    if not named:
        known = ", ".join(f"{code} ({suite.label})" for suite, code in parts)
        asked = language if label is None else f"{language} ({label})"
        raise UsageError(f"Campaign {name!r} has nothing for {reviewer} in {asked}. It has: {known}.")
    suite = max(named, key=lambda suite: suite.id)
    return CampaignPart(
        campaign, suite, review_queue.assigned_sources(session, campaign.id or 0, rater, suite.id, language)
    )


def open_view(
    engine: Engine,
    *,
    language: str,
    reviewer: str,
    suite: str | None = None,
    wanted: Sequence[str] = (),
    by_language: bool = False,
    judge: str | None = None,
    translation: str | None = "en",
    open: bool = False,
    campaign: str | None = None,
) -> View:
    """The view that a reviewer asked for; writes the reviewer and the default rubric when they are new.

    `wanted` are names of models, none: all of them; by language, they must name one. `judge` names the rater
    to set beside the reviewer (default: the LLM that came last, else a rule). With `open` nothing is hidden,
    which a reviewer in an open, blind campaign on the suite can't have; nor may such a reviewer name models.
    Of a `campaign`, only what it has given the reviewer is there. Raises `UsageError` that lists what there
    is.
    """
    with writing(engine) as session:
        wait_for_writer(session, WAIT_FOR_WRITER_MS)
        language = language_held(session, language)
        part = None if campaign is None else campaign_part(session, campaign, reviewer, language, suite)
        summary = part.suite if part else compare.suite_with_responses(session, language, suite)
        blind_in = review_queue.open_campaign_of(session, reviewer, summary.id)
        if blind_in is not None and (open or wanted or by_language):
            asked = "--open" if open else "--models" if wanted else "--by language"
            raise UsageError(
                f"{reviewer} scores blind in the campaign {blind_in!r} until it is closed: leave out {asked}."
            )
        sources = compare.sources_of(session, summary.id, language)
        if part:
            sources = [source for source in sources if source.key in part.sources]
        sources = _sources_of(sources, wanted)
        not_blind = part is not None and not part.campaign.blind and blind_in is None
        languages: tuple[str, ...] = (language,)
        if by_language:
            sources = [_only_source(sources)]
            answered = filters.languages_answered(session, summary.id, [sources[0].key])
            languages = (language, *(other for other in answered if other != language))
        view = View(
            suite=summary,
            language=language,
            sources=tuple(sources),
            reviewer=reviewer,
            rater_id=raters.rater_id(session, "human", reviewer),
            **rubric_parts(session, part.campaign.rubric_id if part else rubrics.default_rubric_id(session)),
            by="language" if by_language else "model",
            languages=languages,
            chosen=bool(wanted or part),
            # Whoever asks for one model's languages has named the model.
            names_shown=open or by_language or not_blind,
            open=open or not_blind,
            reveal=review_queue.open_campaign_of(session, reviewer, summary.id, sealed=True) is None,
            campaign=campaign,
            campaign_id=part.campaign.id if part else None,
            translation=translation,
        )
        return view if view.hides_judge else with_judge(session, view, judge)


def rubric_parts(session: Session, rubric_id: int) -> dict[str, Any]:
    """The fields of a `View` that say what is scored."""
    criteria = rubrics.criteria_of(session, rubric_id)
    return {
        "criterion_ids": tuple(criterion.id or 0 for criterion in criteria),
        "criteria": tuple(criterion.name for criterion in criteria),
        "descriptions": tuple(
            {int(score): str(text) for score, text in criterion.descriptions.items()}
            for criterion in criteria
        ),
        "best": tuple(criterion.maximum for criterion in criteria),
        "rubric_id": rubric_id,
        "rubric": rubrics.label_of(session, rubric_id),
    }


def with_judge(session: Session, view: View, name: str | None = None) -> View:
    """The view with the judge of this name; None: the LLM that came last, else a rule, else nobody.

    Raises `UsageError` that lists the judges when the named one has scored nothing here."""
    known = raters.judges_in(session, view.scope)
    if name is not None:
        named = [rater for rater in known if rater.name == name]
        if not named:
            names = ", ".join(sorted({rater.name for rater in known})) or "none yet"
            raise UsageError(f"No judge {name!r} has scored these responses. Judges that have: {names}.")
        known = named
    best = max(known, key=lambda rater: (rater.kind == "llm", rater.id), default=None)
    return view if best is None else replace(view, judge=Judge(best.id or 0, best.name, best.kind))


def _sources_of(sources: Sequence[Source], wanted: Sequence[str]) -> list[Source]:
    known = sorted({source.model for source in sources})
    for name in wanted:
        if name not in known:
            raise UsageError(f"No model {name!r} among these responses. There are: {', '.join(known)}.")
    names = set(map(trimmed, wanted))
    return [source for source in sources if not names or source.model in names]


def _only_source(sources: Sequence[Source]) -> Source:
    if len(sources) > 1:
        names = ", ".join(sorted(labels_by_key(sources).values()))
        raise UsageError(
            f"Side by side by language is one model's: name it with --models. There are: {names}."
        )
    return sources[0]

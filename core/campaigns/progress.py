"""How a campaign is getting on: who has done what, how fast, how far they agree, who is unlike the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, groupby
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from core.analysis.agreement_table import Agreement, agreement
from core.analysis.reviewers import OUTLIER_RULE, PACE_RULE, outliers, per_hour
from core.campaigns.create import known_raters
from store.queries import campaigns, rubrics
from store.queries.campaigns import Assigned, MarksGiven
from store.session import reading
from store.tables import Campaign, Criterion

ScorePairs = dict[tuple[int, int], int]


@dataclass(frozen=True)
class Reading:
    """A place of a queue: `response_id` stands for all responses of the place, which read the same; `done_at`
    is when the last of them was committed, None: not yet; `worked_at` the same, None also where that came in
    from a file."""

    reviewer_id: int
    rater_id: int
    response_id: int
    response_ids: tuple[int, ...]
    kind: str
    language: str
    done_at: datetime | None
    worked_at: datetime | None


@dataclass(frozen=True)
class CampaignProgress:
    """A campaign as it stands: `reviewers` by id, the `readings` of all queues, the marks `given` by (rater,
    response, criterion), and the `known` scores of checks by (response, criterion)."""

    campaign: Campaign
    reviewers: dict[int, str]
    criteria: list[Criterion]
    readings: list[Reading]
    given: MarksGiven
    known: dict[tuple[int, int], int]

    def scores(self, criterion: Criterion, kinds: Iterable[str] = ("normal", "check")) -> "Scores":
        """Of everybody who has committed them: reviewer -> response -> score on a criterion."""
        wanted = tuple(kinds)
        found: Scores = {reviewer: {} for reviewer in self.reviewers}
        for it in self.readings:
            score = self.given.get((it.rater_id, it.response_id, criterion.id or 0))
            if it.done_at is not None and it.kind in wanted and score is not None:
                found[it.reviewer_id][it.response_id] = score
        return found

    def of(self, reviewer: int) -> list[Reading]:
        """The queue of a reviewer."""
        return [it for it in self.readings if it.reviewer_id == reviewer]


Scores = dict[int, dict[int, int]]


def load_progress(session: Session, name: str) -> CampaignProgress:
    """How a campaign stands. Raises `UsageError` when there is none of this name."""
    campaign = campaigns.campaign_named(session, name)
    criteria = rubrics.criteria_of(session, campaign.rubric_id)
    places = campaigns.assignments_of(session, campaign.id or 0)
    checks = sorted({it.response_id for it in places if it.kind == "check"})
    raters = known_raters(session, campaign.plan["known"]) if checks else []
    return CampaignProgress(
        campaign=campaign,
        reviewers=campaigns.reviewers_in(session, campaign.id or 0),
        criteria=criteria,
        readings=_readings(places),
        given=campaigns.marks_given(session, campaign.id or 0, [it.id or 0 for it in criteria]),
        known=campaigns.known_scores(session, raters, checks) if checks else {},
    )


def score_pairs(scores: Scores) -> dict[tuple[int, int], ScorePairs]:
    """For every two reviewers, how often which score of the first met which of the second."""
    found: dict[tuple[int, int], ScorePairs] = {}
    for first, second in combinations(scores, 2):
        for response in scores[first].keys() & scores[second].keys():
            met = scores[first][response], scores[second][response]
            counts = found.setdefault((first, second), {})
            counts[met] = counts.get(met, 0) + 1
    return found


def sum_pairs(counts: Iterable[ScorePairs]) -> ScorePairs:
    """The counts of several tables in one."""
    found: ScorePairs = {}
    for table in counts:
        for met, count in table.items():
            found[met] = found.get(met, 0) + count
    return found


def _readings(places: list[Assigned]) -> list[Reading]:
    found = []
    for _, same in groupby(places, key=lambda it: (it.reviewer_id, it.position)):
        read = list(same)
        first = read[0]
        found.append(
            Reading(
                first.reviewer_id, first.rater_id, first.response_id,
                tuple(it.response_id for it in read), first.kind, first.language,
                _last([it.done_at for it in read]), _last([it.worked_at for it in read]),
            )
        )  # fmt: skip
    return found


def _last(times: list[datetime | None]) -> datetime | None:
    """The last of these times; None: one is missing."""
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(times) else None


CHECK_RULE = "checks: passed when every score that is known is given."


def list_status(engine: Engine) -> list[dict[str, Any]]:
    """All campaigns in a line each, as plain data."""
    with reading(engine) as session:
        found = []
        for campaign in campaigns.list_campaigns(session):
            stands = load_progress(session, campaign.name)
            found.append(
                {
                    "name": campaign.name,
                    "open": campaign.closed_at is None,
                    "reviewers": len(stands.reviewers),
                    "readings": len(stands.readings),
                    "done": _done(stands.readings),
                }
            )
        return found


def campaign_status(engine: Engine, name: str) -> dict[str, Any]:
    """A campaign as plain data, as `xlit-core campaign status NAME --json` prints it.

    `agreement`: of all reviewers on the responses that they share, adjudication left out; the pairs of every
    two are put together, of each pair the first by name first. Raises `UsageError` for an unknown name.
    """
    with reading(engine) as session:
        stands = load_progress(session, name)
    campaign, unlike = stands.campaign, _outliers(stands)
    return {
        "name": campaign.name,
        "open": campaign.closed_at is None,
        "blind": campaign.blind,
        "reveal": campaign.reveal,
        "readings": len(stands.readings),
        "done": _done(stands.readings),
        "languages": {
            language: {
                "readings": len(here := [it for it in stands.readings if it.language == language]),
                "done": _done(here),
            }
            for language in sorted({it.language for it in stands.readings})
        },
        "reviewers": [_reviewer(stands, reviewer, unlike[reviewer]) for reviewer in stands.reviewers],
        **_agreement(stands),
        "rules": [PACE_RULE, CHECK_RULE, OUTLIER_RULE],
    }


def _done(readings: Sequence[Reading]) -> int:
    return sum(it.done_at is not None for it in readings)


def _reviewer(stands: CampaignProgress, reviewer: int, unlike: list[str]) -> dict[str, Any]:
    own = stands.of(reviewer)
    times = [it.done_at for it in own if it.done_at is not None]
    left, pace = len(own) - len(times), per_hour([it.worked_at for it in own if it.worked_at is not None])
    return {
        "name": stands.reviewers[reviewer],
        "languages": list(dict.fromkeys(it.language for it in own)),
        "readings": len(own),
        "done": len(times),
        "left": left,
        "adjudications": sum(it.kind == "adjudication" for it in own),
        "per_hour": None if pace is None else round(pace, 1),
        "hours_left": None if pace is None else round(left / pace, 2),
        "last_done": max(times).isoformat(timespec="seconds") if times else None,
        "self_agreement": _self_agreement(stands, own),
        "checks": _checks(stands, own),
        "unlike_others": unlike,
    }


def _self_agreement(stands: CampaignProgress, own: Sequence[Reading]) -> dict[str, Any] | None:
    """First against second scores of the repeats that are done, by criterion."""
    repeats = [it for it in own if it.kind == "repeat"]
    if not repeats:
        return None
    first = {it.response_id: it.rater_id for it in own if it.kind != "repeat" and it.done_at is not None}
    tables = {}
    for criterion in stands.criteria:
        counts: dict[tuple[int, int], int] = {}
        for it in repeats:
            before = stands.given.get((first.get(it.response_id, 0), it.response_id, criterion.id or 0))
            after = stands.given.get((it.rater_id, it.response_id, criterion.id or 0))
            if it.done_at is not None and before is not None and after is not None:
                counts[before, after] = counts.get((before, after), 0) + 1
        tables[criterion.name] = agreement(counts, criterion.minimum, criterion.maximum)
    n = sum(table.n for table in tables.values())
    same = sum(table.n * (table.exact or 0) for table in tables.values())
    return {
        "repeats": len(repeats),
        "done": _done(repeats),
        "scores": n,
        "exact": round(same / n, 1) if n else None,
        "criteria": {name: _figures(table) for name, table in tables.items()},
    }


def _checks(stands: CampaignProgress, own: Sequence[Reading]) -> dict[str, Any] | None:
    checks = [it for it in own if it.kind == "check"]
    if not checks:
        return None
    passed = 0
    for it in checks:
        known = {
            criterion: score for (response, criterion), score in stands.known.items()
            if response == it.response_id
        }  # fmt: skip
        right = all(
            stands.given.get((it.rater_id, it.response_id, criterion)) == score
            for criterion, score in known.items()
        )
        passed += it.done_at is not None and right
    return {"checks": len(checks), "done": _done(checks), "passed": passed}


def _outliers(stands: CampaignProgress) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {reviewer: [] for reviewer in stands.reviewers}
    for criterion in stands.criteria:
        for reviewer, said in outliers(stands.scores(criterion)).items():
            found[reviewer].append(f"{criterion.name}: {said}")
    return found


def _agreement(stands: CampaignProgress) -> dict[str, Any]:
    by_criterion: dict[str, Any] = {}
    by_pair: dict[tuple[int, int], dict[str, Any]] = {}
    for criterion in stands.criteria:
        met = score_pairs(stands.scores(criterion))
        table = agreement(sum_pairs(met.values()), criterion.minimum, criterion.maximum)
        by_criterion[criterion.name] = _figures(table)
        for two, counts in met.items():
            figures = _figures(agreement(counts, criterion.minimum, criterion.maximum))
            by_pair.setdefault(two, {})[criterion.name] = figures
    return {
        "agreement": by_criterion,
        "pairs": [
            {"first": stands.reviewers[two[0]], "second": stands.reviewers[two[1]], "criteria": figures}
            for two, figures in by_pair.items()
        ],
    }


def _figures(table: Agreement) -> dict[str, Any]:
    return {
        "n": table.n,
        "exact": None if table.exact is None else round(table.exact, 1),
        "kappa": None if table.kappa is None else round(table.kappa, 3),
        "undefined": table.undefined,
    }

"""What the reviewers of a campaign have given so far, put together for counting."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, groupby

from sqlmodel import Session

from core.campaigns.create import known_raters
from store.queries import models
from store.queries.campaigns import progress, rows
from store.queries.campaigns.progress import Assigned, Given
from store.tables import Campaign, Criterion

Pairs = dict[tuple[int, int], int]


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
class Standing:
    """A campaign as it stands: `reviewers` by id, the `readings` of all queues, the marks `given` by (rater,
    response, criterion), and the `known` scores of checks by (response, criterion)."""

    campaign: Campaign
    reviewers: dict[int, str]
    criteria: list[Criterion]
    readings: list[Reading]
    given: Given
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


def standing(session: Session, name: str) -> Standing:
    """How a campaign stands. Raises `UsageError` when there is none of this name."""
    campaign = rows.campaign_named(session, name)
    criteria = models.criteria_of(session, campaign.rubric_id)
    places = progress.assigned(session, campaign.id or 0)
    checks = sorted({it.response_id for it in places if it.kind == "check"})
    raters = known_raters(session, campaign.plan["known"]) if checks else []
    return Standing(
        campaign=campaign,
        reviewers=rows.reviewers_in(session, campaign.id or 0),
        criteria=criteria,
        readings=_readings(places),
        given=progress.given(session, campaign.id or 0, [it.id or 0 for it in criteria]),
        known=progress.known_scores(session, raters, checks) if checks else {},
    )


def pairs(scores: Scores) -> dict[tuple[int, int], Pairs]:
    """For every two reviewers, how often which score of the first met which of the second."""
    found: dict[tuple[int, int], Pairs] = {}
    for first, second in combinations(scores, 2):
        for response in scores[first].keys() & scores[second].keys():
            met = scores[first][response], scores[second][response]
            counts = found.setdefault((first, second), {})
            counts[met] = counts.get(met, 0) + 1
    return found


def together(counts: Iterable[Pairs]) -> Pairs:
    """The counts of several tables in one."""
    found: Pairs = {}
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

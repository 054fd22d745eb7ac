"""The progress of a campaign: who has done what, how fast, how far reviewers agree, and who is unlike the
others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, groupby
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from core.analysis.agreement_table import Agreement, agreement
from core.analysis.reviewers import OUTLIER_RULE, PACE_RULE, outliers, per_hour
from store.queries import campaigns, rubrics
from store.queries.campaigns import Assigned, MarksGiven
from store.queries.raters import ids_named
from store.session import reading
from store.tables import Campaign, Criterion

ScorePairs = dict[tuple[int, int], int]


@dataclass(frozen=True)
class QueueEntry:
    """One item of a reviewer's queue, and whether it is done.

    `response_id` stands for all `response_ids` of the item, which read the same. `done_at` is when the last
    of them was committed, or None while one is not. `worked_at` is the same, but also None when a commit was
    imported from a file.
    """

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
    """A campaign and what its reviewers have done so far.

    `reviewers` are names by id, and `entries` the items of all queues. `given` holds the scores by (rater,
    response, criterion), and `known` the known scores of checks by (response, criterion).
    """

    campaign: Campaign
    reviewers: dict[int, str]
    criteria: list[Criterion]
    entries: list[QueueEntry]
    given: MarksGiven
    known: dict[tuple[int, int], int]

    def scores(self, criterion: Criterion, kinds: Iterable[str] = ("normal", "check")) -> "Scores":
        """The committed scores on a criterion: reviewer -> response -> score."""
        wanted = tuple(kinds)
        scores: Scores = {reviewer: {} for reviewer in self.reviewers}
        for entry in self.entries:
            score = self.given.get((entry.rater_id, entry.response_id, criterion.id or 0))
            if entry.done_at is not None and entry.kind in wanted and score is not None:
                scores[entry.reviewer_id][entry.response_id] = score
        return scores

    def of(self, reviewer: int) -> list[QueueEntry]:
        """The queue of a reviewer."""
        return [entry for entry in self.entries if entry.reviewer_id == reviewer]


Scores = dict[int, dict[int, int]]


def load_progress(session: Session, name: str) -> CampaignProgress:
    """The progress of a campaign. Raises `UsageError` when there is none with this name."""
    campaign = campaigns.campaign_named(session, name)
    criteria = rubrics.criteria_of(session, campaign.rubric_id)
    assigned = campaigns.assignments_of(session, campaign.id or 0)
    checks = sorted({row.response_id for row in assigned if row.kind == "check"})
    raters = ids_named(session, campaign.plan["known"]) if checks else []
    return CampaignProgress(
        campaign=campaign,
        reviewers=campaigns.reviewers_in(session, campaign.id or 0),
        criteria=criteria,
        entries=_entries(assigned),
        given=campaigns.marks_given(session, campaign.id or 0, [row.id or 0 for row in criteria]),
        known=campaigns.known_scores(session, raters, checks) if checks else {},
    )


def score_pairs(scores: Scores) -> dict[tuple[int, int], ScorePairs]:
    """For every two reviewers, how often a score of the first met a score of the second: `{(2, 1): 5}`."""
    tables: dict[tuple[int, int], ScorePairs] = {}
    for first, second in combinations(scores, 2):
        for response in scores[first].keys() & scores[second].keys():
            pair = scores[first][response], scores[second][response]
            counts = tables.setdefault((first, second), {})
            counts[pair] = counts.get(pair, 0) + 1
    return tables


def sum_pairs(counts: Iterable[ScorePairs]) -> ScorePairs:
    """The sum of several tables of pairs."""
    total: ScorePairs = {}
    for table in counts:
        for pair, count in table.items():
            total[pair] = total.get(pair, 0) + count
    return total


def _entries(assigned: list[Assigned]) -> list[QueueEntry]:
    entries = []
    for _, group in groupby(assigned, key=lambda row: (row.reviewer_id, row.position)):
        rows_read = list(group)
        first = rows_read[0]
        entries.append(
            QueueEntry(
                first.reviewer_id, first.rater_id, first.response_id,
                tuple(row.response_id for row in rows_read), first.kind, first.language,
                _last([row.done_at for row in rows_read]), _last([row.worked_at for row in rows_read]),
            )
        )  # fmt: skip
    return entries


def _last(times: list[datetime | None]) -> datetime | None:
    """The last of these times, or None when one is missing."""
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(times) else None


CHECK_RULE = "checks: passed when every score that is known is given."


def list_status(engine: Engine) -> list[dict[str, Any]]:
    """All campaigns as plain data, a few figures for each."""
    with reading(engine) as session:
        lines = []
        for campaign in campaigns.list_campaigns(session):
            progress = load_progress(session, campaign.name)
            lines.append(
                {
                    "name": campaign.name,
                    "open": campaign.closed_at is None,
                    "reviewers": len(progress.reviewers),
                    "readings": len(progress.entries),
                    "done": _done(progress.entries),
                }
            )
        return lines


def campaign_status(engine: Engine, name: str) -> dict[str, Any]:
    """A campaign as plain data, as `xlit-core campaign status NAME --json` prints it.

    `agreement` is that of all reviewers on the responses that they share, without adjudications. The tables
    of every two reviewers are summed; of each pair the first by name comes first. Raises `UsageError` for an
    unknown name.
    """
    with reading(engine) as session:
        progress = load_progress(session, name)
    campaign, unlike = progress.campaign, _unlike_others(progress)
    return {
        "name": campaign.name,
        "open": campaign.closed_at is None,
        "blind": campaign.blind,
        "reveal": campaign.reveal,
        "readings": len(progress.entries),
        "done": _done(progress.entries),
        "languages": {
            language: {
                "readings": len(own := [entry for entry in progress.entries if entry.language == language]),
                "done": _done(own),
            }
            for language in sorted({entry.language for entry in progress.entries})
        },
        "reviewers": [_reviewer(progress, reviewer, unlike[reviewer]) for reviewer in progress.reviewers],
        **_agreement(progress),
        "rules": [PACE_RULE, CHECK_RULE, OUTLIER_RULE],
    }


def _done(entries: Sequence[QueueEntry]) -> int:
    return sum(entry.done_at is not None for entry in entries)


def _reviewer(progress: CampaignProgress, reviewer: int, unlike_others: list[str]) -> dict[str, Any]:
    own = progress.of(reviewer)
    times = [entry.done_at for entry in own if entry.done_at is not None]
    left = len(own) - len(times)
    pace = per_hour([entry.worked_at for entry in own if entry.worked_at is not None])
    return {
        "name": progress.reviewers[reviewer],
        "languages": list(dict.fromkeys(entry.language for entry in own)),
        "readings": len(own),
        "done": len(times),
        "left": left,
        "adjudications": sum(entry.kind == "adjudication" for entry in own),
        "per_hour": None if pace is None else round(pace, 1),
        "hours_left": None if pace is None else round(left / pace, 2),
        "last_done": max(times).isoformat(timespec="seconds") if times else None,
        "self_agreement": _self_agreement(progress, own),
        "checks": _checks(progress, own),
        "unlike_others": unlike_others,
    }


def _self_agreement(progress: CampaignProgress, own: Sequence[QueueEntry]) -> dict[str, Any] | None:
    """The agreement of first and second scores on the repeats that are done, by criterion."""
    repeats = [entry for entry in own if entry.kind == "repeat"]
    if not repeats:
        return None
    first = {
        entry.response_id: entry.rater_id
        for entry in own
        if entry.kind != "repeat" and entry.done_at is not None
    }
    tables = {}
    for criterion in progress.criteria:
        counts: dict[tuple[int, int], int] = {}
        for entry in repeats:
            before = progress.given.get(
                (first.get(entry.response_id, 0), entry.response_id, criterion.id or 0)
            )
            after = progress.given.get((entry.rater_id, entry.response_id, criterion.id or 0))
            if entry.done_at is not None and before is not None and after is not None:
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


def _checks(progress: CampaignProgress, own: Sequence[QueueEntry]) -> dict[str, Any] | None:
    checks = [entry for entry in own if entry.kind == "check"]
    if not checks:
        return None
    passed = 0
    for entry in checks:
        known = {
            criterion: score for (response, criterion), score in progress.known.items()
            if response == entry.response_id
        }  # fmt: skip
        right = all(
            progress.given.get((entry.rater_id, entry.response_id, criterion)) == score
            for criterion, score in known.items()
        )
        passed += entry.done_at is not None and right
    return {"checks": len(checks), "done": _done(checks), "passed": passed}


def _unlike_others(progress: CampaignProgress) -> dict[int, list[str]]:
    sentences: dict[int, list[str]] = {reviewer: [] for reviewer in progress.reviewers}
    for criterion in progress.criteria:
        for reviewer, message in outliers(progress.scores(criterion)).items():
            sentences[reviewer].append(f"{criterion.name}: {message}")
    return sentences


def _agreement(progress: CampaignProgress) -> dict[str, Any]:
    by_criterion: dict[str, Any] = {}
    by_pair: dict[tuple[int, int], dict[str, Any]] = {}
    for criterion in progress.criteria:
        tables = score_pairs(progress.scores(criterion))
        table = agreement(sum_pairs(tables.values()), criterion.minimum, criterion.maximum)
        by_criterion[criterion.name] = _figures(table)
        for pair, counts in tables.items():
            figures = _figures(agreement(counts, criterion.minimum, criterion.maximum))
            by_pair.setdefault(pair, {})[criterion.name] = figures
    return {
        "agreement": by_criterion,
        "pairs": [
            {"first": progress.reviewers[pair[0]], "second": progress.reviewers[pair[1]], "criteria": figures}
            for pair, figures in by_pair.items()
        ],
    }


def _figures(table: Agreement) -> dict[str, Any]:
    return {
        "n": table.n,
        "exact": None if table.exact is None else round(table.exact, 1),
        "kappa": None if table.kappa is None else round(table.kappa, 3),
        "undefined": table.undefined,
    }

"""How a campaign is getting on: who has done what, how fast, how far they agree, who is unlike the others."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine

from core.analysis.agreement_table import Agreement, agreement
from core.analysis.reviewers import OUTLIER_RULE, PACE_RULE, outliers, per_hour
from core.campaigns.standing import Reading, Standing, pairs, standing, together
from store.queries.campaigns import rows
from store.session import reading

CHECK_RULE = "checks: passed when every score that is known is given."


def list_status(engine: Engine) -> list[dict[str, Any]]:
    """All campaigns in a line each, as plain data."""
    with reading(engine) as session:
        found = []
        for campaign in rows.list_campaigns(session):
            stands = standing(session, campaign.name)
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
        stands = standing(session, name)
    campaign, unlike = stands.campaign, _unlike(stands)
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


def _reviewer(stands: Standing, reviewer: int, unlike: list[str]) -> dict[str, Any]:
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


def _self_agreement(stands: Standing, own: Sequence[Reading]) -> dict[str, Any] | None:
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


def _checks(stands: Standing, own: Sequence[Reading]) -> dict[str, Any] | None:
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


def _unlike(stands: Standing) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {reviewer: [] for reviewer in stands.reviewers}
    for criterion in stands.criteria:
        for reviewer, said in outliers(stands.scores(criterion)).items():
            found[reviewer].append(f"{criterion.name}: {said}")
    return found


def _agreement(stands: Standing) -> dict[str, Any]:
    by_criterion: dict[str, Any] = {}
    by_pair: dict[tuple[int, int], dict[str, Any]] = {}
    for criterion in stands.criteria:
        met = pairs(stands.scores(criterion))
        table = agreement(together(met.values()), criterion.minimum, criterion.maximum)
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

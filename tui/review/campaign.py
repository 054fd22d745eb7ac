"""A reviewer's part in a campaign: who they are in it, and which responses of a suite are theirs."""

from dataclasses import dataclass

from sqlmodel import Session

from store.errors import UsageError
from store.queries.campaigns import queue, rows
from store.queries.compare import SourceKey
from store.queries.suites import SuiteSummary, list_suites
from store.tables import Campaign
from tui.text.safe_text import safe_line


@dataclass(frozen=True)
class Part:
    """What a campaign has given a reviewer of one suite in one language; `sources` wrote the responses."""

    campaign: Campaign
    suite: SuiteSummary
    sources: frozenset[SourceKey]


def member_of(session: Session, name: str, reviewer: str) -> tuple[Campaign, int]:
    """The campaign of this name, and the rater that the reviewer is in it.

    Raises `UsageError` when there is no such campaign, and when it has nothing for the reviewer."""
    found = rows.campaign_named(session, name)
    known = rows.reviewers_in(session, found.id or 0)
    rater = next((rater for rater, member in known.items() if member == reviewer), None)
    if rater is None:
        names = ", ".join(safe_line(member) for member in known.values())
        raise UsageError(
            f"Campaign {name!r} has nothing for {reviewer}. It is for: {names}. "
            "Say who you are with --reviewer."
        )
    return found, rater


def part_of(session: Session, name: str, reviewer: str, language: str, label: str | None) -> Part:
    """The reviewer's part of the suite with this label (`name` or `name/version`; None: the last one) in a
    language. Raises `UsageError` as `member_of`, and with the parts that there are when this is none."""
    campaign, rater = member_of(session, name, reviewer)
    suites = {suite.id: suite for suite in list_suites(session)}
    parts = [(suites[suite], spoken) for suite, spoken in queue.parts_of(session, campaign.id or 0, rater)]
    named = [
        suite for suite, spoken in parts if spoken == language and label in (None, suite.name, suite.label)
    ]
    if not named:
        known = ", ".join(f"{spoken} ({suite.label})" for suite, spoken in parts)
        asked = language if label is None else f"{language} ({label})"
        raise UsageError(f"Campaign {name!r} has nothing for {reviewer} in {asked}. It has: {known}.")
    suite = max(named, key=lambda it: it.id)
    return Part(campaign, suite, queue.assigned_sources(session, campaign.id or 0, rater, suite.id, language))

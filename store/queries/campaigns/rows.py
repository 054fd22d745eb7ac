"""The rows of campaigns and of their assignments: written, found by name, opened and closed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from store.errors import UsageError, XlitError
from store.tables import Assignment, Campaign, Rater, utc_now
from store.upsert import insert_missing


def list_campaigns(session: Session) -> list[Campaign]:
    """All campaigns in the order in which they were made."""
    return list(session.exec(select(Campaign).order_by(col(Campaign.id))))


def find_campaign(session: Session, name: str) -> Campaign | None:
    """The campaign of this name; None when there is none."""
    return session.exec(select(Campaign).where(Campaign.name == name)).first()


def campaign_named(session: Session, name: str) -> Campaign:
    """The campaign of this name. Raises `UsageError` that lists those that there are."""
    found = find_campaign(session, name)
    if found is None:
        known = ", ".join(campaign.name for campaign in list_campaigns(session))
        said = f"There are: {known}." if known else "`xlit-core campaign create` makes one."
        raise UsageError(f"No campaign {name!r} in the store. {said}")
    return found


def add_campaign(session: Session, **columns: Any) -> int:
    """Write a campaign; `columns` as in `store.tables.Campaign`. Returns its id."""
    campaign = Campaign(**columns)
    session.add(campaign)
    session.flush()
    if campaign.id is None:
        raise XlitError("The store gave the campaign no number.")
    return campaign.id


def add_assignments(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """Write the assignments that are not there yet; `rows` as in `store.tables.Assignment`. Returns how many
    were new."""
    return insert_missing(session, Assignment, rows, ("campaign_id", "rater_id", "response_id"))


def set_closed(session: Session, campaign: Campaign, closed: bool) -> None:
    """Close a campaign, or open it again."""
    campaign.closed_at = utc_now() if closed else None
    session.add(campaign)


def last_position(session: Session, campaign_id: int, reviewer_id: int) -> int:
    """The last position of a reviewer's queue; 0 when it is empty."""
    statement = select(func.max(Assignment.position)).where(
        Assignment.campaign_id == campaign_id, Assignment.reviewer_id == reviewer_id
    )
    return session.exec(statement).one() or 0


def reviewers_in(session: Session, campaign_id: int) -> dict[int, str]:
    """The reviewers of a campaign by their ids, in the order of their names."""
    statement = (
        select(Rater.id, Rater.name)
        .join(Assignment, col(Assignment.reviewer_id) == Rater.id)
        .where(Assignment.campaign_id == campaign_id)
        .distinct()
        .order_by(Rater.name)
    )
    return {found or 0: name for found, name in session.exec(statement)}

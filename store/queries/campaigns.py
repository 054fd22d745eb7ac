"""Campaigns: their rows and assignments, what they can be made of, and how far their reviewers
are.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import bindparam, column, func, text
from sqlmodel import Session, col, select

from store.errors import UsageError, XlitError
from store.names import trimmed
from store.queries.raters import asked_first
from store.queries.review_queue import AT_WORK
from store.tables import (
    CURRENT_RATING,
    Assignment,
    Campaign,
    Decoding,
    Entry,
    Instruction,
    Model,
    Rater,
    Response,
    Suite,
    UtcDateTime,
    utc_now,
)
from store.upsert import insert_missing


@dataclass(frozen=True)
class Candidate:
    """A response: `suite` is the label, `decoding` the digest; with all but the row number it is the same in
    every store that holds it."""

    response_id: int
    suite: str
    key: str
    language: str
    task: str | None
    model: str
    decoding: str
    sample: int
    text_digest: str

    @property
    def identity(self) -> tuple[str, str, str, str, str, int, str]:
        """What the response is, whatever its row number."""
        return (
            self.suite, self.key, self.language, self.model, self.decoding, self.sample, self.text_digest,
        )  # fmt: skip


# SQLite keeps to the order of a CROSS JOIN.
_ASSIGNED = f"""
SELECT assignment.reviewer_id AS reviewer_id, assignment.rater_id AS rater_id,
       assignment.response_id AS response_id, assignment.position AS position, assignment.kind AS kind,
       instruction.language AS language,
       (SELECT min(entry.created_at) FROM entry
        WHERE entry.response_id = assignment.response_id AND entry.rater_id = assignment.rater_id
          AND entry.kind = 'commit') AS done_at,
       (SELECT min(entry.created_at) FROM entry
        WHERE entry.response_id = assignment.response_id AND entry.rater_id = assignment.rater_id
          AND entry.kind = 'commit'
          AND {AT_WORK}) AS worked_at
FROM assignment CROSS JOIN response CROSS JOIN instruction
WHERE assignment.campaign_id = :campaign AND response.id = assignment.response_id
  AND instruction.id = response.instruction_id
ORDER BY assignment.reviewer_id, assignment.position, assignment.response_id
"""


_GIVEN = """
SELECT assignment.rater_id AS rater_id, assignment.response_id AS response_id,
       given.criterion_id AS criterion_id, given.score AS score
FROM assignment CROSS JOIN current_rating AS given
WHERE assignment.campaign_id = :campaign AND given.response_id = assignment.response_id
  AND given.rater_id = assignment.rater_id AND given.criterion_id IN :criteria
"""


@dataclass(frozen=True)
class Assigned:
    """An assignment (see `store.tables.Assignment`) and when it was done: at the first commit; None: not
    yet. `worked_at` is when the reviewer did it, which the store can't know of what came in from a file."""

    reviewer_id: int
    rater_id: int
    response_id: int
    position: int
    kind: str
    language: str
    done_at: datetime | None
    worked_at: datetime | None


MarksGiven = dict[tuple[int, int, int], int | None]
"""Current marks by (rater, response, criterion): the score, or None where it was left out on purpose."""


def list_campaigns(session: Session) -> list[Campaign]:
    """All campaigns in the order in which they were made."""
    return list(session.exec(select(Campaign).order_by(col(Campaign.id))))


def find_campaign(session: Session, name: str) -> Campaign | None:
    """The campaign of this name; None when there is none."""
    return session.exec(select(Campaign).where(Campaign.name == trimmed(name))).first()


def campaign_named(session: Session, name: str) -> Campaign:
    """The campaign of this name. Raises `UsageError` that lists those that there are."""
    campaign = find_campaign(session, name)
    if campaign is None:
        names = ", ".join(campaign.name for campaign in list_campaigns(session))
        hint = f"There are: {names}." if names else "`xlit-core campaign create` makes one."
        raise UsageError(f"No campaign {name!r} in the store. {hint}")
    return campaign


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
    return {rater_id or 0: name for rater_id, name in session.exec(statement)}


def candidates(
    session: Session,
    suite_ids: Collection[int],
    languages: Collection[str] | None = None,
    models: Collection[str] | None = None,
) -> list[Candidate]:
    """The responses to these suites: in these languages, of the models of these names (None: all), by what
    they are."""
    statement = (
        select(  # type: ignore[call-overload]
            Response.id, Suite.name, Suite.version, Instruction.key, Instruction.language, Instruction.task,
            col(Model.name).label("model"), Decoding.digest, Response.sample, Response.text_digest,
        )
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .join(Suite, col(Suite.id) == Instruction.suite_id)
        .join(Model, col(Model.id) == Response.model_id)
        .join(Decoding, col(Decoding.id) == Response.decoding_id)
        .where(col(Instruction.suite_id).in_(suite_ids))
    )  # fmt: skip
    if languages is not None:
        statement = statement.where(col(Instruction.language).in_(languages))
    if models is not None:
        statement = statement.where(col(Model.name).in_(map(trimmed, models)))
    responses = [
        Candidate(
            row.id, f"{row.name}/{row.version}", row.key, row.language, row.task, row.model, row.digest,
            row.sample, row.text_digest,
        )
        for row in session.connection().execute(statement)
    ]  # fmt: skip
    return sorted(responses, key=lambda candidate: candidate.identity)


def scored_by(session: Session, rater_ids: Sequence[int], suite_ids: Collection[int]) -> set[int]:
    """The responses to these suites that one of these raters has scored, on whatever criterion."""
    current = CURRENT_RATING.c
    statement = (
        select(current.response_id)
        .select_from(CURRENT_RATING)
        .join(Response, col(Response.id) == current.response_id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(
            current.rater_id.in_(rater_ids),
            current.score.is_not(None),
            col(Instruction.suite_id).in_(suite_ids),
        )
        .distinct()
    )
    return set(session.connection().execute(statement).scalars())


def looking_seconds(session: Session) -> float | None:
    """For how long people look at a response until they have scored it: the median; None: no time is known.

    The time of one person with one response is the longest that it had been on show when a score was set.
    """
    statement = (
        select(func.max(Entry.looked_ms))
        .join(Rater, col(Rater.id) == Entry.rater_id)
        .where(Rater.kind == "human", asked_first(), Entry.kind == "score")
        .group_by(col(Entry.rater_id), col(Entry.response_id))
    )
    times = [milliseconds for milliseconds in session.exec(statement) if milliseconds is not None]
    return median(times) / 1000 if times else None


def assignments_of(session: Session, campaign_id: int) -> list[Assigned]:
    """All assignments of a campaign, by reviewer and position."""
    names = ("reviewer_id", "rater_id", "response_id", "position", "kind", "language")
    statement = text(_ASSIGNED).columns(
        *map(column, names), column("done_at", UtcDateTime), column("worked_at", UtcDateTime)
    )
    rows = session.connection().execute(statement, {"campaign": campaign_id})
    return [Assigned(**row) for row in rows.mappings()]


def marks_given(session: Session, campaign_id: int, criterion_ids: Sequence[int]) -> MarksGiven:
    """What the raters of a campaign have given to the responses that they were assigned."""
    statement = text(_GIVEN).bindparams(bindparam("criteria", list(criterion_ids), expanding=True))
    rows = session.connection().execute(statement, {"campaign": campaign_id})
    return {(row.rater_id, row.response_id, row.criterion_id): row.score for row in rows}


def known_scores(
    session: Session, rater_ids: Collection[int], response_ids: Sequence[int]
) -> dict[tuple[int, int], int]:
    """The scores (by response and criterion) of raters who are taken to be right; what they left out is not
    among them."""
    current = CURRENT_RATING.c
    statement = CURRENT_RATING.select().where(
        current.rater_id.in_(rater_ids), current.response_id.in_(response_ids), current.score.is_not(None)
    )
    rows = session.connection().execute(statement)
    return {(row.response_id, row.criterion_id): row.score for row in rows}

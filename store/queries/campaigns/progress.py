"""How far the reviewers of a campaign are, and what they have given."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, column, text
from sqlmodel import Session

from store.queries.campaigns.queue import AT_WORK
from store.tables import CURRENT_RATING, UtcDateTime

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


Given = dict[tuple[int, int, int], int | None]
"""Current marks by (rater, response, criterion): the score, or None where it was left out on purpose."""


def assigned(session: Session, campaign_id: int) -> list[Assigned]:
    """All assignments of a campaign, by reviewer and position."""
    names = ("reviewer_id", "rater_id", "response_id", "position", "kind", "language")
    statement = text(_ASSIGNED).columns(
        *map(column, names), column("done_at", UtcDateTime), column("worked_at", UtcDateTime)
    )
    rows = session.connection().execute(statement, {"campaign": campaign_id})
    return [Assigned(**row) for row in rows.mappings()]


def given(session: Session, campaign_id: int, criterion_ids: Sequence[int]) -> Given:
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

"""A reviewer's queue: what to read in which order, and how far it is done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import TextClause, column, text
from sqlmodel import Session, col, select

from store.names import trimmed
from store.queries.compare import SourceKey
from store.tables import Assignment, Campaign, Instruction, Rater, Response, UtcDateTime


@dataclass(frozen=True)
class QueueItem:
    """One place in a queue: responses to one instruction that read the same, scored once for all of them.

    `position` is the place, from 1; `rater_id` as whom they are scored; `kind` as in
    `store.tables.Assignment`.
    """

    position: int
    kind: str
    rater_id: int
    instruction_id: int
    suite_id: int
    language: str
    response_ids: tuple[int, ...]


# The condition that an entry was made at work, and did not come in from a file, whose time says nothing.
AT_WORK = "NOT EXISTS (SELECT 1 FROM run WHERE run.id = entry.run_id AND run.command = 'import')"

# SQLite keeps to the order of a CROSS JOIN.
_DONE = """
SELECT assignment.position AS position,
       min(CASE WHEN EXISTS (
               SELECT 1 FROM entry WHERE entry.response_id = assignment.response_id
                 AND entry.rater_id = assignment.rater_id AND entry.kind = 'commit')
           THEN 1 ELSE 0 END) AS done
FROM assignment
WHERE assignment.campaign_id = :campaign AND assignment.reviewer_id = :reviewer
GROUP BY assignment.position
"""

_COMMITS = f"""
SELECT entry.created_at AS created_at
FROM assignment CROSS JOIN entry
WHERE assignment.campaign_id = :campaign AND assignment.reviewer_id = :reviewer
  AND entry.response_id = assignment.response_id AND entry.rater_id = assignment.rater_id
  AND entry.kind = 'commit'
  AND {AT_WORK}
ORDER BY entry.created_at
"""


def queue_of(session: Session, campaign_id: int, reviewer_id: int) -> list[QueueItem]:
    """A reviewer's queue in a campaign, in its order."""
    statement = (
        select(  # type: ignore[call-overload]
            Assignment.position, Assignment.kind, Assignment.rater_id, Assignment.response_id,
            Response.instruction_id, Instruction.suite_id, Instruction.language,
        )
        .join(Response, col(Response.id) == Assignment.response_id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(Assignment.campaign_id == campaign_id, Assignment.reviewer_id == reviewer_id)
        .order_by(col(Assignment.position), col(Assignment.response_id))
    )  # fmt: skip
    return list(_items(session.connection().execute(statement)))


def suites_of(session: Session, campaign_id: int, rater_id: int) -> list[tuple[int, str]]:
    """The suites (by id) and languages of what a rater scores in a campaign, sorted."""
    statement = (
        select(Instruction.suite_id, Instruction.language)
        .join(Response, col(Response.instruction_id) == Instruction.id)
        .join(Assignment, col(Assignment.response_id) == Response.id)
        .where(Assignment.campaign_id == campaign_id, Assignment.rater_id == rater_id)
        .distinct()
    )
    return sorted((suite, language) for suite, language in session.exec(statement))


def assigned_sources(
    session: Session, campaign_id: int, rater_id: int, suite_id: int, language: str
) -> frozenset[SourceKey]:
    """The sources of what a rater scores in a campaign, of a suite in a language."""
    statement = (
        select(Response.model_id, Response.decoding_id, Response.sample)
        .join(Assignment, col(Assignment.response_id) == Response.id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(
            Assignment.campaign_id == campaign_id,
            Assignment.rater_id == rater_id,
            Instruction.suite_id == suite_id,
            Instruction.language == language,
        )
        .distinct()
    )
    return frozenset((model, decoding, sample) for model, decoding, sample in session.exec(statement))


def assigned(session: Session, campaign_id: int, rater_id: int, response_ids: Sequence[int]) -> set[int]:
    """Those of some responses that a rater scores in a campaign."""
    statement = select(Assignment.response_id).where(
        Assignment.campaign_id == campaign_id,
        Assignment.rater_id == rater_id,
        col(Assignment.response_id).in_(list(response_ids)),
    )
    return set(session.exec(statement))


def done_positions(session: Session, campaign_id: int, reviewer_id: int) -> set[int]:
    """The positions of a queue whose responses are all committed."""
    rows = session.connection().execute(text(_DONE), _of(campaign_id, reviewer_id))
    return {row.position for row in rows if row.done}


def commit_times(session: Session, campaign_id: int, reviewer_id: int) -> list[Any]:
    """When a reviewer committed a response of a queue at work, not by a file that came in (datetimes), the
    earliest first."""
    statement: TextClause = text(_COMMITS)
    typed = statement.columns(column("created_at", UtcDateTime))
    return list(session.connection().execute(typed, _of(campaign_id, reviewer_id)).scalars())


def texts_of(session: Session, response_id: int) -> tuple[str, str]:
    """The texts of an instruction and of a response to it."""
    statement = (
        select(Instruction.text, Response.text)
        .join(Response, col(Response.instruction_id) == Instruction.id)
        .where(Response.id == response_id)
    )
    return session.exec(statement).one()


def open_campaign_of(session: Session, reviewer: str, suite_id: int, *, sealed: bool = False) -> str | None:
    """The name of an open, blind campaign with a response to the suite in the queue of the person of this
    name; None: there is none. `sealed`: only one that never reveals the judge."""
    statement = (
        select(Campaign.name)
        .join(Assignment, col(Assignment.campaign_id) == Campaign.id)
        .join(Rater, col(Rater.id) == Assignment.reviewer_id)
        .join(Response, col(Response.id) == Assignment.response_id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(
            Rater.kind == "human",
            Rater.name == trimmed(reviewer),
            Rater.version == "",
            col(Campaign.closed_at).is_(None),
            col(Campaign.blind),
            Instruction.suite_id == suite_id,
        )
        .limit(1)
    )
    if sealed:
        statement = statement.where(~col(Campaign.reveal))
    return session.exec(statement).first()


def _of(campaign_id: int, reviewer_id: int) -> dict[str, int]:
    return {"campaign": campaign_id, "reviewer": reviewer_id}


def _items(rows: Any) -> Iterator[QueueItem]:
    for position, same in groupby(rows, key=lambda row: row.position):
        read = list(same)
        first = read[0]
        yield QueueItem(
            position, first.kind, first.rater_id, first.instruction_id, first.suite_id, first.language,
            tuple(row.response_id for row in read),
        )  # fmt: skip

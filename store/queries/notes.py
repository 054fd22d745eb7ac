"""Comments and error spans: written to the journal, and read as they stand now.

Responses that read the same may stand as one, so that one action may concern several responses.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import TableClause
from sqlmodel import Session, col, select

from store.errors import UsageError
from store.queries.journal import NOTHING_SHOWN, Change, Shown, append_changes
from store.storable import storable
from store.tables import (
    CURRENT_COMMENT,
    CURRENT_ERROR_SPAN,
    Comment,
    Entry,
    ErrorSpan,
    Instruction,
    Rater,
    Response,
)

# There are few notes and many responses. With `+ 0` no index leads from an instruction to its responses, so
# that SQLite begins with the notes.
_ANSWERED = col(Instruction.id) == col(Response.instruction_id) + 0


@dataclass(frozen=True)
class Span:
    """A current error span: the code points of the response from `start` to before `end`."""

    start: int
    end: int
    category: str
    severity: str
    note: str = ""


@dataclass(frozen=True)
class Note:
    """A current comment or error span as a list shows it.

    `kind` is `comment` or `span`; `text` is the comment, or the code points of the response from `start` to
    before `end`. A comment has no `start` and `end`, and empty `category`, `severity` and `note`.
    """

    instruction_id: int
    position: int
    key: str
    response_id: int
    rater: str
    kind: str
    text: str
    start: int | None
    end: int | None
    category: str
    severity: str
    note: str
    created_at: datetime


def set_comment(
    session: Session,
    rater_id: int,
    response_ids: Sequence[int],
    text: str,
    shown: Shown = NOTHING_SHOWN,
    *,
    run_id: int | None = None,
) -> int:
    """Put a comment in the place of the rater's last one on these responses; empty, it takes that one away.

    Returns the id of the entry. What no store can hold (NUL, half a surrogate pair) becomes U+FFFD.
    """
    state = {"text": storable(text)}
    changes = [Change(Comment, {"response_id": response_id}, state) for response_id in response_ids]
    return append_changes(session, rater_id, changes, shown, kind="comment", run_id=run_id)


def mark_span(
    session: Session,
    rater_id: int,
    response_ids: Sequence[int],
    start: int,
    end: int,
    category: str,
    severity: str,
    note: str = "",
    shown: Shown = NOTHING_SHOWN,
    *,
    run_id: int | None = None,
) -> int:
    """Mark the code points from `start` to before `end` of these responses as an error of this category.

    The same stretch marked again in the same category gets the new severity and note. Returns the id of the
    entry. Raises `UsageError` when the stretch is empty or not within one of the responses.
    """
    for response_id in response_ids:
        length = len(session.exec(select(Response.text).where(Response.id == response_id)).one())
        if not 0 <= start < end <= length:
            raise UsageError(
                f"No stretch from {start} to {end} in response {response_id}, which has {length} characters. "
                "Mark at least one character of it."
            )
    state = {"severity": severity, "note": storable(note), "present": True}
    changes = _span_changes(response_ids, start, end, category, state)
    return append_changes(session, rater_id, changes, shown, kind="span", run_id=run_id)


def remove_span(
    session: Session,
    rater_id: int,
    response_ids: Sequence[int],
    start: int,
    end: int,
    category: str,
    shown: Shown = NOTHING_SHOWN,
    *,
    run_id: int | None = None,
) -> int:
    """Take the rater's span of this stretch and category away; returns the id of the entry."""
    state = {"severity": "", "note": "", "present": False}
    changes = _span_changes(response_ids, start, end, category, state)
    return append_changes(session, rater_id, changes, shown, kind="span", run_id=run_id)


def comments_of(session: Session, rater_id: int, response_ids: Iterable[int]) -> dict[int, str]:
    """The rater's comments on these responses; those without one are left out."""
    return {row.response_id: row.text for row in _current(session, CURRENT_COMMENT, rater_id, response_ids)}


def spans_of(session: Session, rater_id: int, response_ids: Iterable[int]) -> dict[int, list[Span]]:
    """The rater's error spans in these responses, by start, then end; those without one are left out."""
    spans_by_response: dict[int, list[Span]] = {}
    for row in _current(session, CURRENT_ERROR_SPAN, rater_id, response_ids):
        span = Span(row.start_offset, row.end_offset, row.category, row.severity, row.note)
        spans_by_response.setdefault(row.response_id, []).append(span)
    return {
        response: sorted(spans, key=lambda span: (span.start, span.end, span.category))
        for response, spans in spans_by_response.items()
    }


def list_notes(session: Session, rater_id: int | None, suite_id: int, language: str) -> list[Note]:
    """The comments and error spans on the responses to a suite in a language: of one rater, or of all.

    They come in the suite's order, then by response and rater, a comment before the spans, those by start.
    """
    notes = [
        _note(row, "comment", row.text)
        for row in session.connection().execute(_notes(CURRENT_COMMENT, rater_id, suite_id, language))
    ]
    for row in session.connection().execute(_notes(CURRENT_ERROR_SPAN, rater_id, suite_id, language)):
        notes.append(_note(row, "span", row.response[row.start_offset : row.end_offset]))
    return sorted(
        notes,
        key=lambda note: (
            note.position,
            note.response_id,
            note.rater,
            note.kind,
            note.start,
            note.end,
            note.category,
        ),
    )


def _span_changes(
    response_ids: Sequence[int], start: int, end: int, category: str, state: dict[str, Any]
) -> list[Change]:
    stretch = {"start_offset": start, "end_offset": end, "category": category}
    return [Change(ErrorSpan, {"response_id": response_id, **stretch}, state) for response_id in response_ids]


def _current(session: Session, view: TableClause, rater_id: int, response_ids: Iterable[int]) -> Any:
    wanted = (view.c.rater_id == rater_id, view.c.response_id.in_(list(response_ids)))
    return session.connection().execute(view.select().where(*wanted))


def _notes(view: TableClause, rater_id: int | None, suite_id: int, language: str) -> Any:
    statement = (
        select(  # type: ignore[call-overload]
            *view.c,
            col(Instruction.id).label("instruction_id"),
            col(Instruction.position),
            col(Instruction.key),
            col(Response.text).label("response"),
            col(Rater.name).label("rater"),
            col(Entry.created_at),
        )
        .select_from(view)
        .join(Response, col(Response.id) == view.c.response_id)
        .join(Instruction, _ANSWERED)
        .join(Rater, col(Rater.id) == view.c.rater_id)
        .join(Entry, col(Entry.id) == view.c.entry_id)
        .where(Instruction.suite_id == suite_id, Instruction.language == language)
        # A response may be long, and each of its spans brings it along: few rows at a time.
        .execution_options(yield_per=20)
    )
    return statement if rater_id is None else statement.where(view.c.rater_id == rater_id)


def _note(row: Any, kind: str, text: str) -> Note:
    span = kind == "span"
    return Note(
        instruction_id=row.instruction_id,
        position=row.position,
        key=row.key,
        response_id=row.response_id,
        rater=row.rater,
        kind=kind,
        text=text,
        start=row.start_offset if span else None,
        end=row.end_offset if span else None,
        category=row.category if span else "",
        severity=row.severity if span else "",
        note=row.note if span else "",
        created_at=row.created_at,
    )

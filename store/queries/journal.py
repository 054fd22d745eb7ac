"""The journal: append, undo, redo, and the current scores. Nothing is ever overwritten."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from sqlalchemy import func, insert
from sqlmodel import Session, col, select

from store.tables import CURRENT_RATING, Comment, Entry, ErrorSpan, Rating

APP_VERSION = version("xlit")


UNDOABLE = ("score", "comment", "span")


@dataclass(frozen=True)
class Score:
    """One score to be set. `score` None with `skipped`: left out on purpose; None without: cleared."""

    response_id: int
    criterion_id: int
    score: int | None
    skipped: bool = False


@dataclass(frozen=True)
class Shown:
    """What was on the screen when a rater acted; `looked_ms` is how long the response had been on show."""

    looked_ms: int | None = None
    judge: bool = False
    names: bool = False


NOTHING_SHOWN = Shown()


JournalRow = Rating | Comment | ErrorSpan


# The tables of the rows that an action sets. For each: the columns that say what a row is about, and what
# holds of a thing that was never set or was taken away.
ROW_TABLES: dict[type[Any], tuple[tuple[str, ...], dict[str, Any]]] = {
    Rating: (("response_id", "criterion_id"), {"score": None, "skipped": False}),
    Comment: (("response_id",), {"text": ""}),
    ErrorSpan: (
        ("response_id", "start_offset", "end_offset", "category"),
        {"severity": "", "note": "", "present": False},
    ),
}


@dataclass(frozen=True)
class Change:
    """One row of an action: what it is about (its table and the columns `about`) and what holds of that from
    then on for the rater (the columns `state`)."""

    table: type[JournalRow]
    about: dict[str, Any]
    state: dict[str, Any]


@dataclass(frozen=True)
class Step:
    """An action that a rater can undo or redo (`kind`): `target_id` is its entry, `response_id` the response
    that it is about."""

    kind: str
    rater_id: int
    target_id: int
    response_id: int


def append_entries(
    session: Session,
    entries: Sequence[Mapping[str, Any]],
    rows: Sequence[Sequence[tuple[type[Any], Mapping[str, Any]]]],
) -> list[int]:
    """Append entries (columns of `store.tables.Entry`) with the rows that each sets (table, and its columns
    without entry and rater). Returns the entries' ids."""
    if not entries:
        return []
    connection = session.connection()
    returning: Any = insert(Entry).returning(Entry.id, sort_by_parameter_order=True)  # type: ignore[call-overload]
    ids = list(connection.execute(returning, [dict(entry) for entry in entries]).scalars())
    for row_table in ROW_TABLES:
        table_rows = [
            {**columns, "entry_id": entry_id, "rater_id": entry["rater_id"]}
            for entry_id, entry, entry_rows in zip(ids, entries, rows, strict=True)
            for table, columns in entry_rows
            if table is row_table
        ]
        if table_rows:
            connection.execute(insert(row_table), table_rows)
    return ids


def append(
    session: Session,
    rater_id: int,
    scores: Sequence[Score],
    shown: Shown = NOTHING_SHOWN,
    *,
    kind: str = "score",
    response_id: int | None = None,
    run_id: int | None = None,
) -> int:
    """Append one action of a rater with the scores it set; returns the entry's id."""
    changes = [
        Change(
            Rating,
            {"response_id": new.response_id, "criterion_id": new.criterion_id},
            {"score": new.score, "skipped": new.skipped},
        )
        for new in scores
    ]
    return append_changes(
        session, rater_id, changes, shown, kind=kind, response_id=response_id, run_id=run_id
    )


def append_changes(
    session: Session,
    rater_id: int,
    changes: Sequence[Change],
    shown: Shown = NOTHING_SHOWN,
    *,
    kind: str,
    target_id: int | None = None,
    response_id: int | None = None,
    run_id: int | None = None,
) -> int:
    """Append one action of a rater with the rows it brings; returns the entry's id.

    The entry names `response_id`, or else the response of the first change.
    """
    if response_id is None and changes:
        response_id = changes[0].about["response_id"]
    entry = Entry(
        rater_id=rater_id,
        kind=kind,
        target_id=target_id,
        response_id=response_id,
        looked_ms=shown.looked_ms,
        judge_shown=shown.judge,
        names_shown=shown.names,
        app_version=APP_VERSION,
        run_id=run_id,
    )
    rows = [(change.table, {**change.about, **change.state}) for change in changes]
    return append_entries(session, [entry.model_dump(exclude={"id"})], [rows])[0]


def commit_response(session: Session, rater_id: int, response_id: int, shown: Shown = NOTHING_SHOWN) -> int:
    """Write down that the reviewer is done with a response; from here on the judge may be shown."""
    return append(session, rater_id, [], shown, kind="commit", response_id=response_id)


def committed_responses(session: Session, rater_id: int, response_ids: Iterable[int]) -> set[int]:
    """Which of these responses the reviewer has committed."""
    statement = select(Entry.response_id).where(
        Entry.rater_id == rater_id, Entry.kind == "commit", col(Entry.response_id).in_(list(response_ids))
    )
    return {response for response in session.exec(statement) if response is not None}


def next_undo(session: Session, rater_id: int) -> Step | None:
    """The rater's last score, comment or span that is not yet taken back, also from before a restart; None
    when there is none. Only reads."""
    undone = 0
    for entry in _actions_backwards(session, rater_id):
        if entry.kind == "undo":
            undone += 1
        elif entry.kind == "redo" or undone:
            undone -= 1
        else:
            return Step("undo", rater_id, entry.id or 0, entry.response_id or 0)
    return None


def next_redo(session: Session, rater_id: int) -> Step | None:
    """What the rater undid last, unless something was scored, commented or marked since; else None. Only
    reads."""
    redone = 0
    for entry in _actions_backwards(session, rater_id):
        if entry.kind in UNDOABLE:
            return None
        if entry.kind == "redo":
            redone += 1
        elif redone:
            redone -= 1
        else:
            return Step("redo", rater_id, entry.target_id or 0, entry.response_id or 0)
    return None


def take_step(session: Session, step: Step, shown: Shown = NOTHING_SHOWN) -> int:
    """Undo or redo an action, as a new action of its own; returns the entry's id."""
    rows = _rows_of(session, step.target_id)
    changes = _before(session, rows) if step.kind == "undo" else [_change(row) for row in rows]
    return append_changes(
        session, step.rater_id, changes, shown,
        kind=step.kind, target_id=step.target_id, response_id=step.response_id,
    )  # fmt: skip


def undo(session: Session, rater_id: int, shown: Shown = NOTHING_SHOWN) -> int | None:
    """Take back what `next_undo` finds. Returns the response concerned, or None when there is nothing."""
    return _take(session, next_undo(session, rater_id), shown)


def redo(session: Session, rater_id: int, shown: Shown = NOTHING_SHOWN) -> int | None:
    """Do again what `next_redo` finds. Returns the response concerned, or None when there is nothing."""
    return _take(session, next_redo(session, rater_id), shown)


def _take(session: Session, step: Step | None, shown: Shown) -> int | None:
    if step is None:
        return None
    take_step(session, step, shown)
    return step.response_id


def current_ratings(session: Session, rater_id: int, response_ids: Iterable[int]) -> list[Score]:
    """The current scores (skipped ones included, cleared ones not) of a rater for these responses."""
    current = CURRENT_RATING.c
    rows = session.connection().execute(
        CURRENT_RATING.select().where(
            current.rater_id == rater_id, current.response_id.in_(list(response_ids))
        )
    )
    return [Score(row.response_id, row.criterion_id, row.score, bool(row.skipped)) for row in rows]


def _actions_backwards(session: Session, rater_id: int) -> Iterable[Entry]:
    statement = (
        select(Entry)
        .where(Entry.rater_id == rater_id, col(Entry.kind).in_((*UNDOABLE, "undo", "redo")))
        .order_by(col(Entry.id).desc())
        .execution_options(yield_per=100)
    )
    return session.exec(statement)


def _rows_of(session: Session, entry_id: int) -> list[JournalRow]:
    """What an entry set, in the order in which it was set."""
    return [
        row
        for table in ROW_TABLES
        for row in session.exec(select(table).where(table.entry_id == entry_id).order_by(col(table.id)))
    ]


def _change(row: JournalRow) -> Change:
    """The change that sets again what a row says."""
    about, cleared = ROW_TABLES[type(row)]
    return Change(
        type(row),
        {name: getattr(row, name) for name in about},
        {name: getattr(row, name) for name in cleared},
    )


def _before(session: Session, rows: Sequence[JournalRow]) -> list[Change]:
    """The changes that bring back what stood before the rows of one entry were written."""
    changes = []
    for table, (about, cleared) in ROW_TABLES.items():
        set_now = [_change(row) for row in rows if type(row) is table]
        if not set_now:
            continue
        earlier = (
            select(func.max(table.id))
            .where(
                table.rater_id == rows[0].rater_id,
                table.response_id.in_({change.about["response_id"] for change in set_now}),
                table.id < min(row.id or 0 for row in rows if type(row) is table),
            )
            .group_by(*(getattr(table, name) for name in about))
        )
        stood = [_change(row) for row in session.exec(select(table).where(table.id.in_(earlier)))]
        states = {tuple(change.about.values()): change.state for change in stood}
        changes += [
            Change(table, change.about, states.get(tuple(change.about.values()), cleared))
            for change in set_now
        ]
    return changes

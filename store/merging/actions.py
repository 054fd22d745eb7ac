"""Actions in a journal as values: by what they say, not by their row numbers."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select
from sqlmodel import Session, col

from store.merging.uniting import PAGE
from store.tables import Comment, Entry, ErrorSpan, Rating

PARTS: tuple[Any, ...] = (Rating, Comment, ErrorSpan)
_OWN = ("id", "entry_id", "rater_id")


@dataclass(frozen=True)
class Action:
    """An entry of a rater with the rows it set (table and columns, without ids of their own)."""

    id: int
    target_id: int | None
    columns: dict[str, Any]
    rows: tuple[tuple[Any, dict[str, Any]], ...]

    @property
    def created_at(self) -> datetime:
        return self.columns["created_at"]

    @property
    def response_ids(self) -> tuple[int, ...]:
        """The responses that it is about."""
        own = self.columns["response_id"]
        named = [] if own is None else [own]
        return tuple(dict.fromkeys([*named, *(row["response_id"] for _, row in self.rows)]))

    def digest(self) -> bytes:
        """The same for two actions that say the same; the run that wrote it does not count."""
        head = [self.target_id, *(value for name, value in self.columns.items() if name != "run_id")]
        rows = sorted(repr((part.__name__, *row.values())) for part, row in self.rows)
        return hashlib.blake2b(repr((head, rows)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def actions_of(session: Session, rater_id: int) -> Iterator[Action]:
    """The actions of a rater in their order, `PAGE` at a time."""
    last = 0
    entry = Entry.__table__  # type: ignore[attr-defined]
    statement = select(entry).where(entry.c.rater_id == rater_id).order_by(entry.c.id).limit(PAGE)
    while entries := session.connection().execute(statement.where(entry.c.id > last)).mappings().all():
        yield from _whole(session, entries)
        last = entries[-1]["id"]


def actions_by_id(session: Session, ids: Sequence[int]) -> Iterator[Action]:
    """These actions, in the order of their ids."""
    entry = Entry.__table__  # type: ignore[attr-defined]
    for first in range(0, len(ids), PAGE):
        wanted = ids[first : first + PAGE]
        statement = select(entry).where(entry.c.id.in_(wanted)).order_by(entry.c.id)
        yield from _whole(session, session.connection().execute(statement).mappings().all())


def _whole(session: Session, entries: Sequence[RowMapping]) -> Iterator[Action]:
    ids = [entry["id"] for entry in entries]
    rows: dict[int, list[tuple[Any, dict[str, Any]]]] = {}
    for part in PARTS:
        table = part.__table__
        statement = select(table).where(table.c.entry_id.in_(ids)).order_by(col(part.id))
        names = [column.name for column in table.c if column.name not in _OWN]
        for row in session.connection().execute(statement).mappings():
            rows.setdefault(row["entry_id"], []).append((part, {name: row[name] for name in names}))
    for entry in entries:
        columns = {
            name: value for name, value in entry.items() if name not in ("id", "rater_id", "target_id")
        }
        yield Action(entry["id"], entry["target_id"], columns, tuple(rows.get(entry["id"], ())))

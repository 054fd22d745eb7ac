"""Writes of the review room: on disk when they return, or a sentence that says why not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from store.file_identity import StoreReplaced
from store.session import writing
from tui.review.scoring import ScoreCell

if TYPE_CHECKING:
    from tui.review.row import Row

_REASONS = (
    ("locked", "another program is writing to the store"),
    ("full", "the disk is full"),
    ("readonly", "the store may not be written to"),
    ("disk i/o", "the disk reports an error; is the store's folder still there?"),
    ("unable to open", "the store can't be opened any more; is its folder still there?"),
    ("connection is bad", "the database can't be reached"),
    ("connection timeout", "the database can't be reached"),
    ("connection to server", "the database can't be reached"),
    ("connection failed", "the database can't be reached"),
    ("connection refused", "the database can't be reached"),
    ("terminating connection", "the database has ended the connection"),
    ("server closed the connection", "the database has ended the connection"),
)


class NotSaved(Exception):
    """A write that left nothing behind; the text says why and what to do."""


@contextmanager
def saving(engine: Engine) -> Iterator[Session]:
    """A writing session. Raises `NotSaved`, which says in words why the write failed."""
    try:
        with writing(engine) as session:
            yield session
    except (DBAPIError, StoreReplaced) as error:
        raise NotSaved(reason_of(error)) from error


@dataclass
class UnsavedChange:
    """What a key has changed on the screen and not yet on disk.

    `before` and `cell` are the row and the cursor that the key was typed for, `criteria` what it sets in that
    column, `write` brings it to the disk (or raises `NotSaved`) and may run on another thread.
    """

    before: "Row"
    cell: ScoreCell
    criteria: frozenset[int]
    write: Callable[[], None]
    written: bool = False

    @property
    def where(self) -> str:
        """The response and criterion that its key was typed for, in words."""
        view = self.before.view
        return f"{self.before.answers[self.cell.column].label}, {view.criteria[self.cell.criterion]}"


class UnsavedChanges:
    """Changes of the row on show, in the order of their keys."""

    def __init__(self) -> None:
        self._changes: list[UnsavedChange] = []

    def __len__(self) -> int:
        return len(self._changes)

    @property
    def first(self) -> UnsavedChange:
        return self._changes[0]

    def add(self, change: UnsavedChange) -> None:
        """A change behind all the others."""
        self._changes.append(change)

    def first_is_written(self) -> None:
        """The first change is on disk."""
        self._changes.pop(0)

    def drop(self) -> UnsavedChange:
        """Forget all changes; returns the first."""
        first = self.first
        self._changes.clear()
        return first

    def criteria(self, column: int) -> frozenset[int]:
        """The criteria of a column whose scores are not on disk yet."""
        return frozenset().union(
            *(change.criteria for change in self._changes if change.cell.column == column)
        )

    def write_all(self) -> None:
        """Write what is not written. Raises `NotSaved`; then the change that was not written is the first."""
        while self._changes:
            if not self.first.written:
                self.first.write()
            self.first_is_written()


def reason_of(error: Exception) -> str:
    """Why the database refused, in words."""
    if not isinstance(error, DBAPIError):
        return str(error)
    message = str(error.orig or error).strip().splitlines()[0]
    for words, reason in _REASONS:
        if words in message.lower():
            return reason
    return message

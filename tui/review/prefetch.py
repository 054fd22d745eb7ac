"""Rows read ahead: the neighbours of the row on show are there before a key asks for them.

What was read is good only as long as the store holds what it held then. That is seen from the highest row
numbers of its tables (`store.queries.compare.highest_ids`); this program's own writes are known, and make
nothing stale but the row that they are about.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from store.queries import compare
from store.queries.compare import HighestIds
from store.session import reading
from tui.review.row import Row
from tui.review.view import View

KEPT_ROWS = 8


@dataclass
class LoadedRow:
    """A row as it was read for a view, its columns that are not written down yet, and the highest row numbers
    of the store at that time (`contents`)."""

    row: Row
    new_columns: dict[int, int]
    contents: HighestIds
    view: View
    collapse: bool


LoadRow = Callable[..., tuple[Row, dict[int, int]]]


class RowLoader:
    """Reads rows of a view by their keys, at once or ahead, with `load` (see `Finder.load`); `contents` is
    what the store held at the last look."""

    def __init__(self, engine: Engine, view: View, load: LoadRow, *, collapse: bool) -> None:
        self.engine = engine
        self.load = load
        self.view = view
        self.collapse = collapse
        self.contents: HighestIds | None = None
        self._kept: dict[int, LoadedRow] = {}

    def take(self, session: Session, key: int) -> LoadedRow:
        """The row as the store holds it now, read ahead or read now."""
        now = compare.highest_ids(session)
        loaded = self._fresh(key, now) or self._load(session, key, now)
        self.contents = now
        return loaded

    def read_ahead(self, keys: list[int]) -> None:
        """Read these rows for later. Works beside the thread that writes: it only reads."""
        with reading(self.engine) as session:
            now = compare.highest_ids(session)
            for key in keys:
                if self._fresh(key, now) is None:
                    self._keep(key, self._load(session, key, now))

    def wrote(self, before: HighestIds, after: HighestIds, key: int) -> None:
        """This program wrote about a row: what the others were read from has not changed."""
        self._kept.pop(key, None)
        for kept in list(self._kept.values()):
            if kept.contents == before:
                kept.contents = after
        if self.contents == before:
            self.contents = after

    def forget(self, key: int) -> None:
        """This row has changed: what was read ahead of it can't be used."""
        self._kept.pop(key, None)

    def change(self, view: View, *, collapse: bool) -> None:
        """Rows look different from now on: nothing that was read ahead can be used."""
        self.view, self.collapse = view, collapse
        self._kept.clear()

    def _fresh(self, key: int, now: HighestIds) -> LoadedRow | None:
        """What was read ahead, if it was read for this view and holds what the store holds now."""
        kept = self._kept.get(key)
        good = kept and (kept.contents, kept.view, kept.collapse) == (now, self.view, self.collapse)
        return kept if good else None

    def _load(self, session: Session, key: int, now: HighestIds) -> LoadedRow:
        view, collapse = self.view, self.collapse
        row, new_columns = self.load(session, view, key, collapse=collapse)
        return LoadedRow(row, new_columns, now, view, collapse)

    def _keep(self, key: int, loaded: LoadedRow) -> None:
        self._kept[key] = loaded
        while len(self._kept) > KEPT_ROWS:
            self._kept.pop(next(iter(self._kept)))

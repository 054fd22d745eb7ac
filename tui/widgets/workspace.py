"""The workspace: the one widget with the focus, with as many columns as the terminal is wide."""

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message

from tui.review.rules import Marks, Place
from tui.review.session import ReviewSession
from tui.widgets.column import Column

COLUMN_CELLS = 44


@dataclass(frozen=True)
class Before:
    """What was on show before a key, to repaint no more than has changed."""

    place: Place
    marks: list[Marks]
    committed: list[bool]


class Workspace(Horizontal, can_focus=True):
    """The columns of a row, and which of them fit; the cursor is the session's `place`."""

    DEFAULT_CSS = "Workspace { height: 1fr; overflow: hidden hidden; }"

    class WindowMoved(Message):
        """Other columns can be read now."""

    def __init__(self, session: ReviewSession) -> None:
        super().__init__()
        self.session = session
        self.columns = [Column(session, number) for number in range(len(session.view.sources))]
        self.first = 0

    def compose(self) -> ComposeResult:
        yield from self.columns

    def on_resize(self) -> None:
        self.fit_columns()

    @property
    def fitting(self) -> int:
        """How many columns fit beside each other."""
        return max(1, self.size.width // COLUMN_CELLS)

    @property
    def visible_columns(self) -> list[Column]:
        return [column for column in self.columns if column.display]

    @property
    def shows_all(self) -> bool:
        return len(self.session.row.answers) <= self.fitting

    def fit_columns(self) -> None:
        """Move the window of columns so that the cursor is in it."""
        here, count = self.session.place.column, len(self.session.row.answers)
        self.first = min(max(self.first, here - self.fitting + 1), here)
        self.first = max(0, min(self.first, count - self.fitting))
        end = min(count, self.first + self.fitting)
        for column in self.columns:
            column.display = self.first <= column.number < end
            column.set_last(column.number == end - 1)
        self.post_message(self.WindowMoved())

    def before(self) -> Before:
        """What is on show now."""
        answers = self.session.row.answers
        return Before(self.session.place, self.session.row.marks, [answer.committed for answer in answers])

    def show_change(self, before: Before) -> None:
        """Repaint what differs from `before`, in the same row."""
        place = self.session.place
        if not self.columns[place.column].display:
            self.fit_columns()
        for column, answer in zip(self.columns, self.session.row.answers, strict=False):
            number = column.number
            if answer.committed != before.committed[number]:
                column.refresh()
                continue
            moved = (
                {old.criterion for old in (before.place, place) if old.column == number}
                if (before.place != place)
                else set()
            )
            changed = {at for at, mark in enumerate(answer.marks) if mark != before.marks[number][at]}
            for criterion in moved | changed:
                column.refresh_criterion(criterion)
            if changed or (before.place.column == number) != (place.column == number):
                column.refresh_title()

    def show_row(self) -> None:
        """Another row is on show."""
        self.first = 0
        for column in self.columns:
            column.show_new()
        self.fit_columns()

    def page(self, pages: int) -> bool:
        """Scroll the response under the cursor."""
        return self.columns[self.session.place.column].page(pages)

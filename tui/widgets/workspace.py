"""The workspace: the one widget with the focus, with as many columns as fit on the terminal."""

from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from core.text import direction
from tui.review.display_options import DisplayOptions
from tui.review.session import ReviewSession
from tui.widgets.column import Column

# The narrowest column that holds the table with a judge's scores: seven of them fit 250 cells.
COLUMN_CELLS = 35
# On a terminal narrower than this, one column at a time reads better than two.
NARROW = 96
# Columns above each other need this many lines each.
COLUMN_LINES = 16


class Workspace(Container, can_focus=True):
    """The columns of a row, and which of them fit; the cursor is the session's.

    A terminal that orders right-to-left text itself does so with whole lines, across columns that stand side
    by side; responses in such a language therefore stand above each other.
    """

    DEFAULT_CSS = """
    Workspace { height: 1fr; overflow: hidden hidden; layout: horizontal; }
    Workspace.-stacked { layout: vertical; }
    """

    class WindowMoved(Message):
        """Other columns can be read now."""

    def __init__(self, session: ReviewSession, display_options: DisplayOptions) -> None:
        super().__init__()
        self.session = session
        self.display_options = display_options
        self.columns = self._new_columns(len(session.row.answers))
        self.first = 0

    def compose(self) -> ComposeResult:
        yield from self.columns

    def _new_columns(self, count: int, first: int = 0) -> list[Column]:
        return [Column(self.session, self.display_options, number) for number in range(first, count)]

    def on_resize(self) -> None:
        self.fit_columns()

    @property
    def stacked(self) -> bool:
        return any(direction.is_rtl(answer.language) for answer in self.session.row.answers)

    @property
    def fitting(self) -> int:
        """How many columns fit."""
        if self.stacked:
            return max(1, self.size.height // COLUMN_LINES)
        return 1 if self.size.width < NARROW else max(1, self.size.width // COLUMN_CELLS)

    @property
    def visible_columns(self) -> list[Column]:
        return [column for column in self.columns if column.display]

    @property
    def shows_all(self) -> bool:
        return len(self.session.row.answers) <= self.fitting

    def fit_columns(self) -> None:
        """Move the window of columns so that the cursor is in it."""
        current, count = self.session.cursor.column, len(self.session.row.answers)
        if count > len(self.columns):
            new = self._new_columns(count, first=len(self.columns))
            self.columns += new
            self.mount_all(new)
        self.first = min(max(self.first, current - self.fitting + 1), current)
        self.first = max(0, min(self.first, count - self.fitting))
        end = min(count, self.first + self.fitting)
        self.set_class(self.stacked, "-stacked")
        for column in self.columns:
            column.display = self.first <= column.number < end
            column.set_edge(column.number != end - 1 and not self.stacked)
        self.post_message(self.WindowMoved())

    def redraw(self) -> None:
        """Repaint what has changed in the same row."""
        if not self.columns[self.session.cursor.column].display:
            self.fit_columns()
        for column in self.visible_columns:
            column.redraw()

    def show_row(self) -> None:
        """Another row is on show."""
        self.first = 0
        for column in self.columns:
            column.show_new()
        self.fit_columns()

    def seek(self) -> None:
        """What was searched for comes into sight in every column that holds it."""
        for column in self.columns:
            column.seek()

    def page(self, pages: int) -> bool:
        """Scroll the response under the cursor."""
        return self.columns[self.session.cursor.column].page(pages)

    def scroll_lines(self, lines: int, x: float, y: float) -> None:
        """Scroll the response at a cell of the screen, or else the one under the cursor, by lines."""
        pointed = (column for column in self.visible_columns if column.region.contains(int(x), int(y)))
        next(pointed, self.columns[self.session.cursor.column]).scroll_lines(lines)

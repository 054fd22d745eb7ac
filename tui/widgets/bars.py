"""The lines around the workspace: where the reviewer is, the columns that don't fit, and what was said."""

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.review.rules import marked
from tui.review.session import ReviewSession
from tui.safe_text import safe_line
from tui.theme import CURRENT, DONE, FAILED, HEADING, PLAIN, QUIET
from tui.widgets.lines import Piece, cells_of, fitted, spread, strip_of
from tui.wrapping import shorten

HINTS = (
    "? keys  0 1 2 score  ↑↓ criterion  ←→ column  g commit  n/p next/prev  u undo  a all 2  w wrong lang."
)


class StatusBar(Widget):
    """Language, suite, place, what is left; who reviews, blind or not, and whether it is saved."""

    DEFAULT_CSS = "StatusBar { height: 1; }"

    def __init__(self, session: ReviewSession) -> None:
        super().__init__()
        self.session = session
        self._saved = True
        self._left = ""

    def show(self, *, saved: bool) -> None:
        """Repaint what is not as it was: the number that is left, and whether the last key is on disk."""
        if saved != self._saved:
            self._saved = saved
            self.refresh()
        elif self._left_text() != self._left:
            self._left = self._left_text()
            self.refresh(Region(0, 0, min(cells_of(self._left_pieces()), self.size.width), 1))

    def _left_text(self) -> str:
        return f"{self.session.left} left in this row".ljust(20)

    def _left_pieces(self) -> list[Piece]:
        session, view = self.session, self.session.view
        where = f"{view.language} · {shorten(safe_line(view.suite.label), 24)} · "
        count = f"{session.number}/{len(session.instructions)} · "
        return [(" xlit  ", HEADING), (where + count + self._left_text(), PLAIN)]

    def render_line(self, y: int) -> Strip:
        view = self.session.view
        self._left = self._left_text()
        width, left = self.size.width, self._left_pieces()
        who = f"{shorten(safe_line(view.reviewer), 16)}  "
        right: list[Piece] = [
            (who, PLAIN),
            ("open  " if view.names_shown else "blind  ", PLAIN),
            ("● saved", DONE) if self._saved else ("✗ not saved", FAILED),
            ("  ? keys", QUIET),
        ]
        # On a narrow screen what goes last is whether it is saved.
        for dispensable in (0, -1, 0):
            if cells_of([*left, *right]) <= width:
                break
            right.pop(dispensable)
        room = width - cells_of(right)
        return strip_of(spread(fitted(left, room), right, width, (" ", PLAIN)), width)


class ColumnStrip(Widget):
    """One line with the state of every column, for terminals where they don't all fit."""

    DEFAULT_CSS = "ColumnStrip { height: 1; }"

    def __init__(self, session: ReviewSession) -> None:
        super().__init__()
        self.session = session
        self._shown = 0

    def show(self) -> None:
        """Repaint as far as the states reach, and no blanks."""
        now = cells_of(self._pieces())
        self.refresh(Region(0, 0, min(max(now, self._shown), self.size.width), 1))

    def render_line(self, y: int) -> Strip:
        pieces = self._pieces()
        self._shown = cells_of(pieces)
        return strip_of(pieces, self.size.width)

    def _pieces(self) -> list[Piece]:
        answers, here = self.session.row.answers, self.session.place.column
        room = max(3, min(24, self.size.width // max(1, len(answers)) - 8))
        items: list[Piece] = []
        for number, answer in enumerate(answers):
            state = " ◆" if answer.committed else " ✓" if answer.complete else ""
            name = shorten(safe_line(answer.label), room)
            text = f"{name} {marked(answer.marks)}/{len(answer.marks)}{state}"
            items.append((f"[{text}]", CURRENT) if number == here else (f" {text} ", PLAIN))
        first = 0
        while first < here and cells_of(items[first : here + 1]) > self.size.width - 2:
            first += 1
        return [("‹" if first else " ", QUIET), *items[first:]]


class MessageLine(Widget):
    """What the last key did, when that needs words; otherwise the keys used most."""

    DEFAULT_CSS = "MessageLine { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self._failed = False

    @property
    def text(self) -> str:
        return self._text

    def say(self, text: str, *, failed: bool = False) -> None:
        """Show a sentence; nothing brings the keys back."""
        if (text, failed) != (self._text, self._failed):
            self._text, self._failed = text, failed
            self.refresh()

    def render_line(self, y: int) -> Strip:
        if not self._text:
            return strip_of([(" " + shorten(HINTS, self.size.width - 1), QUIET)], self.size.width)
        style = FAILED if self._failed else PLAIN
        return strip_of([(" " + shorten(safe_line(self._text), self.size.width - 1), style)], self.size.width)

"""The instruction on top, with its English translation; at most a third of the screen."""

from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.review.session import ReviewSession
from tui.safe_text import safe_line, safe_text
from tui.theme import HEADING, PLAIN, QUIET
from tui.widgets.lines import Piece, spread, strip_of
from tui.wrapping import WrappedText, shorten

MARGIN = 4


class InstructionBox(Widget):
    """Task, text and translation, as high as they need and the screen allows."""

    DEFAULT_CSS = "InstructionBox { height: 3; }"

    def __init__(self, session: ReviewSession) -> None:
        super().__init__()
        self.session = session
        self._scroll = 0
        self._lines: list[Piece] = []

    def lay_out(self, width: int, height: int) -> None:
        """Take the session's instruction for a screen of this size; from its first line."""
        row, view = self.session.row, self.session.view
        most = max(2, height // 3)
        room = max(10, width - MARGIN - 1)
        self._lines = _wrapped(row.text, f" {view.language}"[:3], room, PLAIN)
        if row.translation is not None:
            self._lines += _wrapped(row.translation, " en", room, QUIET)
        self._scroll = 0
        self.styles.height = min(most, 1 + len(self._lines))
        self.refresh()

    def scroll_lines(self, lines: int) -> bool:
        """Scroll the text; returns whether there was anything to scroll."""
        most = max(0, len(self._lines) - (self.size.height - 1))
        there = min(max(0, self._scroll + lines), most)
        if there == self._scroll:
            return False
        self._scroll = there
        self.refresh()
        return True

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return strip_of(self._head(width), width)
        number = self._scroll + y - 1
        pieces = [self._lines[number]] if number < len(self._lines) else []
        return strip_of(pieces, width)

    def _head(self, width: int) -> list[Piece]:
        task = shorten(safe_line(self.session.row.task or "instruction"), max(1, width - 20))
        above = "↑" if self._scroll else ""
        below = "↓" if self._scroll + self.size.height - 1 < len(self._lines) else ""
        more: list[Piece] = [(f" {above}{below} i I ", PLAIN)] if above or below else []
        return spread([("─ ", QUIET), (task + " ", HEADING)], more, width, ("─", QUIET))


MOST_LINES = 500


def _wrapped(text: str, mark: str, width: int, style: Style) -> list[Piece]:
    wrapped = WrappedText(safe_text(text), width)
    count = wrapped.height(MOST_LINES)
    lines = []
    for number in range(count):
        start = mark if number == 0 else ""
        lines.append((start.ljust(MARGIN) + (wrapped.line(number) or ""), style))
    if wrapped.has(count):
        lines.append((" " * MARGIN + "… (more than is shown here)", style))
    return lines

"""The instruction on top, with its translation; at most a third of the screen."""

from core.text import direction
from core.text.visible import VisibleText, visible
from core.text.wrapping import WrappedText, shorten
from tui.app_protocol import first_key
from tui.review.display_options import DisplayOptions
from tui.review.navigation import folded
from tui.review.session import ReviewSession
from tui.theme import Look
from tui.widgets.lines import LineWidget, Piece, cells_of, spread

MARGIN = 4
MOST_LINES = 500
# A screen with fewer lines than this leaves them to the responses.
LOW = 30


class InstructionBox(LineWidget):
    """Task, text and translation, as high as they need and the screen allows."""

    DEFAULT_CSS = "InstructionBox { height: 3; }"

    def __init__(self, session: ReviewSession, display_options: DisplayOptions) -> None:
        super().__init__()
        self.session = session
        self.display_options = display_options
        self._scroll = 0
        self._lines: list[list[Piece]] = []

    def lay_out(self, width: int, height: int) -> None:
        """Take the session's instruction for a screen of this size; from its first line."""
        row, view = self.session.row, self.session.view
        most = max(2, height // (3 if height >= LOW else 4))
        room = max(10, width - MARGIN - 1)
        self._lines = self._wrapped(row.text, view.language, room, Look.PLAIN)
        if row.translation is not None and view.translation is not None:
            self._lines += self._wrapped(row.translation, view.translation, room, Look.QUIET)
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
        self.redraw()
        return True

    def pieces(self, y: int) -> list[Piece]:
        if y == 0:
            return self._head(self.size.width)
        number = self._scroll + y - 1
        return self._lines[number] if number < len(self._lines) else []

    def _head(self, width: int) -> list[Piece]:
        row = self.session.row
        names = " · ".join(name for name in (row.task or "instruction", row.modifier) if name)
        task = shorten(visible(names), max(1, width - 20))
        above = "↑" if self._scroll else ""
        below = "↓" if self._scroll + self.size.height - 1 < len(self._lines) else ""
        keys = f"{first_key(self, 'instruction.down')} {first_key(self, 'instruction.up')}"
        more: list[Piece] = [(f" {above}{below} {keys} ", Look.PLAIN)] if above or below else []
        left: list[Piece] = [("─ ", Look.QUIET), (task + " ", Look.HEADING)]
        return spread(left, more, width, ("─", Look.QUIET))

    def _wrapped(self, text: str, language: str, width: int, look: Look) -> list[list[Piece]]:
        wrapped = WrappedText(VisibleText.of(text).text, width)
        rtl, wanted = direction.is_rtl(language), folded(self.display_options.hits)
        count = wrapped.height(MOST_LINES)
        lines: list[list[Piece]] = []
        for number in range(count):
            start = f" {language}"[:3] if number == 0 else ""
            line = wrapped.line(number) or ""
            hit = Look.HIT if wanted and wanted in folded(line) else Look.PLAIN
            if self.display_options.reorder and (rtl or direction.has_rtl(line)):
                line = direction.visual(line, rtl=rtl)[0]
            piece: Piece = (line, look | hit)
            room = width - cells_of([piece]) if rtl else 0
            lines.append([(start.ljust(MARGIN) + " " * room, look), piece])
        if wrapped.has(count):
            lines.append([(" " * MARGIN + "… (more than is shown here)", look)])
        return lines

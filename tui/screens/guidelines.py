"""The guidelines: what every score of every criterion means."""

from collections.abc import Mapping, Sequence

from textual.events import Resize

from core.text.visible import VisibleText
from core.text.wrapping import WrappedText
from tui import keymap
from tui.screens.page import PageScreen
from tui.theme import Look
from tui.widgets.lines import Piece

MARGIN = 6
MOST_CELLS = 100


class GuidelinesScreen(PageScreen[None]):
    """The rubric, wrapped for reading."""

    NAME = "guidelines"
    BINDINGS = keymap.bindings(keymap.GUIDELINES)

    def __init__(
        self, rubric: str, criteria: Sequence[str], descriptions: Sequence[Mapping[int, str]], current: int
    ) -> None:
        super().__init__(f"guidelines · {rubric}")
        self.criteria, self.descriptions, self.current = criteria, descriptions, current

    def on_resize(self, event: Resize) -> None:
        self.page.put(self._lines(event.size.width))

    def _lines(self, width: int) -> list[list[Piece]]:
        room = max(10, min(width, MOST_CELLS) - MARGIN - 1)
        lines: list[list[Piece]] = []
        for number, (criterion, scores) in enumerate(zip(self.criteria, self.descriptions, strict=True)):
            current = number == self.current
            lines.append(
                [(f"{'▸' if current else ' '}{criterion}", Look.STRONG if current else Look.HEADING)]
            )
            for score in sorted(scores, reverse=True):
                wrapped = WrappedText(VisibleText.of(scores[score]).text, room)
                for line in range(wrapped.height(50)):
                    start = f"   {score}  " if line == 0 else " " * MARGIN
                    lines.append([(start, Look.STRONG), (wrapped.line(line) or "", Look.PLAIN)])
        return lines

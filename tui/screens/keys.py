"""The page of keys, made from the table of keys itself."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui import keymap
from tui.keymap import Command
from tui.theme import HEADING, PLAIN, QUIET, STRONG
from tui.widgets.lines import Piece, strip_of
from tui.wrapping import shorten

LEGEND = (
    "·  not scored    –  left out    ✓  complete    ◆  committed, the judge is shown",
    "Δ  your score minus the judge's",
    "The same keys work on the ЙЦУКЕН and AZERTY layouts.",
)


KEYS_CELLS = 12


class KeysScreen(Screen[None]):
    """All keys on an opaque page; any of its keys leads back."""

    BINDINGS = keymap.bindings(keymap.KEYS_PAGE)

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__()
        self.commands = commands

    def compose(self) -> ComposeResult:
        yield KeyTable(self.commands)

    def action_close(self) -> None:
        self.dismiss()


class KeyTable(Widget):
    """Keys and what they do, a line each, in as many columns as fit."""

    DEFAULT_CSS = "KeyTable { width: 1fr; height: 1fr; }"

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__()
        shown: dict[str, str] = {}
        for command in commands:
            shown[command.help] = f"{shown.get(command.help, '')} {command.shown}"
        self.entries = [(keys, help) for help, keys in shown.items()]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return strip_of([(" keys ", HEADING), ("  q goes back", QUIET)], width)
        # Keys that find no line above the legend go into a second column.
        rows = max(1, min(len(self.entries), self.size.height - 2 - len(LEGEND)))
        if y > rows:
            legend = LEGEND[y - rows - 2] if 0 <= y - rows - 2 < len(LEGEND) else ""
            return strip_of([(" " + shorten(legend, width - 1), PLAIN)], width)
        across = -(-len(self.entries) // rows)
        cell = width // across
        pieces: list[Piece] = []
        for keys, help in self.entries[y - 1 :: rows]:
            pieces += [(keys.ljust(KEYS_CELLS), STRONG)]
            room = cell - KEYS_CELLS
            pieces += [(shorten(help, room - 1).ljust(room), PLAIN)]
        return strip_of(pieces, width)

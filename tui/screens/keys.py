"""The page of keys, made from the table of keys itself."""

from collections.abc import Sequence

from textual.events import Resize

from core.text.wrapping import shorten
from tui import keymap
from tui.keymap import Command
from tui.screens.page import PageScreen
from tui.theme import Look
from tui.widgets.lines import Piece

LEGEND = (
    "·  not scored    –  left out    ✓  complete    ◆  committed, the judge is shown",
    "✎  comment    ‹2›  errors    A=C  two responses that read the same    Δ  your score minus the judge's",
    "The same keys work on the ЙЦУКЕН and AZERTY layouts.",
)
KEYS_CELLS = 18
# Entries need this much room to stand in two columns.
ENTRY_CELLS = 70


class KeysScreen(PageScreen[None]):
    """All keys of a screen on an opaque page; any of its keys leads back."""

    NAME = "keys"
    BINDINGS = keymap.bindings(keymap.KEYS_PAGE)

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__("keys")
        shown: dict[str, list[str]] = {}
        for command in commands:
            shown.setdefault(command.help, []).append(command.shown)
        self.entries = [(_joined(keys), help) for help, keys in shown.items()]

    def on_resize(self, event: Resize) -> None:
        self.page.put(self._lines(event.size.width))

    def _lines(self, width: int) -> list[list[Piece]]:
        across = max(1, width // ENTRY_CELLS)
        rows = -(-len(self.entries) // across)
        cell = width // across
        lines: list[list[Piece]] = []
        for row in range(rows):
            pieces: list[Piece] = []
            for keys, help in self.entries[row::rows]:
                room = cell - KEYS_CELLS - 2
                pieces.append((f" {keys}".ljust(KEYS_CELLS) + " ", Look.STRONG))
                pieces.append((shorten(help, room).ljust(room + 1), Look.PLAIN))
            lines.append(pieces)
        return [*lines, [], *[[(f" {legend}", Look.QUIET)] for legend in LEGEND]]


def _joined(keys: Sequence[str]) -> str:
    """The keys of commands that share a line: their first keys together, then the others."""
    split = [key.split() for key in keys]
    firsts = [key[0] for key in split]
    others = [name for key in split for name in key[1:]]
    return " ".join([*firsts, *others])

"""All comments and error spans of the reviewer in a view, to read again and to go to."""

from collections.abc import Sequence

from textual.events import Resize

from core.text.visible import visible
from core.text.wrapping import shorten
from store.queries.notes import Note
from tui import keymap
from tui.screens.page import PageScreen
from tui.theme import Look
from tui.widgets.lines import Piece
from tui.widgets.page import Cell


class NotesScreen(PageScreen[Note]):
    """A line a note; Enter leads to its response."""

    NAME = "notes"
    BINDINGS = keymap.bindings(keymap.NOTES)

    def __init__(self, notes: Sequence[Note]) -> None:
        count = f"{len(notes)} comments and errors" if notes else "no comments or errors yet"
        super().__init__(count, "Enter goes to the response, Esc goes back")
        self.notes = notes

    def on_resize(self, event: Resize) -> None:
        width = event.size.width
        lines: list[list[Piece]] = []
        cells = []
        for number, note in enumerate(self.notes):
            cells.append(Cell(number, 0, 2, note))
            position = f" ▸ {note.position + 1:>4}  "
            kind = "✎ " if note.kind == "comment" else f"‹{note.severity} {note.category}› "
            remark = f" — {note.note}" if note.note else ""
            room = width - len(position) - len(kind)
            lines.append(
                [
                    (position, Look.QUIET),
                    (kind, Look.STRONG),
                    (shorten(visible(note.text + remark), room), Look.PLAIN),
                ]
            )
        self.page.put(lines, cells, cell_index=self.page.cell_index)

    def action_open(self) -> None:
        cell = self.page.cell
        if cell is not None:
            self.dismiss(cell.value)

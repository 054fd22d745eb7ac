"""Choosing one of a few lines, by its number or by the cursor."""

from collections.abc import Sequence

from textual.events import Resize

from tui import keymap
from tui.screens.page import PageScreen
from tui.theme import Look
from tui.widgets.lines import Piece
from tui.widgets.page import Cell


class ChoiceScreen(PageScreen[str]):
    """`choices` are (name, what it means); the name of the chosen one comes back."""

    NAME = "choice"
    BINDINGS = keymap.bindings(keymap.CHOICE)

    def __init__(self, title: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__(title, "its number chooses, Esc goes back")
        self.choices = choices

    def on_resize(self, event: Resize) -> None:
        lines: list[list[Piece]] = []
        cells = []
        for number, (name, meaning) in enumerate(self.choices, start=1):
            cells.append(Cell(len(lines), 1, 2, name))
            shown = str(number) if number < 10 else " "
            lines.append([(f" {shown}  {name:<16}", Look.STRONG), (meaning, Look.PLAIN)])
        self.page.put(lines, cells, cell_index=self.page.cell_index)

    def action_choose(self, number: int) -> None:
        if number <= len(self.choices):
            self.dismiss(self.choices[number - 1][0])

    def action_choose_this(self) -> None:
        cell = self.page.cell
        if cell is not None:
            self.dismiss(cell.value)

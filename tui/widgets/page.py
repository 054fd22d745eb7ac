"""A page of lines under a title, with a cursor that jumps from cell to cell, and scrolls to stay in sight."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tui.theme import Look
from tui.widgets.lines import LineWidget, Piece, cells_of, fitted, spread, with_look


@dataclass(frozen=True)
class Cell:
    """Something the cursor can be on: the character cells [start, end) of a line of the page, and what they
    stand for."""

    line: int
    start: int
    end: int
    value: Any = None


class Page(LineWidget):
    """Draws its lines. A page without cells can only be read."""

    DEFAULT_CSS = "Page { width: 1fr; height: 1fr; }"

    def __init__(self, title: str = "", hint: str = "") -> None:
        super().__init__()
        self.heading, self.hint = title, hint
        self.lines: list[list[Piece]] = []
        self.cells: list[Cell] = []
        self.cell_index = 0
        self._scroll = 0

    def put(
        self,
        lines: Sequence[list[Piece]],
        cells: Sequence[Cell] = (),
        *,
        cell_index: int = 0,
        title: str | None = None,
    ) -> None:
        """Show other lines and cells; the cursor goes to the cell of this index."""
        if title is not None:
            self.heading = title
        self.lines, self.cells = list(lines), list(cells)
        self.cell_index = max(0, min(cell_index, len(self.cells) - 1))
        self._show_cursor()
        self.refresh() if not self._drawn else self.redraw()

    @property
    def cell(self) -> Cell | None:
        """What is under the cursor."""
        return self.cells[self.cell_index] if self.cells else None

    def move(self, columns: int, lines: int) -> None:
        """To the next cell in a direction: along the line, or to the nearest cell of another line."""
        current = self.cell
        if current is None:
            self.page_by(lines, step=1)
            return
        if columns:
            row = self._cells_of_line(current.line)
            self.cell_index = row[min(max(row.index(self.cell_index) + columns, 0), len(row) - 1)]
        else:
            rows = sorted({cell.line for cell in self.cells})
            number = rows.index(current.line) + lines
            if not 0 <= number < len(rows):
                self.page_by(lines, step=1)
                return
            row = self._cells_of_line(rows[number])
            self.cell_index = min(row, key=lambda index: abs(self.cells[index].start - current.start))
        self._show_cursor()
        self.redraw()

    def _cells_of_line(self, line: int) -> list[int]:
        return [index for index, cell in enumerate(self.cells) if cell.line == line]

    def page_by(self, pages: int, *, step: int | None = None) -> None:
        """Scroll by pages (or by `step` lines); a cursor comes along."""
        height = max(1, self.size.height - 1)
        most = max(0, len(self.lines) - height)
        self._scroll = min(max(0, self._scroll + pages * (step or max(1, height - 1))), most)
        if self.cells and step is None:
            wanted = self._scroll if pages < 0 else self._scroll + height - 1
            self.cell_index = min(
                range(len(self.cells)), key=lambda index: abs(self.cells[index].line - wanted)
            )
        self.redraw()

    def _show_cursor(self) -> None:
        height = max(1, self.size.height - 1)
        if self.cells:
            line = self.cells[self.cell_index].line
            self._scroll = min(max(self._scroll, line - height + 1), line)
        # What stands above the first cell is its heading.
        if self.cells and self.cells[self.cell_index].line == self.cells[0].line < height:
            self._scroll = 0
        self._scroll = max(0, min(self._scroll, len(self.lines) - 1))

    def on_resize(self) -> None:
        self._show_cursor()
        self.refresh()

    def pieces(self, y: int) -> list[Piece]:
        if y == 0:
            below = "↓" if self._scroll + self.size.height - 1 < len(self.lines) else ""
            above = "↑" if self._scroll else ""
            right: list[Piece] = [(f" {above}{below} " if above or below else "", Look.PLAIN)]
            left: list[Piece] = [(f" {self.heading} ", Look.HEADING), (f"  {self.hint}", Look.QUIET)]
            return spread(
                fitted(left, self.size.width - cells_of(right)), right, self.size.width, (" ", Look.PLAIN)
            )
        number = self._scroll + y - 1
        if number >= len(self.lines):
            return []
        line, cell = self.lines[number], self.cell
        if cell is None or cell.line != number:
            return line
        return with_look(line, cell.start, cell.end, Look.CURRENT)

"""What the line-drawing widgets share: pieces of text with a role become a line of an exact width."""

from collections.abc import Iterable, Sequence
from typing import Self

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from core.text.wrapping import pad
from tui.app_protocol import app_of
from tui.theme import Look

Piece = tuple[str, Look]


class LineWidget(Widget):
    """A widget that draws itself line by line from pieces, and repaints no more cells than have changed."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn: dict[int, list[Piece]] = {}
        # The cells of each line that the next paint sends to the terminal.
        self._asked: dict[int, list[tuple[int, int]]] = {}

    def pieces(self, y: int) -> Sequence[Piece]:
        """What stands on a line; cut or filled up to the widget's width."""
        raise NotImplementedError

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        for region in regions or (Region(0, 0, *self.size),):
            for y in range(region.y, region.bottom):
                self._asked.setdefault(y, []).append((region.x, region.right))
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_line(self, y: int) -> Strip:
        """A line as it is now. What else has changed in it since `redraw` asked for some of its cells is not
        sent by this paint, and is asked for again."""
        old, asked = self._drawn.get(y), self._asked.pop(y, [])
        line = self._drawn[y] = fitted(self.pieces(y), self.size.width)
        if asked and old is not None and line != old:
            for start, end in differing_cells(old, line):
                if not any(left <= start and end <= right for left, right in asked):
                    self.call_later(self.refresh, Region(start, y, end - start, 1))
        palette = app_of(self).palette
        return Strip([Segment(text, palette.style(look)) for text, look in line], self.size.width)

    def changeable(self) -> Iterable[int]:
        """The lines that may be other than they were drawn last."""
        return range(self.size.height)

    def redraw(self) -> None:
        """Have the cells repainted that are not as they were drawn last."""
        for y in self.changeable():
            old = self._drawn.get(y)
            if old is None:
                continue
            new = fitted(self.pieces(y), self.size.width)
            if new != old:
                for start, end in differing_cells(old, new):
                    self.refresh(Region(start, y, end - start, 1))


def fitted(pieces: Iterable[Piece], width: int) -> list[Piece]:
    """The pieces, cut or filled up to exactly `width` cells."""
    line: list[Piece] = []
    used = 0
    for text, look in pieces:
        room = width - used
        if room <= 0:
            break
        cells = cell_len(text)
        if cells > room:
            text, cells = pad(text, room), room
        if text:
            line.append((text, look))
        used += cells
    if used < width:
        line.append((" " * (width - used), Look.PLAIN))
    return line


def cells_of(pieces: Iterable[Piece]) -> int:
    """How many cells the pieces take."""
    return sum(cell_len(text) for text, _ in pieces)


def spread(left: list[Piece], right: list[Piece], width: int, fill: Piece) -> list[Piece]:
    """Pieces at both ends of a line of `width` cells, with `fill` (one cell) between them; when they don't
    fit beside each other, the right ones go."""
    free = width - cells_of(left) - cells_of(right)
    if free < 0:
        free = width - cells_of(left)
        right = []
    return [*left, (fill[0] * max(free, 0), fill[1]), *right]


# Jumping over fewer cells than this costs more bytes than sending them again.
_JUMP = 10


def differing_cells(old: Sequence[Piece], new: Sequence[Piece]) -> list[tuple[int, int]]:
    """The [start, end) runs of cells in which a line differs from what was drawn before."""
    before, after = _cells(old), _cells(new)
    if len(before) != len(after):  # drawn at another width: all of it
        return [(0, len(after))]
    runs: list[tuple[int, int]] = []
    for cell in range(len(after)):
        if before[cell] == after[cell]:
            continue
        # A wide character is sent whole.
        start, end = cell, cell + 1
        while start and not (before[start][0] and after[start][0]):
            start -= 1
        while end < len(after) and not (before[end][0] and after[end][0]):
            end += 1
        if runs and start - runs[-1][1] < _JUMP:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((start, end))
    return runs


def with_look(line: Sequence[Piece], start: int, end: int, look: Look) -> list[Piece]:
    """The line with one more role for the cells [start, end)."""
    pieces: list[Piece] = []
    for cell, (text, own) in enumerate(_cells(line)):
        cell_look = own | look if start <= cell < end else own
        if pieces and pieces[-1][1] == cell_look:
            pieces[-1] = (pieces[-1][0] + text, cell_look)
        else:
            pieces.append((text, cell_look))
    return pieces


def _cells(pieces: Sequence[Piece]) -> list[tuple[str, Look]]:
    cells: list[tuple[str, Look]] = []
    for text, look in pieces:
        for start, end, width in split_graphemes(text)[0]:
            if width == 0 and cells:
                cells[-1] = (cells[-1][0] + text[start:end], look)
            else:
                cells += [(text[start:end], look), *[("", look)] * (width - 1)]
    return cells

"""What the line-drawing widgets share: styled pieces of text become a line of an exact width."""

from collections.abc import Iterable

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.theme import PLAIN
from tui.wrapping import pad

Piece = tuple[str, Style]


def strip_of(pieces: Iterable[Piece], width: int) -> Strip:
    """The pieces on one line of exactly `width` cells: what does not fit is cut, the rest is blank.

    The pieces are safe text: nothing in them is parsed, and nothing in them may move the cursor.
    """
    segments, used = [], 0
    for text, style in pieces:
        room = width - used
        if room <= 0:
            break
        cells = cell_len(text)
        if cells > room:
            text, cells = pad(text, room), room
        segments.append(Segment(text, style))
        used += cells
    if used < width:
        segments.append(Segment(" " * (width - used), PLAIN))
    return Strip(segments, width)


def fitted(pieces: Iterable[Piece], width: int) -> list[Piece]:
    """The pieces, cut or filled up to exactly `width` cells."""
    return [(segment.text, segment.style or PLAIN) for segment in strip_of(pieces, width)]


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

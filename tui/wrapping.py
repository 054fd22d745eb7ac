"""Breaking text into lines of a width in terminal cells, only as far as it is looked at."""

import re
from collections.abc import Iterator

from rich.cells import cell_len, split_graphemes

TAB_CELLS = 4

# A piece is a run of spaces or of other characters; the bound keeps one endless word from being measured
# whole before its first line can be shown.
_PIECES = re.compile(r" {1,512}|[^ ]{1,512}")

# Scripts written without spaces, which may break between any two characters: Thai to Khmer, CJK, emoji.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u115f\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7a3"
    "\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\U0001f300-\U0001faff\U00020000-\U0003fffd]"
)

# Characters to a cell at most: letters with marks need a few, a flood of marks wants thousands.
MOST_PER_CELL = 8


class WrappedText:
    """A text as lines of at most `width` cells, made on demand: a megabyte costs what is shown of it."""

    def __init__(self, text: str, width: int) -> None:
        self.width = max(1, width)
        self._made: list[str] = []
        self._rest: Iterator[str] | None = _wrap(text, self.width)

    def line(self, number: int) -> str | None:
        """The line of this number from 0; None past the end."""
        while self._rest is not None and len(self._made) <= number:
            made = next(self._rest, None)
            if made is None:
                self._rest = None
            else:
                self._made.append(made)
        return self._made[number] if number < len(self._made) else None

    @property
    def made(self) -> int:
        """How many lines have been made so far."""
        return len(self._made)

    def has(self, number: int) -> bool:
        """Whether there is a line of this number."""
        return self.line(number) is not None

    def height(self, most: int) -> int:
        """How many lines there are, counted up to `most`."""
        if most <= 0:
            return 0
        return most if self.has(most - 1) else len(self._made)


def _wrap(text: str, width: int) -> Iterator[str]:
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield from _wrap_line(text, start, end, width)
        start = end + 1


def _wrap_line(text: str, start: int, end: int, width: int) -> Iterator[str]:
    """One paragraph. Spaces that open it are kept (lists, code); spaces at a break are dropped."""
    line, used, broken = "", 0, False
    most = MOST_PER_CELL * width
    position = start
    while position < end:
        match = _PIECES.match(text, position, end)
        if match is None:
            break
        position = match.end()
        piece = match.group().replace("\t", " " * TAB_CELLS)
        cells = cell_len(piece)
        if used + cells <= width and len(line) + len(piece) <= most:
            if not (broken and not used and piece.isspace()):
                line, used = line + piece, used + cells
            continue
        if piece.isspace():
            yield line
            line, used, broken = "", 0, True
            continue
        if used and cells <= width and len(piece) <= most and not _UNSPACED.search(piece):
            yield line.rstrip(" ")
            line, used, broken = piece, cells, True
            continue
        for grapheme, grapheme_cells in _graphemes(piece):
            if line and (used + grapheme_cells > width or len(line) + len(grapheme) > most):
                yield line
                line, used, broken = "", 0, True
            line, used = line + grapheme, used + grapheme_cells
    yield line


def _graphemes(piece: str) -> Iterator[tuple[str, int]]:
    spans, _ = split_graphemes(piece)
    for start, end, cells in spans:
        yield piece[start : min(end, start + MOST_PER_CELL)], cells
        for rest in range(start + MOST_PER_CELL, end, MOST_PER_CELL):
            yield piece[rest : min(end, rest + MOST_PER_CELL)], 0


def shorten(text: str, width: int) -> str:
    """A text on one line of at most `width` cells, cut with an ellipsis where it is longer."""
    if len(text) <= width and cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, used = "", 0
    for grapheme, cells in _graphemes(text[: width * MOST_PER_CELL]):
        if used + cells > width - 1:
            break
        kept, used = kept + grapheme, used + cells
    return kept + "…"


def pad(text: str, width: int) -> str:
    """A text of exactly `width` cells: shortened, or filled up with spaces."""
    short = shorten(text, width)
    return short + " " * (width - cell_len(short))

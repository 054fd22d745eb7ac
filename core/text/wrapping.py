"""Breaking text into lines of a width in terminal cells, only as far as it is looked at."""

import re
from collections.abc import Iterator

import regex
from rich.cells import cell_len, split_graphemes

from core.text.scripts import WIDE

# A piece is a run of spaces or of other characters; the bound keeps one endless word from being measured
# whole before its first line can be shown.
_PIECES = re.compile(r" {1,512}|[^ ]{1,512}")

# What may break between any two characters: scripts written without spaces (Thai to Khmer), and whatever is
# two cells wide.
_UNSPACED = regex.compile(rf"[{WIDE}\p{{Line_Break=SA}}]")

# How many characters a cell has at most: letters with marks need a few, a flood of marks has thousands.
MOST_PER_CELL = 8


Span = tuple[int, int]


class WrappedText:
    """A text (made visible, without tabs) as lines of at most `width` cells, each a slice of the text.

    Lines are made on demand, so that of a megabyte only the part that is looked at is measured.
    """

    def __init__(self, text: str, width: int) -> None:
        self.text = text
        self.width = max(1, width)
        self._made: list[Span] = []
        self._rest: Iterator[Span] | None = _wrap(text, self.width)

    def span(self, number: int) -> Span | None:
        """The [start, end) of the line of this number from 0; None past the end."""
        while self._rest is not None and len(self._made) <= number:
            made = next(self._rest, None)
            if made is None:
                self._rest = None
            else:
                self._made.append(made)
        return self._made[number] if number < len(self._made) else None

    def line(self, number: int) -> str | None:
        """The line of this number from 0; None past the end."""
        span = self.span(number)
        return None if span is None else self.text[span[0] : span[1]]

    def line_of(self, offset: int) -> int:
        """The number of the line that holds a character, or the next one where it was dropped at a break."""
        number = 0
        while (span := self.span(number)) is not None and span[1] <= offset:
            number += 1
        return number

    @property
    def made(self) -> int:
        """How many lines have been made so far."""
        return len(self._made)

    def has(self, number: int) -> bool:
        """Whether there is a line of this number."""
        return self.span(number) is not None

    def height(self, most: int) -> int:
        """How many lines there are, counted up to `most`."""
        if most <= 0:
            return 0
        return most if self.has(most - 1) else len(self._made)


def _wrap(text: str, width: int) -> Iterator[Span]:
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield from _wrap_line(text, start, end, width)
        start = end + 1


def _wrap_line(text: str, start: int, end: int, width: int) -> Iterator[Span]:
    """One paragraph. Spaces that open it are kept (lists, code); spaces at a break are dropped."""
    most = MOST_PER_CELL * width
    first = last = start  # the line so far is text[first:last]
    used, broken = 0, False
    position = start
    while position < end:
        match = _PIECES.match(text, position, end)
        if match is None:
            break
        position = match.end()
        piece = match.group()
        blank, cells = piece.isspace(), cell_len(piece)
        if used + cells <= width and position - first <= most:
            if broken and not used and blank:
                first = position
            else:
                used += cells
            last = position
            continue
        if blank:
            yield first, last
            first = last = position
            used, broken = 0, True
            continue
        if used and cells <= width and len(piece) <= most and not _UNSPACED.search(piece):
            yield first, first + len(text[first:last].rstrip(" "))
            first, last, used, broken = match.start(), position, cells, True
            continue
        for length, grapheme_cells in _graphemes(piece):
            if last > first and (used + grapheme_cells > width or last + length - first > most):
                yield first, last
                first, used, broken = last, 0, True
            last, used = last + length, used + grapheme_cells
    yield first, last


def _graphemes(piece: str) -> Iterator[tuple[int, int]]:
    """(characters, cells) of each grapheme; a longer one comes in parts of at most `MOST_PER_CELL`."""
    spans, _ = split_graphemes(piece)
    for start, end, cells in spans:
        yield min(end - start, MOST_PER_CELL), cells
        for rest in range(start + MOST_PER_CELL, end, MOST_PER_CELL):
            yield min(end - rest, MOST_PER_CELL), 0


def shorten(text: str, width: int) -> str:
    """A text on one line of at most `width` cells, cut with an ellipsis where it is longer."""
    if len(text) <= width and cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    kept = used = 0
    for length, cells in _graphemes(text[: width * MOST_PER_CELL]):
        if used + cells > width - 1:
            break
        kept, used = kept + length, used + cells
    return text[:kept] + "…"


def pad(text: str, width: int) -> str:
    """A text of exactly `width` cells: shortened, or filled up with spaces."""
    short = shorten(text, width)
    return short + " " * (width - cell_len(short))

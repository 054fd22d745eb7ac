"""The text of a response as lines of pieces: made safe, wrapped, with its marks, in reading order."""

import re
from collections.abc import Iterable
from itertools import islice

import regex

from core.text import direction
from core.text.visible import VisibleText
from core.text.wrapping import WrappedText
from tui.review.display_options import DisplayOptions
from tui.review.navigation import folded
from tui.review.row import Answer, Row
from tui.theme import Look
from tui.widgets.lines import Piece, cells_of

MarkedSpan = tuple[int, int, Look]

# More hits than this are not marked: nobody reads them, and hostile text may hold a million.
MOST_HITS = 1_000
MOST_SEARCHED = 100_000

# A character with the marks that may be composed with it.
_CLUSTER = regex.compile(r"(?s).\P{Canonical_Combining_Class=0}*")


class ResponseText:
    """One response, wrapped to a width; marks are [start, end) offsets into the raw text."""

    def __init__(self, text: str, width: int, language: str) -> None:
        self.visible_text = VisibleText.of(text)
        self.wrapped = WrappedText(self.visible_text.text, width)
        # An answer in English to an Arabic instruction is read from the left.
        self.rtl = direction.is_rtl(language) and direction.has_rtl(text)
        self._marks: list[MarkedSpan] = []
        self._made: dict[tuple[int, bool], list[Piece]] = {}

    def mark(self, marks: Iterable[MarkedSpan]) -> None:
        """The marks to draw from now on."""
        safe = sorted(marks, key=lambda mark: mark[:2])
        self._marks = [(*self.visible_text.span(start, end), look) for start, end, look in safe]
        self._made.clear()

    def pieces(self, line: int, *, reorder: bool) -> list[Piece]:
        """A line from 0; nothing past the end. With `reorder`, right-to-left writing is put in the order in
        which it is seen, and a paragraph of such a language ends at the right edge."""
        if (line, reorder) not in self._made:
            span = self.wrapped.span(line)
            self._made[line, reorder] = [] if span is None else self._line(*span, reorder=reorder)
        return self._made[line, reorder]

    def _line(self, start: int, end: int, *, reorder: bool) -> list[Piece]:
        text = self.visible_text.text[start:end]
        looks = [Look.PLAIN] * len(text)
        for first, last, look in self._marks:
            if first >= end:
                break
            for index in range(max(first, start) - start, min(last, end) - start):
                looks[index] |= look
        if reorder and (self.rtl or direction.has_rtl(text)):
            text, order = direction.visual(text, rtl=self.rtl)
            looks = [looks[index] for index in order]
        pieces = _runs(text, looks)
        if self.rtl:
            room = self.wrapped.width - cells_of(pieces)
            pieces.insert(0, (" " * max(0, room), Look.PLAIN))
        return pieces


def marks_in_text(row: Row, column: int, display_options: DisplayOptions) -> list[MarkedSpan]:
    """Everything that is marked in a column's text."""
    answer = row.answers[column]
    marks: list[MarkedSpan] = []
    differences = display_options.differences(row, column)
    if differences is not None:
        marks += [(start, end, Look.DIFFERENT) for start, end in differences.spans]
    if display_options.mark_text and answer.revealed:
        marks += [(start, end, Look.MISSPELT) for start, end in misspelt(answer)]
        marks += [(start, end, Look.FOREIGN) for start, end, _ in foreign(answer)]
    marks += [(span.start, span.end, Look.ERROR) for span in answer.spans]
    marks += [(start, end, Look.HIT) for start, end in hits(answer.text, display_options.hits)]
    return marks


def misspelt(answer: Answer) -> list[tuple[int, int]]:
    """The [start, end) of the words that did not pass spell checking."""
    measured = answer.surface.get("spelling")
    words = measured.detail.get("misspelt", []) if measured else []
    return [(int(start), int(end)) for start, end in words]


def foreign(answer: Answer) -> list[tuple[int, int, str]]:
    """The [start, end) of the stretches in another language, with its code."""
    measured = answer.surface.get("language")
    stretches = measured.detail.get("foreign", []) if measured else []
    return [(int(start), int(end), str(label)) for start, end, label in stretches]


def hits(text: str, words: str) -> list[tuple[int, int]]:
    """The [start, end) where the words stand in the text: in small or capital letters, composed or
    decomposed, as `Finder.holding` finds them. Looks through the first `MOST_SEARCHED` characters."""
    wanted = folded(words)
    if not wanted:
        return []
    parts: list[str] = []
    origins: list[tuple[int, int]] = []
    for cluster in _CLUSTER.finditer(text[:MOST_SEARCHED]):
        part = folded(cluster.group())
        parts.append(part)
        origins += [cluster.span()] * len(part)
    matches = re.finditer(re.escape(wanted), "".join(parts))
    spans = ((origins[match.start()][0], origins[match.end() - 1][1]) for match in matches)
    return list(islice(spans, MOST_HITS))


def _runs(text: str, looks: list[Look]) -> list[Piece]:
    pieces: list[Piece] = []
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or looks[end] != looks[start]:
            pieces.append((text[start:end], looks[start]))
            start = end
    return pieces

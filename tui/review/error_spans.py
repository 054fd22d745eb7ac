"""Marking errors in a response: the categories and severities of an error, and the cursor that chooses words.

The categories and severities are those of MQM (Multidimensional Quality Metrics, themqm.org) as far as they
fit answers to instructions, which have no source text: a switch of language stands on its own, since it is
what the reviewers of cross-lingual transfer look for.
"""

from bisect import bisect_right
from collections.abc import Sequence

from store.queries.notes import Span

CATEGORIES = (
    ("accuracy", "says something that is not true, or does not fit the context"),
    ("language-switch", "another language without a good reason"),
    ("grammar", "agreement, case, tense, word order"),
    ("spelling", "misspelt words, invented words, wrong script"),
    ("terminology", "a wrong word, or one that nobody uses"),
    ("style", "clumsy, unidiomatic, wrong register"),
    ("logic", "contradicts itself or does not follow"),
    ("repetition", "says again what it said"),
    ("harm", "unethical, dangerous or offensive"),
)

SEVERITIES = (
    ("minor", "noticed, but the meaning is clear"),
    ("major", "misleads, or makes it hard to understand"),
    ("critical", "makes the response useless or dangerous"),
)


class SpanCursor:
    """A cursor on one word of a text, and perhaps an anchor on another.

    `words` are the [start, end) of the words, in order. A text without words is chosen as a whole."""

    def __init__(self, words: Sequence[tuple[int, int]], length: int) -> None:
        self.words = list(words) or ([(0, length)] if length else [])
        self.word = 0
        self.anchor: int | None = None

    @property
    def stretch(self) -> tuple[int, int]:
        """The [start, end) from the first to the last word that is chosen; (0, 0) in an empty text."""
        if not self.words:
            return 0, 0
        first, last = sorted((self.word, self.word if self.anchor is None else self.anchor))
        return self.words[first][0], self.words[last][1]

    def move(self, words: int) -> None:
        """To another word; it stops at the ends."""
        self.word = min(max(self.word + words, 0), max(0, len(self.words) - 1))

    def go_to(self, offset: int) -> None:
        """To the word at an offset of the text, or the last one before it."""
        self.word = max(0, bisect_right(self.words, offset, key=lambda word: word[0]) - 1)

    def toggle_anchor(self) -> None:
        """Begin a stretch at the word under the cursor, or forget it."""
        self.anchor = self.word if self.anchor is None else None

    def span_here(self, spans: Sequence[Span]) -> Span | None:
        """The marked span under the cursor; of several, the shortest."""
        if not self.words:
            return None
        start, end = self.words[self.word]
        touching = [span for span in spans if span.start < end and start < span.end]
        return min(touching, key=lambda span: span.end - span.start, default=None)

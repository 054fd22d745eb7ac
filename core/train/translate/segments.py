"""Texts in segments that a translator takes, put together again with the same white space.

There are three ways to cut, each finer than the one before: paragraphs, sentences, and the stretches between
what must stay as it is. Whatever the way, the segments joined are the text.

What a translation must not touch (code, addresses, markup, placeholders, emoji) is replaced inside a sentence
by a number in square brackets, as Wikipedia's footnotes are written, which translation models have seen and
copy. A translation counts only when every mark stands in it exactly once; otherwise the text between the
protected stretches is translated by itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from core.text.sentences import sentences

# Fenced code to its closing fence, or to the end where there is none (commonmark.org, fenced code blocks): a
# line with more backticks after the first ones has code inside it, and is no fence.
_FENCED = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[^`\n]*(?:\n[\s\S]*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)|\Z)", re.M
)

_INLINE = re.compile(
    r"""
      (?<!`)(?P<ticks>`++)[^\n]{1,1000}?(?<!`)(?P=ticks)(?!`)     # inline code
    | (?:https?|ftp)://[^\s<>"'`]*[^\s<>"'`.,;:!?)\]}]           # addresses
    | www\.[^\s<>"'`]*[^\s<>"'`.,;:!?)\]}]
    | [\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}             # e-mail
    | </?[A-Za-z][A-Za-z0-9-]{0,30}(?:\s[^<>\n]{0,300})?/?>       # tags
    | <!--[^\n]{0,300}?-->
    | <\|[^|<>\n]{1,40}\|> | \[/?INST\] | <</?SYS>> | </?s>           # marks of chat templates
    | \$\{[\w.:-]{1,60}\}                                         # placeholders
    | \{\{[^{}\n]{1,60}\}\} | \{[\w.:-]{0,60}\}
    | %\([\w.]{1,40}\)[sdrfgx] | %[-+#0]{0,3}\d{0,3}(?:\.\d{1,2})?[sdrfgxi](?!\w)
    | [\u2600-\u27bf\U0001f000-\U0001faff](?:[\ufe0f\u200d\u2600-\u27bf\U0001f000-\U0001faff])*   # emoji
    | \[\d{1,6}\]                                                 # what looks like our own marks
    """,
    re.X | re.ASCII,
)

_MARK = re.compile(r"\[\s*(\d{1,6})\s*\]")


# A sentence that is longer, in characters, is cut at a comma or a space.
LONGEST_SENTENCE = 400

_BETWEEN_PARAGRAPHS = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
# What a line of a list, a heading or a quotation begins with.
_LEAD = re.compile(r"(?:[ \t]*(?:[-*+•>]|#{1,6}|\d{1,3}[.)]|[A-Za-z][.)])[ \t]+)+")
_CLAUSE_END = re.compile(r"[,;:](?=\s)|[，、；：]")
_SPACE = re.compile(r"\s")


class LostMark(Exception):
    """A translation without one of the marks, or with one twice."""


def code_blocks(text: str) -> Iterator[tuple[int, int]]:
    """The [start, end) of fenced code, in order."""
    for match in _FENCED.finditer(text):
        yield match.span()


def protected_spans(text: str) -> list[tuple[int, int]]:
    """The [start, end) of what stays as it is inside a paragraph, in order."""
    return [match.span() for match in _INLINE.finditer(text)]


def has_words(text: str) -> bool:
    """Whether there is a letter to translate outside what stays as it is."""
    rest = _INLINE.sub(" ", text)
    return any(character.isalpha() for character in rest)


def mask(text: str) -> tuple[str, list[str]]:
    """The text with `[1]`, `[2]` ... for what stays as it is, and these stretches."""
    kept: list[str] = []
    parts: list[str] = []
    last = 0
    for start, end in protected_spans(text):
        kept.append(text[start:end])
        parts += [text[last:start], f"[{len(kept)}]"]
        last = end
    return "".join([*parts, text[last:]]), kept


def unmask(text: str, kept: list[str]) -> str:
    """The translation of a masked text with the stretches back in their places. Raises `LostMark`."""
    marks = [int(match[1]) for match in _MARK.finditer(text)]
    if sorted(marks) != list(range(1, len(kept) + 1)):
        raise LostMark("code, an address or a placeholder was lost in translation")
    return _MARK.sub(lambda match: kept[int(match[1]) - 1], text)


class Cut(IntEnum):
    """How a text is cut, from coarse to fine."""

    PARAGRAPHS = 0
    SENTENCES = 1
    BETWEEN = 2


@dataclass
class Segment:
    """A stretch of a text that is translated, or stays `verbatim`. Its translation is that of its `segments`
    where it was cut finer. `cut`: the way in which it was cut out of its text."""

    text: str
    verbatim: bool
    cut: Cut
    translation: str | None = None
    segments: "list[Segment] | None" = None

    def joined(self) -> str:
        """The translation, with what stays verbatim in its place."""
        if self.segments is not None:
            return "".join(segment.joined() for segment in self.segments)
        return self.text if self.verbatim else self.translation or ""

    def untranslated(self) -> Iterator["Segment"]:
        """The segments that still need a translation."""
        if self.segments is not None:
            for segment in self.segments:
                yield from segment.untranslated()
        elif not self.verbatim and self.translation is None:
            yield self


def segment_text(text: str, cut: Cut) -> list[Segment]:
    """The segments of a text; those without words stay verbatim."""
    return [
        Segment(text[start:end], not translate or not has_words(text[start:end]), cut)
        for start, end, translate in _filled(text, _spans_to_translate(text, cut))
    ]


def cut_finer(segment: Segment) -> list[Segment] | None:
    """The segment cut the next finer way that makes any difference; None when there is none."""
    for cut in Cut:
        if cut > segment.cut:
            segments = segment_text(segment.text, cut)
            if len(segments) > 1:
                return segments
    return None


def _spans_to_translate(text: str, cut: Cut) -> Iterator[tuple[int, int]]:
    """The spans to translate, in order; what is between them stays."""
    if cut is Cut.BETWEEN:
        for start, end, outside in _filled(text, protected_spans(text), inside=False):
            if outside:
                yield _trimmed(text, start, end)
        return
    for start, end, outside in _filled(text, code_blocks(text), inside=False):
        if not outside:
            continue
        for first, last in _paragraphs(text, start, end):
            if cut is Cut.PARAGRAPHS:
                yield first, last
            else:
                for left, right in sentences(text[first:last]):
                    yield from _clauses(text, first + left, first + right)


def _paragraphs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    last = start
    for match in _BETWEEN_PARAGRAPHS.finditer(text, start, end):
        yield _trimmed(text, last, match.start())
        last = match.end()
    yield _trimmed(text, last, end)


def _clauses(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence without the mark of a list before it, in parts where it is too long."""
    lead = _LEAD.match(text, start, end)
    start = lead.end() if lead else start
    kept = [(start + left, start + right) for left, right in protected_spans(text[start:end])]
    while end - start > LONGEST_SENTENCE:
        cut = _clause_end(text, start, kept)
        yield start, cut
        start = _trimmed(text, cut, end)[0]
        kept = [(left, right) for left, right in kept if right > start]
    yield start, end


def _clause_end(text: str, start: int, kept: list[tuple[int, int]]) -> int:
    """Where a long sentence is cut: after the last comma that fits, else at the last space, else (in scripts
    without either) at the longest length; but never inside something that stays as it is."""
    limit = start + LONGEST_SENTENCE
    for pattern, first in ((_CLAUSE_END, start + LONGEST_SENTENCE // 4), (_SPACE, start + 1)):
        for match in reversed(list(pattern.finditer(text, first, limit))):
            cut = match.end() if pattern is _CLAUSE_END else match.start()
            if not any(left < cut < right for left, right in kept):
                return cut
    return next((right for left, right in kept if left < limit < right), limit)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    stripped = text[start:end].lstrip()
    first = end - len(stripped)
    return first, first + len(stripped.rstrip())


def _filled(
    text: str, spans: "Iterator[tuple[int, int]] | list[tuple[int, int]]", *, inside: bool = True
) -> Iterator[tuple[int, int, bool]]:
    """The spans, each with `inside`, and what is between them with its opposite; empty ones are left out."""
    last = 0
    for start, end in spans:
        if start > last:
            yield last, start, not inside
        if end > start:
            yield start, end, inside
        last = max(last, end)
    if last < len(text):
        yield last, len(text), not inside

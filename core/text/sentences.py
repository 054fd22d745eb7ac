"""Where the sentences of a text lie, by a rule that needs no language.

A sentence ends

* at a line break;
* after `。！？｡．` (full-width terminators, which no space follows);
* after a run of `. ! ? … ؟ ۔ । ॥ ‽`, with the quotes and brackets that close there, before white space and
  what is no small letter: so decimals, addresses and `e.g. this` don't split, while `Dr. Smith` does: who
  uses this must live with such short pieces.
"""

import re
from collections.abc import Iterator

_CLOSING = r"""["'”’»)\]}」』）*_]*+"""
_ENDS = "!?.…؟۔।॥‽"
# No attempt can start inside a run of terminators, and none gives back what it took: linear on hostile text.
_END = re.compile(
    rf"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+|[。！？｡．]++{_CLOSING}|(?<![{_ENDS}])[{_ENDS}]++{_CLOSING}(?=\s)"
)
_SPACE = re.compile(r"\s*+[\"'“‘«(\[*_-]*+\s*+")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """The [start, end) offsets of the sentences of `text`, in order, without the white space around them;
    pieces of white space alone are left out."""
    start = 0
    for match in _END.finditer(text):
        first, end = match.span()
        if text[first] in _ENDS and _goes_on(text, end):
            continue
        span = _trimmed(text, start, end)
        if span:
            yield span
        start = end
    yield from trimmed(text, start, len(text))


def _goes_on(text: str, end: int) -> bool:
    if text[end + 1 : end + 2].isupper():  # after one space, as nearly always
        return False
    space = _SPACE.match(text, end)
    after = space.end() if space else end
    return text[after : after + 1].islower()


def trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without the white space at its ends, or nothing when it is white space alone."""
    span = _trimmed(text, start, end)
    if span:
        yield span


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end].lstrip()
    first = end - len(piece)
    last = first + len(piece.rstrip())
    return (first, last) if first < last else None

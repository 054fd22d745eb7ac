"""What a translation must not touch: code, addresses, markup, placeholders, emoji; marked, and put back.

Inside a sentence such a stretch is replaced by a number in square brackets, as Wikipedia's footnotes are
written, which translation models have seen and copy. A translation counts only when every mark stands in it
exactly once; otherwise the text between the stretches is translated by itself.
"""

import re
from collections.abc import Iterator

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


class Lost(Exception):
    """A translation without one of the marks, or with one twice."""


def code_blocks(text: str) -> Iterator[tuple[int, int]]:
    """The [start, end) of fenced code, in order."""
    for match in _FENCED.finditer(text):
        yield match.span()


def untouchable(text: str) -> list[tuple[int, int]]:
    """The [start, end) of what stays as it is inside a paragraph, in order."""
    return [match.span() for match in _INLINE.finditer(text)]


def has_words(text: str) -> bool:
    """Whether there is a letter to translate outside what stays as it is."""
    rest = _INLINE.sub(" ", text)
    return any(character.isalpha() for character in rest)


def masked(text: str) -> tuple[str, list[str]]:
    """The text with `[1]`, `[2]` ... for what stays as it is, and these stretches."""
    kept: list[str] = []
    parts: list[str] = []
    last = 0
    for start, end in untouchable(text):
        kept.append(text[start:end])
        parts += [text[last:start], f"[{len(kept)}]"]
        last = end
    return "".join([*parts, text[last:]]), kept


def unmasked(text: str, kept: list[str]) -> str:
    """The translation of a masked text with the stretches back in their places. Raises `Lost`."""
    found = [int(match[1]) for match in _MARK.finditer(text)]
    if sorted(found) != list(range(1, len(kept) + 1)):
        raise Lost("code, an address or a placeholder was lost in translation")
    return _MARK.sub(lambda match: kept[int(match[1]) - 1], text)

"""How hostile text is shown: what a terminal would obey, and what nobody could see, becomes visible.

Responses, and the names of models, tasks and raters, come from outside. Examples:

    ESC [2J                               ␛[2J
    a right-to-left override              ⟨U+202E⟩
    a zero-width space, a soft hyphen     ⟨U+200B⟩ ⟨U+00AD⟩
    100 accents on one letter             six of them, and ⟨+94⟩

The review room, the reports, the commands' tables and the demo all show it in this way. Rich markup is plain
text as long as it is never parsed.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass

import regex

TAB_CELLS = 4

# More combining marks than this on one letter are no writing system, but an attack on the line above.
MOST_MARKS = 6

# Scripts in which a zero-width (non-)joiner is a matter of spelling: Arabic to Thaana, the Indic scripts,
# Myanmar, Khmer and Mongolian.
_JOINER_SCRIPTS = re.sub(
    r"\w+",
    r"\\p{scx=\g<0>}",
    "Arab Syrc Thaa Nkoo Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Thai Laoo Tibt Mymr Khmr Mong",
).replace(" ", "")

# Controls, formats, surrogates, private use and what is not assigned; separators of lines; what Unicode says
# is best drawn as nothing (fillers, variation selectors); and the blank of Braille. But not line breaks and
# tabs, nor formats that have a shape of their own (the signs before numbers in Arabic and Syriac).
_UNSEEN = (
    r"[[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]"
    r"--[\n\t]--[\p{Prepended_Concatenation_Mark}]]"
)

# What a variation selector or a joiner can restyle or join: emoji, and symbols that have an emoji form
# somewhere. Of ASCII these are the digits, `#` and `*`.
_EMOJI = r"[[\p{So}\p{Sm}\p{Emoji}\ufe0f]--[\x00-\x22\x24-\x29\x2b-\x2f\x3a-\x7f]--[\u2800]]"

_SUSPECT = regex.compile(
    rf"(?P<newline>\r\n)"
    rf"|(?P<spelling>(?=[\u200c\u200d])(?<=[{_JOINER_SCRIPTS}])[\u200c\u200d](?=[{_JOINER_SCRIPTS}]))"
    # Between or after emoji: what they would join or restyle is shown unjoined, in one width everywhere.
    rf"|(?P<emoji>(?=[\u200d\ufe0e\ufe0f])(?<={_EMOJI})(?:[\ufe0e\ufe0f]\u200d?|\u200d)(?![\u200c\u200d\ufe00-\ufe0f]))"
    rf"|(?P<control>[\x00-\x08\x0b-\x1f\x7f])"
    rf"|(?P<unseen>{_UNSEEN})"
    rf"|(?P<marks>[[\p{{Mn}}\p{{Me}}]--\p{{Default_Ignorable_Code_Point}}]{{{MOST_MARKS + 1},}})",
    regex.VERSION1,
)
_SUSPECT_OR_TAB = regex.compile(rf"{_SUSPECT.pattern}|(?P<tab>\t)", regex.VERSION1)


def visible_text(text: str) -> str:
    """The text with every character that is not simply seen replaced by a visible stand-in.

    C0 controls and DEL become their pictures (ESC: `␛`); C1 controls, bidirectional controls, zero-width and
    other invisible characters, and those of no known shape become `⟨U+202E⟩`; newline and tab stay, CR LF is
    a newline. Joiners stay where they are spelling (Persian, Indic scripts); joiners and variation selectors
    of emoji are dropped, because terminals disagree about their width. Of more than `MOST_MARKS` combining
    marks in a row the rest is counted: `⟨+90⟩`.
    """
    if text.isascii() and text.isprintable():
        return text
    return _SUSPECT.sub(_stand_in, text)


def visible(text: str) -> str:
    """`visible_text` on one line, for names and titles: newlines and tabs become stand-ins too."""
    return visible_text(text).replace("\n", "␊").replace("\t", "␉")


@dataclass(frozen=True)
class VisibleText:
    """A text made visible, with tabs as blanks, that knows where each of its characters came from.

    `text` is what is drawn. `raw_offset` and `drawn_offset` translate offsets between it and the raw text, so
    that spans kept in the store (which count the characters of the raw text) can be drawn, and chosen, on it.
    """

    text: str
    _raw: tuple[tuple[int, int], ...] = ()
    _drawn: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, text: str) -> "VisibleText":
        """The text as `visible_text` makes it, each tab as `TAB_CELLS` blanks."""
        parts: list[str] = []
        raw: list[tuple[int, int]] = []
        drawn: list[tuple[int, int]] = []
        copied = length = 0
        for match in _SUSPECT_OR_TAB.finditer(text):
            suspect = match.group()
            stand_in = " " * TAB_CELLS if suspect == "\t" else _stand_in(match)
            if stand_in == suspect:
                continue
            parts += (text[copied : match.start()], stand_in)
            length += match.start() - copied
            raw.append(match.span())
            drawn.append((length, length + len(stand_in)))
            length += len(stand_in)
            copied = match.end()
        parts.append(text[copied:])
        return cls("".join(parts), tuple(raw), tuple(drawn))

    def raw_offset(self, offset: int) -> int:
        """The offset in the raw text of a character of `text`; inside a stand-in, of what it stands for."""
        return _translated(offset, self._drawn, self._raw)

    def drawn_offset(self, offset: int) -> int:
        """The offset in `text` of a character of the raw text; inside a replaced one, of its stand-in."""
        return _translated(offset, self._raw, self._drawn)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A [start, end) of the raw text as a [start, end) of `text`; a character replaced counts whole."""
        first = self.drawn_offset(start)
        if end <= start:
            return first, first
        last = bisect_right(self._raw, end - 1, key=_start) - 1
        if last >= 0 and end - 1 < self._raw[last][1]:
            return first, self._drawn[last][1]
        return first, self.drawn_offset(end - 1) + 1


def _start(span: tuple[int, int]) -> int:
    return span[0]


def _translated(offset: int, source: tuple[tuple[int, int], ...], target: tuple[tuple[int, int], ...]) -> int:
    last = bisect_right(source, offset, key=_start) - 1
    if last < 0:
        return offset
    if offset < source[last][1]:
        return target[last][0]
    return target[last][1] + offset - source[last][1]


def _stand_in(match: "regex.Match[str]") -> str:
    suspect = match.group()
    kind = match.lastgroup
    if kind == "newline":
        return "\n"
    if kind == "spelling":
        return suspect
    if kind == "emoji":
        return ""
    if kind == "control":
        return "␡" if suspect == "\x7f" else chr(0x2400 + ord(suspect))
    if kind == "marks":
        return f"{suspect[:MOST_MARKS]}⟨+{len(suspect) - MOST_MARKS}⟩"
    return f"⟨U+{ord(suspect):04X}⟩"

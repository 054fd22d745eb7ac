"""How hostile text is shown: what a terminal would obey, and what nobody could see, becomes visible.

Responses, and the names of models, tasks and raters, come from outside. Examples: ESC becomes `␛`, a
right-to-left override becomes `⟨U+202E⟩`, the 96 marks too many on a letter become `⟨+96⟩`.
"""

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass

TAB_CELLS = 4

# More combining marks than this on one letter are no writing system, but an attack on the line above.
MOST_MARKS = 6

# Scripts in which a zero-width (non-)joiner is a matter of spelling: Arabic to Thaana, the Indic scripts,
# Myanmar, Khmer and Mongolian.
_JOINER_SCRIPTS = "\u0600-\u07ff\u0860-\u0fff\u1000-\u109f\u1780-\u18af"

# Format characters (category Cf) that have a shape of their own.
_VISIBLE_FORMATS = "\u0600-\u0605\u06dd\u070f\u08e2"

_SUSPECT = re.compile(
    rf"(?P<newline>\r\n)"
    rf"|(?P<spelling>(?<=[{_JOINER_SCRIPTS}])[\u200c\u200d](?=[{_JOINER_SCRIPTS}]))"
    # Between or after emoji: what they would join or restyle is shown unjoined, in one width everywhere.
    rf"|(?P<emoji>(?<=[\u00a9\u00ae\u2000-\u2bff\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff0-9#*])"
    rf"(?:[\ufe0e\ufe0f]\u200d?|\u200d)(?![\u200c\u200d\ufe00-\ufe0f]))"
    rf"|(?P<control>[\x00-\x08\x0b-\x1f\x7f])"
    rf"|(?P<shape>[{_VISIBLE_FORMATS}])"
    rf"|(?P<hidden>[\x80-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    rf"\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff"
    rf"\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff])"
    rf"|(?P<marks>[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0e47-\u0e4e\u1ab0-\u1aff"
    rf"\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{{{MOST_MARKS + 1},}})"
)


_SUSPECT_OR_TAB = re.compile(rf"{_SUSPECT.pattern}|(?P<tab>\t)")


def safe_text(text: str) -> str:
    """The text with every character that is not simply shown replaced by a visible stand-in.

    C0 controls and DEL become their pictures (ESC: `␛`), C1 controls, bidirectional controls, zero-width
    and other invisible characters become `⟨U+202E⟩`; newline and tab stay, CR LF is a newline. Joiners
    stay where they are spelling (Persian, Indic scripts); joiners and variation selectors of emoji are
    dropped, because terminals disagree about their width. Of more than `MOST_MARKS` combining marks in a
    row the rest is counted: `⟨+90⟩`. Rich markup is plain text as long as it is never parsed.
    """
    return _SUSPECT.sub(_stand_in, text)


@dataclass(frozen=True)
class SafeText:
    """A text made safe, with tabs as blanks, that knows where each of its characters came from.

    `text` is what is drawn. `origin` and `shown` translate offsets between it and the raw text, so that
    spans kept in the store (which count the characters of the raw text) can be drawn, and chosen, on it.
    """

    text: str
    _raw: tuple[tuple[int, int], ...] = ()
    _safe: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, text: str) -> "SafeText":
        """The text as `safe_text` makes it, each tab as `TAB_CELLS` blanks."""
        parts: list[str] = []
        raw: list[tuple[int, int]] = []
        safe: list[tuple[int, int]] = []
        here = length = 0
        for match in _SUSPECT_OR_TAB.finditer(text):
            found = match.group()
            stand_in = " " * TAB_CELLS if found == "\t" else _stand_in(match)
            if stand_in == found:
                continue
            parts += (text[here : match.start()], stand_in)
            length += match.start() - here
            raw.append(match.span())
            safe.append((length, length + len(stand_in)))
            length += len(stand_in)
            here = match.end()
        parts.append(text[here:])
        return cls("".join(parts), tuple(raw), tuple(safe))

    def origin(self, offset: int) -> int:
        """The offset in the raw text of a character of `text`; inside a stand-in, of what it stands for."""
        return _translated(offset, self._safe, self._raw)

    def shown(self, offset: int) -> int:
        """The offset in `text` of a character of the raw text; inside a replaced one, of its stand-in."""
        return _translated(offset, self._raw, self._safe)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A [start, end) of the raw text as a [start, end) of `text`; a character replaced counts whole."""
        first = self.shown(start)
        if end <= start:
            return first, first
        last = bisect_right(self._raw, end - 1, key=_start) - 1
        if last >= 0 and end - 1 < self._raw[last][1]:
            return first, self._safe[last][1]
        return first, self.shown(end - 1) + 1


def _start(span: tuple[int, int]) -> int:
    return span[0]


def _translated(offset: int, source: tuple[tuple[int, int], ...], target: tuple[tuple[int, int], ...]) -> int:
    last = bisect_right(source, offset, key=_start) - 1
    if last < 0:
        return offset
    if offset < source[last][1]:
        return target[last][0]
    return target[last][1] + offset - source[last][1]


def safe_line(text: str) -> str:
    """`safe_text` on one line, for names and titles: newlines and tabs become stand-ins too."""
    return safe_text(text).replace("\n", "␊").replace("\t", "␉")


def _stand_in(match: re.Match[str]) -> str:
    found = match.group()
    kind = match.lastgroup
    if kind == "newline":
        return "\n"
    if kind in ("spelling", "shape"):
        return found
    if kind == "emoji":
        return ""
    if kind == "control":
        return "␡" if found == "\x7f" else chr(0x2400 + ord(found))
    if kind == "marks":
        return f"{found[:MOST_MARKS]}⟨+{len(found) - MOST_MARKS}⟩"
    return f"⟨U+{ord(found):04X}⟩"


# More combining marks than this on one letter are no writing system, but an attack on the line above.

_JOINERS = "\u200c\u200d"

# Blank, though Unicode calls them letters, marks or symbols.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code) for code in (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}


def visible(text: str) -> str:
    """The text on one line with each control, bidirectional, invisible or unassigned character as
    `⟨U+202E⟩`, lone surrogates and newlines too.

    Joiners stay between letters of scripts that spell with them (Persian, Hindi). Of more than `MOST_MARKS`
    combining marks in a row the rest is counted: `⟨+90⟩`.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for place, character in enumerate(text):
        if unicodedata.category(character) in ("Mn", "Me") and character not in _BLANKS:
            marks += 1
            if marks <= MOST_MARKS:
                shown.append(character)
            continue
        if marks > MOST_MARKS:
            shown.append(f"⟨+{marks - MOST_MARKS}⟩")
        marks = 0
        if _is_seen(character) or (character in _JOINERS and _is_spelling(text, place)):
            shown.append(character)
        else:
            shown.append(f"⟨U+{ord(character):04X}⟩")
    if marks > MOST_MARKS:
        shown.append(f"⟨+{marks - MOST_MARKS}⟩")
    return "".join(shown)


def _is_seen(character: str) -> bool:
    if character in _BLANKS:
        return False
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _is_spelling(text: str, place: int) -> bool:
    around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    return len(around) == 2 and all("\u0600" <= c <= "\u18af" for c in around)

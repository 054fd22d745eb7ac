"""Names of models, tasks and raters are hostile text: what a reader can't see is written out."""

import unicodedata

# More combining marks than this on one letter are no writing system, but an attack on the line above.
MOST_MARKS = 6

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

"""Whether a translation can be one: not empty, not endless repetition, neither far too short nor too long."""

import re
import unicodedata

# One sign of these scripts says about as much as three letters of an alphabet (Han, kana), or two (Hangul).
_HAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_HANGUL = re.compile("[\uac00-\ud7af]")

# Short texts vary: "OK" may well become "d'accord".
_SLACK = 20

# The same stretch five times or more in a row; or one letter ten times.
_LOOP = re.compile(r"(.{2,60}?)\1{4,}|(\w)\2{9,}", re.DOTALL)


def fault_of(source: str, translation: str, ratio: float) -> str | None:
    """Why a text can't be the translation of `source`, in a few words; None when it can.

    `ratio`: how many times longer or shorter it may be, in letters of an alphabet.
    """
    if not any(character.isalnum() for character in translation):
        return "an empty translation"
    if _LOOP.search(translation) and not _LOOP.search(source):
        return "a translation that repeats itself without end"
    before, after = weight(source), weight(translation)
    if after > ratio * before + _SLACK:
        return f"a translation {after / max(before, 1):.1f} times as long"
    if after < (before - _SLACK) / ratio:
        return f"a translation of {after / before:.2f} times the length"
    if source.count("\n") != translation.count("\n"):
        return "a translation with other line breaks"
    return None


def weight(text: str) -> int:
    """The length of a text in letters of an alphabet, marks that stand on letters left out."""
    marks = sum(unicodedata.combining(character) > 0 for character in text) if not text.isascii() else 0
    return len(text) - marks + 2 * len(_HAN.findall(text)) + len(_HANGUL.findall(text))

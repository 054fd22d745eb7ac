"""The words of a response that a spelling dictionary can be asked about, and where they stand.

What counts as a word (part of the spelling metric's definition, named by `RULES`):

* letters with their combining marks; apostrophes (both kinds) and hyphens join when letters stand on both
  sides: `l'arbre`, `aujourd’hui`, `какой-то` are one word each;
* left out: code, URLs, e-mail addresses and HTML tags (`surface.prose`), whatever holds a digit or an
  underscore (`COVID-19`, `1990s`), words of one letter, and words without any letter of the language's own
  script (an English name in a Russian text). A word that mixes scripts is kept.

Names and abbreviations that the dictionary does not hold count as misspelt: nothing here can tell them.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from core.judge.surface.prose import blank_code

RULES = "words-1"

APOSTROPHES = "'’ʼ＇"
HYPHENS = "-‐‑"
INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060"

_ACUTE, _GRAVE = "\u0301", "\u0300"
_TO_PLAIN = str.maketrans(
    dict.fromkeys(APOSTROPHES, "'") | dict.fromkeys(HYPHENS, "-") | dict.fromkeys(INVISIBLE, "")
)


def words(text: str) -> Iterator[tuple[int, int]]:
    """The [start, end) offsets in `text` of all its words, before digits, length and script are looked at."""
    for match in words_in(blank_code(text)):
        yield match.span()


def words_in(prose: str) -> Iterator[re.Match[str]]:
    """The words of a text that code was left out of (`surface.prose.blank_code`)."""
    return _word_pattern().finditer(prose)


def is_checked(word: str, script: str) -> bool:
    """Whether a word takes part in the metric, by the rules above."""
    if word.isascii() and word.isalpha():  # most words of most languages, told without a look at each letter
        return len(word) > 1 and script == "LATIN"
    letters = [character for character in word if character.isalpha()]
    if len(letters) < 2 or any(character.isnumeric() or character == "_" for character in word):
        return False
    return any(unicodedata.name(letter, "").startswith(script) for letter in letters)


def plain(word: str) -> str:
    """The word as dictionaries spell it: NFC, plain apostrophe and hyphen, without soft hyphens and other
    invisible characters, and without the stress marks that are set on Cyrillic vowels (за́мок)."""
    if word.isascii():
        return word
    composed = unicodedata.normalize("NFC", unify_marks(word))
    return (
        composed.replace(_ACUTE, "").replace(_GRAVE, "") if "CYRILLIC" in _first_name(composed) else composed
    )


def unify_marks(text: str) -> str:
    """The text with plain apostrophes and hyphens, and without soft hyphens and the like."""
    return text.translate(_TO_PLAIN)


def parts(word: str) -> list[str]:
    """The pieces of a plain word between its hyphens and apostrophes."""
    return [part for part in word.replace("'", "-").split("-") if part]


def _first_name(word: str) -> str:
    return unicodedata.name(word[0], "") if word else ""


@lru_cache(maxsize=1)
def _word_pattern() -> re.Pattern[str]:
    # `\w` has no combining marks, which Devanagari vowels and decomposed accents are. They are looked for
    # only outside ASCII: there are 300 ranges of them.
    part = rf"\w++(?:(?![\0-\x7f])[{_combining_marks()}{INVISIBLE}]++\w*+)*+"
    return re.compile(rf"{part}(?:[{APOSTROPHES}{re.escape(HYPHENS)}]{part})*+")


def _combining_marks() -> str:
    """The combining marks of Unicode, as ranges for a regular expression."""
    codes = [code for code in range(0x300, 0x20000) if unicodedata.category(chr(code)).startswith("M")]
    firsts = [code for code, before in zip(codes, [0, *codes], strict=False) if code != before + 1]
    lasts = [code for code, after in zip(codes, [*codes[1:], 0], strict=False) if code != after - 1]
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in zip(firsts, lasts, strict=True))

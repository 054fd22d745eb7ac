"""Where the words of a text begin and end: for comparing texts, and for asking a spelling dictionary.

**Words to compare** (`words`, `each_word`), in any script, by the character properties of Unicode. The
default rules for word boundaries are the starting point (UAX #29, https://unicode.org/reports/tr29/); what
differs from them is said here.

* Letters and digits with their combining marks, composed or not (`é`, `за́мок`, harakat, Devanagari vowels),
  and the zero-width joiners that spell them. Letters of two alphabets in one run are one word: a Latin `o`
  in a Russian word is an error inside that word.
* Apostrophes, hyphens, the middle dot, underscores and invisible hints on line breaking join when a letter
  or digit stands on both sides: `aujourd'hui`, `по-русски`, `disse-lhe`, `col·lecció`. UAX #29 splits at
  hyphens; a reader does not. So do `.`, `,` and the Arabic separators between two digits (`3,14`, `1.000`),
  and `"` between two Hebrew letters.
* Scripts without spaces: nothing short of a dictionary of the language tells one word from the next, and a
  wrong guess would mark what did not change. So a word is the smallest thing that a reader sees, one
  character with the marks and stacked letters on it, in Han, hiragana, and the scripts from Thai to Khmer
  (Unicode's line breaking class SA). A run of katakana is one word, as it is mostly one loan word or name.
  Where such a script meets another, the word ends: `4は` is two words.
* An emoji with all that is joined to it is a word, and so is a percent or currency sign: they are read aloud.

Spaces, other punctuation, other symbols and control characters are in no word.

**Words to spell** (`words_to_spell`) are those that a dictionary can be asked about. They are part of the
spelling metric's definition, which `SPELLING_RULES` names:

* letters with their combining marks; apostrophes (both kinds) and hyphens join when letters stand on both
  sides: `l'arbre`, `aujourd’hui`, `какой-то` are one word each;
* left out: code, URLs, e-mail addresses and HTML tags (`core.text.prose`), whatever holds a digit or an
  underscore (`COVID-19`, `1990s`), and words of one letter;
* a word without any letter of the language's own script (an English name in a Russian text) is a word that
  does not pass, and is counted by itself as well. A word that mixes scripts is one of the own script.

Names and abbreviations that the dictionary does not hold count as misspelt: nothing here can tell them.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import regex

from core.text.prose import blank_code
from core.text.scripts import HAN_AND_KANA, KANA_SIGNS, script_of_letter

# What belongs to the character before it.
_MARK = r"\p{M}\u200c\u200d"

_STACKED = r"[\p{Line_Break=SA}&&\p{L}]"

_UNSPACED = rf"{HAN_AND_KANA}\p{{Line_Break=SA}}"

_LETTER = rf"[[\p{{L}}\p{{N}}]--[{_UNSPACED}]]"

# Apostrophes (typewriter, typographic, fullwidth, Hebrew geresh, gershayim), hyphens with the Hebrew maqaf,
# the middle dot of Catalan.
_JOINER = r"['’‘\uff07\u05f3\u05f4\-\u2010\u2011\u05be·]"

# Every repetition is possessive or starts where the last one ended, so that no text makes the search go back.
_WORD = regex.compile(
    rf"""
    {_LETTER} (?:
        [{_LETTER}{_MARK}]
      | (?: {_JOINER} | _++ | [\u00ad\u2060]++ ) (?={_LETTER})
      | (?<=\p{{Nd}}) [.,\u066b\u066c] (?=\p{{Nd}})
      | (?<=\p{{Script=Hebrew}}) " (?=\p{{Script=Hebrew}})
    )*+
  | [\p{{Script=Han}}\p{{Script=Hiragana}}] [{_MARK}\u30fc]*+
  | [\p{{Script=Katakana}}{KANA_SIGNS}] [\p{{Script=Katakana}}{KANA_SIGNS}{_MARK}]*+
    # A virama stacks the next letter under this one; Thai and Lao AM, letters to Unicode, are set on it too.
  | {_STACKED} (?: [{_MARK}\u0e33\u0eb3] | (?<=[\u1039\u17d2\u1a60]) {_STACKED} )*+
    # Flags are pairs; skin tones, tags and whatever follows a joiner belong to the emoji before them.
  | \p{{Regional_Indicator}}{{1,2}}
  | \p{{Extended_Pictographic}} (?:
        [{_MARK}\p{{Emoji_Modifier}}\U000e0020-\U000e007f] | (?<=\u200d) \p{{Extended_Pictographic}}
    )*+
  | [\p{{Sc}}%‰٪％]
    """,
    regex.VERSION1 | regex.VERBOSE,
)


def words(text: str) -> list[tuple[int, int]]:
    """The [start, end) offsets of the words of a text, in code points, in order and not overlapping.

    Takes any string; time and memory grow with its length and no faster.
    """
    return list(each_word(text))


def each_word(text: str) -> Iterator[tuple[int, int]]:
    """`words` one by one, for who may stop before the end."""
    return (match.span() for match in _WORD.finditer(text))


SPELLING_RULES = "words-2"

APOSTROPHES = "'’ʼ＇"
HYPHENS = "-‐‑"
INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060"

_ACUTE, _GRAVE = "\u0301", "\u0300"
_TO_PLAIN = str.maketrans(
    dict.fromkeys(APOSTROPHES, "'") | dict.fromkeys(HYPHENS, "-") | dict.fromkeys(INVISIBLE, "")
)


def words_to_spell(text: str) -> Iterator[tuple[int, int]]:
    """The [start, end) offsets in `text` of all its words, before digits, length and script are looked at."""
    for match in words_to_spell_in(blank_code(text)):
        yield match.span()


def words_to_spell_in(prose: str) -> Iterator[re.Match[str]]:
    """The words of a text that code was left out of (`core.text.prose.blank_code`)."""
    return _spelling_pattern().finditer(prose)


def is_checked(word: str) -> bool:
    """Whether a word takes part in the metric, by the rules above."""
    if word.isascii() and word.isalpha():  # most words of most languages, told without a look at each letter
        return len(word) > 1
    letters = sum(map(str.isalpha, word))
    return letters > 1 and not any(character.isnumeric() or character == "_" for character in word)


def is_of_script(word: str, script: str) -> bool:
    """Whether a word has at least one letter of a script."""
    if word.isascii() and script != "Latin":
        return False
    return any(script_of_letter(character) == script for character in word)


def plain_word(word: str) -> str:
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


def word_parts(word: str) -> list[str]:
    """The pieces of a plain word between its hyphens and apostrophes."""
    return [part for part in word.replace("'", "-").split("-") if part]


def _first_name(word: str) -> str:
    return unicodedata.name(word[0], "") if word else ""


@lru_cache(maxsize=1)
def _spelling_pattern() -> re.Pattern[str]:
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

r"""Where the words of a text begin and end, in any script, for comparing texts word by word.

What counts as a word, by the character properties of Unicode. The default rules for word boundaries are the
starting point (UAX #29, https://unicode.org/reports/tr29/); what differs from them is said here.

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
"""

from collections.abc import Iterator

import regex

# What is set on the character before it.
_MARK = r"\p{M}\u200c\u200d"

# Prolonged sound and voicing marks are no letters of the katakana script, but they are used as such.
_KANA_SIGNS = r"\u30fc\uff70\uff9e\uff9f"

_STACKED = r"[\p{Line_Break=SA}&&\p{L}]"

_UNSPACED = rf"\p{{Script=Han}}\p{{Script=Hiragana}}\p{{Script=Katakana}}{_KANA_SIGNS}\p{{Line_Break=SA}}"

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
  | [\p{{Script=Katakana}}{_KANA_SIGNS}] [\p{{Script=Katakana}}{_KANA_SIGNS}{_MARK}]*+
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

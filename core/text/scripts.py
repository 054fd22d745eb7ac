"""Which scripts a language is written in, and where a text leaves them: `how are you` within Russian.

A script has its name in Unicode (UAX #24): `Latin`, `Cyrillic`, `Han`. What others need to know of scripts is
a function (`script_of("ru")` is `Cyrillic`) or the inside of a character class for the package `regex`
(`[{HAN_AND_KANA}]`).
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import regex

from store.languages import normal_language

# The prolonged sound and voicing marks of kana belong to several scripts, but are used like katakana.
KANA_SIGNS = r"\u30fc\uff70\uff9e\uff9f"
HAN_AND_KANA = rf"\p{{Script=Han}}\p{{Script=Hiragana}}\p{{Script=Katakana}}{KANA_SIGNS}"

# Scripts that are written without spaces between words: by name, and as the inside of a character class.
_UNSPACED_SCRIPTS = frozenset(
    ["Han", "Hiragana", "Katakana", "Bopomofo", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan"]
)
UNSPACED = KANA_SIGNS + "".join(rf"\p{{Script={script}}}" for script in sorted(_UNSPACED_SCRIPTS))

# Characters that are two cells wide (Han, kana, Hangul, their punctuation, most emoji): a line may break on
# both sides of them.
WIDE = r"\p{East_Asian_Width=W}\p{East_Asian_Width=F}"

# Languages that are written without spaces: nothing here can tell one word from the next.
UNSPACED_LANGUAGES = frozenset(["zh", "yue", "wuu", "ja", "th", "lo", "km", "my", "bo"])

# The scripts that languages are written in, the one that is used most first; all others are in Latin.
_LANGUAGES = {
    "Cyrillic": "ru uk be bg mk ky tg ba cv ce os ab av bxr kv krc lez mhr mrj myv rue sah tyv udm xal",
    "Cyrillic Latin": "sr kk tt",
    "Latin Cyrillic": "sh bs cnr uz az tk crh",
    "Cyrillic Mongolian": "mn",
    "Greek": "el",
    "Georgian": "ka xmf",
    "Armenian": "hy hyw",
    "Hebrew": "he yi",
    "Arabic": "ar fa ur ps ug ckb arz azb mzn pnb",
    "Arabic Devanagari": "ks sd",
    "Latin Arabic": "ku ms ha",
    "Thaana": "dv",
    "Ethiopic": "am ti",
    "Devanagari": "hi mr ne sa bh bho mai dty new gom kok",
    "Bengali": "bn as bpy",
    "Gurmukhi Arabic": "pa",
    "Gujarati": "gu",
    "Oriya": "or",
    "Tamil": "ta",
    "Telugu": "te",
    "Kannada": "kn",
    "Malayalam": "ml",
    "Sinhala": "si",
    "Thai": "th",
    "Lao": "lo",
    "Khmer": "km",
    "Myanmar": "my",
    "Tibetan": "bo dz",
    "Han Bopomofo": "zh yue wuu",
    "Han Hiragana Katakana": "ja",
    "Hangul Han": "ko",
}
_SCRIPTS_OF = {code: tuple(names.split()) for names, codes in _LANGUAGES.items() for code in codes.split()}

# Finds a letter in the group that has the name of its script. U+0640 lengthens words of Arabic; Unicode calls
# it common, as other scripts use it too.
_SCRIPT = regex.compile(
    rf"(?P<Katakana>[{KANA_SIGNS}])|(?P<Arabic>\u0640)|"
    + "|".join(
        rf"(?P<{script}>\p{{Script={script}}})" for script in sorted({"Latin"}.union(*_SCRIPTS_OF.values()))
    )
)

# How many characters are remembered with their script.
_CHARACTERS_KEPT = 65536

# How many words a passage has at least, or letters where a script has no spaces: less is a term or a name.
WORDS = 3
UNSPACED_LETTERS = 6

# Both patterns read a mask of the text, which has one character for each of its own: `a` for a letter of the
# language's scripts (or of none that is known), `F` for a capital and `f` for any other letter of another
# script, `c` for a letter of a script without spaces, `m` for a combining mark.
_PASSAGE = re.compile(r"[Ffc](?:[^a\n]*[Ffcm])?")
# A word stands free, or beside a letter of the language's own; what touches a bracket, a slash, a digit or a
# sign is taken for code (`range(10)`, `etc/hosts`, `x_max`, `example.com`).
_WORD = re.compile(
    r"""(?<![^\sa"“”«»„‘*:—–])[Ff](?:['’-]*+[Ffm])++(?=[.,;:!?…"'“”«»‘’)*—–-]*+(?:[\sa]|\Z))"""
)


def scripts_of(language: str) -> tuple[str, ...]:
    """The scripts that a language is written in, by its code; Latin for a language not known here."""
    return _SCRIPTS_OF.get(normal_language(language), ("Latin",))


def script_of(language: str) -> str:
    """The script that a language is mostly written in."""
    return scripts_of(language)[0]


@lru_cache(maxsize=_CHARACTERS_KEPT)
def script_of_letter(character: str) -> str | None:
    """The script of a letter; None for all else, and for letters of scripts that are not known here."""
    match = _SCRIPT.match(character) if character.isalpha() else None
    return match.lastgroup if match else None


def has_letters_of(text: str, language: str) -> bool:
    """Whether the text has at least one letter of a script that the language is written in."""
    own = scripts_of(language)
    return any(script_of_letter(character) in own for character in set(text))


def foreign_passages(text: str, language: str) -> Iterator[tuple[int, int]]:
    """The [start, end) offsets of the passages in `text` that are in no script of the `language`.

    A passage lies on one line, between letters of the language's own scripts. It counts when it holds at
    least `WORDS` words of two letters or more, and more of them begin with a small letter than with a capital
    (`Bank of America` is a name); letters of a script without capitals are small. Where a script has no
    spaces between words, it counts when it holds at least `UNSPACED_LETTERS` letters.
    """
    mask = _letter_mask(language).of(text)
    for passage in _PASSAGE.finditer(mask):
        start, end = passage.span()
        initials = [word[0][0] for word in _WORD.finditer(mask, start, end)]
        small = initials.count("f")
        words = len(initials) >= WORDS and small > len(initials) - small
        if words or mask.count("c", start, end) >= UNSPACED_LETTERS:
            yield start, end


class _LetterMask:
    """Tells the letters of other scripts from those of a language's own."""

    def __init__(self, own: tuple[str, ...]) -> None:
        self._own = own
        self._harmless: set[str] = set()

    def of(self, text: str) -> str:
        """The mask of a text as `_PASSAGE` and `_WORD` read it; empty when no letter is of another script."""
        if self._harmless.issuperset(text):
            return ""
        classes: dict[int, str] = {}
        foreign = set()
        for character in set(text):
            script = script_of_letter(character)
            if script and script not in self._own:
                foreign.add(character)
                kind = "c" if script in _UNSPACED_SCRIPTS else "F" if character.isupper() else "f"
                classes[ord(character)] = kind
            elif character.isalpha():
                classes[ord(character)] = "a"
            elif unicodedata.category(character).startswith("M"):
                classes[ord(character)] = "m"
        if len(self._harmless) > _CHARACTERS_KEPT:
            self._harmless.clear()
        self._harmless.update(set(text) - foreign)
        return text.translate(classes) if foreign else ""


@lru_cache(maxsize=256)
def _letter_mask(language: str) -> _LetterMask:
    return _LetterMask(scripts_of(language))

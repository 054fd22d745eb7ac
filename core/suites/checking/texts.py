"""The texts of a suite: whether they give their answer away, are there more than once, are in their language,
and are spelt correctly."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from rapidfuzz import fuzz, process

from core.judge.known_answers.checks import read_check
from core.judge.known_answers.matching import TooSlow, comparable
from core.judge.surface.foreign import Stretch, foreign_stretches
from core.judge.surface.language import LanguageIdentifier
from core.judge.surface.spelling import Dictionary, Speller, find_dictionary, what_to_install
from core.suites.checking.findings import SuiteFinding, error, warning
from core.suites.format import SuiteLine
from core.suites.loader import WholeSuite
from core.text.prose import blank_code, has_letters
from core.text.scripts import UNSPACED_LANGUAGES
from core.text.words import plain_word
from store.errors import UsageError, XlitError
from store.languages import normal_language


def leaked(suite: WholeSuite) -> Iterator[SuiteFinding]:
    """Instructions whose own text the check would accept as a right answer.

    A model that repeats such an instruction would be rated as right. Tasks for which this is meant are named
    in the description under `answer_in_text`.
    """
    meant = set(suite.meta.answer_in_text)
    for line in suite.lines:
        if line.new.check is None or meant & {line.new.task, line.new.key}:
            continue
        try:
            right = read_check(line.new.check).score(line.new.text) == 2
        except TooSlow as reason:
            yield error("check", line, f"The check of {line.name} takes too long: {reason}.")
            continue
        if right:
            yield warning("answer in text", line, f"The text of {line.name} holds its accepted answer.")


# How similar two instructions of different tasks may be, as rapidfuzz's ratio in percent. Of the paper's 113
# instructions in English, the most similar ones of different tasks reach 67, and those of one task 75.
NEAR = 75.0


def repeated(suite: WholeSuite) -> Iterator[SuiteFinding]:
    """Texts that stand under two keys of a language or in two languages of a key, and texts of different
    tasks that are nearly the same.

    Capitals, white space and kinds of apostrophes don't count. Texts with a modifier are reported only when
    they are exactly the same, because they share its wording.
    """
    by_language: dict[str, list[SuiteLine]] = {}
    for line in suite.lines:
        by_language.setdefault(line.new.language, []).append(line)
    for lines in by_language.values():
        yield from _under_two_keys(lines)
    yield from _untranslated(suite.lines)


def _under_two_keys(lines: Sequence[SuiteLine]) -> Iterator[SuiteFinding]:
    texts = [comparable(line.new.text) for line in lines]
    first: dict[str, int] = {}
    for index, (line, text) in enumerate(zip(lines, texts, strict=True)):
        same = first.setdefault(text, index)
        if same != index:
            yield error("duplicate", line, f"{line.name} has the text of {_with_line(lines[same])}.")
            continue
        if line.new.modifier is not None:
            continue
        others = {
            position: texts[position] for position in first.values() if _may_be_near(line, lines[position])
        }
        nearest = process.extractOne(text, others, scorer=fuzz.ratio, score_cutoff=NEAR)
        if nearest is not None:
            _, share, other = nearest
            message = f"{line.name} is {share:.0f}% the text of {_with_line(lines[other])}, of another task."
            yield warning("near-duplicate", line, message)


def _may_be_near(line: SuiteLine, other: SuiteLine) -> bool:
    return other.new.modifier is None and other.new.task != line.new.task


def _with_line(line: SuiteLine) -> str:
    return f"{line.name} in line {line.location.line}"


def _untranslated(lines: Sequence[SuiteLine]) -> Iterator[SuiteFinding]:
    first: dict[tuple[str, str], SuiteLine] = {}
    for line in lines:
        same = first.setdefault((line.new.key, comparable(line.new.text)), line)
        if same is not line and has_letters(line.new.text):
            yield error("untranslated", line, f"{line.name} has the text of {same.name}.")


# A text is in the wrong language when more than this share of its letters is in another one.
MOST_FOREIGN = 0.5
_SHOWN = 40


def in_wrong_language(suite: WholeSuite, lid: Path | None, not_done: list[str]) -> Iterator[SuiteFinding]:
    """Texts that fastText is sure are in another language: an error for most of a text, a warning for a part
    of it.

    What stands in brackets or quotation marks may be in any language (`core.judge.surface.foreign`). Adds to
    `not_done` what could not be checked: everything without the extra, and languages that the model does not
    know. Raises `UsageError` when there is no model at `lid`.
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
            excerpt = text[stretches[0].start : stretches[0].end]
            yield warning(
                "wrong language", line, f"A part of {line.name} looks like {code!r}: {_shortened(excerpt)!r}."
            )


def misspelt(suite: WholeSuite, dictionaries: Path | None, not_done: list[str]) -> Iterator[SuiteFinding]:
    """Words that neither Hunspell's dictionary nor `[spelling.allow]` has.

    There is one warning for each word of a language, at its first line. Adds to `not_done` the languages that
    have no dictionary.
    """
    for code in suite.meta.languages:
        lines = [line for line in suite.lines if line.new.language == code]
        dictionary = (
            None if normal_language(code) in UNSPACED_LANGUAGES else find_dictionary(code, dictionaries)
        )
        if dictionary is None:
            reason = (
                "it has no spaces" if normal_language(code) in UNSPACED_LANGUAGES else what_to_install(code)
            )
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
    # Loading a dictionary takes up to a second, so it is kept for further suites.
    return Speller(language, dictionary)


def _misspelt_in(lines: Sequence[SuiteLine], speller: Speller, allowed: set[str]) -> Iterator[SuiteFinding]:
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

"""Instructions that are there more than once, to the letter or nearly."""

from collections.abc import Iterator, Sequence

from rapidfuzz import fuzz, process

from core.judge.known_answers.matching import comparable
from core.suites.checking.findings import Finding, error, warning
from core.suites.lines import SuiteLine
from core.suites.loader import WholeSuite
from core.text.prose import has_letters

# How much of their letters two instructions of different tasks may share, in order, in percent (rapidfuzz's
# ratio). Of the paper's 113 the most alike of different tasks reach 67 in English, those of one task 75.
NEAR = 75.0


def repeated(suite: WholeSuite) -> Iterator[Finding]:
    """Texts that stand under two keys of a language or in two languages of a key, and texts of different
    tasks that are nearly the same; capitals, white space and kinds of apostrophes don't count. Of texts with
    a modifier it is only told when they are the same to the letter: they share its wording."""
    by_language: dict[str, list[SuiteLine]] = {}
    for line in suite.lines:
        by_language.setdefault(line.new.language, []).append(line)
    for lines in by_language.values():
        yield from _under_two_keys(lines)
    yield from _untranslated(suite.lines)


def _under_two_keys(lines: Sequence[SuiteLine]) -> Iterator[Finding]:
    texts = [comparable(line.new.text) for line in lines]
    first: dict[str, int] = {}
    for place, (line, text) in enumerate(zip(lines, texts, strict=True)):
        same = first.setdefault(text, place)
        if same != place:
            yield error("duplicate", line, f"{line.name} has the text of {_with_line(lines[same])}.")
            continue
        if line.new.modifier is not None:
            continue
        others = {n: texts[n] for n in first.values() if _may_be_near(line, lines[n])}
        nearest = process.extractOne(text, others, scorer=fuzz.ratio, score_cutoff=NEAR)
        if nearest is not None:
            _, share, other = nearest
            message = f"{line.name} is {share:.0f}% the text of {_with_line(lines[other])}, of another task."
            yield warning("near-duplicate", line, message)


def _may_be_near(line: SuiteLine, other: SuiteLine) -> bool:
    return other.new.modifier is None and other.new.task != line.new.task


def _with_line(line: SuiteLine) -> str:
    return f"{line.name} in line {line.place.line}"


def _untranslated(lines: Sequence[SuiteLine]) -> Iterator[Finding]:
    first: dict[tuple[str, str], SuiteLine] = {}
    for line in lines:
        same = first.setdefault((line.new.key, comparable(line.new.text)), line)
        if same is not line and has_letters(line.new.text):
            yield error("untranslated", line, f"{line.name} has the text of {same.name}.")

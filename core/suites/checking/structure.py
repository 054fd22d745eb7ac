"""The structure of a suite: whether its languages hold the same instructions, whether what it names is there,
whether tasks are balanced, and whether it states its licence and source."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from core.analysis.modifier_names import group_of, known_names, read_names
from core.judge.modifiers.verdict import counted
from core.suites.checking.findings import SuiteFinding, error, warning
from core.suites.format import SuiteLine
from core.suites.loader import WholeSuite

# What must be the same in all languages of a key, with the value that a message shows.
_SAME: dict[str, Callable[[SuiteLine], object]] = {
    "task": lambda line: line.new.task,
    "modifier": lambda line: group_of(line.new.modifier or "") or None,
    "tags": lambda line: sorted(line.tags),
    "modifiers": lambda line: None if line.modifiers is None else sorted(line.modifiers),
}


def misaligned(suite: WholeSuite) -> Iterator[SuiteFinding]:
    """Keys that a language lacks, that differ in more than their text, or that stand in another order.

    A `lang` modifier may ask for different languages. A check is there in all languages or in none.
    """
    by_key: dict[str, dict[str, SuiteLine]] = {}
    for line in suite.lines:
        by_key.setdefault(line.new.key, {})[line.new.language] = line
    languages = {line.new.language for line in suite.lines}
    for lines in by_key.values():
        first = next(iter(lines.values()))
        missing = [code for code in suite.meta.languages if code in languages and code not in lines]
        if missing:
            yield error(
                "missing language", first, f"Instruction {first.new.key} is missing in {', '.join(missing)}."
            )
        yield from _different(first, lines)
    yield from _other_order(suite)


def unknown_modifiers(suite: WholeSuite) -> Iterator[SuiteFinding]:
    """Instructions that carry a modifier which no judge knows."""
    for line in suite.lines:
        if line.new.modifier is not None and read_names(line.new.modifier) is None:
            message = f"{line.name} has a modifier {line.new.modifier!r}; there are {known_names()}."
            yield error("modifier", line, message)


def misnamed(suite: WholeSuite, toml: Path) -> Iterator[SuiteFinding]:
    """Keys, tasks and languages that the description names and that no instruction has."""
    keys = {line.new.key for line in suite.lines}
    tasks = {line.new.task for line in suite.lines}
    languages = {line.new.language for line in suite.lines}
    for code in suite.meta.languages:
        if code not in languages:
            yield SuiteFinding("error", "missing language", toml, None, f"There is no instruction in {code}.")
    for name, subset_keys in suite.meta.subsets.items():
        for key, times in Counter(subset_keys).items():
            if key not in keys:
                message = f"Subset {name!r} names {key!r}, which is no key of the suite."
                yield SuiteFinding("error", "subset", toml, None, message)
            elif times > 1:
                yield SuiteFinding(
                    "error", "subset", toml, None, f"Subset {name!r} names {key!r} {times} times."
                )
        if not subset_keys:
            yield SuiteFinding("error", "subset", toml, None, f"Subset {name!r} is empty.")
    for entry in suite.meta.answer_in_text:
        if entry not in keys | tasks:
            message = f"`answer_in_text` names {entry!r}, which is neither a task nor a key of the suite."
            yield SuiteFinding("error", "answer in text", toml, None, message)


def _different(first: SuiteLine, lines: dict[str, SuiteLine]) -> Iterator[SuiteFinding]:
    for line in lines.values():
        for name, of in _SAME.items():
            if of(line) != of(first):
                yield error(
                    "misaligned",
                    line,
                    f"{line.name} has another `{name}` ({of(line)}) than {first.name} ({of(first)}).",
                )
        if (line.new.check is None) != (first.new.check is None):
            has, lacks = (first, line) if line.new.check is None else (line, first)
            yield error("misaligned", line, f"{has.name} has a `check`, {lacks.name} has none.")


def _other_order(suite: WholeSuite) -> Iterator[SuiteFinding]:
    """In each language, the first key that does not stand where it stands in the first language."""
    in_language: dict[str, list[SuiteLine]] = {}
    for line in suite.lines:
        in_language.setdefault(line.new.language, []).append(line)
    orders = iter(in_language.values())
    first = next(orders, [])
    for lines in orders:
        ours = {line.new.key for line in lines} & {line.new.key for line in first}
        actual = [line for line in lines if line.new.key in ours]
        expected = [line for line in first if line.new.key in ours]
        for line, other in zip(actual, expected, strict=True):
            if line.new.key != other.new.key:
                message = f"{line.name} stands in the place of {other.name}: keep one order in all languages."
                yield error("misaligned", line, message)
                break


# A task stands out when it has so many times more or fewer instructions than the median task.
FACTOR = 2


def unbalanced(suite: WholeSuite, toml: Path) -> Iterator[SuiteFinding]:
    """Tasks with more than twice, or less than half, as many keys as the median task, in a suite or its
    subsets; and instructions without a task when others have one.

    Instructions with a modifier don't count, because their number depends on what the modifier fits.
    """
    task_of = {line.new.key: line.new.task for line in suite.lines if line.new.modifier is None}
    tasks = {task for task in task_of.values() if task is not None}
    if not tasks:
        return
    seen: set[str] = set()
    for line in suite.lines:
        if line.new.key in task_of and line.new.task is None and line.new.key not in seen:
            seen.add(line.new.key)
            yield warning("task", line, f"Instruction {line.new.key} has no task, though others have one.")
    parts = {
        "The suite": list(task_of),
        **{f"Subset {name!r}": keys for name, keys in suite.meta.subsets.items()},
    }
    for part, keys in parts.items():
        numbers = Counter(task for key in keys if (task := task_of.get(key)) is not None)
        middle = median(numbers.values()) if numbers else 0
        for task, number in numbers.items():
            if not middle / FACTOR <= number <= middle * FACTOR:
                has = counted(number, "instructions")
                message = f"{part} has {has} of task {task!r}, the median task {middle:g}."
                yield SuiteFinding("warning", "unbalanced", toml, None, message)


def unstated(suite: WholeSuite, toml: Path) -> Iterator[SuiteFinding]:
    """The licence or the source that a suite does not state, though it may be passed on."""
    for name in ("licence", "source"):
        if getattr(suite.meta, name) is None:
            message = f"The suite does not state its `{name}`."
            yield SuiteFinding("warning", "description", toml, None, message)

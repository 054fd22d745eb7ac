"""Whether every task has its share of a suite, and what should be said of a suite is said."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from core.judge.modifiers.verdict import counted
from core.suites.checking.findings import Finding, warning
from core.suites.loader import WholeSuite

# A task with so many times more or fewer instructions than the median one stands out.
FACTOR = 2


def unbalanced(suite: WholeSuite, toml: Path) -> Iterator[Finding]:
    """Tasks with more than twice, or less than half, as many keys as the median task, in a suite or its
    subsets, and instructions without a task beside others that have one. Those with a modifier don't count:
    they are as many as the modifier fits."""
    task_of = {line.new.key: line.new.task for line in suite.lines if line.new.modifier is None}
    tasks = {task for task in task_of.values() if task is not None}
    if not tasks:
        return
    seen: set[str] = set()
    for line in suite.lines:
        if line.new.key in task_of and line.new.task is None and line.new.key not in seen:
            seen.add(line.new.key)
            yield warning("task", line, f"Instruction {line.new.key} has no task, though others have one.")
    parts = {"The suite": list(task_of), **{f"Subset {n!r}": keys for n, keys in suite.meta.subsets.items()}}
    for part, keys in parts.items():
        numbers = Counter(task for key in keys if (task := task_of.get(key)) is not None)
        middle = median(numbers.values()) if numbers else 0
        for task, number in numbers.items():
            if not middle / FACTOR <= number <= middle * FACTOR:
                has = counted(number, "instructions")
                message = f"{part} has {has} of task {task!r}, the median task {middle:g}."
                yield Finding("warning", "unbalanced", toml, None, message)


def unstated(suite: WholeSuite, toml: Path) -> Iterator[Finding]:
    """What a suite that is passed on should say of itself."""
    for name in ("licence", "source"):
        if getattr(suite.meta, name) is None:
            message = f"The suite does not state its `{name}`."
            yield Finding("warning", "description", toml, None, message)

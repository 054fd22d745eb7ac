"""Instructions that give their answer away."""

from collections.abc import Iterator

from core.judge.known_answers.checks import read_check
from core.judge.known_answers.matching import TooSlow
from core.suites.checking.findings import Finding, error, warning
from core.suites.loader import WholeSuite


def leaked(suite: WholeSuite) -> Iterator[Finding]:
    """Instructions whose own text the check would take for a right answer, unless the description says under
    `answer_in_text` that the task is such: a model that repeats its instruction would be rated as right."""
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

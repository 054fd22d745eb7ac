"""What a rule says about a response."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Verdict:
    """Whether a demand is fulfilled (None: it can't be decided), and what was counted."""

    fulfilled: bool | None
    reason: str


EMPTY = Verdict(False, "the response is empty")


class Rule(Protocol):
    """A demand that can be counted. `definition` says when it is fulfilled, with the numbers; `demand` says
    the same to an LLM judge, without them. `judge` takes a response that is not empty."""

    @property
    def definition(self) -> str: ...

    @property
    def demand(self) -> str: ...

    def judge(self, text: str) -> Verdict: ...


def is_empty(text: str) -> bool:
    """Whether nothing of a text can be seen: white space, control and format characters alone."""
    return not any(character.isprintable() and not character.isspace() for character in text)


def counted(number: int, unit: str) -> str:
    """`1 word`, `2 words`: `unit` in the plural."""
    return f"{number} {unit.removesuffix('s') if number == 1 else unit}"

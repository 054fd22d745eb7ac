"""What is to be answered, and in which order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.generate.engine import Chat
from store.tables import Instruction


@dataclass(frozen=True, eq=False)
class Unit:
    """One answer to one instruction. `sample` tells several answers to it apart, from 0."""

    instruction_id: int
    language: str
    key: str
    chat: Chat
    sample: int = 0

    @property
    def label(self) -> str:
        """How a person is told of it: `ru/k7`, and its second sample `ru/k7#2`."""
        return f"{self.language}/{self.key}" + (f"#{self.sample + 1}" if self.sample else "")


def units_of(instructions: Sequence[Instruction], samples: int = 1) -> list[Unit]:
    """The instructions as chats of one user message, `samples` times each."""
    return [
        Unit(row.id or 0, row.language, row.key, [{"role": "user", "content": row.text}], sample)
        for row in instructions
        for sample in range(samples)
    ]


def longest_first(units: Sequence[Unit], length: Callable[[Unit], int]) -> list[Unit]:
    """The units by prompt length: alike ones follow each other, so that little is padded, and what doesn't
    fit into memory shows at the start."""
    return sorted(units, key=lambda unit: (-length(unit), unit.instruction_id, unit.sample))

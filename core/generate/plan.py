"""Which instructions are answered together: decided once from all of them, never from what is missing.

An answer can depend on what it shares a batch with (by rounding). With a fixed plan, a run that was killed
and started again puts every instruction into the same batch as an undisturbed run, and ends with the same
texts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.generate.engine import Chat
from store.tables import Instruction


@dataclass(frozen=True)
class Unit:
    """One instruction to answer."""

    instruction_id: int
    language: str
    key: str
    chat: Chat

    @property
    def label(self) -> str:
        return f"{self.language}/{self.key}"


def units_of(instructions: Sequence[Instruction]) -> list[Unit]:
    """The instructions as chats of one user message."""
    return [
        Unit(row.id or 0, row.language, row.key, [{"role": "user", "content": row.text}])
        for row in instructions
    ]


def batches(units: Sequence[Unit], length: Callable[[Unit], int], size: int) -> list[list[Unit]]:
    """The units in batches of at most `size`, alike in prompt length so that little is padded.

    The longest come first: a batch that doesn't fit into memory shows at the start.
    """
    lengths = {unit.instruction_id: length(unit) for unit in units}
    ordered = sorted(units, key=lambda unit: (-lengths[unit.instruction_id], unit.instruction_id))
    return [list(ordered[start : start + size]) for start in range(0, len(ordered), size)]

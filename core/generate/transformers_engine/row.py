"""One request on its way through the decoding loops, and what ends it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Row:
    """A request while it is answered.

    `prompt`: its token ids; `limit`: the most tokens that its answer may have; `answer`: the ids so far, the
    end token included; `seconds`: its share of the time so far; `failed`: why it came to nothing.
    """

    key: Any
    prompt: list[int]
    limit: int
    seed: int = 0
    prompt_digest: str = ""
    answer: list[int] = field(default_factory=list)
    seconds: float = 0.0
    ended: bool = False
    failed: str | None = None

    @property
    def ids(self) -> list[int]:
        """Prompt and answer so far."""
        return self.prompt + self.answer

    @property
    def longest(self) -> int:
        """The most tokens that prompt and answer can come to."""
        return len(self.prompt) + self.limit

    def add(self, token: int, stop: Collection[int]) -> None:
        """Take the next token of the answer."""
        self.answer.append(token)
        self.ended = token in stop or len(self.answer) >= self.limit

    def out_of_memory(self) -> None:
        """End without an answer: memory does not hold even this one alone."""
        self.failed = (
            f"out of memory with {len(self.ids)} tokens of prompt and answer, and nothing beside them"
        )
        self.ended = True


def share_time(seconds: float, rows: list[Row]) -> None:
    """Book wall-clock time in equal parts on the rows that it was spent for."""
    for row in rows:
        row.seconds += seconds / len(rows)

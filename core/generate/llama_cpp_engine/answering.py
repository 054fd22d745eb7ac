"""One request on its way through the decoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.generate.sampling import Draws

if TYPE_CHECKING:
    import numpy as np


class Answering:
    """A request while it is answered.

    `ids`: prompt and answer so far; `said`: the same without repetitions; `fed`: how many of the ids stand in
    the context, as `sequence` of it; `seconds`: its share of the time so far.
    """

    def __init__(self, key: Any, prompt: Sequence[int], limit: int, seed: int, prompt_digest: str) -> None:
        """`limit`: the most tokens that the answer may have."""
        import numpy as np

        self.key, self.prompt_length, self.limit = key, len(prompt), limit
        self.draws = Draws(seed)
        self.prompt_digest = prompt_digest
        self.seconds = 0.0
        self.sequence = self.fed = 0
        self._ids = np.zeros(len(prompt) + limit, dtype=np.int32)
        self._ids[: len(prompt)] = prompt
        self._count = len(prompt)
        self._known = set(prompt)
        self._said = np.zeros(len(self._known) + limit, dtype=np.int64)
        self._said[: len(self._known)] = sorted(self._known)

    @property
    def ids(self) -> "np.ndarray[Any, Any]":
        return self._ids[: self._count]

    @property
    def said(self) -> "np.ndarray[Any, Any]":
        return self._said[: len(self._known)]

    @property
    def answer(self) -> list[int]:
        return self._ids[self.prompt_length : self._count].tolist()

    @property
    def longest(self) -> int:
        """The most tokens that prompt and answer can come to."""
        return len(self._ids)

    @property
    def pending(self) -> int:
        """How many ids are not in the context yet."""
        return self._count - self.fed

    def add(self, token: int) -> None:
        """Take the next token of the answer."""
        self._ids[self._count] = token
        self._count += 1
        if token not in self._known:
            self._said[len(self._known)] = token
            self._known.add(token)

    def ended(self, stop: frozenset[int]) -> bool:
        return self._count == len(self._ids) or int(self._ids[self._count - 1]) in stop

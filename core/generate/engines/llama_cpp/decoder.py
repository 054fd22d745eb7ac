"""Decoding requests together: which tokens go to llama.cpp next, and to which sequence of the context."""

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from core.generate.decoding import Decoding
from core.generate.engines.llama_cpp.context import Context, NoRoom, TokenSpan
from core.generate.engines.llama_cpp.library import GgufModel
from core.generate.sampling import Draws, draw_token
from store import XlitError

if TYPE_CHECKING:
    import numpy as np


class SequenceState:
    """A request while it is answered.

    `ids`: prompt and answer so far; `seen`: the same without repetitions; `fed`: how many of the ids stand in
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
        self._seen = np.zeros(len(self._known) + limit, dtype=np.int64)
        self._seen[: len(self._known)] = sorted(self._known)

    @property
    def ids(self) -> "np.ndarray[Any, Any]":
        return self._ids[: self._count]

    @property
    def seen(self) -> "np.ndarray[Any, Any]":
        return self._seen[: len(self._known)]

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
            self._seen[len(self._known)] = token
            self._known.add(token)

    def ended(self, stop: frozenset[int]) -> bool:
        return self._count == len(self._ids) or int(self._ids[self._count - 1]) in stop


def choose_tokens(
    logits: "np.ndarray[Any, np.dtype[np.float32]]", rows: Sequence[SequenceState], decoding: Decoding
) -> list[int]:
    """One token for each row of the logits (rows, vocabulary), which are punished in place."""
    if decoding.repetition_penalty != 1:
        _apply_repetition_penalty(logits, rows, decoding.repetition_penalty)
    if decoding.greedy:
        return logits.argmax(axis=1).tolist()  # of equal ones the first
    return [
        draw_token(row_logits, row.draws.next(), decoding)
        for row_logits, row in zip(logits, rows, strict=True)
    ]


def _apply_repetition_penalty(
    logits: "np.ndarray[Any, np.dtype[np.float32]]", rows: Sequence[SequenceState], penalty: float
) -> None:
    import numpy as np

    flat, size, by = logits.reshape(-1), logits.shape[1], np.float32(penalty)
    indices = np.concatenate([row.seen + index * size for index, row in enumerate(rows)])
    punished = flat[indices]
    flat[indices] = np.where(punished > 0, punished / by, punished * by)


LENGTH_GROWTH = 1.5
WORTH_SHARING = 16
"""Tokens of a common beginning from which on copying it is cheaper than computing it again."""


class Decoder:
    """Answers up to `most` requests at a time in one context.

    What llama.cpp computes in one go is shaped by what it can do with sequences that have cells of their own:
    it takes neighbouring sequences together, and of each as many tokens. So the prompts go in groups of equal
    length, the longest first; then all answers go on by a token together, and when no more requests come
    they are kept on neighbouring sequences.

    A request's beginning that a sequence of the context holds is copied from there, and one that shares its
    beginning with a request whose turn comes before waits until it can be copied.
    """

    def __init__(
        self,
        model: GgufModel,
        decoding: Decoding,
        stop: frozenset[int],
        *,
        most: int,
        exact: bool,
        threads: int,
    ) -> None:
        """`stop`: the tokens that end an answer; `exact` and `threads`: see `Context`."""
        self._model, self._decoding, self._stop = model, decoding, stop
        self._most, self._exact, self._threads = most, exact, threads
        self._context: Context | None = None
        self._held: dict[int, SequenceState] = {}  # by sequence, whose first `fed` ids it holds
        self._waiting: list[SequenceState] = []  # for a sequence
        self._fresh: list[SequenceState] = []  # with a sequence that holds nothing of theirs yet
        self._active: list[SequenceState] = []

    @property
    def requests(self) -> int:
        """How many there are at the moment."""
        return len(self._waiting) + len(self._fresh) + len(self._active)

    @property
    def has_room(self) -> bool:
        return self.requests < self._most

    def add(self, row: SequenceState) -> None:
        """Take a request; there must be room."""
        self._waiting.append(row)

    def step(self, *, more: bool) -> list[SequenceState]:
        """Let some requests go on by a token; returns them. Those that have ended leave.

        `more`: whether requests may still come. Raises `XlitError` when there is no memory for one request.
        """
        while True:
            try:
                rows, logits = self._feed(more)
                break
            except NoRoom as error:
                self._halve(error)
        for row, token in zip(rows, choose_tokens(logits, rows, self._decoding), strict=True):
            row.fed += row.pending
            row.add(token)
        self._active = [row for row in self._active if not row.ended(self._stop)]
        return rows

    def abandon(self) -> None:
        """Forget all requests."""
        self._waiting, self._fresh, self._active = [], [], []

    def close(self) -> None:
        self.abandon()
        self._drop_context()

    def _feed(self, more: bool) -> tuple[list[SequenceState], "np.ndarray[Any, np.dtype[np.float32]]"]:
        context = self._context_for_waiting()
        self._seat(context)
        self._share(context)
        longest = max(row.pending for row in self._active)
        rows = [row for row in self._active if row.pending == longest]
        if longest == 1 and not more:
            self._close_ranks(context)
        rows.sort(key=lambda row: row.sequence)
        return rows, context.feed([TokenSpan(row.sequence, row.fed, row.ids[row.fed :]) for row in rows])

    def _context_for_waiting(self) -> Context:
        """The context, made anew when there are more or longer requests than it was made for."""
        sequences = min(self._most, self.requests)
        length = max(row.longest for row in chain(self._waiting, self._fresh, self._active))
        if self._context is not None:
            sequences = max(sequences, self._context.sequences)
            if self._context.sequences == sequences and self._context.length >= length:
                return self._context
            if self._context.length < length:
                length = max(length, int(self._context.length * LENGTH_GROWTH))
            length = max(min(length, self._model.context_length), self._context.length)
        self._drop_context()
        self._context = Context(self._model, sequences, length, exact=self._exact, threads=self._threads)
        return self._context

    def _drop_context(self) -> None:
        """Close the context; its requests wait for the next one, and are fed to it from their beginning."""
        if self._context is not None:
            self._context.close()
            self._context = None
        self._waiting = [*self._active, *self._fresh, *self._waiting]
        self._active, self._fresh, self._held = [], [], {}

    def _halve(self, error: NoRoom) -> None:
        tried = min(self._most, self.requests)
        if tried == 1:
            raise XlitError(f"Memory does not hold one answer, prompt included: {error}.") from error
        self._most = tried // 2
        self._drop_context()

    def _seat(self, context: Context) -> None:
        """Give the free sequences to waiting requests, neighbouring ones to requests of equal length."""
        taken = {row.sequence for row in chain(self._fresh, self._active)}
        free = [sequence for sequence in range(context.sequences) if sequence not in taken]
        seated = sorted(self._waiting[: len(free)], key=lambda row: len(row.ids))
        del self._waiting[: len(free)]
        for row, sequence in zip(seated, free, strict=False):
            row.sequence = sequence
        self._fresh += seated

    def _share(self, context: Context) -> None:
        """Make fresh requests active, with the beginning that is in the context already; those for which
        more of it soon will be stay fresh."""
        fresh, self._fresh = self._fresh, []
        coming = [row for row in self._active if row.pending > 1]
        for row in fresh:
            source, shared = self._beginning(row)
            if any(_common(row, other.ids) >= shared + WORTH_SHARING for other in coming):
                self._fresh.append(row)
                continue
            if shared < WORTH_SHARING:
                shared = 0
            elif source != row.sequence:
                context.copy(source, row.sequence)
            row.fed = shared if context.cut(row.sequence, shared) else 0
            self._held[row.sequence] = row
            self._active.append(row)
            coming.append(row)

    def _beginning(self, row: SequenceState) -> tuple[int, int]:
        """The sequence that holds most of the row's beginning, and how many tokens of it."""
        held = ((sequence, _common(row, other.ids[: other.fed])) for sequence, other in self._held.items())
        return max(held, key=lambda match: match[1], default=(0, 0))

    def _close_ranks(self, context: Context) -> None:
        """Move the last sequences into the gaps that ended ones have left."""
        taken = {row.sequence for row in self._active}
        gaps = (sequence for sequence in range(len(taken)) if sequence not in taken)
        beyond = (row for row in self._active if row.sequence >= len(taken))
        for gap, row in zip(gaps, beyond, strict=True):
            context.copy(row.sequence, gap)
            self._held.pop(row.sequence, None)
            row.sequence = gap
            self._held[gap] = row


def _common(row: SequenceState, other: "np.ndarray[Any, Any]") -> int:
    """How many tokens at the beginning are the same, leaving at least the row's last one to be computed."""
    length = min(len(row.ids) - 1, len(other))
    differ = row.ids[:length] != other[:length]
    return int(differ.argmax()) if differ.any() else length

"""Continuous batching: rows that are answered together, join as there is room and leave as they end.

`BatchRow` is one request on its way, `Room` how many of them memory holds, `Batch` one step of all of them,
and `answer_continuously` the loop over the steps.
"""

import inspect
import os
import time
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.generate.decoding import Decoding
from core.generate.engines.transformers.cache import SlotCache
from core.generate.sampling import Draws, apply_repetition_penalty, draw_tokens, most_likely

if TYPE_CHECKING:
    import torch


@dataclass(eq=False)
class BatchRow:
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


def share_time(seconds: float, rows: list[BatchRow]) -> None:
    """Add wall-clock time in equal parts to the rows that it was spent for."""
    for row in rows:
        row.seconds += seconds / len(rows)


GPU_SHARE = 0.8
CPU_SHARE = 0.5
"""Shares of the free memory that the cells may take; the rest is for the passes and for other programs."""


def free_bytes(device: "torch.device") -> int | None:
    """The memory that can still be taken on a device; None where the system does not tell."""
    import torch

    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0] + unused)
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):  # not every system has this name
        return None


def token_budget(device: "torch.device", bytes_per_token: int | None) -> int | None:
    """The tokens whose keys and values may be in memory at a time; None for no limit known."""
    free = free_bytes(device)
    if free is None or not bytes_per_token:
        return None
    return int(free * (GPU_SHARE if device.type == "cuda" else CPU_SHARE) / bytes_per_token)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device or the CPU's allocator could not give what was asked for."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def release(device: "torch.device") -> None:
    """Give unused memory of the device back, so that tensors of other sizes fit."""
    import torch

    if device.type == "cuda":
        torch.cuda.empty_cache()


class Room:
    """How many rows may be answered together: `batch_size`, and as many as come to no more than `tokens` if
    all got as long as the longest of them can get. One row always may."""

    def __init__(self, batch_size: int, tokens: int | None) -> None:
        self.batch_size, self.tokens = batch_size, tokens

    def holds(self, rows: list[BatchRow]) -> bool:
        return len(rows) == 1 or self.tokens is None or _most_tokens(rows) <= self.tokens

    def halve(self, rows: list[BatchRow]) -> None:
        """Lower the limit to half of these rows, which were too many to be answered together."""
        self.tokens = _most_tokens(rows) // 2


def _most_tokens(rows: list[BatchRow]) -> int:
    return len(rows) * max(row.longest for row in rows)


PREFILL_TOKENS = 4096
"""The most tokens, padding included, of one pass over prompts; a longer prompt takes several."""

BUSY_TOKENS = 512
"""With so many tokens a pass is worth its while: rows that are much shorter, mostly padding, have another."""


class Batch:
    """Rows that are answered together, one token each a step: `logits`, `choose`, `feed`.

    A row joins with its prompt (and what it has of an answer) but for the last token, which the next step
    feeds beside the last tokens of the others.
    """

    def __init__(self, model: Any, decoding: Decoding) -> None:
        """`model`: a causal LM in evaluation mode that takes a `transformers.Cache`."""
        import torch

        self.rows: list[BatchRow] = []
        self.slots = SlotCache(model.device)
        self._model, self._decoding = model, decoding
        # transformers before 5.24 calls it by another name.
        parameters = inspect.signature(model.forward).parameters
        self._cache = {"cache" if "cache" in parameters else "past_key_values": self.slots.cache}
        self._draws: list[Draws] = []
        self._last = torch.zeros(0, dtype=torch.long, device=model.device)  # (rows,) ids to feed next
        self._seen: torch.Tensor | None = None  # (rows, vocabulary), True for ids in prompt or answer

    def admit(self, rows: list[BatchRow]) -> None:
        """Let rows join and read what they have, those of alike length together; no pass takes more than
        `PREFILL_TOKENS`."""
        import torch

        rows = sorted(rows, key=lambda row: len(row.ids), reverse=True)
        first = len(self.rows)
        self.rows += rows
        self._draws += [_draws(row) for row in rows]
        with torch.inference_mode():
            self.slots.admit([len(row.ids) - 1 for row in rows])
            self._last = torch.cat([self._last, self._on_device([row.ids[-1] for row in rows])])
            while first < len(self.rows):
                length = self.slots.lengths[first]
                count = _read_together(self.slots.lengths[first:])
                self._read(slice(first, first + count), length)
                first += count

    def _read(self, rows: slice, length: int) -> None:
        """Prefill these rows, the longest of which has `length` tokens to read."""
        import torch

        ids = torch.zeros((rows.stop - rows.start, length), dtype=torch.long)
        for row, into in zip(self.rows[rows], ids, strict=True):
            all_but_last = row.ids[:-1]
            into[length - len(all_but_last) :] = torch.tensor(all_but_last)
        for done in range(0, length, PREFILL_TOKENS):
            part = ids[:, done : done + PREFILL_TOKENS].to(self._model.device)
            mask = self.slots.see_rows(rows, done, part.shape[1])
            self._pass(part, mask, (mask.cumsum(-1) - 1).clamp(min=0)[:, done:])

    def logits(self) -> "torch.Tensor":
        """The logits (rows, vocabulary), in float32, of the token after the last one of every row."""
        import torch

        with torch.inference_mode():
            mask = self.slots.see_next()
            positions = self._on_device(self.slots.lengths)[:, None]
            return self._pass(self._last[:, None], mask, positions)[:, -1].float()

    def _pass(self, ids: "torch.Tensor", mask: "torch.Tensor", positions: "torch.Tensor") -> "torch.Tensor":
        output = self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=1,
            **self._cache,
        )
        return output.logits

    def choose(self, logits: "torch.Tensor") -> "torch.Tensor":
        """The next token (rows,) of every row by the rule of the decoding."""
        import torch

        with torch.inference_mode():
            if self._decoding.repetition_penalty != 1:
                self._mark_newcomers(logits.shape[1])
                assert self._seen is not None
                logits = apply_repetition_penalty(logits, self._seen, self._decoding.repetition_penalty)
            if self._decoding.greedy:
                return most_likely(logits)
            return draw_tokens(logits, [draws.next() for draws in self._draws], self._decoding)

    def _mark_newcomers(self, vocabulary: int) -> None:
        import torch

        if self._seen is None:
            self._seen = torch.zeros((0, vocabulary), dtype=torch.bool, device=self._model.device)
        newcomers = self.rows[len(self._seen) :]
        if not newcomers:
            return
        new = torch.zeros((len(newcomers), vocabulary), dtype=torch.bool)
        for row, marks in zip(newcomers, new, strict=True):
            marks[torch.tensor(row.ids)] = True
        self._seen = torch.cat([self._seen, new.to(self._seen.device)])

    def feed(self, tokens: "torch.Tensor") -> None:
        """Append a token to each row (rows,): after `logits`, once."""
        import torch

        with torch.inference_mode():
            self._last = tokens
            if self._seen is not None:
                self._seen.scatter_(1, tokens[:, None], True)
        self.slots.advance()

    def drop(self, gone: list[BatchRow]) -> None:
        """Let rows leave."""
        import torch

        order = list(range(len(self.rows)))
        with torch.inference_mode():
            for index in sorted((self.rows.index(row) for row in gone), reverse=True):
                self.slots.drop(index)
                order[index] = order[-1]
                order.pop()
            self.rows = [self.rows[index] for index in order]
            self._draws = [self._draws[index] for index in order]
            kept = self._on_device(order)
            self._last = self._last[kept]
            if self._seen is not None:
                self._seen = self._seen[kept]

    def _on_device(self, numbers: list[int]) -> "torch.Tensor":
        import torch

        return torch.tensor(numbers, dtype=torch.long, device=self._model.device)


def _read_together(lengths: list[int]) -> int:
    """How many rows, the longest of which is the first, are read in one pass."""
    longest = lengths[0]
    for count, length in enumerate(lengths):
        tokens = count * longest
        if count and (
            tokens + longest > PREFILL_TOKENS or (tokens >= BUSY_TOKENS and length < longest * 3 / 4)
        ):
            return count
    return len(lengths)


def _draws(row: BatchRow) -> Draws:
    """The numbers of a row, those that its answer has used already left out."""
    draws = Draws(row.seed)
    for _ in row.answer:
        draws.next()
    return draws


REFILL_SHARE = 1 / 8
"""Of the rows, those that must have left before others join: several prompts are read cheaper in one pass."""


def answer_continuously(
    model: Any, rows: Iterator[BatchRow], decoding: Decoding, stop: Collection[int], room: Room
) -> Iterator[BatchRow]:
    """The rows as they end. A row is taken when another may be answered, and waits when it turns out too
    long for the room.

    Out of memory, all leave, and half of them at most go on, each with the answer that it has so far.
    """
    waiting: deque[BatchRow] = deque()
    batch, full = Batch(model, decoding), 0  # full: how many they were when the last had joined
    while True:
        start = time.monotonic()
        newcomers = []
        if len(batch.rows) <= full * (1 - REFILL_SHARE):
            newcomers = _who_joins(batch.rows, rows, waiting, room)
            full = len(batch.rows) + len(newcomers)
        together = batch.rows + newcomers
        if not together:
            return
        fits = True
        try:
            _step(batch, newcomers, stop)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            fits = False  # what the pass holds is free only after this block
        if not fits:
            batch, full = Batch(model, decoding), 0
            release(model.device)
            if len(together) == 1:
                together[0].out_of_memory()
            else:
                room.halve(together)
                waiting.extendleft(row for row in reversed(together) if not row.ended)
        share_time(time.monotonic() - start, together)
        yield from (row for row in together if row.ended)


def _who_joins(
    present: list[BatchRow], rows: Iterator[BatchRow], waiting: deque[BatchRow], room: Room
) -> list[BatchRow]:
    newcomers: list[BatchRow] = []
    while len(present) + len(newcomers) < room.batch_size:
        if not waiting:
            if (row := next(rows, None)) is None:
                break
            waiting.append(row)
        if not room.holds([*present, *newcomers, waiting[0]]):
            break
        newcomers.append(waiting.popleft())
    return newcomers


def _step(batch: Batch, newcomers: list[BatchRow], stop: Collection[int]) -> None:
    if newcomers:
        batch.admit(newcomers)
    tokens = batch.choose(batch.logits())
    batch.feed(tokens)
    for row, token in zip(batch.rows, tokens.tolist(), strict=True):
        row.add(token, stop)
    if gone := [row for row in batch.rows if row.ended]:
        batch.drop(gone)

"""The loop over a `Batch`: who joins when, and what is done when memory does not do."""

import time
from collections import deque
from collections.abc import Collection, Iterator
from typing import Any

from core.generate.decoding import Decoding
from core.generate.transformers_engine.batch import Batch
from core.generate.transformers_engine.memory import Room, is_out_of_memory, release
from core.generate.transformers_engine.row import Row, share_time

REFILL_SHARE = 1 / 8
"""Of the rows, those that must have left before others join: several prompts are read cheaper in one pass."""


def answer_continuously(
    model: Any, rows: Iterator[Row], decoding: Decoding, stop: Collection[int], room: Room
) -> Iterator[Row]:
    """The rows as they end. A row is taken when another may be answered, and waits when it turns out too
    long for the room.

    Out of memory, all leave, and half of them at most go on, each with the answer that it has so far.
    """
    waiting: deque[Row] = deque()
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


def _who_joins(present: list[Row], rows: Iterator[Row], waiting: deque[Row], room: Room) -> list[Row]:
    newcomers: list[Row] = []
    while len(present) + len(newcomers) < room.batch_size:
        if not waiting:
            if (row := next(rows, None)) is None:
                break
            waiting.append(row)
        if not room.holds([*present, *newcomers, waiting[0]]):
            break
        newcomers.append(waiting.popleft())
    return newcomers


def _step(batch: Batch, newcomers: list[Row], stop: Collection[int]) -> None:
    if newcomers:
        batch.admit(newcomers)
    tokens = batch.choose(batch.logits())
    batch.feed(tokens)
    for row, token in zip(batch.rows, tokens.tolist(), strict=True):
        row.add(token, stop)
    if gone := [row for row in batch.rows if row.ended]:
        batch.drop(gone)

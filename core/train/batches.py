"""Which examples go together: micro-batches by token budget in a seeded order, for as many updates as asked.

The plan depends on lengths, budget and seed alone. A resumed run sees the same batches, and so do all
processes of a run on several devices, without telling each other.
"""

import random
from collections.abc import Iterator, Sequence

# Padded batches are made of shuffled examples that are sorted by length within windows of this many, which
# leaves little padding and much randomness.
WINDOW = 256

Batch = list[int]


class BatchPlan:
    """The micro-batches of a run: lists of example numbers. Passes over the data follow one another, each in
    an order of its own, and hold every example once.

    `padded` false: the tokens of a micro-batch stand in one row, one example behind the other, at most
    `batch_tokens` of them. True: one example a row, at most `batch_tokens` with the padding to the longest.
    """

    def __init__(
        self, lengths: Sequence[int], batch_tokens: int, accumulate: int, seed: int, *, padded: bool
    ) -> None:
        self.lengths, self.batch_tokens, self.accumulate = lengths, batch_tokens, accumulate
        self.seed, self.padded = seed, padded

    def updates(self, first: int = 0) -> Iterator[list[Batch]]:
        """The micro-batches of every update from number `first` (from 0) on, without an end."""
        batches = self._batches()
        number = 0
        while True:
            update = [next(batches) for _ in range(self.accumulate)]
            if number >= first:
                yield update
            number += 1

    def width(self, batch: Batch) -> int:
        """The tokens that are computed for a micro-batch, padding included."""
        lengths = [self.lengths[example] for example in batch]
        return len(batch) * max(lengths) if self.padded else sum(lengths)

    def padding_share(self, updates: int) -> float:
        """The share of padding among all tokens of so many updates, 0 to 1."""
        used = total = 0
        for _, update in zip(range(updates), self.updates(), strict=False):
            for batch in update:
                used += sum(self.lengths[example] for example in batch)
                total += self.width(batch)
        return 1 - used / total if total else 0.0

    def _batches(self) -> Iterator[Batch]:
        number = 0
        while True:
            order = list(range(len(self.lengths)))
            random.Random(f"{self.seed} {number}").shuffle(order)
            yield from self._padded(order, number) if self.padded else self._packed(order)
            number += 1

    def _packed(self, order: list[int]) -> Iterator[Batch]:
        """As many examples as fit, in the order of the pass; what is left over at its end is a batch too."""
        batch: Batch = []
        room = self.batch_tokens
        for example in order:
            if self.lengths[example] > room and batch:
                yield batch
                batch, room = [], self.batch_tokens
            batch.append(example)
            room -= self.lengths[example]
        yield batch

    def _padded(self, order: list[int], number: int) -> Iterator[Batch]:
        batches: list[Batch] = []
        for start in range(0, len(order), WINDOW):
            batch: Batch = []
            for example in sorted(order[start : start + WINDOW], key=lambda number: self.lengths[number]):
                if batch and (len(batch) + 1) * self.lengths[example] > self.batch_tokens:
                    batches.append(batch)
                    batch = []
                batch.append(example)
            batches.append(batch)
        random.Random(f"{self.seed} {number} batches").shuffle(batches)
        yield from batches

"""Batches by token budget: examples of like length together, in a seeded order, planned for all steps."""

import random
from collections.abc import Iterator, Sequence

# Examples are shuffled, then sorted by length within windows of this many: little padding, much chance.
WINDOW = 256


class TokenBatches:
    """The batches of a whole run: `count` lists of example numbers, each at most `batch_tokens` tokens when
    padded to its longest example. Passes over the data follow one another, each with an order of its own.

    The plan depends on lengths, budget and seed alone, so that a resumed run sees the same batches.
    """

    def __init__(self, lengths: Sequence[int], batch_tokens: int, count: int, seed: int) -> None:
        self.count = count
        self.plan: list[list[int]] = []
        random_order = random.Random(seed)
        while len(self.plan) < count:
            self.plan += _one_pass(lengths, batch_tokens, random_order)
        self.plan = self.plan[:count]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.plan)

    def __len__(self) -> int:
        return self.count

    def padding_share(self, lengths: Sequence[int]) -> float:
        """The share of padding among all tokens of the plan, 0 to 1."""
        used = sum(lengths[example] for batch in self.plan for example in batch)
        total = sum(len(batch) * max(lengths[example] for example in batch) for batch in self.plan)
        return 1 - used / total


def _one_pass(lengths: Sequence[int], batch_tokens: int, random_order: random.Random) -> list[list[int]]:
    order = list(range(len(lengths)))
    random_order.shuffle(order)
    batches: list[list[int]] = []
    for start in range(0, len(order), WINDOW):
        window = sorted(order[start : start + WINDOW], key=lambda example: lengths[example])
        batch: list[int] = []
        for example in window:
            if batch and (len(batch) + 1) * lengths[example] > batch_tokens:
                batches.append(batch)
                batch = []
            batch.append(example)
        batches.append(batch)
    random_order.shuffle(batches)
    return batches

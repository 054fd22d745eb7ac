"""Batches by token budget: full, seeded, and nothing left out."""

import random
from collections import Counter

from core.train.batches import TokenBatches

LENGTHS = [random.Random(7).randint(5, 200) for _ in range(600)]


def test_no_batch_exceeds_its_budget_and_a_pass_holds_every_example_once():
    batches = list(TokenBatches(LENGTHS, 1000, 500, seed=1))
    assert len(batches) == 500
    assert all(len(batch) * max(LENGTHS[e] for e in batch) <= 1000 for batch in batches)
    first_pass, seen = Counter(), 0
    for batch in batches:
        first_pass.update(batch)
        seen += len(batch)
        if seen == len(LENGTHS):
            break
    assert first_pass == Counter(range(len(LENGTHS)))


def test_padding_is_small_and_the_order_depends_on_the_seed_alone():
    one, same, other = (TokenBatches(LENGTHS, 1000, 60, seed=seed) for seed in (1, 1, 2))
    assert one.plan == same.plan
    assert one.plan != other.plan
    assert one.padding_share(LENGTHS) < 0.1


def test_an_example_as_long_as_the_budget_is_a_batch_of_its_own():
    assert sorted(map(len, TokenBatches([100, 100, 100], 100, 3, seed=1))) == [1, 1, 1]

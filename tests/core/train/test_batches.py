"""Batches by token budget: full, seeded, the same wherever one begins, and nothing left out."""

import random
from collections import Counter
from itertools import islice

import pytest

from core.train.batches import BatchPlan

CHANCE = random.Random(7)
LENGTHS = [CHANCE.randint(5, 200) for _ in range(600)]


def plan(*, padded, seed=1, budget=1000):
    return BatchPlan(LENGTHS, budget, 2, seed, padded=padded)


@pytest.mark.parametrize("padded", [True, False])
def test_no_batch_exceeds_its_budget_and_a_pass_holds_every_example_once(padded):
    chosen = plan(padded=padded)
    batches = [batch for update in islice(chosen.updates(), 300) for batch in update]
    assert all(chosen.width(batch) <= 1000 for batch in batches)
    passes = [example for batch in batches for example in batch]
    for start in (0, len(LENGTHS)):
        assert Counter(passes[start : start + len(LENGTHS)]) == Counter(range(len(LENGTHS)))


@pytest.mark.parametrize("padded", [True, False])
def test_the_order_depends_on_the_seed_alone_and_passes_differ(padded):
    first, same, other = (list(islice(plan(padded=padded, seed=seed).updates(), 100)) for seed in (1, 1, 2))
    assert first == same
    assert first != other
    numbers = [example for update in first for batch in update for example in batch]
    assert numbers[: len(LENGTHS)] != numbers[len(LENGTHS) : 2 * len(LENGTHS)]


@pytest.mark.parametrize("padded", [True, False])
def test_a_run_that_goes_on_sees_the_batches_it_would_have_seen(padded):
    chosen = plan(padded=padded)
    assert list(islice(chosen.updates(40), 60)) == list(islice(chosen.updates(), 100))[40:]


def test_examples_in_one_row_need_no_padding_and_padded_batches_little():
    assert plan(padded=False).padding_share(100) == 0
    assert 0 < plan(padded=True).padding_share(100) < 0.1


@pytest.mark.parametrize("padded", [True, False])
def test_an_example_as_long_as_the_budget_is_a_batch_of_its_own(padded):
    update = next(BatchPlan([100, 100, 100], 100, 3, seed=1, padded=padded).updates())
    assert sorted(map(len, update)) == [1, 1, 1]

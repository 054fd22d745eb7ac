"""Drawing a token: the rule, as it reads, against what is computed."""

import numpy as np
import pytest

from core.generate.decoding import Decoding
from core.generate.sampling import Draws, draw_token


def drawn_by_the_rule(logits: np.ndarray, uniform: float, decoding: Decoding) -> int:
    order = sorted(range(len(logits)), key=lambda token: (-logits[token], token))
    order = order[: decoding.top_k or None]
    top = float(logits[order[0]])
    weights = [np.exp((float(logits[token]) - top) / decoding.temperature) for token in order]
    kept, total, whole = [], 0.0, sum(weights)
    for weight in weights:
        kept.append(weight)
        total += weight
        if total >= decoding.top_p * whole:
            break
    running, whole = 0.0, sum(kept)
    for token, weight in zip(order, kept, strict=False):
        running += weight
        if running > uniform * whole:
            return token
    return order[len(kept) - 1]


@pytest.mark.parametrize("size", [5, 64, 65, 1500])
@pytest.mark.parametrize(
    "decoding",
    [
        Decoding(temperature=0.7),
        Decoding(temperature=3.0),
        Decoding(temperature=1.0, top_p=0.9),
        Decoding(temperature=1.0, top_k=3),
        Decoding(temperature=5.0, top_k=200),
        Decoding(temperature=2.0, top_p=0.5, top_k=70),
    ],
)
def test_the_rule_holds_for_ties_and_for_flat_and_steep_logits(size: int, decoding: Decoding):
    random = np.random.default_rng(size)
    for width in (0.1, 1.0, 10.0):
        for uniform in random.random(8):
            logits = (random.normal(size=size) * width).round(1).astype(np.float32)
            assert draw_token(logits, uniform, decoding) == drawn_by_the_rule(logits, uniform, decoding)


def test_the_ends_of_the_range_draw_the_first_and_the_last_token():
    logits = np.zeros(1000, dtype=np.float32)
    decoding = Decoding(temperature=1.0)
    assert draw_token(logits, 0.0, decoding) == 0
    assert draw_token(logits, 1 - 2**-53, decoding) == 999


def test_the_numbers_depend_on_the_seed_alone():
    first, again, other = Draws(1), Draws(1), Draws(2)
    numbers = [first.next() for _ in range(5)]
    assert numbers == [again.next() for _ in range(5)]
    assert numbers != [other.next() for _ in range(5)]
    assert all(0 <= number < 1 for number in numbers)

"""Agreement of two raters from counts of pairs, against hand-made answers and the definition of kappa."""

import random
from collections import Counter
from itertools import product

import pytest

from core.analysis.agreement_table import agreement, quadratic_kappa


def kappa_by_definition(pairs: list[tuple[int, int]]) -> float:
    """Cohen 1968: one minus the mean squared difference of the pairs over that of all pairings."""
    observed = sum((a - b) ** 2 for a, b in pairs) / len(pairs)
    crossed = [(a - b) ** 2 for (a, _), (_, b) in product(pairs, pairs)]
    return 1 - observed / (sum(crossed) / len(crossed))


@pytest.mark.parametrize("seed", range(20))
def test_kappa_is_that_of_its_definition(seed):
    rng = random.Random(seed)
    low, high = rng.choice([(0, 2), (1, 3), (0, 1), (-2, 4), (0, 10)])
    pairs = []
    for _ in range(rng.randrange(5, 60)):
        first = rng.randint(low, high)
        pairs.append((first, first if rng.random() < seed / 20 else rng.randint(low, high)))
    expected = pytest.approx(kappa_by_definition(pairs), abs=1e-12)
    assert quadratic_kappa(Counter(pairs)) == expected
    assert agreement(Counter(pairs), low, high).kappa == expected


def test_a_table_worked_out_by_hand():
    # Squared differences: 1 x 4 + 2 x 1 = 6 over 8 pairs. By chance, from margins (2, 2, 4) and (1, 4, 3):
    # 1 x (2 x 4 + 2 x 1 + 2 x 3 + 4 x 4) + 4 x (2 x 3 + 4 x 1) = 72 over 64 pairings. Kappa is 1 - 48 / 72.
    found = agreement({(0, 0): 1, (0, 2): 1, (1, 1): 2, (2, 1): 2, (2, 2): 2})
    assert found.counts == ((1, 0, 1), (0, 2, 0), (0, 2, 2))
    assert found.percent == ((12.5, 0, 12.5), (0, 25, 0), (0, 25, 25))
    assert (found.n, found.exact, found.bias) == (8, 62.5, 0.0)
    assert found.kappa == pytest.approx(1 / 3)
    assert found.undefined is None


def test_bias_is_positive_when_the_second_is_more_generous():
    assert agreement({(0, 2): 1, (1, 1): 3}).bias == 0.5
    assert agreement({(2, 0): 1, (1, 1): 3}).bias == -0.5


@pytest.mark.parametrize(
    ("pairs", "kappa"), [({(0, 0): 3, (2, 2): 1}, 1.0), ({(0, 2): 1, (2, 0): 1}, -1.0), ({(0, 1): 9}, 0.0)]
)
def test_kappa_is_1_at_best_and_0_when_a_constant_meets_another(pairs, kappa):
    assert quadratic_kappa(pairs) == kappa


def test_kappa_is_undefined_and_says_why_when_one_score_is_all_there_is():
    found = agreement({(2, 2): 40})
    assert (found.n, found.exact, found.bias, found.kappa) == (40, 100.0, 0.0, None)
    assert found.undefined is not None
    assert found.undefined.startswith("every score of both is 2")


@pytest.mark.parametrize("pairs", [{}, {(1, 1): 0}])
def test_without_pairs_nothing_is_defined(pairs):
    found = agreement(pairs)
    assert (found.n, found.exact, found.bias, found.kappa) == (0, None, None, None)
    assert found.undefined == "no response was scored by both"
    assert found.percent == ((0, 0, 0),) * 3


def test_the_table_has_the_criterions_own_scale():
    found = agreement({(1, 3): 2, (2, 2): 2}, 1, 4)
    assert list(found.scores) == [1, 2, 3, 4]
    assert found.counts == ((0, 0, 2, 0), (0, 2, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0))
    with pytest.raises(ValueError, match="between 3 and 2"):
        agreement({}, 3, 2)


def test_a_score_that_is_not_on_the_scale_is_counted_apart():
    found = agreement({(0, 0): 1, (2, 1): 1, (3, 0): 2, (1, -1): 4})
    assert (found.n, found.outside, found.exact, found.bias) == (2, 6, 50.0, -0.5)

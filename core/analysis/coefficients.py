"""Coefficients of agreement from tables of counts, for many tables at once.

A table is the last two axes of an array [..., K, K] of whole numbers: to how many responses the first rater
(rows) gave the i-th and the second (columns) the j-th of the K scores of a scale. All axes before are kept,
so that the tables of all resamples of a bootstrap cost one call. What is undefined is nan; `undefined` and
`dominated` say in words what a reader must know of a table.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.analysis.agreement import dominance, why_undefined
from core.extras import needs_extra

Floats = NDArray[np.float64]
Weights = Literal["quadratic", "unweighted"]


def size(counts: ArrayLike) -> Floats:
    """How many pairs each table holds: [...]."""
    return _tables(counts).sum(axis=(-2, -1))


def exact(counts: ArrayLike) -> Floats:
    """Percent (0 to 100) of pairs with the same score; nan without pairs."""
    tables = _tables(counts)
    return 100 * _ratio(np.trace(tables, axis1=-2, axis2=-1), size(tables))


def bias(counts: ArrayLike) -> Floats:
    """Mean of the second minus mean of the first, in points of the scale; nan without pairs."""
    tables = _tables(counts)
    place = np.arange(tables.shape[-1])
    return _ratio((tables * (place[None, :] - place[:, None])).sum(axis=(-2, -1)), size(tables))


def kappa(counts: ArrayLike, weights: Weights = "quadratic") -> Floats:
    """Cohen's kappa: 1 - (disagreement found) / (disagreement by chance, from the two margins).

    Disagreement is (i - j)^2 with `quadratic` weights (J. Cohen 1968, "Weighted kappa", Psychological
    Bulletin 70(4)), and 1 for any two scores that differ when `unweighted` (J. Cohen 1960, "A coefficient of
    agreement for nominal scales", Educational and Psychological Measurement 20(1)). nan where chance alone
    would always agree, which is where both gave one and the same score only.
    """
    tables = _tables(counts)
    apart = _apart(tables.shape[-1], weights)
    by_chance = tables.sum(axis=-1)[..., :, None] * tables.sum(axis=-2)[..., None, :]
    found = size(tables) * (tables * apart).sum(axis=(-2, -1))
    return 1 - _ratio(found, (by_chance * apart).sum(axis=(-2, -1)))


def coincidences(counts: ArrayLike) -> Floats:
    """Krippendorff's coincidences of two raters: every pair in both orders, [..., K, K]."""
    tables = _tables(counts)
    return tables + np.swapaxes(tables, -2, -1)


def coincidences_of_units(given: ArrayLike) -> Floats:
    """Krippendorff's coincidences of each unit that any number of raters scored: [units, K, K].

    `given` [units, K]: how many raters gave each score. A unit with m scores has m (m - 1) ordered pairs of
    scores by different raters, each counted 1 / (m - 1) times, so that every score counts once; a unit with
    fewer than two scores has none. (K. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability".)
    """
    units = np.asarray(given, dtype=np.float64)
    several = np.maximum(units.sum(axis=-1) - 1, 1)
    pairs = units[:, :, None] * units[:, None, :] - units[:, :, None] * np.eye(units.shape[-1])
    return pairs / several[:, None, None]


def alpha(coincidences: ArrayLike) -> Floats:
    """Krippendorff's alpha for ordered scores, from coincidences [..., K, K].

    1 - (disagreement observed) / (disagreement expected). Two scores c < k are as far apart as the square of
    (n_c / 2 + all n between them + n_k / 2), with n_c the times that c was given in pairs: the distance of
    their mean ranks (K. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", the metric for
    ordinal data). nan where only one score was given, or none.
    """
    found = _tables(coincidences)
    given = found.sum(axis=-1)
    rank = np.cumsum(given, axis=-1) - given / 2
    apart = (rank[..., :, None] - rank[..., None, :]) ** 2
    observed = (found * apart).sum(axis=(-2, -1))
    expected = (given[..., :, None] * given[..., None, :] * apart).sum(axis=(-2, -1))
    return 1 - _ratio((given.sum(axis=-1) - 1) * observed, expected)


def alpha_of_units(given: ArrayLike) -> float:
    """Krippendorff's alpha for ordered scores of any number of raters, some of whose scores may be missing.

    `given` [units, K]: how many raters gave each score. By the package `krippendorff`; nan where only one
    score was given, or where no unit has two. `alpha` of the sum of `coincidences_of_units` is the same
    number, for the resamples of an interval.
    """
    units = np.asarray(given, dtype=np.int64)
    paired = units[units.sum(axis=1) > 1]
    if (paired.sum(axis=0) > 0).sum() < 2:
        return float("nan")
    with needs_extra("report", "Krippendorff's alpha"):
        import krippendorff

    return krippendorff.alpha(value_counts=paired, level_of_measurement="ordinal")


def ac2(counts: ArrayLike, weights: Weights = "quadratic") -> Floats:
    """Gwet's AC2: (p_a - p_e) / (1 - p_e); `unweighted`, it is his AC1.

    p_a is the mean weight of the pairs, with quadratic weights 1 - (i - j)^2 / (K - 1)^2. p_e is the sum of
    all K^2 weights times the sum of pi_k (1 - pi_k), divided by K (K - 1), with pi_k the mean of the two
    raters' shares of the k-th score (K. Gwet 2014, "Handbook of Inter-Rater Reliability", 4th edition,
    chapter 5). All K scores of the scale count, given or not. It is defined also where only one score was
    given; nan without pairs, or when the scale has one score only.
    """
    tables = _tables(counts)
    scores = tables.shape[-1]
    if scores < 2:
        return np.full(tables.shape[:-2], np.nan)
    apart = _apart(scores, weights)
    same = 1 - apart / apart.max()
    n = size(tables)
    share = _ratio((tables.sum(axis=-1) + tables.sum(axis=-2)) / 2, n[..., None])
    by_chance = same.sum() * (share * (1 - share)).sum(axis=-1) / (scores * (scores - 1))
    return _ratio(_ratio((tables * same).sum(axis=(-2, -1)), n) - by_chance, 1 - by_chance)


# What is told of every table of two raters, by name.
FIGURES: dict[str, Callable[[ArrayLike], Floats]] = {
    "exact": exact,
    "kappa": kappa,
    "alpha": lambda counts: alpha(coincidences(counts)),
    "ac2": ac2,
    "bias": bias,
}


def undefined(counts: NDArray[np.int64], minimum: int = 0) -> str | None:
    """In words, why kappa and alpha of one table [K, K] are nan; None where they aren't. The first row and
    column are the score `minimum`."""
    return why_undefined(_pairs(counts, minimum))


def dominated(counts: NDArray[np.int64], minimum: int = 0) -> str | None:
    """A warning in words where nearly all scores of one table [K, K] are one and the same."""
    return dominance(_pairs(counts, minimum))


def _pairs(counts: NDArray[np.int64], minimum: int) -> dict[tuple[int, int], int]:
    return {
        (minimum + first, minimum + second): count
        for first, row in enumerate(np.asarray(counts).tolist())
        for second, count in enumerate(row)
        if count
    }


def _tables(counts: ArrayLike) -> Floats:
    tables = np.asarray(counts, dtype=np.float64)
    if tables.ndim < 2 or tables.shape[-1] != tables.shape[-2]:
        raise ValueError(f"A table has as many rows as columns; these are {tables.shape}.")
    return tables


def _apart(scores: int, weights: Weights) -> Floats:
    """How much two places on a scale disagree: [K, K]."""
    place = np.arange(scores)
    distance = (place[:, None] - place[None, :]) ** 2
    return (distance if weights == "quadratic" else distance > 0).astype(np.float64)


def _ratio(above: ArrayLike, below: ArrayLike) -> Floats:
    """The quotient, and nan where it would be by nothing."""
    above, below = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)

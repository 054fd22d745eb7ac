"""Bootstrap intervals clustered by instruction: whole instructions are drawn, with all that belongs to them.

Efron & Tibshirani 1993, "An Introduction to the Bootstrap", sections 13 (percentile intervals) and 8.3
(clusters as the units that are drawn). Sums over the drawn clusters are one matrix product for all resamples,
so that a statistic which is a function of sums (means, agreement from tables of counts) costs little.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.95
SEED = 1


@dataclass(frozen=True)
class Resamples:
    """`weights` [resamples, clusters]: how often each cluster was drawn; each row adds up to the number of
    clusters."""

    weights: NDArray[np.float32]

    def sums(self, values: Floats) -> Floats:
        """`values` [clusters, ...] summed over the drawn clusters: [resamples, ...].

        Exact for whole numbers up to 2^24 in sum; others to about 7 digits.
        """
        flat = values.reshape(len(values), math.prod(values.shape[1:])).astype(np.float32)
        summed = self.weights @ flat
        return summed.astype(np.float64).reshape(len(self.weights), *values.shape[1:])


def draw_resamples(clusters: int, *, number: int = RESAMPLES, seed: int = SEED) -> Resamples:
    """Draw `clusters` out of `clusters`, with replacement, `number` times. The same seed gives the same."""
    if clusters == 0:
        return Resamples(np.zeros((number, 0), dtype=np.float32))
    drawn = np.random.default_rng(seed).multinomial(clusters, np.full(clusters, 1 / clusters), size=number)
    return Resamples(drawn.astype(np.float32))


def interval(statistics: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """The percentile interval of statistics [resamples, ...]: the lower and upper ends, each [...].

    Resamples in which a statistic is undefined (nan) are left out; where more than half of them are, the ends
    are nan.
    """
    tail = (1 - level) / 2
    undefined = np.isnan(statistics)
    if not undefined.any():
        low, high = np.quantile(statistics, [tail, 1 - tail], axis=0)
        return low, high
    few = undefined.mean(axis=0) > 0.5
    filled = np.where(few, 0.0, statistics)  # a column of nan alone would warn
    low, high = np.nanquantile(filled, [tail, 1 - tail], axis=0)
    return np.where(few, np.nan, low), np.where(few, np.nan, high)

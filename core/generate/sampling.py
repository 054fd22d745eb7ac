"""Drawing a token with one number from 0 to 1: the rule that all engines of this program share.

The number comes from the request's own generator, one for each token of the answer, so that an answer does
not depend on what stands beside it; and two engines with the same logits draw the same tokens.
"""

import random
from typing import TYPE_CHECKING, Any

from core.generate.decoding import Decoding

if TYPE_CHECKING:
    import numpy as np

FIRST_SORTED = 64
"""How many tokens are put in order at first; mostly the one that is drawn is among them."""


class Draws:
    """The numbers of one request: `next()` is uniform from 0 up to, not including, 1."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def next(self) -> float:
        return self._random.random()


def draw(logits: "np.ndarray[Any, Any]", uniform: float, decoding: Decoding) -> int:
    """The token that a number draws from punished logits (vocabulary,).

    The kept tokens stand in the order of their probability (of equal ones, of their ids); the first is drawn
    at which the running sum of the probabilities exceeds `uniform` times their whole sum.
    """
    import numpy as np

    scaled = logits.astype(np.float64) / decoding.temperature
    weights = np.exp(scaled - scaled.max())
    if decoding.top_k:
        order = _likeliest(logits, decoding.top_k)
        sums = np.cumsum(weights[order])
        whole = sums[-1]
    else:
        whole = weights.sum()
        wanted = whole * (decoding.top_p if decoding.top_p < 1 else uniform)
        order = _likeliest(logits, FIRST_SORTED)
        sums = np.cumsum(weights[order])
        while sums[-1] <= wanted and len(order) < len(logits):
            order = _likeliest(logits, len(order) * 16)
            sums = np.cumsum(weights[order])
        if len(order) == len(logits):
            whole = sums[-1]  # the same but for rounding
    if decoding.top_p < 1:
        # The fewest whose sum reaches top_p: the one at which it is reached is the last.
        sums = sums[: int(np.searchsorted(sums, decoding.top_p * whole, side="left")) + 1]
        whole = sums[-1]
    place = int(np.searchsorted(sums, uniform * whole, side="right"))
    return int(order[min(place, len(sums) - 1)])


def _likeliest(logits: "np.ndarray[Any, Any]", count: int) -> "np.ndarray[Any, Any]":
    """The ids of the `count` largest logits (all when there are no more), in the order of `draw`. Sorting a
    whole vocabulary would take longer than many a model takes for the token."""
    import numpy as np

    if count >= len(logits):
        return np.argsort(-logits, kind="stable")
    least = np.partition(logits, -count)[-count]
    kept = np.flatnonzero(logits >= least)
    return kept[np.argsort(-logits[kept], kind="stable")][:count]

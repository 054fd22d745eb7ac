"""Drawing a token with one number from 0 to 1: the rule that all engines of this program share.

The number comes from the request's own generator, one for each token of the answer, so that an answer does
not depend on what stands beside it; and two engines with the same logits draw the same tokens.
"""

import random
from typing import TYPE_CHECKING, Any

from core.generate.decoding import Decoding

if TYPE_CHECKING:
    import numpy as np


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

    order = np.argsort(-logits, kind="stable")
    if decoding.top_k:
        order = order[: decoding.top_k]
    scaled = logits[order].astype(np.float64) / decoding.temperature
    weights = np.exp(scaled - scaled[0])
    sums = np.cumsum(weights)
    if decoding.top_p < 1:
        # The fewest whose sum reaches top_p: the one at which it is reached is the last.
        sums = sums[: int(np.searchsorted(sums, decoding.top_p * sums[-1], side="left")) + 1]
    place = int(np.searchsorted(sums, uniform * sums[-1], side="right"))
    return int(order[min(place, len(sums) - 1)])

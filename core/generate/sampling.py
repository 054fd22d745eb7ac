"""The next token from logits: repetition penalty and drawing, in NumPy (llama.cpp) and torch (transformers).

A token is drawn with one number from 0 to 1. The number comes from the request's own generator, one for each
token of the answer, so that an answer does not depend on what stands beside it; and two engines with the same
logits draw the same tokens.
"""

import random
from typing import TYPE_CHECKING, Any

from core.generate.decoding import Decoding

if TYPE_CHECKING:
    import numpy as np
if TYPE_CHECKING:
    import torch

FIRST_SORTED = 64
"""How many tokens are put in order at first; mostly the one that is drawn is among them."""


class Draws:
    """The numbers of one request: `next()` is uniform from 0 up to, not including, 1."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def next(self) -> float:
        return self._random.random()


def draw_token(logits: "np.ndarray[Any, Any]", uniform: float, decoding: Decoding) -> int:
    """The token that a number draws from punished logits (vocabulary,).

    The kept tokens stand in the order of their probability (of equal ones, of their ids); the first is drawn
    at which the running sum of the probabilities exceeds `uniform` times their whole sum.
    """
    import numpy as np

    scaled = logits.astype(np.float64) / decoding.temperature
    weights = np.exp(scaled - scaled.max())
    if decoding.top_k:
        order = _most_likely_first(logits, decoding.top_k)
        sums = np.cumsum(weights[order])
        whole = sums[-1]
    else:
        whole = weights.sum()
        threshold = whole * (decoding.top_p if decoding.top_p < 1 else uniform)
        order = _most_likely_first(logits, FIRST_SORTED)
        sums = np.cumsum(weights[order])
        while sums[-1] <= threshold and len(order) < len(logits):
            order = _most_likely_first(logits, len(order) * 16)
            sums = np.cumsum(weights[order])
        if len(order) == len(logits):
            whole = sums[-1]  # the same but for rounding
    if decoding.top_p < 1:
        # The fewest whose sum reaches top_p: the one at which it is reached is the last.
        sums = sums[: int(np.searchsorted(sums, decoding.top_p * whole, side="left")) + 1]
        whole = sums[-1]
    index = int(np.searchsorted(sums, uniform * whole, side="right"))
    return int(order[min(index, len(sums) - 1)])


def _most_likely_first(logits: "np.ndarray[Any, Any]", count: int) -> "np.ndarray[Any, Any]":
    """The ids of the `count` largest logits (all when there are no more), in the order of `draw`. Sorting a
    whole vocabulary would take longer than many a model takes for the token."""
    import numpy as np

    if count >= len(logits):
        return np.argsort(-logits, kind="stable")
    least = np.partition(logits, -count)[-count]
    kept = np.flatnonzero(logits >= least)
    return kept[np.argsort(-logits[kept], kind="stable")][:count]


def apply_repetition_penalty(logits: "torch.Tensor", seen: "torch.Tensor", penalty: float) -> "torch.Tensor":
    """Logits (rows, vocabulary) with the repetition penalty on what `seen`, of the same shape, marks."""
    import torch

    return torch.where(seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits)


def most_likely(logits: "torch.Tensor") -> "torch.Tensor":
    """The greedy choice (rows,) of logits (rows, vocabulary): of equal ones that with the lowest id."""
    return logits.argmax(-1)


def draw_tokens(logits: "torch.Tensor", uniforms: list[float], decoding: Decoding) -> "torch.Tensor":
    """The ids (rows,) that one number each draws from punished logits (rows, vocabulary), by the rule of
    `core.generate.sampling.draw_token`."""
    import torch

    ordered, ids = torch.sort(logits, dim=-1, descending=True, stable=True)
    if decoding.top_k:
        ordered = ordered[:, : decoding.top_k]
    scaled = ordered.double() / decoding.temperature
    sums = (scaled - scaled[:, :1]).exp().cumsum(-1)
    last = torch.full_like(ids[:, :1], sums.shape[1] - 1)
    if decoding.top_p < 1:
        last = torch.searchsorted(sums, decoding.top_p * sums[:, -1:]).clamp(max=last)
    fractions = torch.tensor(uniforms, dtype=sums.dtype, device=sums.device)[:, None]
    indices = torch.searchsorted(sums, fractions * sums.gather(1, last), right=True).minimum(last)
    return ids.gather(1, indices)[:, 0]

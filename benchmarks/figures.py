"""Figures of repeated timings: medians, and ratios pair by pair, so that the machine's drift cancels out."""

from collections.abc import Sequence
from statistics import median, quantiles


def milliseconds(seconds: Sequence[float]) -> str:
    """The median of some times."""
    return f"{median(seconds) * 1000:8.1f} ms"


def ratio(times: Sequence[float], peers: Sequence[float]) -> str:
    """The median of the ratios of the pairs, and where the middle half of them lies."""
    ratios = [time / peer for time, peer in zip(times, peers, strict=True)]
    low, _, high = quantiles(ratios, n=4)
    return f"{median(ratios):5.2f}  ({low:.2f} to {high:.2f})"

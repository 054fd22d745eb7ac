"""What the charts have in common: the frame of their axes, their ranges, the signs of their series."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import TYPE_CHECKING, Any

from core.report.figures.style import INK, TEXT_SIZE, colour_of, dash_of, marker_of
from core.report.formats.cell_text import finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NO_VALUES = "no values"

RING: dict[str, Any] = {
    "linestyle": "none",
    "marker": "o",
    "ms": 9.5,
    "markerfacecolor": "none",
    "markeredgecolor": INK,
    "markeredgewidth": 1.1,
}


def widened(values: Sequence[float]) -> tuple[float, float]:
    """A range that holds the values with some air around them."""
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    air = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return low - air, high + air


def handles(number: int, with_line: bool, with_ring: bool = False) -> list[Any]:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=colour_of(place),
            marker=marker_of(place),
            linestyle=dash_of(place) if with_line else "none",
            ms=4.2,
            lw=1.3,
        )
        for place in range(number)
    ]
    return [*handles, *([Line2D([], [], **RING)] if with_ring else [])]


def finite_or_nan(value: float | None) -> float:
    number = finite(value)
    return nan if number is None else number


def frame(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=TEXT_SIZE, length=2.5, width=0.6, pad=2.5)


def say_nothing(axes: Axes) -> None:
    axes.text(0.5, 0.5, NO_VALUES, transform=axes.transAxes, ha="center", va="center", color="#595959")

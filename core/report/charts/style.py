"""What all charts have in common: sizes for a page, fonts, colours that the colour-blind tell apart, the
layout, the frame of the axes and their ranges, the signs of the series and the legend.

matplotlib's constrained layout finds room for titles, labels and legends. What a chart says is how large its
axes shall be; `fit_to_axes` then makes the figure as large as these and their labels need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from math import nan
from typing import TYPE_CHECKING, Any

from core.report.charts.labels import DPI, Label, Ruler
from core.report.formats.cell_text import finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches: the text of a page in two columns. No letter is smaller than 7 points at this width.
PAGE = 7.2
MARGIN = 0.04
GAP = 0.14

# Of a legend, what stands before a name, and the space behind it.
_LEGEND_HANDLE = 0.62

TEXT_SIZE = 8.0
NUMBER_SIZE = 7.5
TITLE_SIZE = 8.5

INK = "#1a1a1a"
FAINT = "#d9d9d9"

# Okabe and Ito's palette (2008), yellow left out: it can't be seen on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "*")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1.5, 1.5, 1.5)))

FONT = "DejaVu Sans"

# Fonts for what DejaVu Sans has no glyphs for, asked in this order where they are installed.
_OTHER_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Noto Sans KR",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "Malgun Gothic",
    "Arial Unicode MS",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Tamil",
    "Noto Sans Thai",
    "Noto Sans Ethiopic",
    "FreeSans",
)


def settings(families: Iterable[str]) -> dict[str, Any]:
    """matplotlib's settings for drawing and for writing; the same input gives the same bytes."""
    return {
        "font.family": list(families),
        "font.size": TEXT_SIZE,
        "text.parse_math": False,  # a model's name may hold dollar signs
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": "#8c8c8c",
        "axes.linewidth": 0.6,
        "axes.unicode_minus": True,
        "axes.titlesize": TITLE_SIZE,
        "xtick.color": INK,
        "ytick.color": INK,
        "hatch.linewidth": 0.5,
        "hatch.color": "#9a9a9a",
        "svg.fonttype": "path",
        "svg.hashsalt": "xlit",
        "pdf.fonttype": 42,
        "path.simplify": True,
    }


def families_for(texts: Iterable[str]) -> tuple[tuple[str, ...], bool]:
    """The fonts that together have the letters of the texts, as far as any installed one has them; and
    whether letters are missing in all of them. matplotlib draws these as boxes."""
    missing = {character for text in texts for character in text} - _letters(FONT)
    families = [FONT]
    for family in _OTHER_FONTS:
        if not missing:
            break
        if letters := missing & _letters(family):
            families.append(family)
            missing -= letters
    return tuple(families), bool(missing)


@cache
def _letters(family: str) -> frozenset[str]:
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    if family not in font_manager.get_font_names():
        return frozenset()
    return frozenset(map(chr, FT2Font(font_manager.findfont(family)).get_charmap())) | {"\n"}


def new_figure(height: float) -> Figure:
    """A figure, `PAGE` wide and `height` inches high for now, whose parts find their places by themselves."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=GAP / 2, h_pad=MARGIN, wspace=0, hspace=0)
    return Figure(figsize=(PAGE, height), dpi=DPI, layout=layout)


def fit_to_axes(figure: Figure, across: int, down: int, height: float, width: float = PAGE) -> None:
    """Make the figure as large as `across` times `down` axes of `width` and `height` inches need with their
    labels, at most `PAGE` wide; then leave everything where it is.

    The room for labels depends hardly on the size of the axes: what they lack is added to the figure.
    """
    if not figure.axes:
        figure.set_size_inches(PAGE, 0.5)
    for _ in range(2 if figure.axes else 0):
        figure.draw_without_rendering()
        axes = figure.axes[0].get_position()
        wide, high = figure.get_size_inches()
        figure.set_size_inches(
            min(wide + across * (width - axes.width * wide), PAGE),
            high + down * (height - axes.height * high),
        )
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def add_legend(figure: Figure, names: Sequence[str], handles: Sequence[Any], ruler: Ruler) -> list[Label]:
    """A legend above all axes, in as many columns as its names leave room for. Returns them as drawn.

    `handles`: what stands before each name, in order.
    """
    if not names:
        return []
    widest = max(ruler.width(label.text, TEXT_SIZE) for label in ruler.fit_all(names, PAGE, TEXT_SIZE))
    columns = max(min(int(PAGE / (widest + _LEGEND_HANDLE)), len(names)), 1)
    labels = ruler.fit_all(names, PAGE / columns - _LEGEND_HANDLE, TEXT_SIZE)
    figure.legend(
        handles=list(handles),
        labels=[label.text for label in labels],
        loc="outside upper left",
        ncols=columns,
        frameon=False,
        fontsize=TEXT_SIZE,
        borderaxespad=0.4,
        borderpad=0.1,
        labelspacing=0.35,
        handlelength=2.6,
        handletextpad=0.6,
        columnspacing=1.4,
    )
    return labels


def colour_of(series: int) -> str:
    return COLOURS[series % len(COLOURS)]


def marker_of(series: int) -> str:
    return MARKERS[series % len(MARKERS)]


def dash_of(series: int) -> Any:
    return DASHES[series % len(DASHES)]


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


def legend_handles(number: int, with_line: bool, with_ring: bool = False) -> list[Any]:
    """The signs of `number` series, as they stand in a legend."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=colour_of(series),
            marker=marker_of(series),
            linestyle=dash_of(series) if with_line else "none",
            ms=4.2,
            lw=1.3,
        )
        for series in range(number)
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

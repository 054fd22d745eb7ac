"""Line charts: panels beside each other over a common x, chosen points ringed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, isfinite, log
from typing import TYPE_CHECKING

from core.report.charts.labels import LINE_HEIGHT, Ruler, in_full
from core.report.charts.style import (
    FAINT,
    GAP,
    PAGE,
    RING,
    TEXT_SIZE,
    TITLE_SIZE,
    add_legend,
    colour_of,
    dash_of,
    finite_or_nan,
    fit_to_axes,
    frame,
    legend_handles,
    marker_of,
    new_figure,
    say_nothing,
    widened,
)
from core.report.document import LineChart, Series
from core.report.formats.cell_text import MINUS, finite
from core.study import rate_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches. Left of the panels stand the title of y and its numbers.
_PANEL_HEIGHT = 1.75
_BESIDE = 3
_LEFT = 0.65
_LINE = TEXT_SIZE * LINE_HEIGHT / 72

# Points of a line above which its intervals are a band; below, bars, which stay apart where lines cross.
_BARS = 10

# How far lines are moved apart sideways, in points: each, and all of them.
_DODGE = 3.0
_DODGED = 15.0


def draw_line_chart(chart: LineChart, ruler: Ruler) -> tuple[Figure, list[str]]:
    """The figure, `PAGE` inches wide, and what its note must add."""
    names = list(dict.fromkeys(series.name for _, panel in chart.panels for series in panel))
    beside = max(min(_BESIDE, len(chart.panels)), 1)
    lines = ceil(len(chart.panels) / beside) or 1
    beside = ceil(len(chart.panels) / lines) or 1
    width = (PAGE - _LEFT - GAP * beside) / beside
    titles = ruler.fit_all([title for title, _ in chart.panels], width, TITLE_SIZE, lines=2, bold=True)
    x_title = ruler.fit(chart.x_label, width, TEXT_SIZE)
    y_title = ruler.fit(chart.y_label, _PANEL_HEIGHT, TEXT_SIZE)
    ticks = _Ticks(chart, ruler, width)
    has_chosen = any(series.chosen for _, panel in chart.panels for series in panel)
    figure = new_figure(lines * (_PANEL_HEIGHT + 0.8) + 0.5)
    grid: Iterator[Axes] = iter(figure.subplots(lines, beside, squeeze=False).flat if chart.panels else ())
    span = chart.y_range or _span(chart)
    for index, ((_, panel), title, axes) in enumerate(zip(chart.panels, titles, grid, strict=False)):
        axes.set_title(title.text, fontsize=TITLE_SIZE, fontweight="bold", pad=4)
        axes.set_ylim(*span)
        frame(axes)
        axes.grid(axis="y", color=FAINT, lw=0.5)
        axes.set_xlabel(x_title.text, labelpad=2)
        if index % beside == 0:
            axes.set_ylabel(y_title.text, labelpad=3)
        else:
            axes.tick_params(labelleft=False)
        for series in panel:
            _draw_series(axes, series, names.index(series.name), len(names))
        ticks.set(axes)
        if not any(finite(point[1]) is not None for series in panel for point in series.points):
            say_nothing(axes)
    for axes in list(grid):
        axes.remove()
    handles = legend_handles(len(names), with_line=True, with_ring=has_chosen)
    legend = add_legend(figure, [*names, *(["chosen"] if has_chosen else [])], handles, ruler)
    fit_to_axes(figure, across=beside, down=lines, height=_PANEL_HEIGHT)
    return figure, in_full([*titles, *legend, x_title, y_title])


class _Ticks:
    """The marks of x: at the points themselves, as many as can be labelled beside each other."""

    def __init__(self, chart: LineChart, ruler: Ruler, width: float) -> None:
        self.logarithmic = chart.logarithmic
        self.at = sorted(
            {x for _, panel in chart.panels for series in panel for x, *_ in series.points if isfinite(x)}
        )
        if self.logarithmic:
            self.at = [x for x in self.at if x > 0]
        self.names = [rate_label(x) if self.logarithmic else power(x) for x in self.at]
        need = max((ruler.width(name, TEXT_SIZE) for name in self.names), default=0) + 0.08
        positions = [_share(x, self.at, self.logarithmic) * width * 0.86 for x in self.at]
        kept: list[int] = []
        for index, position in enumerate(positions):
            if not kept or position - positions[kept[-1]] >= need:
                kept.append(index)
        self.kept = kept

    def set(self, axes: Axes) -> None:
        from matplotlib.ticker import NullLocator

        if not self.at:
            axes.set_xticks([])
            return
        if self.logarithmic:
            axes.set_xscale("log")
            low, high = self.at[0], self.at[-1]
            margin = (high / low) ** 0.08 if high > low else 3.0
            axes.set_xlim(low / margin, high * margin)
        else:
            margin = (self.at[-1] - self.at[0]) * 0.08 or 1.0
            axes.set_xlim(self.at[0] - margin, self.at[-1] + margin)
        axes.set_xticks([self.at[index] for index in self.kept], [self.names[index] for index in self.kept])
        axes.xaxis.set_minor_locator(NullLocator())


def power(x: float) -> str:
    """1e-05 as 1e-5, and 100 as 100."""
    text = f"{x:g}" if x == 0 or 1e-3 <= abs(x) < 1e5 else f"{x:.3e}"
    number, e, exponent = text.partition("e")
    if not e:
        return text.replace("-", MINUS)
    return f"{number.rstrip('0').rstrip('.')}e{int(exponent)}"


def _share(x: float, xs: Sequence[float], logarithmic: bool) -> float:
    low, high = xs[0], xs[-1]
    if low == high:
        return 0.5
    if logarithmic:
        return log(x / low) / log(high / low)
    return (x - low) / (high - low)


def _span(chart: LineChart) -> tuple[float, float]:
    values = [
        value
        for _, panel in chart.panels
        for series in panel
        for point in series.points
        for value in map(finite, point[1:])
        if value is not None
    ]
    return widened(values)


def _draw_series(axes: Axes, series: Series, index: int, number: int) -> None:
    from matplotlib.transforms import ScaledTranslation

    figure = axes.get_figure()
    assert figure is not None
    shift = (index - (number - 1) / 2) * min(_DODGE, _DODGED / number) / 72
    transform = axes.transData + ScaledTranslation(shift, 0, figure.dpi_scale_trans)
    points = sorted(enumerate(series.points), key=lambda item: item[1][0])
    x = [point[0] for _, point in points]
    y, low, high = ([finite_or_nan(point[part]) for _, point in points] for part in (1, 2, 3))
    colour = colour_of(index)
    if len(points) > _BARS:
        transform = axes.transData
        axes.fill_between(x, low, high, color=colour, alpha=0.18, lw=0)
    else:
        axes.vlines(x, low, high, color=colour, lw=1.0, transform=transform)
    axes.plot(
        x,
        y,
        color=colour,
        marker=marker_of(index),
        linestyle=dash_of(index),
        ms=4.2,
        lw=1.3,
        transform=transform,
        zorder=3,
    )
    chosen = [at for at, (original, _) in enumerate(points) if original in series.chosen]
    axes.plot(
        [x[at] for at in chosen],
        [y[at] for at in chosen],
        transform=transform,
        zorder=4,
        **RING,
    )

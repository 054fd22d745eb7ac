"""Dots with intervals for many rows, such as tasks, in the order that they are given in."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from core.report.charts.labels import LINE_HEIGHT, Ruler, in_full
from core.report.charts.style import (
    FAINT,
    INK,
    PAGE,
    TEXT_SIZE,
    add_legend,
    colour_of,
    fit_to_axes,
    frame,
    legend_handles,
    marker_of,
    new_figure,
    say_nothing,
    widened,
)
from core.report.document import BarChart
from core.report.formats.cell_text import finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Dots = Sequence[tuple[float, float | None, float | None] | None]

# Inches.
_LINE = TEXT_SIZE * LINE_HEIGHT / 72
_ROW_LABELS = 2.1


def draw_bar_chart(chart: BarChart, ruler: Ruler) -> tuple[Figure, list[str]]:
    """The figure, `PAGE` inches wide and as high as its rows need, and what its note must add."""
    names = list(chart.series)
    rows = ruler.fit_all(chart.rows, _ROW_LABELS, TEXT_SIZE, lines=2)
    label_width = max((ruler.width(row.text, TEXT_SIZE) for row in rows), default=0)
    x_title = ruler.fit(chart.x_label, PAGE - label_width - 0.5, TEXT_SIZE)
    lines = max((row.lines for row in rows), default=1)
    pitch = max(lines * _LINE + 0.05, 0.08 + 0.078 * len(names), 0.2)
    height = max(pitch * len(rows), 0.4)
    figure = new_figure(height + 1)
    axes = figure.subplots()
    frame(axes)
    axes.set_ylim(max(len(rows), 1), 0)
    axes.set_yticks([row + 0.5 for row in range(len(rows))], [row.text for row in rows])
    axes.tick_params(axis="y", length=0)
    for tick in axes.get_yticklabels():
        tick.set_linespacing(LINE_HEIGHT - 0.1)
    for row in range(1, len(rows), 2):
        axes.axhspan(row, row + 1, color="#f2f2f2", lw=0, zorder=0)
    axes.grid(axis="x", color=FAINT, lw=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel(x_title.text, labelpad=2)
    axes.set_xlim(*(chart.x_range or widened(_values(chart))))
    low, high = axes.get_xlim()
    if low < 0 < high:
        axes.axvline(0, color=INK, lw=0.7)
    for series, name in enumerate(names):
        _draw_dots(axes, chart.series[name], series, len(names))
    if not _values(chart):
        say_nothing(axes)
    handles = legend_handles(len(names), with_line=False)
    legend = add_legend(figure, names if len(names) > 1 else [], handles, ruler)
    fit_to_axes(figure, across=1, down=1, height=height)
    missing = any(dot is None or finite(dot[0]) is None for dots in chart.series.values() for dot in dots)
    return figure, [
        *(["Where a dot is missing there is no value."] if missing else []),
        *in_full([*rows, *legend, x_title]),
    ]


def _draw_dots(axes: Axes, dots: Dots, series: int, number: int) -> None:
    """The dots of one of `number` series, which stand below each other in every row."""
    step = 0.76 / max(number, 1)
    colour = colour_of(series)
    drawn = [
        (row + 0.5 + (series - (number - 1) / 2) * step, *dot)
        for row, dot in enumerate(dots)
        if dot is not None and finite(dot[0]) is not None
    ]
    if not drawn:
        return  # the layout would make room for an empty line at the figure's corner
    for y, _, low, high in drawn:
        if low is not None and high is not None and isfinite(low) and isfinite(high):
            axes.hlines(y, low, high, color=colour, lw=1.0)
    axes.plot(
        [dot[1] for dot in drawn],
        [dot[0] for dot in drawn],
        linestyle="none",
        marker=marker_of(series),
        color=colour,
        ms=3.8 if number <= 4 else 3.2,
        zorder=3,
        clip_on=False,
    )


def _values(chart: BarChart) -> list[float]:
    return [
        value
        for dots in chart.series.values()
        for dot in dots
        if dot is not None
        for value in map(finite, dot)
        if value is not None
    ]

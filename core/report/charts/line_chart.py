"""Line charts: panels beside each other over a common x, chosen points ringed."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isfinite, log
from typing import TYPE_CHECKING

from core.report.charts.labels import LINE_HEIGHT, Ruler, in_full
from core.report.charts.legend import Legend
from core.report.charts.style import (
    FAINT,
    MARGIN,
    PAGE,
    RING,
    TEXT_SIZE,
    TITLE_SIZE,
    colour_of,
    dash_of,
    finite_or_nan,
    frame,
    handles,
    marker_of,
    place_axes,
    say_nothing,
    widened,
)
from core.report.document import LineChart, Series
from core.report.formats.cell_text import MINUS, finite
from core.study import rate_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches.
_PANEL_HEIGHT = 1.75
_BESIDE = 3
_GAP = 0.18
_LINE = TEXT_SIZE * LINE_HEIGHT / 72

# Points of a line above which its intervals are a band; below, bars, which stay apart where lines cross.
_BARS = 10

# How far lines are moved apart sideways, in points: each, and all of them.
_DODGE = 3.0
_DODGED = 15.0


def draw_line_chart(chart: LineChart, ruler: Ruler) -> tuple[Figure, list[str]]:
    """The figure, `PAGE` inches wide, and what its note must add."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(series.name for _, panel in chart.panels for series in panel))
    beside = max(min(_BESIDE, len(chart.panels)), 1)
    lines = ceil(len(chart.panels) / beside) or 1
    beside = ceil(len(chart.panels) / lines) or 1
    left = MARGIN + _LINE + 0.45
    width = (PAGE - left - 0.1 - _GAP * (beside - 1)) / beside
    titles = ruler.fit_all([title for title, _ in chart.panels], width, TITLE_SIZE, lines=2, bold=True)
    head = max((title.lines for title in titles), default=1) * TITLE_SIZE * LINE_HEIGHT / 72 + 0.06
    x_title = ruler.fit(chart.x_label, width, TEXT_SIZE)
    y_title = ruler.fit(chart.y_label, _PANEL_HEIGHT, TEXT_SIZE)
    ticks = _Ticks(chart, ruler, width)
    foot = ticks.height + _LINE + 0.12
    line = head + _PANEL_HEIGHT + foot
    has_chosen = any(series.chosen for _, panel in chart.panels for series in panel)
    legend = Legend([*names, *(["chosen"] if has_chosen else [])], ruler, PAGE - left)
    figure = Figure(figsize=(PAGE, legend.height + lines * line + MARGIN))
    span = chart.y_range or _span(chart)
    for place, (_, panel) in enumerate(chart.panels):
        row, column = divmod(place, beside)
        axes = place_axes(
            figure,
            left + column * (width + _GAP),
            legend.height + row * line + head,
            width,
            _PANEL_HEIGHT,
        )
        axes.set_title(titles[place].text, fontsize=TITLE_SIZE, fontweight="bold", pad=4)
        axes.set_ylim(*span)
        frame(axes)
        axes.grid(axis="y", color=FAINT, lw=0.5)
        axes.set_xlabel(x_title.text, labelpad=2)
        if column == 0:
            axes.set_ylabel(y_title.text, labelpad=3)
        else:
            axes.tick_params(labelleft=False)
        for series in panel:
            _draw_series(axes, series, names.index(series.name), len(names))
        ticks.set(axes)
        if not any(finite(point[1]) is not None for series in panel for point in series.points):
            say_nothing(axes)
    legend.draw(figure, handles(len(names), with_line=True, with_ring=has_chosen), left)
    return figure, in_full([*titles, *legend.labels, x_title, y_title])


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
        self.height = _LINE + 0.06
        need = max((ruler.width(name, TEXT_SIZE) for name in self.names), default=0) + 0.08
        places = [_share(x, self.at, self.logarithmic) * width * 0.86 for x in self.at]
        kept: list[int] = []
        for place, x in enumerate(places):
            if not kept or x - places[kept[-1]] >= need:
                kept.append(place)
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
        axes.set_xticks([self.at[place] for place in self.kept], [self.names[place] for place in self.kept])
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
    found = [
        value
        for _, panel in chart.panels
        for series in panel
        for point in series.points
        for value in map(finite, point[1:])
        if value is not None
    ]
    return widened(found)


def _draw_series(axes: Axes, series: Series, place: int, number: int) -> None:
    from matplotlib.transforms import ScaledTranslation

    figure = axes.get_figure()
    assert figure is not None
    shift = (place - (number - 1) / 2) * min(_DODGE, _DODGED / number) / 72
    transform = axes.transData + ScaledTranslation(shift, 0, figure.dpi_scale_trans)
    points = sorted(enumerate(series.points), key=lambda item: item[1][0])
    x = [point[0] for _, point in points]
    y, low, high = ([finite_or_nan(point[part]) for _, point in points] for part in (1, 2, 3))
    colour = colour_of(place)
    if len(points) > _BARS:
        transform = axes.transData
        axes.fill_between(x, low, high, color=colour, alpha=0.18, lw=0)
    else:
        axes.vlines(x, low, high, color=colour, lw=1.0, transform=transform)
    axes.plot(
        x,
        y,
        color=colour,
        marker=marker_of(place),
        linestyle=dash_of(place),
        ms=4.2,
        lw=1.3,
        transform=transform,
        zorder=3,
    )
    chosen = [place for place, (original, _) in enumerate(points) if original in series.chosen]
    axes.plot(
        [x[place] for place in chosen],
        [y[place] for place in chosen],
        transform=transform,
        zorder=4,
        **RING,
    )

"""Heat maps with the numbers written into their cells; panels beside each other share the rows' labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, cos, radians, sin
from typing import TYPE_CHECKING, Any

from core.report.charts.labels import LINE_HEIGHT, Label, Ruler, in_full
from core.report.charts.style import (
    FAINT,
    INK,
    MARGIN,
    NUMBER_SIZE,
    PAGE,
    TEXT_SIZE,
    TITLE_SIZE,
    place_axes,
)
from core.report.document import HeatMap
from core.report.formats.cell_text import MINUS, finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches.
_ROW_LABELS = 1.9
_COLUMN_LABELS = 1.0
_GAP = 0.14
_BETWEEN = 0.12
_PAD = 0.05
_WIDEST_CELL = 0.62
_LINE = TEXT_SIZE * LINE_HEIGHT / 72
_SLANT = 45

# From this relative luminance on (WCAG 2) black is easier to read than white.
_LIGHT = 0.179

SEQUENTIAL = "cividis"
DIVERGING = "PuOr"


@dataclass(frozen=True)
class _Block:
    """A panel, or those of its columns that fit beside each other."""

    panel: int
    start: int
    stop: int
    title: str


def draw_heat_map(chart: HeatMap, ruler: Ruler) -> tuple[Figure, list[str]]:
    """The figure, `PAGE` inches wide at most, and what its note must add."""
    from matplotlib.figure import Figure

    plan = _Plan(chart, ruler)
    figure = Figure(figsize=(plan.width, plan.height))
    for block, left, top, is_first in plan.places():
        _draw_block(figure, plan, block, left, top, is_first)
    missing = any(finite(value) is None for panel in chart.values for row in panel for value in row)
    notes = ["Hatched: no value."] if missing else []
    return figure, [*notes, *in_full(plan.labels())]


class _Plan:
    """The sizes and places of everything, in inches."""

    def __init__(self, chart: HeatMap, ruler: Ruler) -> None:
        self.chart = chart
        self.ruler = ruler
        self.rows = ruler.fit_all(chart.rows, _ROW_LABELS, TEXT_SIZE, lines=2)
        self.axis_title = _LINE + _PAD if chart.row_label else 0.0
        labels = max((ruler.width(row.text, TEXT_SIZE) for row in self.rows), default=0)
        self.left = MARGIN + self.axis_title + labels + 2 * _PAD
        number = max(ruler.width(text, NUMBER_SIZE) for text in [*self._numbers(), "0.00"]) + 0.1

        columns = max(len(chart.columns), 1)
        room = PAGE - self.left - MARGIN
        most = max(int((room + _GAP) / (number + _GAP / columns) / columns), 0)
        if most:
            lines = ceil(len(chart.panels) / most)
            self.beside = max(ceil(len(chart.panels) / max(lines, 1)), 1)
            size = columns
        else:
            self.beside = 1
            size = ceil(columns / ceil(columns * number / room))
        self.cell = min((room - _GAP * (self.beside - 1)) / self.beside / size, _WIDEST_CELL)
        self.blocks = list(self._blocks(size))
        self.lines = [
            self.blocks[start : start + self.beside] for start in range(0, len(self.blocks), self.beside)
        ]
        # The labels of the rows stand at the left of each line of panels.
        self.row = max(
            max((row.lines for row in self.rows), default=1) * _LINE + 0.06,
            min(self.cell, 0.36) if len(chart.rows) <= 4 else 0.24,
        )
        self.titles = {
            title: ruler.fit(title, self.cell * size, TITLE_SIZE, lines=3, bold=True)
            for title in dict.fromkeys(block.title for block in self.blocks)
        }
        self.title = (
            max((label.lines for label in self.titles.values()), default=0) * TITLE_SIZE * LINE_HEIGHT / 72
        )
        self._label_columns()
        self.row_title = ruler.fit(chart.row_label, self.row * max(len(chart.rows), 1), TEXT_SIZE)
        narrowest = min((block.stop - block.start for block in self.blocks), default=1)
        self.column_title = ruler.fit(chart.column_label, self.cell * max(narrowest, 1), TEXT_SIZE)
        foot = self.column_labels + (_LINE + _PAD if chart.column_label else 0)
        self.line = self.title + _PAD + self.row * len(chart.rows) + foot + _BETWEEN
        widest = max((len(line) for line in self.lines), default=1)
        self.width = min(
            max(self.left + widest * self.cell * size + (widest - 1) * _GAP + MARGIN, self.left + 1.2), PAGE
        )
        self.height = max(len(self.lines) * self.line - _BETWEEN + 2 * MARGIN, 0.5)

    def labels(self) -> list[Label]:
        """All that are drawn."""
        return [*self.rows, *self.columns, *self.titles.values(), self.row_title, self.column_title]

    def places(self) -> Iterator[tuple[_Block, float, float, bool]]:
        """Each block with the place of its left upper corner, below its title, and whether it is the first of
        its line."""
        for number, line in enumerate(self.lines):
            left = self.left
            for place, block in enumerate(line):
                yield block, left, MARGIN + number * self.line + self.title + _PAD, place == 0
                left += self.cell * (block.stop - block.start) + _GAP

    def _blocks(self, size: int) -> Iterator[_Block]:
        columns = len(self.chart.columns)
        for panel, name in enumerate(self.chart.panels):
            for start in range(0, columns, size):
                title = name if not start else f"{name} (continued)"
                yield _Block(panel, start, min(start + size, columns), title)

    def _label_columns(self) -> None:
        """Upright and in two lines where all fit so, else at a slant."""
        names = self.chart.columns
        upright = self.ruler.fit_all(names, self.cell - 0.06, TEXT_SIZE, lines=2)
        self.slanted = any(
            label.full
            or label.text.replace("\n", "").replace(" ", "") != name.replace(" ", "")
            or not _ends_well(label.text)
            for label, name in zip(upright, names, strict=True)
        )
        self.columns = self.ruler.fit_all(names, _COLUMN_LABELS, TEXT_SIZE) if self.slanted else upright
        if self.slanted:
            longest = max((self.ruler.width(label.text, TEXT_SIZE) for label in self.columns), default=0)
            self.column_labels = longest * sin(radians(_SLANT)) + _LINE * cos(radians(_SLANT)) + _PAD
            # The first one reaches to the left of its column, under the labels of the rows.
            over = longest * cos(radians(_SLANT)) + MARGIN - self.cell / 2
            self.left = max(self.left, over)
        else:
            self.column_labels = max((label.lines for label in self.columns), default=1) * _LINE + _PAD

    def _numbers(self) -> list[str]:
        return [
            written(value, self.chart.decimals)
            for panel in self.chart.values
            for row in panel
            for value in row
        ]


def written(value: float | None, decimals: int) -> str:
    """A number as it stands in a cell, "" where there is none."""
    number = finite(value)
    if number is None:
        return ""
    text = f"{abs(number):.{decimals}f}"
    return f"{MINUS}{text}" if number < 0 and float(text) != 0 else text


def _ends_well(text: str) -> bool:
    """Whether no line of a label ends in the middle of a word."""
    return all(not line[-1:].isalnum() for line in text.split("\n")[:-1]) or " " in text


def _draw_block(figure: Figure, plan: _Plan, block: _Block, left: float, top: float, is_first: bool) -> None:
    chart = plan.chart
    columns = block.stop - block.start
    axes = place_axes(figure, left, top, plan.cell * columns, plan.row * max(len(chart.rows), 1))
    values = [list(row[block.start : block.stop]) for row in chart.values[block.panel]]
    _draw_cells(axes, chart, values)
    axes.set_xlim(0, columns)
    axes.set_ylim(max(len(chart.rows), 1), 0)
    axes.tick_params(length=0, pad=3)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(
        plan.titles[block.title].text,
        fontsize=TITLE_SIZE,
        fontweight="bold",
        pad=3.5,
        linespacing=LINE_HEIGHT - 0.1,
    )
    names = [label.text for label in plan.columns[block.start : block.stop]]
    _label_x(axes, names, plan.slanted)
    _label_y(axes, plan.rows if is_first else [])
    if chart.column_label:
        axes.annotate(
            plan.column_title.text,
            (0.5, 0),
            xycoords="axes fraction",
            xytext=(0, -72 * plan.column_labels),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=TEXT_SIZE,
            style="italic",
        )
    if chart.row_label and is_first:
        across, down = figure.get_size_inches()
        figure.text(
            (MARGIN + _LINE / 2) / across,
            1 - (top + plan.row * len(chart.rows) / 2) / down,
            plan.row_title.text,
            rotation=90,
            ha="center",
            va="center",
            fontsize=TEXT_SIZE,
            style="italic",
        )


def _draw_cells(axes: Axes, chart: HeatMap, values: Sequence[Sequence[float | None]]) -> None:
    from matplotlib import colormaps
    from matplotlib.colors import Normalize
    from matplotlib.patches import Rectangle

    colours = colormaps[DIVERGING if chart.diverging else SEQUENTIAL]
    scale = Normalize(chart.minimum, chart.maximum, clip=True)
    for y, row in enumerate(values):
        for x, value in enumerate(row):
            number = finite(value)
            if number is None:
                axes.add_patch(
                    Rectangle((x, y), 1, 1, facecolor="#f4f4f4", edgecolor="#b0b0b0", hatch="/////", lw=0)
                )
            else:
                colour = colours(float(scale(number)))
                axes.add_patch(Rectangle((x, y), 1, 1, facecolor=colour, edgecolor="none", lw=0))
                axes.text(
                    x + 0.5,
                    y + 0.5,
                    written(number, chart.decimals),
                    ha="center",
                    va="center_baseline",
                    fontsize=NUMBER_SIZE,
                    color="black" if luminance(colour) > _LIGHT else "white",
                )
    for x in range(1, len(values[0]) if values else 0):
        axes.axvline(x, color="white", lw=0.8)
    for y in range(1, len(values)):
        axes.axhline(y, color="white", lw=0.8)
    axes.add_patch(
        Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, edgecolor=FAINT, lw=0.6, clip_on=False)
    )


def luminance(colour: Sequence[float] | Any) -> float:
    """The relative luminance of an sRGB colour in 0 to 1 (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _label_x(axes: Axes, names: Sequence[str], slanted: bool) -> None:
    axes.set_xticks([place + 0.5 for place in range(len(names))])
    if slanted:
        axes.set_xticklabels(names, rotation=_SLANT, ha="right", va="top", rotation_mode="anchor", color=INK)
    else:
        axes.set_xticklabels(names, color=INK, linespacing=LINE_HEIGHT - 0.1)


def _label_y(axes: Axes, rows: Sequence[Label]) -> None:
    axes.set_yticks([place + 0.5 for place in range(len(rows))])
    axes.set_yticklabels([label.text for label in rows], color=INK, linespacing=LINE_HEIGHT - 0.1)

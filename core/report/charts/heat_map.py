"""Heat maps with the numbers written into their cells; panels beside each other share the rows' labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from core.report.charts.labels import LINE_HEIGHT, Label, Ruler, in_full
from core.report.charts.style import (
    FAINT,
    GAP,
    INK,
    NUMBER_SIZE,
    PAGE,
    TEXT_SIZE,
    TITLE_SIZE,
    finite_or_nan,
    fit_to_axes,
    new_figure,
)
from core.report.document import HeatMap
from core.report.formats.cell_text import MINUS, finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches.
_ROW_LABELS = 1.9
_COLUMN_LABELS = 1.0
_WIDEST_CELL = 0.62
_LINE = TEXT_SIZE * LINE_HEIGHT / 72
_SLANT = 45

# From this relative luminance on (WCAG 2) black is easier to read than white.
_LIGHT = 0.179

SEQUENTIAL = "cividis"
DIVERGING = "PuOr"

Values = Sequence[Sequence[float | None]]


@dataclass(frozen=True)
class _Block:
    """A panel, or those of its columns (from `start` to before `stop`) that fit beside each other."""

    panel: int
    start: int
    stop: int
    title: str


@dataclass(frozen=True)
class _Arrangement:
    """How panels are laid out: `blocks` of at most `columns` columns, `beside` of them in a line; a cell is
    `cell` inches wide."""

    blocks: Sequence[_Block]
    columns: int
    beside: int
    cell: float

    @property
    def lines(self) -> int:
        return ceil(len(self.blocks) / self.beside)

    @property
    def width(self) -> float:
        """Of a block, in inches."""
        return self.cell * self.columns


def draw_heat_map(chart: HeatMap, ruler: Ruler) -> tuple[Figure, list[str]]:
    """The figure, `PAGE` inches wide at most, and what its note must add."""
    rows = ruler.fit_all(chart.rows, _ROW_LABELS, TEXT_SIZE, lines=2)
    arrangement = _arrange(chart, rows, ruler)
    row = max(
        max((label.lines for label in rows), default=1) * _LINE + 0.06,
        min(arrangement.cell, 0.36) if len(rows) <= 4 else 0.24,
    )
    height = row * max(len(rows), 1)
    titles = {
        title: ruler.fit(title, arrangement.width, TITLE_SIZE, lines=3, bold=True)
        for title in dict.fromkeys(block.title for block in arrangement.blocks)
    }
    columns, slanted = _column_labels(chart, arrangement, ruler)
    row_title = ruler.fit(chart.row_label, height, TEXT_SIZE)
    column_title = ruler.fit(chart.column_label, arrangement.width, TEXT_SIZE)

    figure = new_figure(arrangement.lines * (height + 1.5) + 0.5)
    if not arrangement.blocks:
        return figure, []
    grid = iter(figure.subplots(arrangement.lines, arrangement.beside, squeeze=False).flat)
    for index, (block, axes) in enumerate(zip(arrangement.blocks, grid, strict=False)):
        is_first = index % arrangement.beside == 0
        _draw_block(axes, chart, block, arrangement.columns)
        _add_title(axes, titles[block.title].text, (block.stop - block.start) / arrangement.columns)
        _label_columns(axes, columns[block.start : block.stop], slanted, in_layout=is_first)
        _label_rows(axes, rows if is_first else [])
        axes.set_xlabel(column_title.text, labelpad=2, style="italic")
        if is_first:
            axes.set_ylabel(row_title.text, labelpad=3, style="italic")
    for axes in list(grid):
        axes.remove()
    fit_to_axes(figure, arrangement.beside, arrangement.lines, height, arrangement.width)
    missing = any(finite(value) is None for panel in chart.values for row in panel for value in row)
    notes = ["Hatched: no value."] if missing else []
    return figure, [*notes, *in_full([*rows, *columns, *titles.values(), row_title, column_title])]


def _arrange(chart: HeatMap, rows: Sequence[Label], ruler: Ruler) -> _Arrangement:
    """As many panels beside each other as have room for their numbers; the columns of a panel that is wider
    than the page are split."""
    label_width = max((ruler.width(row.text, TEXT_SIZE) for row in rows), default=0)
    room = PAGE - label_width - (_LINE + 0.05 if chart.row_label else 0) - 0.1 - GAP
    numbers = [written(value, chart.decimals) for panel in chart.values for row in panel for value in row]
    number = max(ruler.width(text, NUMBER_SIZE) for text in [*numbers, "0.00"]) + 0.1
    columns = max(len(chart.columns), 1)
    most = max(int((room + GAP) / (number + GAP / columns) / columns), 0)
    beside = 1
    if most:
        lines = ceil(len(chart.panels) / most)
        beside = max(ceil(len(chart.panels) / max(lines, 1)), 1)
    else:
        columns = ceil(columns / ceil(columns * number / room))
    cell = min((room - GAP * (beside - 1)) / beside / columns, _WIDEST_CELL)
    return _Arrangement(list(_blocks(chart, columns)), columns, beside, cell)


def _blocks(chart: HeatMap, columns: int) -> Iterator[_Block]:
    for panel, name in enumerate(chart.panels):
        for start in range(0, max(len(chart.columns), 1), columns):
            title = name if not start else f"{name} (continued)"
            yield _Block(panel, start, min(start + columns, len(chart.columns)), title)


def _column_labels(chart: HeatMap, arrangement: _Arrangement, ruler: Ruler) -> tuple[list[Label], bool]:
    """Upright and in two lines where all fit so, else at a slant; and whether they are at a slant."""
    upright = ruler.fit_all(chart.columns, arrangement.cell - 0.06, TEXT_SIZE, lines=2)
    slanted = any(
        label.full
        or label.text.replace("\n", "").replace(" ", "") != name.replace(" ", "")
        or not _ends_well(label.text)
        for label, name in zip(upright, chart.columns, strict=True)
    )
    return (ruler.fit_all(chart.columns, _COLUMN_LABELS, TEXT_SIZE) if slanted else upright), slanted


def _ends_well(text: str) -> bool:
    """Whether no line of a label ends in the middle of a word."""
    return all(not line[-1:].isalnum() for line in text.split("\n")[:-1]) or " " in text


def written(value: float | None, decimals: int) -> str:
    """A number as it stands in a cell, "" where there is none."""
    number = finite(value)
    if number is None:
        return ""
    text = f"{abs(number):.{decimals}f}"
    return f"{MINUS}{text}" if number < 0 and float(text) != 0 else text


def _draw_block(axes: Axes, chart: HeatMap, block: _Block, columns: int) -> None:
    """The cells with their numbers. What has no value shows the hatched ground."""
    import numpy as np
    from matplotlib import colormaps
    from matplotlib.colors import Normalize
    from matplotlib.patches import Rectangle

    rows, own = max(len(chart.rows), 1), block.stop - block.start
    colours = colormaps[DIVERGING if chart.diverging else SEQUENTIAL]
    scale = Normalize(chart.minimum, chart.maximum, clip=True)
    values: Values = [row[block.start : block.stop] for row in chart.values[block.panel]]
    ground: dict[str, Any] = {
        "facecolor": "#f4f4f4",
        "edgecolor": "#b0b0b0",
        "hatch": "/////",
        "lw": 0,
        "zorder": 0.5,
    }
    axes.add_patch(Rectangle((0, 0), own, rows, **ground))
    if own and values:
        numbers = np.array([[finite_or_nan(value) for value in row] for row in values])
        # As vectors, where `imshow` would put a bitmap into the SVG, which the page's policy would not show.
        axes.pcolormesh(np.ma.masked_invalid(numbers), cmap=colours, norm=scale)
    for y, row in enumerate(values):
        for x, value in enumerate(row):
            number = finite_or_nan(value)
            if number == number:
                ink = "black" if luminance(colours(float(scale(number)))) > _LIGHT else "white"
                axes.text(
                    x + 0.5,
                    y + 0.5,
                    written(number, chart.decimals),
                    fontsize=NUMBER_SIZE,
                    color=ink,
                    ha="center",
                    va="center_baseline",
                )
    axes.hlines(range(1, rows), 0, own, color="white", lw=0.8)
    axes.vlines(range(1, own), 0, rows, color="white", lw=0.8)
    axes.add_patch(Rectangle((0, 0), own, rows, fill=False, edgecolor=FAINT, lw=0.6, clip_on=False))
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    axes.tick_params(length=0, pad=3)
    axes.patch.set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def luminance(colour: Sequence[float] | Any) -> float:
    """The relative luminance of an sRGB colour in 0 to 1 (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _add_title(axes: Axes, title: str, share: float) -> None:
    """Above the middle of the columns, which take this share of the axes."""
    axes.set_title(
        title,
        x=max(share, 0.5) / 2 if share < 1 else 0.5,
        fontsize=TITLE_SIZE,
        fontweight="bold",
        pad=3.5,
        linespacing=LINE_HEIGHT - 0.1,
    )


def _label_columns(axes: Axes, columns: Sequence[Label], slanted: bool, *, in_layout: bool) -> None:
    """Labels at a slant begin below the panel at the left, which needs no more room for that: only the first
    panel's are `in_layout`."""
    axes.set_xticks([column + 0.5 for column in range(len(columns))])
    names = [label.text for label in columns]
    if slanted:
        axes.set_xticklabels(names, rotation=_SLANT, ha="right", va="top", rotation_mode="anchor", color=INK)
        for label in axes.get_xticklabels():
            label.set_in_layout(in_layout)
    else:
        axes.set_xticklabels(names, color=INK, linespacing=LINE_HEIGHT - 0.1)


def _label_rows(axes: Axes, rows: Sequence[Label]) -> None:
    axes.set_yticks([row + 0.5 for row in range(len(rows))])
    axes.set_yticklabels([label.text for label in rows], color=INK, linespacing=LINE_HEIGHT - 0.1)

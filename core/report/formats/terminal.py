"""The report on a terminal: tables with Rich, whose intervals stand where there is room for them."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from core.report.document import Report, Table
from core.report.formats.cell_text import CellText, Dialect, TableText, is_label
from core.text.visible import visible

TERMINAL = Dialect(escape=str, bold=str, raised=lambda letter: f" ({letter})")

# Between columns, and how narrow a text column may become before others are left for a table of their own.
_GAP = 2
_LABEL, _NARROWEST = 24, 8
_LONGEST = 60

# How wide a heading may make its column; longer ones are put in lines.
_HEADING = 16

# Where intervals stand.
Interval = Literal["behind", "beneath", "none"]


def report_renderable(report: Report, main: bool = True) -> RenderableType:
    """The report's tables. `main`: the first table of each section; else all, with the sections' texts.

    Where they don't fit into the terminal's width, intervals stand below their values, then the groups of
    columns below each other; on narrow terminals the intervals are left out.
    """
    return _Lines(report, main)


def table_renderable(table: Table) -> RenderableType:
    """One table by itself."""
    return _OneTable(table)


class _OneTable:
    def __init__(self, table: Table) -> None:
        self.table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from table_lines(self.table, options.max_width)


class _Lines:
    def __init__(self, report: Report, main: bool) -> None:
        self.report = report
        self.main = main

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(visible(self.report.title), style="bold")
        for line in self.report.about:
            yield Text(visible(line), style="dim")
        for section in self.report.sections:
            tables = section.tables[:1] if self.main else section.tables
            text = section.text if not self.main or not tables else ()
            if not tables and not text:
                continue
            yield Text()
            yield Text(f"── {visible(section.title)}", style="bold")
            for paragraph in text:
                yield Text(visible(paragraph))
            for table in tables:
                yield Text()
                yield from table_lines(table, options.max_width)


def table_lines(table: Table, width: int) -> Iterator[RenderableType]:
    """The table in as many parts as `width` cells make of it, with its title above and its notes below."""
    text = TableText(table, TERMINAL)
    cells = [
        [text.cell(column, cell) for column, cell in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]
    yield Text(visible(table.title), style="italic")
    sheet = _Sheet(table, cells)
    blocks, interval, label = _layout(sheet, width)
    for index, block in enumerate(blocks):
        if index:
            yield Text()
        yield sheet.drawn(block, interval, label, whole=len(blocks) == 1)
    if not cells:
        yield Text("No rows.", style="dim")
    for note in text.notes(n_shown=False, intervals_shown=interval != "none"):
        yield Padding(Text(note, style="dim"), (0, 0, 0, 2))


def _layout(sheet: "_Sheet", width: int) -> tuple[list[list[int]], Interval, int]:
    """The blocks of number columns in which the table fits, the place of intervals, the width of labels."""
    groups = [
        list(members) for _, members in groupby(sheet.numbers, key=lambda index: sheet.columns[index].group)
    ]
    everything: list[list[int]] = [sheet.numbers]
    layouts: tuple[tuple[list[list[int]], Interval, int], ...] = (
        (everything, "behind", _LONGEST),
        (everything, "beneath", _LONGEST),
        (everything, "beneath", _LABEL),
        (groups, "beneath", _LABEL),
        (everything, "none", _LABEL),
        (groups, "none", _LABEL),
    )
    for blocks, interval, label in layouts:
        if all(sheet.width(block, interval, label) <= width for block in blocks):
            return blocks, interval, label

    def parts(interval: Interval, label: int) -> list[list[int]]:
        return [part for group in groups for part in sheet.chunks(group, interval, label, width)]

    fewest = parts("none", _NARROWEST)
    interval = "beneath" if len(parts("beneath", _NARROWEST)) == len(fewest) else "none"
    for label in range(_LABEL, _NARROWEST, -1):  # as wide as may be without another part
        blocks = parts(interval, label)
        if len(blocks) == len(fewest) and all(sheet.width(part, interval, label) <= width for part in blocks):
            return blocks, interval, label
    return parts(interval, _NARROWEST) or everything, interval, _NARROWEST


class _Sheet:
    """A table's cells and how wide they are, in cells of a terminal."""

    def __init__(self, table: Table, cells: Sequence[Sequence[CellText]]) -> None:
        self.columns = table.columns
        self.cells = cells
        self.best = [[cell.best for cell in row] for row in table.rows]
        self.labels = [index for index, column in enumerate(table.columns) if is_label(column)]
        self.numbers = [index for index in range(len(table.columns)) if index not in self.labels]

    def width(self, block: Sequence[int], interval: Interval, label: int) -> int:
        """Of the table with these number columns."""
        numbers = (self._number(index, interval) for index in block)
        return self._labels(label) + sum(_GAP + width for width in numbers)

    def chunks(self, group: Sequence[int], interval: Interval, label: int, width: int) -> list[list[int]]:
        """A group of columns in parts that fit, as equal as can be."""
        widest = max(self._number(index, interval) for index in group) + _GAP
        most = max((width - self._labels(label)) // widest, 1)
        parts = -(-len(group) // most)
        size = -(-len(group) // parts)
        return [list(group[start : start + size]) for start in range(0, len(group), size)]

    def drawn(self, block: Sequence[int], interval: Interval, label: int, whole: bool) -> RichTable:
        """The label columns and `block`; in the table's own order where that is all of it."""
        columns = list(range(len(self.columns))) if whole else [*self.labels, *block]
        rich = RichTable(box=box.SIMPLE_HEAD, padding=(0, _GAP, 0, 0), pad_edge=False, show_edge=False)
        grouped = any(self.columns[index].group for index in columns)
        last = ""
        for index in columns:
            column = self.columns[index]
            group = column.group if column.group != last else ""
            last = column.group
            header = Text(f"{visible(group)}\n{visible(column.name)}" if grouped else visible(column.name))
            if is_label(column):
                rich.add_column(header, overflow="fold", max_width=label, vertical="top")
            else:
                rich.add_column(header, justify="right", overflow="fold", width=self._number(index, interval))
        first = columns[0]
        above = None
        for row, best in zip(self.cells, self.best, strict=True):
            texts = [
                Text(_laid_out(row[index], interval), style="bold" if best[index] else "")
                for index in columns
            ]
            # A name that stands in the row above needn't be read again.
            if row[first] == above and first in self.labels and len(self.labels) > 1:
                texts[0] = Text()
            above = row[first]
            rich.add_row(*texts)
        return rich

    def _labels(self, most: int) -> int:
        widths = [self._natural(index, [row[index].value for row in self.cells]) for index in self.labels]
        return sum(min(width, most) for width in widths) + _GAP * max(len(widths) - 1, 0)

    def _number(self, index: int, interval: Interval) -> int:
        lines = (_laid_out(row[index], interval) for row in self.cells)
        return self._natural(index, [line for text in lines for line in text.split("\n")])

    def _natural(self, index: int, texts: Sequence[str]) -> int:
        column = self.columns[index]
        heading = max(cell_len(visible(column.name)), cell_len(visible(column.group)))
        return max([min(heading, _HEADING), *map(cell_len, texts)])


def _laid_out(cell: CellText, interval: Interval) -> str:
    if interval == "none" or not cell.interval:
        return cell.value
    return f"{cell.value}{' ' if interval == 'behind' else chr(10)}{cell.interval}"

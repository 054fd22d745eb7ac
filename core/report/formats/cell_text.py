"""How a cell is written: the same words and numbers in every text format, each with its own escapes."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import SupportsFloat

from core.report.document import Cell, Column, Table
from core.text.visible import visible

DASH = "–"
MINUS = "\u2212"

_DECIMALS = {"score": 2, "percent": 0, "number": 2, "count": 0}


@dataclass(frozen=True)
class Dialect:
    """What differs between formats: `escape` makes a visible text one that the format only shows, `bold` and
    `raised` take text that is escaped. `percent` is its percent sign, escaped."""

    escape: Callable[[str], str]
    bold: Callable[[str], str]
    raised: Callable[[str], str]
    minus: str = MINUS
    dash: str = DASH
    percent: str = "%"

    def text(self, text: str) -> str:
        """Any text, of any origin, safe to stand in the format."""
        return self.escape(visible(text))


@dataclass(frozen=True)
class CellText:
    """A cell in parts, each escaped and "" where there is none: the value with its mark, the interval in
    brackets, the number of scores."""

    value: str
    interval: str = ""
    n: str = ""

    def __str__(self) -> str:
        number = f"(n = {self.n})" if self.n else ""
        return " ".join(part for part in (self.value, self.interval, number) if part)


class TableText:
    """The cells of a table and what stands below it.

    A reason why there is no value is a dash with a letter, explained below the table; a number of scores that
    is the same in all cells stands once below it.
    """

    def __init__(self, table: Table, dialect: Dialect) -> None:
        self.table = table
        self.dialect = dialect
        reasons = dict.fromkeys(
            cell.why
            for _, cell in _cells(table)
            if cell.why and not (isinstance(cell.value, str) and cell.value)
        )
        self._letters = {why: _letter(index) for index, why in enumerate(reasons)}
        self._counts = sorted({cell.n for _, cell in _cells(table) if cell.n is not None})

    def cell(self, column: Column, cell: Cell) -> CellText:
        """The cell in the table's dialect, with the letter of its reason and its n where they differ."""
        written = format_cell(column, cell, self.dialect)
        letter = self._letters.get(cell.why, "")
        value = written.value + (self.dialect.raised(letter) if letter else "")
        return CellText(value, written.interval, written.n if len(self._counts) > 1 else "")

    def notes(self, n_shown: bool = True, intervals_shown: bool = True) -> list[str]:
        """The sentences below the table, escaped. Where n is not shown, its range is."""
        written = [
            f"{self.dialect.raised(letter).strip()} {self.dialect.text(_sentence(why))}"
            for why, letter in self._letters.items()
        ]
        return written + [self.dialect.text(note) for note in self._sentences(n_shown, intervals_shown)]

    def _sentences(self, n_shown: bool, intervals_shown: bool) -> Iterator[str]:
        yield from self.table.notes
        cells = [cell for _, cell in _cells(self.table)]
        if len(self._counts) == 1:
            yield f"n = {self._counts[0]}."
        elif self._counts and not n_shown:
            yield f"n = {self._counts[0]} to {self._counts[-1]}, by cell."
        if any(cell.low is not None for cell in cells):
            yield "In brackets: 95% intervals." if intervals_shown else "Too narrow for the 95% intervals."
        if any(cell.best for cell in cells):
            yield "In bold: the best of the column."
        if self.table.source:
            yield _sentence(f"In the paper: {self.table.source}")


def format_cell(column: Column, cell: Cell, dialect: Dialect) -> CellText:
    """The cell in the parts that a format lays out; a value that is missing or not finite is a dash."""
    if isinstance(cell.value, str):
        value = dialect.text(cell.value) or dialect.dash
        interval = ""
    else:
        value = _number(column, cell.value, dialect)
        low, high = (_number(column, end, dialect, unit=False) for end in (cell.low, cell.high))
        interval = f"[{low}, {high}]" if finite(cell.low) is not None or finite(cell.high) is not None else ""
        if finite(cell.value) is None:
            interval = ""
    if cell.best:
        value = dialect.bold(value)
    if cell.mark:
        value += dialect.text(cell.mark)
    return CellText(value, interval, "" if cell.n is None else str(int(cell.n)))


def finite(value: SupportsFloat | str | None) -> float | None:
    """The number, None where there is none that can be shown."""
    if value is None or isinstance(value, str):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def heading(column: Column) -> str:
    """The column's name in full where its group can't stand above it."""
    return ": ".join(part for part in (column.group, column.name) if part)


def is_label(column: Column) -> bool:
    return column.kind == "text"


def _number(column: Column, value: SupportsFloat | None, dialect: Dialect, unit: bool = True) -> str:
    number = finite(value)
    if number is None:
        return dialect.dash
    written = f"{abs(number):.{_DECIMALS[column.kind]}f}" if column.kind != "text" else f"{abs(number):g}"
    if number < 0 and float(written) != 0:
        written = dialect.minus + written
    elif column.signed and float(written) != 0:
        written = "+" + written
    return written + (dialect.percent if unit and column.kind == "percent" else "")


def _cells(table: Table) -> Iterator[tuple[Column, Cell]]:
    for row in table.rows:
        yield from zip(table.columns, row, strict=True)


def _letter(number: int) -> str:
    """a, b, ..., z, aa, ab, ..."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."

"""A table as CSV for programs: a row for each number, with its interval and count in columns of their own.

The cells of text columns (model, language, ...) repeat on each row. UTF-8, newline `\\n`, a hyphen as minus.
"""

import csv
import io
from collections.abc import Iterator

from core.report.document import Cell, Column, Table
from core.report.formats.cell_text import finite, heading, is_label
from core.text.visible import visible

MEASURED = ("group", "measure", "value", "low", "high", "n", "best", "mark", "why")

# Enough for any count, and few enough that the last bits of a sum don't show.
DIGITS = 9

# What a spreadsheet takes for a formula at the start of a cell; an apostrophe before it makes it a text.
_FORMULA = ("=", "+", "-", "@")


def table_csv(table: Table) -> str:
    """The table in tidy form: text columns, then `MEASURED`. One of text columns alone keeps its shape."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    labels = [index for index, column in enumerate(table.columns) if is_label(column)]
    names = _unlike((heading(table.columns[index]) for index in labels), MEASURED)
    measured = [index for index in range(len(table.columns)) if index not in labels]
    writer.writerow([*names, *(MEASURED if measured else ())])
    for row in table.rows:
        known = [_label(row[index]) for index in labels]
        mark = "".join(row[index].mark for index in labels)
        if not measured:
            writer.writerow(known)
        for index in measured:
            writer.writerow([*known, *_measured(table.columns[index], row[index], mark)])
    return file.getvalue()


def _measured(column: Column, cell: Cell, mark: str) -> list[str]:
    value = _text(cell.value) if isinstance(cell.value, str) else _number(cell.value)
    return [
        _text(column.group),
        _text(column.name),
        value,
        _number(cell.low),
        _number(cell.high),
        "" if cell.n is None else str(int(cell.n)),
        "1" if cell.best else "",
        _text(mark + cell.mark),
        _text(cell.why),
    ]


def _label(cell: Cell) -> str:
    if isinstance(cell.value, str):
        return _text(cell.value)
    return _number(cell.value) or _text(cell.why)


def _number(value: float | None) -> str:
    number = finite(value)
    if number is None:
        return ""
    return f"{number + 0.0:.{DIGITS}g}"


def _text(text: str) -> str:
    rendered = visible(text)
    return f"'{rendered}" if len(rendered) > 1 and rendered.startswith(_FORMULA) else rendered


def _unlike(names: Iterator[str], taken: tuple[str, ...]) -> list[str]:
    """The names of columns, numbered where one stands already."""
    used = set(taken)
    unlike: list[str] = []
    for name in names:
        rendered = _text(name)
        number = 2
        while rendered in used:
            rendered = f"{_text(name)} {number}"
            number += 1
        used.add(rendered)
        unlike.append(rendered)
    return unlike

"""CSV with a header (RFC 4180, UTF-8). `core.exchange.columns` lists the columns that are read.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula, and
a response may well be a formula that sends data away (owasp.org/www-community/attacks/CSV_Injection). Such a
text is written with an apostrophe before it, and one apostrophe is removed when it is read again.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TextIO

from sqlmodel import Session

from core.exchange.columns import OPTIONS, Columns, tidy_records
from core.exchange.records import Record
from core.exchange.tidy import OPTIONS as TIDY_OPTIONS
from core.exchange.tidy import Selection
from core.text.files import BadRow, Location, csv_rows
from store.queries.exporting import measured_metrics

PARTS = ("value", "label", "reason", "tool")
# A text that begins with apostrophes itself gets one more, so that ours can be told from them.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


class CsvImporter:
    """Reads tables whose first line names the columns."""

    name = "csv"
    summary = "instructions and responses (or ratings, notes), a table with a header"
    options: ClassVar[dict[str, str]] = OPTIONS

    def read(self, paths: Sequence[Path], options: Mapping[str, Any]) -> Iterator[Record]:
        columns = Columns(options)
        for path in paths:
            yield from tidy_records(_plain_rows(path), columns, options)


class CsvExporter:
    """Writes ratings or notes (without instructions and responses unless asked for) or responses.

    Null is an empty cell. Each surface metric of a response has four columns, `METRIC.value`,
    `METRIC.label` (what was identified), `METRIC.reason` (why there is no value) and `METRIC.tool`; of
    several tools the one that measured last.
    """

    name = "csv"
    summary = "tidy ratings, responses or notes, a table with a header"
    options: ClassVar[dict[str, str]] = TIDY_OPTIONS

    def write(self, session: Session, file: TextIO, options: Mapping[str, Any]) -> int:
        selection = Selection(options, text=options.get("what") == "responses")
        rows = selection.rows(session)
        header = [name for name in selection.columns if name != "surface"]
        if "surface" in selection.columns:
            header += [f"{metric}.{part}" for metric in measured_metrics(session) for part in PARTS]
        writer = csv.writer(file)
        writer.writerow(header)
        count = 0
        for row in rows:
            for measured in row.pop("surface", []):
                row |= {f"{measured['metric']}.{part}": measured[part] for part in PARTS}
            writer.writerow([_cell(row.get(name)) for name in header])
            count += 1
        return count


def _plain_rows(path: Path) -> Iterator[tuple[Location, dict[str, str]] | BadRow]:
    for row in csv_rows(path):
        if isinstance(row, BadRow):
            yield row
            continue
        location, cells = row
        yield (
            location,
            {
                name: cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell
                for name, cell in cells.items()
            },
        )


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) else value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | dict) else value

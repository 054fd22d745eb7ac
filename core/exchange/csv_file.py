"""CSV with a header (RFC 4180, UTF-8). The columns in are those of `core.exchange.columns`.

Going out, cells stand as they are: a text that begins with `=`, `+`, `-` or `@` is not disguised, since the
files are for programs. Open them in a spreadsheet as text, not as formulas.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TextIO

from sqlmodel import Session

from core.exchange.columns import OPTIONS, Columns
from core.exchange.lines import csv_rows
from core.exchange.records import Record
from core.exchange.tidy import OPTIONS as TIDY_OPTIONS
from core.exchange.tidy import Selection
from store.queries.exporting import measured_metrics

PARTS = ("value", "label", "tool")


class CsvImporter:
    """Reads instructions and responses from tables whose first line names the columns."""

    name = "csv"
    summary = "instructions and responses, a table with a header"
    options: ClassVar[dict[str, str]] = OPTIONS

    def read(self, paths: Sequence[Path], options: Mapping[str, Any]) -> Iterator[Record]:
        columns = Columns(options)
        for path in paths:
            yield from columns.records(csv_rows(path))


class CsvExporter:
    """Writes ratings or notes (without instructions and responses unless asked for) or responses.

    Null is an empty cell. Each surface metric of a response has three columns, `METRIC.value`,
    `METRIC.label` (what was identified) and `METRIC.tool`; of several tools the one that measured last.
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
            for found in row.pop("surface", []):
                row |= {f"{found['metric']}.{part}": found[part] for part in PARTS}
            writer.writerow([_cell(row.get(name)) for name in header])
            count += 1
        return count


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | dict) else value

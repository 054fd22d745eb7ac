"""Parquet (extra `parquet`), read and written some rows at a time. `core.exchange.columns` lists the columns
that are read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import IO, Any, ClassVar

from sqlmodel import Session

from core.exchange.columns import OPTIONS, Columns, tidy_records
from core.exchange.records import Record
from core.exchange.tidy import OPTIONS as TIDY_OPTIONS
from core.exchange.tidy import Selection
from core.extras import needs_extra
from core.text.files import BadRow, Location
from store.errors import UsageError, XlitError

ROWS = 1_000
GROUP = 20_000
_NUMBERS = (
    "sample", "response_id", "score", "looked_ms", "revision", "entry_id", "start", "end",
    "tokens_in", "tokens_out",
)  # fmt: skip
_FLAGS = ("skipped", "judge_shown", "names_shown")


class ParquetImporter:
    """Reads tables with named columns."""

    name = "parquet"
    summary = "instructions and responses (or ratings, notes), a Parquet table"
    options: ClassVar[dict[str, str]] = OPTIONS

    def read(self, paths: Sequence[Path], options: Mapping[str, Any]) -> Iterator[Record]:
        columns = Columns(options)
        for path in paths:
            yield from tidy_records(_rows(path), columns, options)


class ParquetExporter:
    """Writes ratings, notes or responses, with the texts unless told otherwise.

    Times are timestamps in UTC; parameters are JSON; surface metrics are a list of structs.
    """

    name = "parquet"
    summary = "tidy ratings, responses or notes, a Parquet table"
    options: ClassVar[dict[str, str]] = TIDY_OPTIONS
    binary = True

    def write(self, session: Session, file: IO[bytes], options: Mapping[str, Any]) -> int:
        with needs_extra("parquet", "Parquet"):
            import pyarrow
            import pyarrow.parquet

        selection = Selection(options, text=True)
        rows = selection.rows(session)
        schema = pyarrow.schema([(name, _type(pyarrow, name)) for name in selection.columns])
        count = 0
        with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            while group := [_cells(row) for row in islice(rows, GROUP)]:
                writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))
                count += len(group)
        return count


def _rows(path: Path) -> Iterator[tuple[Location, Any] | BadRow]:
    with needs_extra("parquet", "Parquet"):
        import pyarrow
        import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            repeated = next((name for name in names if names.count(name) > 1), None)
            if repeated is not None:
                raise UsageError(f"{path} has two columns {repeated!r}. Rename one.")
            for batch in file.iter_batches(batch_size=ROWS):
                for cells in batch.to_pylist():
                    number += 1
                    location = Location(path, number)
                    try:
                        plain = {name: _plain(cell) for name, cell in cells.items()}
                    except UnicodeDecodeError:
                        yield BadRow(location, "bytes that are not valid UTF-8")
                        continue
                    yield location, plain
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")[:300]
        after = f" after row {number}" if number else ""
        raise XlitError(f"{path} can't be read as Parquet{after}: {reason}. Nothing was imported.") from None


def _plain(cell: Any) -> Any:
    """A cell as JSON would have it: bytes become text, and NaN becomes None. Raises `UnicodeDecodeError`."""
    if isinstance(cell, float) and cell != cell:
        return None
    if isinstance(cell, bytes):
        return cell.decode("utf-8")
    if isinstance(cell, Decimal):
        return int(cell) if cell == cell.to_integral_value() else float(cell)
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return cell.isoformat()
    return cell


def _type(arrow: Any, name: str) -> Any:
    if name in _NUMBERS:
        return arrow.int64()
    if name in _FLAGS:
        return arrow.bool_()
    if name == "seconds":
        return arrow.float64()
    if name == "created_at":
        return arrow.timestamp("us", tz="UTC")
    if name == "surface":
        metric = {"metric": arrow.string(), "tool": arrow.string(), "value": arrow.float64()}
        return arrow.list_(
            arrow.struct(list({**metric, "label": arrow.string(), "reason": arrow.string()}.items()))
        )
    return arrow.string()


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    if row.get("parameters") is not None:
        row["parameters"] = json.dumps(row["parameters"], ensure_ascii=False)
    if row.get("created_at") is not None:
        row["created_at"] = datetime.fromisoformat(row["created_at"])
    return row

"""JSON Lines: one object a line, UTF-8. `core.exchange.columns` lists the columns that are read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TextIO

from sqlmodel import Session

from core.exchange.columns import OPTIONS, Columns, tidy_records
from core.exchange.records import Record
from core.exchange.tidy import OPTIONS as TIDY_OPTIONS
from core.exchange.tidy import Selection
from core.text.files import json_lines


class JsonlImporter:
    """Reads instructions and responses (or ratings, notes), one object a line."""

    name = "jsonl"
    summary = "instructions and responses (or ratings, notes), one JSON object a line"
    options: ClassVar[dict[str, str]] = OPTIONS

    def read(self, paths: Sequence[Path], options: Mapping[str, Any]) -> Iterator[Record]:
        columns = Columns(options)
        for path in paths:
            yield from tidy_records(json_lines(path), columns, options)


class JsonlExporter:
    """Writes ratings, responses or notes, one object a line, with the texts unless told otherwise."""

    name = "jsonl"
    summary = "tidy ratings, responses or notes, one JSON object a line"
    options: ClassVar[dict[str, str]] = TIDY_OPTIONS

    def write(self, session: Session, file: TextIO, options: Mapping[str, Any]) -> int:
        count = 0
        for row in Selection(options, text=True).rows(session):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
        return count

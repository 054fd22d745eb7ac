"""Suites in the project's own form: `NAME.toml` beside `NAME.jsonl` (see `core.suites.loader`)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from core.exchange.records import InstructionRow, Record, SuiteName
from core.suites.loader import suite_records
from core.text.files import BadRow


class SuiteImporter:
    """Reads the instructions of suites. Each suite is given by its folder or by either of its two files."""

    name = "suite"
    summary = "a suite in the project's own form: NAME.toml beside NAME.jsonl"
    options: ClassVar[dict[str, str]] = {}

    def read(self, paths: Sequence[Path], options: Mapping[str, Any]) -> Iterator[Record]:
        for path in paths:
            meta, records = suite_records(path)
            suite = SuiteName(meta.name, meta.version, meta.licence, meta.source)
            for line in records:
                if isinstance(line, BadRow):
                    yield line
                    continue
                new = line.new
                yield InstructionRow(
                    line.location, suite, new.language, new.key, new.text, new.task, new.modifier, new.check
                )

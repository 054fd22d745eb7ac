"""Outputs as AlpacaEval and AlpacaFarm keep them (github.com/tatsu-lab/alpaca_eval): a JSON array of objects
with `instruction`, `output`, `generator` and `dataset`, in English unless the option `language` says
otherwise.

The instructions have no keys. With the option `match` they are looked up by their text in a suite of the
store, so that answers to the same instruction stand side by side. Without it they make a suite of their own.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TextIO

from sqlmodel import Session

from core.exchange.columns import OPTIONS, Columns
from core.exchange.records import Record
from core.text.files import BadRow, Location, json_array
from store.errors import UsageError
from store.queries.exporting import response_rows
from store.queries.suites import find_suite

SUITE = "alpaca-eval/1"


class AlpacaEvalImporter:
    """Reads `model_outputs.json`."""

    name = "alpaca-eval"
    summary = "outputs of AlpacaEval or AlpacaFarm (JSON array)"
    options: ClassVar[dict[str, str]] = {
        **{name: OPTIONS[name] for name in ("model", "match", "licence", "source")},
        "language": "language of the outputs (default: en)",
        "suite": f"name/version of the suite that the instructions make (default: {SUITE})",
    }

    def read(self, paths: Sequence[Path], options: Mapping[str, Any]) -> Iterator[Record]:
        defaults = {"language": "en", **({} if "match" in options else {"suite": SUITE})}
        columns = Columns({**defaults, **options})
        for path in paths:
            yield from columns.records(_rows(path))


class AlpacaEvalExporter:
    """Writes responses as outputs that AlpacaEval can judge."""

    name = "alpaca-eval"
    summary = "outputs for AlpacaEval (JSON array)"
    options: ClassVar[dict[str, str]] = {
        "suite": "only this suite (name or name/version)",
        "language": "only instructions in this language",
        "models": "only these models (AlpacaEval wants one model a file)",
    }

    def write(self, session: Session, file: TextIO, options: Mapping[str, Any]) -> int:
        suite = find_suite(session, options["suite"]).id if options.get("suite") else None
        count = 0
        for row in response_rows(session, suite_id=suite, language=options.get("language")):
            if "models" not in options or row["model"] in options["models"]:
                output = {
                    "instruction": row["instruction"],
                    "output": row["response"],
                    "generator": row["model"],
                    "dataset": row["task"] or row["suite"],
                }
                file.write(",\n" if count else "[\n")
                file.write(json.dumps(output, ensure_ascii=False, indent=1))
                count += 1
        file.write("\n]\n" if count else "[]\n")
        return count


def _rows(path: Path) -> Iterator[tuple[Location, Any] | BadRow]:
    for row in json_array(path):
        if isinstance(row, BadRow) or not isinstance(row[1], dict):
            yield row
            continue
        location, cells = row
        if "output_1" in cells and "output_2" in cells and "output" not in cells:
            raise UsageError(
                f"{path} holds annotations of AlpacaEval (output_1, output_2), which are comparisons. "
                "Import the outputs of each model (model_outputs.json)."
            )
        cells = {"task": cells.get("dataset"), **cells}
        if isinstance(cells.get("input"), str) and isinstance(cells.get("instruction"), str):
            cells["instruction"] = "\n\n".join(filter(str.strip, (cells["instruction"], cells["input"])))
        yield location, {name: cell for name, cell in cells.items() if name not in ("dataset", "input")}

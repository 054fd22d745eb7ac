"""Instruction data as suites with reference answers: Dolly (databricks-dolly-15k), LIMA (arXiv 2305.11206).

Every question is an instruction. The answer beside it becomes a response of the model `reference`, so that a
model's answers can be read next to it. The key is the row's number in its file, such as `00017`, and is the
same in all translations that keep the lines. Of a longer conversation only the first question and its answer
are read.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from core.exchange.records import DecodingName, ImportedResponse, InstructionRow, Record, SuiteName
from core.text.files import BadRow, Location
from core.train.data.formats import format_of, messages_of
from core.train.data.sources import BadRow as BadLine
from core.train.data.sources import file_rows
from core.train.data.turns import Unfit

REFERENCE = "reference"


class _InstructionData:
    """The reader that both formats share."""

    name: str
    licence: str
    source: str
    forms: tuple[str, ...]
    summary: str
    options: ClassVar[dict[str, str]] = {
        "suite": "name/version of the suite (default: the format's name, version 1)",
        "language": "language of the data (default: en)",
        "model": f"name of the model that the reference answers stand under (default: {REFERENCE})",
    }

    def read(self, paths: Sequence[Path], options: Mapping[str, Any]) -> Iterator[Record]:
        suite = SuiteName.parse(options.get("suite") or self.name, self.licence, self.source)
        language, model = options.get("language") or "en", options.get("model") or REFERENCE
        decoding = DecodingName(parameters={"source": self.name})
        for path in paths:
            for item in file_rows(path):
                location = _location(path, item.location if isinstance(item, BadLine) else item[0])
                if isinstance(item, BadLine):
                    yield BadRow(location, item.reason)
                    continue
                row = item[1]
                if format_of(row) not in self.forms:
                    yield BadRow(location, f"not a row of {self.name}")
                    continue
                try:
                    text, answer = _first_turn(messages_of(row, format_of(row) or ""))
                except Unfit as error:
                    yield BadRow(location, str(error))
                    continue
                task = row.get("category") or row.get("source") if isinstance(row, Mapping) else None
                yield InstructionRow(
                    location, suite, language, f"{location.line:05}", text,
                    task=task if isinstance(task, str) else None,
                    response=None if answer is None else ImportedResponse(model, answer, decoding),
                )  # fmt: skip


class DollyImporter(_InstructionData):
    """Reads `databricks-dolly-15k.jsonl`. A context stands below its instruction, categories are tasks."""

    name = "dolly"
    summary = "Dolly as a suite with reference answers"
    forms = ("dolly",)
    licence = "CC-BY-SA-3.0"
    source = "databricks/databricks-dolly-15k"


class LimaImporter(_InstructionData):
    """Reads LIMA's `train.jsonl` and `test.jsonl` (questions without answers), or LIMA as chats."""

    name = "lima"
    summary = "LIMA as a suite with reference answers"
    forms = ("lima", "chat")
    licence = "CC-BY-NC-SA (LIMA)"
    source = "GAIR/lima (arXiv 2305.11206)"


def _first_turn(messages: Sequence[Mapping[str, str]]) -> tuple[str, str | None]:
    """The first question, and its answer when there is one. Raises `Unfit` when no question comes first."""
    turns = [message for message in messages if message["role"] != "system"]
    if not turns or turns[0]["role"] != "user":
        raise Unfit("the conversation does not begin with a question")
    answered = len(turns) > 1 and turns[1]["role"] == "assistant"
    return turns[0]["content"], turns[1]["content"] if answered else None


def _location(path: Path, label: str) -> Location:
    return Location(path, int(label.rpartition(":")[2]))

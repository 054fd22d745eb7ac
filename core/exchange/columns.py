"""Rows with named columns, as JSON Lines and CSV hold them, made into the neutral rows.

| column (or) | meaning |
| --- | --- |
| instruction (prompt) | the text of the instruction |
| response (completion, output) | the text of the answer; a row without one adds the instruction alone |
| model (generator) | the model that answered |
| language | the language of the instruction |
| key | the instruction's name, the same in all languages; default: 16 hex digits of the SHA-256 of its text |
| task, modifier, suite | as in the store; the suite as NAME/VERSION, by default `imported/1` |
| engine, quantization, parameters | the decoding; `parameters` is an object (in CSV its JSON) |
| sample | number of the answer when a model gave several, from 0 |

Every column can have another name in the file, and language, suite, model and task can be given once for all
rows; a column wins over what was given. With `match`, rows without a key are answers to the instructions of
that suite with the same text (blanks aside). The columns are those that `export --what responses` writes, so
that what went out comes in again.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from core.exchange.records import Answer, BadRow, DecodingName, Note, Place, Record, Row, SuiteName
from core.exchange.tidy import NOTES, RATINGS
from store.errors import UsageError

NAMES: dict[str, tuple[str, ...]] = {
    "instruction": ("instruction", "prompt"),
    "response": ("response", "completion", "output"),
    "model": ("model", "generator"),
    **{
        name: (name,)
        for name in (
            "language", "key", "task", "modifier", "suite",
            "engine", "quantization", "parameters", "sample",
        )
    },
}  # fmt: skip
CONSTANTS = ("language", "suite", "model", "task")
SUITE = "imported/1"
OPTIONS = {
    "what": "responses (default), ratings or notes: which of the tidy rows they are",
    "rater": "who scored or noted, for rows that name no rater",
    "columns": "where the file names them otherwise, e.g. {'instruction': 'question'}",
    "language": "language of every row that names none",
    "suite": f"name/version of the suite of every row that names none (default: {SUITE})",
    "model": "model of every row that names none",
    "task": "task of every row that names none",
    "match": "name/version of a suite in the store: rows without a key belong to its instructions by text",
    "licence": "licence of a suite that is new",
    "source": "source of a suite that is new",
}


class Columns:
    """Which column of a file is what, and what stands in for the columns that are not there."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Raises `UsageError` for a mapping of something that is no column of ours."""
        mapping = options.get("columns") or {}
        known = dict.fromkeys((*NAMES, *RATINGS, *NOTES))
        unknown = next((name for name in mapping if name not in known), None)
        if unknown is not None:
            raise UsageError(f"`columns` maps {unknown!r}, which is none of {', '.join(known)}.")
        self.names = {**NAMES, **{name: (column,) for name, column in mapping.items()}}
        self.mapped = set(mapping.values())
        self.constants = {name: str(options[name]) for name in CONSTANTS if name in options}
        self.licence, self.source = options.get("licence"), options.get("source")
        # The columns on how an answer was drawn, which most files lack.
        drawn = ("engine", "quantization", "parameters", "sample")
        self._drawn = {column for name in drawn for column in self.names[name]}
        self._last_suite = SUITE, SuiteName.parse(SUITE, self.licence, self.source)
        self.match = options.get("match")
        if self.match is not None and "suite" in options:
            raise UsageError("`match` names the suite: leave out `suite`.")

    def records(self, rows: Iterable[tuple[Place, Any] | BadRow]) -> Iterator[Record]:
        """The neutral rows of one file, and at its end a note that lists the columns that were not used."""
        seen: set[str] = set()
        for found in rows:
            if isinstance(found, BadRow):
                yield found
                continue
            place, cells = found
            if isinstance(cells, dict) and not cells.keys() <= seen:
                seen |= cells.keys()
            yield self._record(place, cells)
        if seen and (absent := sorted(self.mapped - seen)):
            there = ", ".join(map(repr, sorted(seen))) or "none"
            raise UsageError(f"`columns` names {absent[0]!r}, which no row holds. The columns are: {there}.")
        ours = {column for names in self.names.values() for column in names}
        if unused := sorted(seen - ours):
            yield Note(f"columns not used: {', '.join(map(repr, unused))}")

    def value(self, cells: Mapping[str, Any], name: str) -> Any:
        """A cell by our name for its column, or what was given for all rows; None when there is none."""
        names = self.names.get(name, (name,))
        found = next((cells[column] for column in names if cells.get(column) is not None), None)
        return self.constants.get(name) if found is None or found == "" else found

    def _record(self, place: Place, cells: Any) -> Row | BadRow:
        if not isinstance(cells, dict):
            return BadRow(place, "not a JSON object")
        try:
            return self._row(place, cells)
        except ValueError as error:
            return BadRow(place, str(error))

    def _row(self, place: Place, cells: dict[str, Any]) -> Row:
        text, key = self._text(cells, "instruction"), self._text(cells, "key")
        language = self._text(cells, "language")
        if not text and not key:
            raise ValueError(f"no instruction: {self._wanted('instruction')}")
        if not language:
            raise ValueError(f"no language: {self._wanted('language')}, or the option `language`")
        matched = self.match is not None and not key
        suite = (self.match if matched else None) or self._text(cells, "suite") or self.match or SUITE
        return Row(
            place,
            self._suite(suite),
            language=language,
            key="" if matched else key or key_of(text or ""),
            text=text or None,
            task=self._text(cells, "task") or None,
            modifier=self._text(cells, "modifier") or None,
            answer=self._answer(cells),
        )

    def _answer(self, cells: dict[str, Any]) -> Answer | None:
        response, model = self._text(cells, "response"), self._text(cells, "model")
        if response is None or not (response or model):
            return None
        if not model:
            raise ValueError(f"a response without a model: {self._wanted('model')}, or the option `model`")
        if self._drawn.isdisjoint(cells):
            return Answer(model, response)
        engine, quantization = self._text(cells, "engine"), self._text(cells, "quantization")
        parameters = self._parameters(cells)
        if not (engine or quantization or parameters):
            return Answer(model, response, sample=self._sample(cells))
        decoding = DecodingName(engine or "imported", quantization or None, parameters)
        return Answer(model, response, decoding, self._sample(cells))

    def _suite(self, label: str) -> SuiteName:
        # Few suites have many rows.
        if label != self._last_suite[0]:
            self._last_suite = label, SuiteName.parse(label, self.licence, self.source)
        return self._last_suite[1]

    def _text(self, cells: dict[str, Any], name: str) -> str | None:
        """A cell as text: None when the row has none and nothing was given for all rows."""
        for column in self.names[name]:
            value = cells.get(column)
            if value is not None:
                break
        else:
            return self.constants.get(name)
        if type(value) is str and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool) and name in ("key", "task", "modifier"):
            return str(value)
        if value is not None and not isinstance(value, str):
            raise ValueError(f"the {name} is not a text but {json.dumps(value)[:40]}")
        return value if value or name not in self.constants else self.constants[name]

    def _value(self, cells: dict[str, Any], name: str) -> Any:
        for column in self.names[name]:
            if (value := cells.get(column)) is not None:
                return value
        return None

    def _parameters(self, cells: dict[str, Any]) -> dict[str, Any]:
        value = self._value(cells, "parameters")
        if isinstance(value, str):
            try:
                value = json.loads(value) if value.strip() else None
            except (ValueError, RecursionError):
                raise ValueError("the parameters are not valid JSON") from None
        if value is not None and not isinstance(value, dict):
            raise ValueError("the parameters are not a JSON object")
        return value or {}

    def _sample(self, cells: dict[str, Any]) -> int:
        value = self._value(cells, "sample")
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value[:20])
        if value is None or value == "":
            return 0
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"the sample is {json.dumps(value)[:40]}, not a number from 0")
        return value

    def _wanted(self, name: str) -> str:
        columns: Sequence[str] = [f"`{column}`" for column in self.names[name]]
        return f"the row needs the column {' or '.join(columns)}"


def key_of(text: str) -> str:
    """The key of an instruction that has no other: 16 hex digits of the SHA-256 of its text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

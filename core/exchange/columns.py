"""Rows with named columns, as JSON Lines, CSV and Parquet hold them, made into the neutral records.

Responses (`export --what responses` writes the same columns, so that what went out comes in again):

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
that suite with the same text (blanks aside).

Ratings and notes are the tidy rows that `export --what ratings` and `--what notes` write. A row names its
response by suite, key (or the instruction's text, if the key was made of that), language and model, and where
that is not enough by engine, quantization, parameters and sample; with the response's text it must be that
text. `rater` and `criterion` (or `kind`) are needed; `rubric`, `rater_kind`, `rater_version`, the time and
what was on show are kept where they stand there. A row without a score that is no row of a journal says
nothing and is counted.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from core.exchange.records import (
    DecodingName,
    ImportedResponse,
    InstructionRow,
    RaterName,
    RatingAction,
    Record,
    Remark,
    ResponseName,
    ScoreRecord,
    SpanRecord,
    SuiteName,
)
from core.exchange.tidy import NOTES, RATINGS
from core.text.files import BadRow, Location
from store.errors import UsageError
from store.queries.journal import Shown

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
    """Which column of a file holds what, and which values stand in for columns that are not there."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Raises `UsageError` when the option `columns` names a column that is none of ours."""
        mapping = options.get("columns") or {}
        known = dict.fromkeys((*NAMES, *RATINGS, *NOTES))
        unknown = next((name for name in mapping if name not in known), None)
        if unknown is not None:
            raise UsageError(f"`columns` maps {unknown!r}, which is none of {', '.join(known)}.")
        self.mapped = set(mapping.values())
        # A column that is mapped has that one meaning, and is not read under its own name as well.
        self.names = {
            name: (mapping[name],)
            if name in mapping
            else tuple(column for column in NAMES.get(name, (name,)) if column not in self.mapped)
            for name in known
        }
        self.constants = {name: str(options[name]) for name in CONSTANTS if name in options}
        self.licence, self.source = options.get("licence"), options.get("source")
        # The columns that describe the decoding. Most files have none of them.
        drawn = ("engine", "quantization", "parameters", "sample")
        self._drawn = {column for name in drawn for column in self.names[name]}
        self._without_response = 0
        self._last_suite = SUITE, SuiteName.parse(SUITE, self.licence, self.source)
        self.match = options.get("match")
        if self.match is not None and "suite" in options:
            raise UsageError("`match` names the suite: leave out `suite`.")

    def records(self, rows: Iterable[tuple[Location, Any] | BadRow]) -> Iterator[Record]:
        """The records of one file. A remark at its end lists the columns that were not used."""
        seen: set[str] = set()
        for row in rows:
            if isinstance(row, BadRow):
                yield row
                continue
            location, cells = row
            if isinstance(cells, dict) and not cells.keys() <= seen:
                seen |= cells.keys()
            yield self._record(location, cells)
        if seen and (absent := sorted(self.mapped - seen)):
            listed = ", ".join(map(repr, sorted(seen))) or "none"
            raise UsageError(f"`columns` names {absent[0]!r}, which no row holds. The columns are: {listed}.")
        if self._without_response:
            yield Remark(f"rows that name a model and have no response: {self._without_response:,}")
            self._without_response = 0
        ours = {column for name in NAMES for column in self.names[name]}
        if unused := sorted(seen - ours):
            yield Remark(f"columns not used: {', '.join(map(repr, unused))}")

    def value(self, cells: Mapping[str, Any], name: str) -> Any:
        """A cell by our name for its column, or the value that was given for all rows, or None."""
        names = self.names.get(name, (name,))
        cell = next((cells[column] for column in names if cells.get(column) is not None), None)
        return self.constants.get(name) if cell is None or cell == "" else cell

    def _record(self, location: Location, cells: Any) -> InstructionRow | BadRow:
        if not isinstance(cells, dict):
            return BadRow(location, "not a JSON object")
        try:
            return self._row(location, cells)
        except ValueError as error:
            return BadRow(location, str(error))

    def _row(self, location: Location, cells: dict[str, Any]) -> InstructionRow:
        text, key = self._text(cells, "instruction"), self._text(cells, "key")
        language = self._text(cells, "language")
        if not text and not key:
            raise ValueError(f"no instruction: {self._wanted('instruction')}")
        if not language:
            raise ValueError(f"no language: {self._wanted('language')}, or the option `language`")
        matched = self.match is not None and not key
        suite = (self.match if matched else None) or self._text(cells, "suite") or self.match or SUITE
        return InstructionRow(
            location,
            self._suite(suite),
            language=language,
            key="" if matched else key or key_of(text or ""),
            text=text or None,
            task=self._text(cells, "task") or None,
            modifier=self._text(cells, "modifier") or None,
            response=self._answer(cells),
        )

    def _answer(self, cells: dict[str, Any]) -> ImportedResponse | None:
        response, model = self._text(cells, "response"), self._text(cells, "model")
        if response is None or not (response or model):
            self._without_response += any(cells.get(column) for column in self.names["model"])
            return None
        if not model:
            raise ValueError(f"a response without a model: {self._wanted('model')}, or the option `model`")
        if self._drawn.isdisjoint(cells):
            return ImportedResponse(model, response)
        engine, quantization = self._text(cells, "engine"), self._text(cells, "quantization")
        parameters = self._parameters(cells)
        if not (engine or quantization or parameters):
            return ImportedResponse(model, response, sample=self._sample(cells))
        decoding = DecodingName(engine or "imported", quantization or None, parameters)
        return ImportedResponse(model, response, decoding, self._sample(cells))

    def _suite(self, label: str) -> SuiteName:
        # There are many rows, and few suites.
        if label != self._last_suite[0]:
            self._last_suite = label, SuiteName.parse(label, self.licence, self.source)
        return self._last_suite[1]

    def _text(self, cells: dict[str, Any], name: str) -> str | None:
        """A cell as text, or None when the row has none and no value was given for all rows."""
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

    def _parameters(self, cells: dict[str, Any]) -> dict[str, Any]:
        value = self.value(cells, "parameters")
        return _json_object(None if isinstance(value, str) and not value.strip() else value) or {}

    def _sample(self, cells: dict[str, Any]) -> int:
        value = self.value(cells, "sample")
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


def _json_object(value: Any) -> dict[str, Any] | None:
    """The decoding parameters of a cell, which may be their JSON. Raises `ValueError` for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("the parameters are not valid JSON") from None
    if value is not None and not isinstance(value, dict):
        raise ValueError("the parameters are not a JSON object")
    return value


def key_of(text: str) -> str:
    """The key of an instruction that has no other: 16 hex digits of the SHA-256 of its text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


WHAT = ("responses", "ratings", "notes")


def tidy_records(
    rows: Iterable[tuple[Location, Any] | BadRow], columns: Columns, options: Mapping[str, Any]
) -> Iterator[Record]:
    """The records of one file, read as what the option `what` says. Raises `UsageError` for an unknown value
    of it."""
    what = options.get("what", "responses")
    if what not in WHAT:
        raise UsageError(f"Import what? {what!r} is none of {', '.join(WHAT)}.")
    if what == "responses":
        if "rater" in options:
            raise UsageError("Responses have no rater: leave out `rater`, or import ratings with `what`.")
        return columns.records(rows)
    return _actions(rows, columns, what, options.get("rater"))


def _actions(
    rows: Iterable[tuple[Location, Any] | BadRow], columns: Columns, what: str, rater: str | None
) -> Iterator[Record]:
    make_action = {"ratings": _rating, "notes": _note}[what]
    without_score = 0
    seen: set[str] = set()
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        location, cells = row
        if not isinstance(cells, dict):
            yield BadRow(location, "not a JSON object")
            continue
        seen |= cells.keys()
        try:
            action = make_action(location, _Cells(cells, columns, rater))
        except ValueError as error:
            yield BadRow(location, str(error))
            continue
        if action is None:
            without_score += 1
        else:
            yield action
    listed = ", ".join(map(repr, sorted(seen)))
    if seen and (absent := sorted(columns.mapped - seen)):
        raise UsageError(f"`columns` names {absent[0]!r}, which no row holds. The columns are: {listed}.")
    if seen and what == "ratings" and seen.isdisjoint((*columns.names["score"], *columns.names["skipped"])):
        raise UsageError(
            f"No row holds the column `score`. The columns are: {listed}. "
            "Name the one with the scores (--column score=NAME); a rating is one score a row."
        )
    if without_score:
        yield Remark(f"rows without a score: {without_score:,}")


class _Cells:
    """The cells of one row. Each method converts a cell, and raises `ValueError` with the reason when it
    can't."""

    def __init__(self, cells: Mapping[str, Any], columns: Columns, rater: str | None) -> None:
        self.cells, self.columns, self.rater = cells, columns, rater

    def text(self, name: str, *, needed: bool = False) -> str | None:
        value = self._value(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is not None and not isinstance(value, str):
            raise ValueError(f"the {name} is not a text but {json.dumps(value, default=str)[:40]}")
        if needed and not value:
            raise ValueError(f"no {name}: the row needs the column `{name}`")
        return value

    def number(self, name: str) -> int | None:
        value = self._value(name)
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                raise ValueError(f"the {name} is {value[:40]!r}, not a number") from None
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31):
            return value
        raise ValueError(f"the {name} is {json.dumps(value, default=str)[:40]}, not a whole number")

    def flag(self, name: str) -> bool:
        value = self._value(name)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if value is None or isinstance(value, bool):
            return bool(value)
        if value in (0, 1, "0", "1"):
            return bool(int(value))
        raise ValueError(f"{name} is {json.dumps(value, default=str)[:40]}, neither true nor false")

    def time(self) -> datetime | None:
        value = self._value("created_at")
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise ValueError(
                    f"created_at is {value[:40]!r}, not a time as 2026-01-31T12:00:00Z"
                ) from None
        if value is None:
            return None
        if not isinstance(value, datetime):
            raise ValueError("created_at is not a time as 2026-01-31T12:00:00Z")
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def response(self) -> ResponseName:
        # The text is taken unchanged, because an empty response is a response too.
        instruction, text = (
            next((self.cells[column] for column in self.columns.names[name] if column in self.cells), None)
            for name in ("instruction", "response")
        )
        key = self.text("key") or (key_of(instruction) if isinstance(instruction, str) else None)
        if not key:
            raise ValueError("no instruction: the row needs the column `key` or `instruction`")
        parameters = _json_object(self._value("parameters"))
        return ResponseName(
            SuiteName.parse(self.text("suite", needed=True) or "").label,
            self.text("language", needed=True) or "",
            key,
            self.text("model", needed=True) or "",
            self.number("sample"),
            self.text("engine"),
            self.text("quantization"),
            parameters,
            text if isinstance(text, str) else None,
        )

    def rater_name(self) -> RaterName:
        rater_in_row = self.text("rater")
        if self.rater is not None and rater_in_row not in (None, self.rater):
            raise ValueError(f"the rater is {rater_in_row!r}, not {self.rater!r}")
        name = self.rater or rater_in_row
        if not name:
            raise ValueError("no rater: the row needs the column `rater`, or the option `rater`")
        return RaterName(name, self.text("rater_kind") or "human", self.text("rater_version") or "")

    def shown(self) -> Shown:
        return Shown(self.number("looked_ms"), self.flag("judge_shown"), self.flag("names_shown"))

    def _value(self, name: str) -> Any:
        value = self.columns.value(self.cells, name)
        if isinstance(value, float) and math.isnan(value):
            return None
        return None if value == "" else value


def _rating(location: Location, cells: _Cells) -> RatingAction | None:
    score, skipped = cells.number("score"), cells.flag("skipped")
    if score is not None and skipped:
        raise ValueError("a score that is left out: `skipped` is true, and `score` is not empty")
    if score is None and not skipped and cells.text("entry_kind") is None:
        return None
    scored = ScoreRecord(cells.text("criterion", needed=True) or "", score, skipped)
    return RatingAction(
        location, cells.response(), cells.rater_name(), cells.text("rubric"), (scored,),
        shown=cells.shown(), created_at=cells.time(),
    )  # fmt: skip


def _note(location: Location, cells: _Cells) -> RatingAction:
    kind = cells.text("kind", needed=True)
    response, rater, shown, created_at = cells.response(), cells.rater_name(), cells.shown(), cells.time()
    text = cells.text("text") or ""
    if kind == "comment":
        if not text:
            raise ValueError("a comment without a text: the row needs the column `text`")
        return RatingAction(location, response, rater, comment=text, shown=shown, created_at=created_at)
    if kind != "span":
        raise ValueError(f"the kind is {kind!r}, neither `comment` nor `span`")
    start, end = cells.number("start"), cells.number("end")
    if start is None or end is None or not 0 <= start < end:
        raise ValueError(f"the span from {start} to {end} is none")
    if response.text is not None and end > len(response.text):
        raise ValueError(f"the span ends at {end}, the response has {len(response.text)} characters")
    category, severity = cells.text("category", needed=True), cells.text("severity", needed=True)
    span = SpanRecord(start, end, category or "", severity or "", text)
    return RatingAction(location, response, rater, span=span, shown=shown, created_at=created_at)

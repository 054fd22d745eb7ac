"""Ratings and notes that come in: the tidy rows that `export --what ratings` and `--what notes` write.

A row names its response by suite, key (or the instruction's text, if the key was made of that), language and
model, and where that is not enough by engine, quantization, parameters and sample; with the response's text
it must be that text. `rater` and `criterion` (or `kind`) are needed, `rubric`, `rater_kind`, `rater_version`,
the time and what was on show are kept where they stand there. A row without a score that is no row of a
journal says nothing and is counted.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from core.exchange.columns import Columns, key_of
from core.exchange.records import (
    Action,
    BadRow,
    Mark,
    Note,
    Place,
    RaterName,
    Record,
    ResponseName,
    SpanMark,
    SuiteName,
)
from store.errors import UsageError
from store.queries.journal import Shown

WHAT = ("responses", "ratings", "notes")


def tidy_records(
    rows: Iterable[tuple[Place, Any] | BadRow], columns: Columns, options: Mapping[str, Any]
) -> Iterator[Record]:
    """The rows of one file as what the option `what` says they are. Raises `UsageError` for another word."""
    what = options.get("what", "responses")
    if what not in WHAT:
        raise UsageError(f"Import what? {what!r} is none of {', '.join(WHAT)}.")
    if what == "responses":
        if "rater" in options:
            raise UsageError("Responses have no rater: leave out `rater`, or import ratings with `what`.")
        return columns.records(rows)
    return _said(rows, columns, what, options.get("rater"))


def _said(
    rows: Iterable[tuple[Place, Any] | BadRow], columns: Columns, what: str, rater: str | None
) -> Iterator[Record]:
    read = {"ratings": _rating, "notes": _note}[what]
    nothing = 0
    for found in rows:
        if isinstance(found, BadRow):
            yield found
            continue
        place, cells = found
        if not isinstance(cells, dict):
            yield BadRow(place, "not a JSON object")
            continue
        try:
            action = read(place, _Cells(cells, columns, rater))
        except ValueError as error:
            yield BadRow(place, str(error))
            continue
        if action is None:
            nothing += 1
        else:
            yield action
    if nothing:
        yield Note(f"rows without a score: {nothing:,}")


class _Cells:
    """The cells of one row, each as what it should be."""

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
        # A text is as it is: an empty one is an answer too.
        instruction, text = (self.cells.get(name) for name in ("instruction", "response"))
        key = self.text("key") or (key_of(instruction) if isinstance(instruction, str) else None)
        if not key:
            raise ValueError("no instruction: the row needs the column `key` or `instruction`")
        parameters = self._value("parameters")
        if isinstance(parameters, str):
            try:
                parameters = json.loads(parameters)
            except (ValueError, RecursionError):
                raise ValueError("the parameters are not valid JSON") from None
        if parameters is not None and not isinstance(parameters, dict):
            raise ValueError("the parameters are not a JSON object")
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
        told = self.text("rater")
        if self.rater is not None and told not in (None, self.rater):
            raise ValueError(f"the rater is {told!r}, not {self.rater!r}")
        name = self.rater or told
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


def _rating(place: Place, cells: _Cells) -> Action | None:
    score, skipped = cells.number("score"), cells.flag("skipped")
    if score is not None and skipped:
        raise ValueError("a score that is left out: `skipped` is true, and `score` is not empty")
    if score is None and not skipped and cells.text("entry_kind") is None:
        return None
    mark = Mark(cells.text("criterion", needed=True) or "", score, skipped)
    return Action(
        place, cells.response(), cells.rater_name(), cells.text("rubric"), (mark,),
        shown=cells.shown(), created_at=cells.time(),
    )  # fmt: skip


def _note(place: Place, cells: _Cells) -> Action:
    kind = cells.text("kind", needed=True)
    of, rater, shown, at = cells.response(), cells.rater_name(), cells.shown(), cells.time()
    text = cells.text("text") or ""
    if kind == "comment":
        if not text:
            raise ValueError("a comment without a text: the row needs the column `text`")
        return Action(place, of, rater, comment=text, shown=shown, created_at=at)
    if kind != "span":
        raise ValueError(f"the kind is {kind!r}, neither `comment` nor `span`")
    start, end = cells.number("start"), cells.number("end")
    if start is None or end is None or not 0 <= start < end:
        raise ValueError(f"the span from {start} to {end} is none")
    if of.text is not None and end > len(of.text):
        raise ValueError(f"the span ends at {end}, the response has {len(of.text)} characters")
    category, severity = cells.text("category", needed=True), cells.text("severity", needed=True)
    span = SpanMark(start, end, category or "", severity or "", text)
    return Action(place, of, rater, span=span, shown=shown, created_at=at)

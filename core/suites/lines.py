"""The instructions of a suite: its `NAME.jsonl`, an object a line.

* `key`, `language`, `text`: needed. A translation has the key of its original;
* `task`, and `modifier` when the text carries an extra demand (`core.analysis.modifier_names`);
* `check`: the known answer, an object as `core.judge.known_answers.checks` describes;
* `tags`: a list of words about the instruction, such as `culture-bound`;
* `modifiers`: the names of the modifiers that may be put on the instruction; without the field it is not
  known which.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.analysis.modifier_names import NAMES, read_names
from core.exchange.lines import json_lines
from core.exchange.records import BadRow, Place
from core.exchange.writer import unstorable
from core.judge.known_answers.checks import BadCheck, read_check
from core.suites.meta import SuiteMeta
from store.queries.suites import NewInstruction

NEEDED = ("key", "language", "text")
OPTIONAL = ("task", "modifier")
LISTS = ("tags", "modifiers")

_GROUP_OF = {name: group for group, names in NAMES.items() for name in names}


@dataclass(frozen=True)
class SuiteLine:
    """A line: what the store holds of it (`new`), and what only the suite's files tell. `modifiers` are
    groups (those of the paper's table 1: `html`, `num_items`), None when the line has no such field."""

    place: Place
    new: NewInstruction
    tags: tuple[str, ...] = ()
    modifiers: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The instruction as messages call it: `email-1 (ru)`."""
        return f"{self.new.key} ({self.new.language})"


def read_lines(path: Path, meta: SuiteMeta) -> Iterator[SuiteLine | BadRow]:
    """The lines of a suite in their order, the wrong ones with the reason."""
    first: dict[tuple[str, str], int] = {}
    for found in json_lines(path):
        if isinstance(found, BadRow):
            yield found
            continue
        place, content = found
        reason = _wrong(content, meta)
        if reason is None:
            line = first.setdefault((content["language"], content["key"]), place.line)
            if line != place.line:
                reason = f"key {content['key']!r} ({content['language']}) stands in line {line} already"
        yield BadRow(place, reason) if reason else _line(place, content)


def fitting_group(name: str) -> str | None:
    """The group of a modifier that is named without its parameter (`num_items`, `lang`) or with it; None for
    what names none, or several."""
    named = name.casefold().replace("-", "_").replace(" ", "_")
    if named in _GROUP_OF:
        return _GROUP_OF[named]
    read = read_names(name)
    return read[0].group if read is not None and len(read) == 1 else None


def _line(place: Place, content: dict[str, Any]) -> SuiteLine:
    new = NewInstruction(**{name: value for name, value in content.items() if name not in LISTS})
    modifiers = content.get("modifiers")
    fitting = None if modifiers is None else [fitting_group(name) or "" for name in modifiers]
    return SuiteLine(
        place,
        new,
        tuple(content.get("tags") or ()),
        None if fitting is None else tuple(dict.fromkeys(fitting)),
    )


def _wrong(content: Any, meta: SuiteMeta) -> str | None:
    if not isinstance(content, dict):
        return "not a JSON object"
    for name, value in content.items():
        if (reason := _wrong_field(name, value)) is not None:
            return reason
    missing = next((name for name in NEEDED if name not in content), None)
    if missing is not None:
        return f"`{missing}` is missing"
    if content["language"] not in meta.languages:
        return f"language {content['language']!r} is none of the suite's ({', '.join(meta.languages)})"
    return None


def _wrong_field(name: str, value: Any) -> str | None:
    if value is None and name not in NEEDED and name in (*OPTIONAL, *LISTS, "check"):
        return None
    if name == "check":
        return _wrong_check(value)
    if name in LISTS:
        return _wrong_list(name, value)
    if name not in NEEDED + OPTIONAL:
        return f"unknown field {name!r}; an instruction has {', '.join(NEEDED + OPTIONAL + LISTS)}, check"
    if not (isinstance(value, str) and value.strip()):
        return f"`{name}` is not a text, or is empty"
    reason = unstorable(value)
    return f"`{name}` {reason}" if reason else None


def _wrong_check(check: Any) -> str | None:
    if not isinstance(check, dict):
        return "`check` is not an object"
    try:
        read_check(check)
    except BadCheck as error:
        return f"`check` is broken: {error}"
    return None


def _wrong_list(name: str, value: Any) -> str | None:
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        return f"`{name}` is not a list of texts"
    if reason := next(filter(None, map(unstorable, value)), None):
        return f"`{name}` {reason}"
    if name == "modifiers":
        unknown = next((one for one in value if fitting_group(one) is None), None)
        if unknown is not None:
            return f"no modifier is called {unknown!r}; there are {', '.join(NAMES)}"
    return None

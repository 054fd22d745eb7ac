"""The project's own form of a suite: `NAME.toml`, which describes it, beside `NAME.jsonl`, its instructions.

The TOML file:

* `name`, `version`, `languages` (a list of codes): needed;
* `licence`, `source`, `description`: texts;
* `answer_in_text`: tasks, or keys of instructions, whose answer is meant to stand in the instruction itself
  (something is to be extracted from it);
* `[subsets]`: names of parts of the suite, each a list of keys;
* `[spelling.allow]`: per language, the words (names, invented ones) that no dictionary need know.

The JSON Lines file, an object a line:

* `key`, `language`, `text`: needed. A translation has the key of its original;
* `task`, and `modifier` when the text carries an extra demand (`core.analysis.modifier_names`);
* `check`: the known answer, an object as `core.judge.rules.checks` describes;
* `tags`: a list of words about the instruction, such as `culture-bound`;
* `modifiers`: the names of the modifiers that may be put on the instruction; without the field it is not
  known which.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.analysis.modifier_names import NAMES, read_names
from core.judge.known_answers.checks import BadCheck, read_check
from core.text.files import BadRow, Location, json_lines
from store.errors import UsageError, XlitError
from store.queries.suites import NewInstruction
from store.storable import unstorable

NEEDED_TEXTS = ("name", "version")
TEXTS = (*NEEDED_TEXTS, "licence", "source", "description")
OTHERS = ("languages", "answer_in_text", "subsets", "spelling")

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class SuiteMeta:
    """The content of a suite's TOML file. `allowed` are the words of `[spelling.allow]`."""

    name: str
    version: str
    languages: tuple[str, ...]
    licence: str | None = None
    source: str | None = None
    description: str | None = None
    answer_in_text: tuple[str, ...] = ()
    subsets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.name}/{self.version}"

    def subset(self, name: str) -> tuple[str, ...]:
        """The keys of a subset. Raises `UsageError` that lists the subsets when there is none with this
        name."""
        if name not in self.subsets:
            known = ", ".join(self.subsets) or "none"
            raise UsageError(f"Suite {self.label} has no subset {name!r}. It has: {known}.")
        return self.subsets[name]


def read_meta(toml: Path) -> SuiteMeta:
    """Read a suite's TOML file. Raises `XlitError` that names the file and the key that is wrong."""
    try:
        content: dict[str, Any] = tomllib.loads(toml.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise XlitError(f"{toml}: not valid TOML: {error}.") from None
    if not content.get("languages") or not _is_texts(content["languages"]):
        raise XlitError(f'{toml}: `languages` must list the suite\'s languages, such as ["en", "ru"].')
    languages = tuple(content["languages"])
    for name, value in content.items():
        if name not in TEXTS + OTHERS:
            raise XlitError(f"{toml}: unknown key {name!r}. A suite has {', '.join(TEXTS + OTHERS)}.")
        if name in TEXTS and not (isinstance(value, str) and value.strip()):
            raise XlitError(f"{toml}: `{name}` must be a text in quotes.")
    missing = next((name for name in NEEDED_TEXTS if name not in content), None)
    if missing is not None:
        raise XlitError(f"{toml}: `{missing}` is missing.")
    answer_in_text = content.get("answer_in_text", [])
    if not _is_texts(answer_in_text):
        raise XlitError(f"{toml}: `answer_in_text` must list tasks or keys.")
    return SuiteMeta(
        languages=languages,
        answer_in_text=tuple(answer_in_text),
        subsets=_lists(toml, "subsets", content.get("subsets", {}), "keys"),
        allowed=_allowed(toml, content.get("spelling", {}), languages),
        **{name: content[name] for name in TEXTS if name in content},
    )


def meta_toml(meta: SuiteMeta) -> str:
    """The text of a TOML file that reads as `meta`."""
    lines = [f"{name} = {_text(value)}" for name in TEXTS if (value := getattr(meta, name)) is not None]
    lines.append(f"languages = {_texts(meta.languages)}")
    if meta.answer_in_text:
        lines.append(f"answer_in_text = {_texts(meta.answer_in_text)}")
    for title, lists in (("subsets", meta.subsets), ("spelling.allow", meta.allowed)):
        if lists:
            lines += ["", f"[{title}]", *(f"{_key(name)} = {_texts(items)}" for name, items in lists.items())]
    return "\n".join(lines) + "\n"


def _allowed(toml: Path, spelling: Any, languages: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    if not isinstance(spelling, dict) or not set(spelling) <= {"allow"}:
        raise XlitError(f"{toml}: `spelling` holds `allow` and nothing else: write [spelling.allow].")
    allowed = _lists(toml, "spelling.allow", spelling.get("allow", {}), "words")
    unknown = next((language for language in allowed if language not in languages), None)
    if unknown is not None:
        known = ", ".join(languages)
        raise XlitError(f"{toml}: `spelling.allow`: {unknown!r} is none of the suite's languages ({known}).")
    return allowed


def _lists(toml: Path, name: str, value: Any, what: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict) or not all(map(_is_texts, value.values())):
        raise XlitError(f"{toml}: `{name}` must give every name in it a list of {what}.")
    return {key: tuple(items) for key, items in value.items()}


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) and text.strip() for text in value)


def _text(value: str) -> str:
    # A string of JSON is one of TOML too, but TOML does not allow the delete character in it.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(values: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


NEEDED = ("key", "language", "text")
OPTIONAL = ("task", "modifier")
LISTS = ("tags", "modifiers")

_GROUP_OF = {name: group for group, names in NAMES.items() for name in names}


@dataclass(frozen=True)
class SuiteLine:
    """A line of a suite: what the store holds of it (`new`), and what only the suite's files tell.

    `modifiers` are groups of the paper's table 1, such as `html` or `num_items`, or None when the line has no
    such field.
    """

    location: Location
    new: NewInstruction
    tags: tuple[str, ...] = ()
    modifiers: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The instruction as messages call it, such as `email-1 (ru)`."""
        return f"{self.new.key} ({self.new.language})"


def read_lines(path: Path, meta: SuiteMeta) -> Iterator[SuiteLine | BadRow]:
    """The lines of a suite in their order. A line that is wrong comes as a `BadRow` with the reason."""
    first: dict[tuple[str, str], int] = {}
    for row in json_lines(path):
        if isinstance(row, BadRow):
            yield row
            continue
        location, content = row
        reason = _problem(content, meta)
        if reason is None:
            line = first.setdefault((content["language"], content["key"]), location.line)
            if line != location.line:
                reason = f"key {content['key']!r} ({content['language']}) stands in line {line} already"
        yield BadRow(location, reason) if reason else _line(location, content)


def fitting_group(name: str) -> str | None:
    """The group of a modifier that is named with or without its parameter: `lang` and `lang_fr` are both
    `lang`.

    None for a name that stands for no modifier, or for several.
    """
    named = name.casefold().replace("-", "_").replace(" ", "_")
    if named in _GROUP_OF:
        return _GROUP_OF[named]
    read = read_names(name)
    return read[0].group if read is not None and len(read) == 1 else None


def _line(location: Location, content: dict[str, Any]) -> SuiteLine:
    new = NewInstruction(**{name: value for name, value in content.items() if name not in LISTS})
    modifiers = content.get("modifiers")
    fitting = None if modifiers is None else [fitting_group(name) or "" for name in modifiers]
    return SuiteLine(
        location,
        new,
        tuple(content.get("tags") or ()),
        None if fitting is None else tuple(dict.fromkeys(fitting)),
    )


def _problem(content: Any, meta: SuiteMeta) -> str | None:
    if not isinstance(content, dict):
        return "not a JSON object"
    for name, value in content.items():
        if (reason := _field_problem(name, value)) is not None:
            return reason
    missing = next((name for name in NEEDED if name not in content), None)
    if missing is not None:
        return f"`{missing}` is missing"
    if content["language"] not in meta.languages:
        return f"language {content['language']!r} is none of the suite's ({', '.join(meta.languages)})"
    return None


def _field_problem(name: str, value: Any) -> str | None:
    if value is None and name not in NEEDED and name in (*OPTIONAL, *LISTS, "check"):
        return None
    if name == "check":
        return _check_problem(value)
    if name in LISTS:
        return _list_problem(name, value)
    if name not in NEEDED + OPTIONAL:
        return f"unknown field {name!r}; an instruction has {', '.join(NEEDED + OPTIONAL + LISTS)}, check"
    if not (isinstance(value, str) and value.strip()):
        return f"`{name}` is not a text, or is empty"
    reason = unstorable(value)
    return f"`{name}` {reason}" if reason else None


def _check_problem(check: Any) -> str | None:
    if not isinstance(check, dict):
        return "`check` is not an object"
    try:
        read_check(check)
    except BadCheck as error:
        return f"`check` is broken: {error}"
    return None


def _list_problem(name: str, value: Any) -> str | None:
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        return f"`{name}` is not a list of texts"
    if reason := next(filter(None, map(unstorable, value)), None):
        return f"`{name}` {reason}"
    if name == "modifiers":
        unknown = next((text for text in value if fitting_group(text) is None), None)
        if unknown is not None:
            return f"no modifier is called {unknown!r}; there are {', '.join(NAMES)}"
    return None

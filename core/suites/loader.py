"""Reading a suite in the project's own form: `NAME.toml` (what it is) beside `NAME.jsonl` (its instructions).

`NAME.toml` holds `name`, `version`, `languages`, and if known `licence`, `source` and `description`. Each
line of `NAME.jsonl` is an object with `key`, `language`, `text`, and if it has them `task`, `modifier` and
`check` (the known answer, an object as `core.judge.rules.checks` describes). A translation has the key of its
original.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from core.exchange.lines import json_lines
from core.exchange.records import BadRow, Place
from core.exchange.writer import unstorable
from core.judge.rules.checks import BadCheck, read_check
from store.errors import UsageError, XlitError
from store.queries.suites import NewInstruction, add_suite
from store.session import writing

SHIPPED = Path(__file__).parent
NEEDED = ("key", "language", "text")
OPTIONAL = ("task", "modifier")
META_TEXTS = ("name", "version", "licence", "source", "description")


@dataclass(frozen=True)
class SuiteMeta:
    """What a suite is: the content of its TOML file."""

    name: str
    version: str
    languages: tuple[str, ...]
    licence: str | None = None
    source: str | None = None
    description: str | None = None


def shipped_suites() -> list[str]:
    """The names of the suites that come with the project, sorted."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml") if path.with_suffix(".jsonl").is_file())


def read_suite(path_or_name: str | Path) -> tuple[SuiteMeta, Iterator[NewInstruction]]:
    """A shipped suite by name, or one's own by its folder or either of its two files.

    Raises `UsageError` when there is no such suite, and `XlitError` with file and line where its files are
    wrong (for a line when it is reached).
    """
    meta, records = suite_records(path_or_name)
    return meta, _without_bad(records)


def load_suite(session: Session, path_or_name: str | Path) -> int:
    """Write a suite into the store, once; returns its id. Errors as in `read_suite` and `add_suite`."""
    meta, instructions = read_suite(path_or_name)
    suite_id, _ = add_suite(
        session, meta.name, meta.version, list(instructions), licence=meta.licence, source=meta.source
    )
    return suite_id


def suite_records(
    path_or_name: str | Path,
) -> tuple[SuiteMeta, Iterator[tuple[Place, NewInstruction] | BadRow]]:
    """As `read_suite`, with the place of every instruction, and bad lines handed out instead of raised."""
    toml = _toml_of(path_or_name)
    meta = _read_meta(toml)
    lines = toml.with_suffix(".jsonl")
    if not lines.is_file():
        raise UsageError(f"The suite {toml} has no {lines.name} beside it: its instructions, one a line.")
    return meta, _records(lines, meta)


def _toml_of(path_or_name: str | Path) -> Path:
    if str(path_or_name) in shipped_suites():
        return SHIPPED / f"{path_or_name}.toml"
    path = Path(path_or_name)
    if path.is_dir():
        found = sorted(path.glob("*.toml"))
        if len(found) != 1:
            raise UsageError(f"{path} holds {len(found)} TOML files, not one. Name the suite's own.")
        return found[0]
    if path.suffix in (".toml", ".jsonl") and path.with_suffix(".toml").is_file():
        return path.with_suffix(".toml")
    shipped = ", ".join(shipped_suites()) or "none"
    raise UsageError(
        f"No suite {str(path)!r}: neither NAME.toml beside NAME.jsonl nor a shipped one ({shipped})."
    )


def _read_meta(toml: Path) -> SuiteMeta:
    try:
        content: dict[str, Any] = tomllib.loads(toml.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise XlitError(f"{toml}: not valid TOML: {error}.") from None
    languages = content.pop("languages", None)
    if not (isinstance(languages, list) and languages and all(isinstance(one, str) for one in languages)):
        raise XlitError(f'{toml}: `languages` must list the suite\'s languages, such as ["en", "ru"].')
    for name, value in content.items():
        if name not in META_TEXTS:
            raise XlitError(f"{toml}: unknown key {name!r}. A suite has {', '.join(META_TEXTS)}, languages.")
        if not isinstance(value, str) or not value.strip():
            raise XlitError(f"{toml}: `{name}` must be a text in quotes.")
    missing = next((name for name in ("name", "version") if name not in content), None)
    if missing is not None:
        raise XlitError(f"{toml}: `{missing}` is missing.")
    return SuiteMeta(languages=tuple(languages), **content)


def _records(path: Path, meta: SuiteMeta) -> Iterator[tuple[Place, NewInstruction] | BadRow]:
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
        yield BadRow(place, reason) if reason else (place, NewInstruction(**content))


def _wrong(content: Any, meta: SuiteMeta) -> str | None:
    if not isinstance(content, dict):
        return "not a JSON object"
    for name, value in content.items():
        if name == "check":
            if value is not None and (reason := _wrong_check(value)):
                return reason
        elif name not in NEEDED + OPTIONAL:
            return f"unknown field {name!r}; an instruction has {', '.join(NEEDED + OPTIONAL)}, check"
        elif not (isinstance(value, str) and value.strip()) and not (name in OPTIONAL and value is None):
            return f"`{name}` is not a text, or is empty"
        elif value is not None and (reason := unstorable(value)):
            return f"`{name}` {reason}"
    missing = next((name for name in NEEDED if name not in content), None)
    if missing is not None:
        return f"`{missing}` is missing"
    if content["language"] not in meta.languages:
        return f"language {content['language']!r} is none of the suite's ({', '.join(meta.languages)})"
    return None


def _wrong_check(check: Any) -> str | None:
    if not isinstance(check, dict):
        return "`check` is not an object"
    try:
        read_check(check)
    except BadCheck as error:
        return f"`check` is broken: {error}"
    return None


def _without_bad(records: Iterator[tuple[Place, NewInstruction] | BadRow]) -> Iterator[NewInstruction]:
    for found in records:
        if isinstance(found, BadRow):
            raise XlitError(f"{found}.")
        yield found[1]


def ensure_suite(engine: Engine, label: str | None) -> None:
    """Write a shipped suite into the store when it is asked for by name; leave any other to the store."""
    if label in shipped_suites():
        with writing(engine) as session:
            load_suite(session, label)

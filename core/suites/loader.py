"""Reading and writing suites, whatever names one: shipped, in files (`core.suites.format`), or in a store."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from core.suites.format import SuiteLine, SuiteMeta, meta_toml, read_lines, read_meta
from core.text.files import BadRow, Location
from store.errors import UsageError, XlitError
from store.queries.suites import NewInstruction, add_suite, find_suite, instructions_of
from store.session import reading, writing

SHIPPED = Path(__file__).parent


@dataclass(frozen=True)
class WholeSuite:
    """A suite with all its lines, in their order."""

    meta: SuiteMeta
    lines: tuple[SuiteLine, ...]


def shipped_suites() -> list[str]:
    """The names of the suites that come with the project, sorted."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml") if path.with_suffix(".jsonl").is_file())


def read_suite(path_or_name: str | Path) -> tuple[SuiteMeta, Iterator[NewInstruction]]:
    """A shipped suite by its name, or one's own suite by its folder or either of its two files.

    Raises `UsageError` when there is no such suite, and `XlitError` with file and line where its files are
    wrong (for a line when it is reached).
    """
    meta, records = suite_records(path_or_name)
    return meta, (line.new for line in _without_bad(records))


def read_whole(path_or_name: str | Path) -> WholeSuite:
    """As `read_suite`, with the locations of the instructions and what only the files tell."""
    meta, records = suite_records(path_or_name)
    return WholeSuite(meta, tuple(_without_bad(records)))


def load_suite(session: Session, path_or_name: str | Path) -> int:
    """Write a suite into the store, once. Returns its id. Raises what `read_suite` and `add_suite` raise."""
    meta, instructions = read_suite(path_or_name)
    suite_id, _ = add_suite(
        session, meta.name, meta.version, list(instructions), licence=meta.licence, source=meta.source
    )
    return suite_id


def ensure_suite(engine: Engine, label: str | None) -> None:
    """Write a suite into the store when its label is the name of a shipped one. Any other is left to the
    store."""
    if label in shipped_suites():
        with writing(engine) as session:
            load_suite(session, label)


def suite_records(path_or_name: str | Path) -> tuple[SuiteMeta, Iterator[SuiteLine | BadRow]]:
    """As `read_whole`, but bad lines are returned instead of raised."""
    toml = suite_file(path_or_name)
    meta = read_meta(toml)
    lines = toml.with_suffix(".jsonl")
    if not lines.is_file():
        raise UsageError(f"The suite {toml} has no {lines.name} beside it: its instructions, one a line.")
    return meta, read_lines(lines, meta)


def suite_file(path_or_name: str | Path) -> Path:
    """The TOML file of a suite. Raises `UsageError` when there is none."""
    if str(path_or_name) in shipped_suites():
        return SHIPPED / f"{path_or_name}.toml"
    path = Path(path_or_name)
    if path.is_dir():
        files = sorted(path.glob("*.toml"))
        if len(files) != 1:
            raise UsageError(f"{path} holds {len(files)} TOML files, not one. Name the suite's own.")
        return files[0]
    if path.suffix in (".toml", ".jsonl") and path.with_suffix(".toml").is_file():
        return path.with_suffix(".toml")
    shipped = ", ".join(shipped_suites()) or "none"
    raise UsageError(
        f"No suite {str(path)!r}: neither NAME.toml beside NAME.jsonl nor a shipped one ({shipped})."
    )


def _without_bad(records: Iterator[SuiteLine | BadRow]) -> Iterator[SuiteLine]:
    for row in records:
        if isinstance(row, BadRow):
            raise XlitError(f"{row}.")
        yield row


def is_in_files(reference: str) -> bool:
    """Whether a reference names a suite that is shipped or lies in files, and not one in a store."""
    return reference in shipped_suites() or Path(reference).exists()


def open_suite(reference: str, engine: Engine | None) -> WholeSuite:
    """The suite with this name or path, or, when it is neither shipped nor in files, the suite of a store
    (`NAME` or `NAME/VERSION`). Raises what `read_suite` raises."""
    suite, bad = open_with_bad(reference, engine)
    if bad:
        raise XlitError(f"{bad[0]}.")
    return suite


def open_with_bad(reference: str, engine: Engine | None) -> tuple[WholeSuite, list[BadRow]]:
    """As `open_suite`, with the lines that are wrong beside the others."""
    if is_in_files(reference):
        meta, records = suite_records(reference)
        rows = list(records)
        lines = tuple(line for line in rows if isinstance(line, SuiteLine))
        return WholeSuite(meta, lines), [row for row in rows if isinstance(row, BadRow)]
    if engine is None:
        shipped = ", ".join(shipped_suites()) or "none"
        raise UsageError(
            f"No suite {reference!r}: neither NAME.toml beside NAME.jsonl nor a shipped one ({shipped}), "
            "and there is no store to look in (--store)."
        )
    return _read_from_store(engine, reference), []


def _read_from_store(engine: Engine, label: str) -> WholeSuite:
    """A suite as the store holds it, language by language. The line of a location is its number in its
    language."""
    with reading(engine) as session:
        try:
            suite = find_suite(session, label)
        except UsageError as error:
            raise UsageError(f"{error} Shipped are: {', '.join(shipped_suites())}.") from None
        lines = [
            SuiteLine(
                Location(Path(suite.label), row.position + 1),
                NewInstruction(row.key, language, row.text, row.task, row.modifier, row.check),
            )
            for language in suite.languages
            for row in instructions_of(session, suite.id, language)
        ]
    meta = SuiteMeta(
        suite.name, suite.version, tuple(suite.languages), licence=suite.licence, source=suite.source
    )
    return WholeSuite(meta, tuple(lines))


def write_suite(suite: WholeSuite, folder: Path, *, force: bool = False) -> Path:
    """Write `NAME.toml` and `NAME.jsonl` into a folder, which is made when it is not there. Returns the TOML
    file.

    Raises `UsageError` when one of the files is there and `force` is not given, or when the name can't be
    that of a file, and `XlitError` when they can't be written.
    """
    name = suite.meta.name
    if Path(name).name != name or "\\" in name:
        raise UsageError(f"A suite called {name!r} can't be a file: give another name with --name.")
    toml, jsonl = folder / f"{name}.toml", folder / f"{name}.jsonl"
    for path in (toml, jsonl):
        if path.exists() and not force:
            raise UsageError(f"{path} is there already. Name another folder, or replace it with --force.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace_file(
            jsonl, "".join(json.dumps(_line_object(line), ensure_ascii=False) + "\n" for line in suite.lines)
        )
        _replace_file(toml, meta_toml(suite.meta))
    except OSError as error:
        raise XlitError(f"{folder} can't be written to: {error.strerror or error}.") from None
    return toml


def _replace_file(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _line_object(line: SuiteLine) -> dict[str, Any]:
    new = line.new
    content = {
        "key": new.key,
        "language": new.language,
        "task": new.task,
        "text": new.text,
        "modifier": new.modifier,
        "check": new.check,
        "tags": list(line.tags) or None,
        "modifiers": None if line.modifiers is None else list(line.modifiers),
    }
    return {name: value for name, value in content.items() if value is not None}

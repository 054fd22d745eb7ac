"""Reading a suite in the project's own form: `NAME.toml` (`core.suites.meta`) beside `NAME.jsonl`
(`core.suites.lines`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from core.exchange.records import BadRow
from core.suites.lines import SuiteLine, read_lines
from core.suites.meta import SuiteMeta, read_meta
from store.errors import UsageError, XlitError
from store.queries.suites import NewInstruction, add_suite
from store.session import writing

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
    """A shipped suite by name, or one's own by its folder or either of its two files.

    Raises `UsageError` when there is no such suite, and `XlitError` with file and line where its files are
    wrong (for a line when it is reached).
    """
    meta, records = suite_records(path_or_name)
    return meta, (line.new for line in _without_bad(records))


def read_whole(path_or_name: str | Path) -> WholeSuite:
    """As `read_suite`, with the places of the instructions and what only the files tell."""
    meta, records = suite_records(path_or_name)
    return WholeSuite(meta, tuple(_without_bad(records)))


def load_suite(session: Session, path_or_name: str | Path) -> int:
    """Write a suite into the store, once; returns its id. Errors as in `read_suite` and `add_suite`."""
    meta, instructions = read_suite(path_or_name)
    suite_id, _ = add_suite(
        session, meta.name, meta.version, list(instructions), licence=meta.licence, source=meta.source
    )
    return suite_id


def ensure_suite(engine: Engine, label: str | None) -> None:
    """Write a shipped suite into the store when it is asked for by name; leave any other to the store."""
    if label in shipped_suites():
        with writing(engine) as session:
            load_suite(session, label)


def suite_records(path_or_name: str | Path) -> tuple[SuiteMeta, Iterator[SuiteLine | BadRow]]:
    """As `read_whole`, but bad lines are handed out instead of raised."""
    toml = suite_file(path_or_name)
    meta = read_meta(toml)
    lines = toml.with_suffix(".jsonl")
    if not lines.is_file():
        raise UsageError(f"The suite {toml} has no {lines.name} beside it: its instructions, one a line.")
    return meta, read_lines(lines, meta)


def suite_file(path_or_name: str | Path) -> Path:
    """The TOML file of a suite; raises `UsageError` when there is none."""
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


def _without_bad(records: Iterator[SuiteLine | BadRow]) -> Iterator[SuiteLine]:
    for found in records:
        if isinstance(found, BadRow):
            raise XlitError(f"{found}.")
        yield found

"""A suite by whatever names it: shipped, in files, or in a store."""

from pathlib import Path

from sqlalchemy import Engine

from core.exchange.records import BadRow, Place
from core.suites.lines import SuiteLine
from core.suites.loader import WholeSuite, shipped_suites, suite_records
from core.suites.meta import SuiteMeta
from store.errors import UsageError, XlitError
from store.queries.suites import NewInstruction, find_suite, instructions_of
from store.session import reading


def is_file(reference: str) -> bool:
    """Whether a suite is meant that is shipped or lies in files, rather than in a store."""
    return reference in shipped_suites() or Path(reference).exists()


def open_suite(reference: str, engine: Engine | None) -> WholeSuite:
    """The suite of this name or path; of a store (`NAME` or `NAME/VERSION`) when it is neither shipped nor in
    files. Raises what `read_suite` does."""
    suite, bad = open_with_bad(reference, engine)
    if bad:
        raise XlitError(f"{bad[0]}.")
    return suite


def open_with_bad(reference: str, engine: Engine | None) -> tuple[WholeSuite, list[BadRow]]:
    """As `open_suite`, with the lines that are wrong beside the others."""
    if is_file(reference):
        meta, records = suite_records(reference)
        found = list(records)
        lines = tuple(line for line in found if isinstance(line, SuiteLine))
        return WholeSuite(meta, lines), [row for row in found if isinstance(row, BadRow)]
    if engine is None:
        shipped = ", ".join(shipped_suites()) or "none"
        raise UsageError(
            f"No suite {reference!r}: neither NAME.toml beside NAME.jsonl nor a shipped one ({shipped}), "
            "and there is no store to look in (--store)."
        )
    return _stored(engine, reference), []


def _stored(engine: Engine, label: str) -> WholeSuite:
    """A suite as the store holds it, language by language; a place is its number in its language."""
    with reading(engine) as session:
        try:
            found = find_suite(session, label)
        except UsageError as error:
            raise UsageError(f"{error} Shipped are: {', '.join(shipped_suites())}.") from None
        lines = [
            SuiteLine(
                Place(Path(found.label), row.position + 1),
                NewInstruction(row.key, language, row.text, row.task, row.modifier, row.check),
            )
            for language in found.languages
            for row in instructions_of(session, found.id, language)
        ]
    meta = SuiteMeta(
        found.name, found.version, tuple(found.languages), licence=found.licence, source=found.source
    )
    return WholeSuite(meta, tuple(lines))

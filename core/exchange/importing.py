"""One import: it is written as a whole or not at all, it can be repeated without effect, and it reports what
it did."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from core.exchange.formats import check_options, choose, importers
from core.exchange.rating_writer import RatingWriter
from core.exchange.records import ImportCounts, InstructionRow, RatingAction, Record, SuiteName
from core.exchange.response_writer import ResponseWriter
from core.text.files import BadRow
from store.errors import UsageError, XlitError
from store.names import case_notes
from store.provenance import EXIT_DONE, EXIT_FAILED, EXIT_PARTLY, RunRecord, record_run
from store.queries import runs
from store.session import writing

BATCH = 2_000
SKIPPED_LISTED = 1_000


@dataclass
class ImportReport:
    """What an import did, or with `dry_run` would do.

    `skipped` holds the first `SKIPPED_LISTED` bad rows. `refused` says that a dry run met bad rows because of
    which the import would take nothing.
    """

    format: str
    dry_run: bool
    counts: ImportCounts = field(default_factory=ImportCounts)
    suites: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    skipped_count: int = 0
    skipped: list[BadRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: bool = False

    @property
    def exit_code(self) -> int:
        if self.refused:
            return EXIT_FAILED
        return EXIT_PARTLY if self.skipped_count else EXIT_DONE

    def skip(self, rows: Iterable[BadRow]) -> None:
        for row in rows:
            self.skipped_count += 1
            if len(self.skipped) < SKIPPED_LISTED:
                self.skipped.append(row)

    def lines(self) -> list[str]:
        """The report for a person, a line each."""
        lines = self.counts.lines("would be new" if self.dry_run else "new")
        if self.suites:
            lines.append(f"suites: {', '.join(self.suites)}")
        if self.models:
            lines.append(f"models: {', '.join(self.models)}")
        lines += self.notes
        if self.skipped_count:
            lines.append(f"skipped: {self.skipped_count:,} bad rows")
            lines += [f"  {row}" for row in self.skipped]
            if self.skipped_count > len(self.skipped):
                lines.append(f"  and {self.skipped_count - len(self.skipped):,} more")
        if self.refused:
            lines.append("Nothing would be imported because of these rows; --skip-bad leaves them out.")
        return lines

    def as_dict(self) -> dict[str, Any]:
        """The report for machines (`--json`)."""
        return {
            "format": self.format,
            "dry_run": self.dry_run,
            **asdict(self.counts),
            "suites": self.suites,
            "models": self.models,
            "notes": self.notes,
            "refused": self.refused,
            "skipped_count": self.skipped_count,
            "skipped": [
                {"file": str(row.location.file), "line": row.location.line, "reason": row.reason}
                for row in self.skipped
            ],
        }


class _RollBack(Exception):
    pass


def run_import(
    engine: Engine,
    format: str,
    paths: Sequence[str | Path],
    options: Mapping[str, Any] | None = None,
    *,
    dry_run: bool = False,
    skip_bad: bool = False,
) -> ImportReport:
    """Bring files into the store, in one transaction that holds the writer's lock.

    What is there already stays and is counted as known. A bad row refuses the whole import with an
    `XlitError` that names it; with `skip_bad` it is left out, listed in the report and written down as a
    failed unit of the run. `dry_run` does it all and takes it back: nothing is written, not even a run, and
    all bad rows are in the report.

    Raises `UsageError` for an unknown format, option or path.
    """
    importer = choose(importers(), format)
    given = check_options(importer, options or {})
    files = [Path(path) for path in paths]
    if not files:
        raise UsageError(f"Nothing to import: name the files or folders that hold {importer.summary}.")
    for path in files:
        _check_there(path)
    records = _readable(importer.read(files, given))
    if dry_run:
        report = ImportReport(format, dry_run=True)
        try:
            with writing(engine) as session:
                _write_all(session, records, report, None, skip_bad)
                raise _RollBack
        except _RollBack:
            return report
    parameters = {"format": format, "paths": [str(path) for path in files], "options": given}
    with record_run(engine, "import", {**parameters, "skip_bad": skip_bad}) as record:
        report = ImportReport(format, dry_run=False)
        with writing(engine) as session:
            _write_all(session, records, report, record, skip_bad)
        record.failures.extend((str(row.location), row.reason) for row in report.skipped)
        for name, count in asdict(report.counts).items():
            record.count(name, count)
        record.count("skipped", report.skipped_count)
    return report


def _check_there(path: Path) -> None:
    try:
        exists = path.exists()
    except (OSError, ValueError) as error:  # too long a name, a folder that may not be looked into
        raise UsageError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}.") from None
    if not exists:
        raise UsageError(f"No file or folder {path}.")


def _readable(records: Iterator[Record]) -> Iterator[Record]:
    try:
        yield from records
    except (OSError, EOFError, zlib.error) as error:
        name = getattr(error, "filename", None)
        reason = getattr(error, "strerror", None) or error
        raise XlitError(f"{name or 'A file'} can't be read: {reason}. Nothing was imported.") from None


def _write_all(
    session: Session,
    records: Iterator[Record],
    report: ImportReport,
    record: RunRecord | None,
    skip_bad: bool,
) -> None:
    run_id = record.id if record else None
    writer = ResponseWriter(session, run_id=run_id, counts=report.counts)
    journal = RatingWriter(session, run_id=run_id, counts=report.counts)
    rows: list[InstructionRow] = []
    actions: list[RatingAction] = []
    for item in records:
        if isinstance(item, InstructionRow):
            rows.append(item)
        elif isinstance(item, RatingAction):
            actions.append(item)
        elif isinstance(item, BadRow):
            report.skip([item])
        else:
            report.notes.append(item.text)
        if len(rows) == BATCH or len(actions) == BATCH:
            report.skip([*writer.write(rows), *journal.write(actions)])
            rows, actions = [], []
    report.skip([*writer.write(rows), *journal.write(actions)])
    report.skipped.sort(key=lambda row: (row.location.file, row.location.line))
    report.suites, report.models = list(writer.suites), list(writer.models)
    suites = [SuiteName.parse(label).name for label in writer.suites]
    report.notes += case_notes(session, [*writer.models, *suites, *journal.raters])
    if report.skipped_count and not skip_bad:
        report.refused = report.dry_run
        if not report.refused:
            raise XlitError(_refusal(report))
    if record is not None:
        for row in report.skipped:
            runs.add_failure(session, record.id, str(row.location), row.reason)


def _refusal(report: ImportReport) -> str:
    more = report.skipped_count - 1
    others = f" ({more:,} more bad row{'s' if more > 1 else ''} after it)" if more else ""
    return (
        f"{report.skipped[0]}{others}. Nothing was imported. "
        "Mend the files, or leave out the bad rows with --skip-bad."
    )

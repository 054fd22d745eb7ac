"""`xlit-core merge`: the stores of several people or machines in one. Each is merged as a whole or not at
all."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from core.console import JsonOption, opened_to_import, show_json
from core.progress import say
from core.text.visible import visible
from store.engine import printable_name
from store.errors import UsageError
from store.merging import campaigns, content, journal
from store.merging.merge_context import Conflict, MergeContext
from store.names import case_notes
from store.provenance import EXIT_PARTLY, record_run
from store.read_only import open_read_only
from store.session import reading, writing

# Each step refers to rows that the steps before it have merged.
STEPS = (
    content.merge_suites,
    content.merge_models,
    content.merge_rubrics,
    content.merge_raters,
    content.merge_responses,
    content.merge_judge_answers,
    journal.merge_journals,
    campaigns.merge_campaigns,
    campaigns.merge_reviewers,
    campaigns.merge_keys,
)


@dataclass(frozen=True)
class MergeResult:
    """What became of one store: how many rows of each kind were `added`, how many were `known`, and the
    conflicts."""

    store: str
    added: dict[str, int]
    known: dict[str, int]
    conflicts: tuple[Conflict, ...]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "store": self.store,
            "added": self.added,
            "known": self.known,
            "conflicts": [conflict.__dict__ for conflict in self.conflicts],
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """The result for a person, a line each."""
        added = ", ".join(f"{count} {name}" for name, count in self.added.items())
        known = ", ".join(f"{count} {name}" for name, count in self.known.items())
        head = f"{self.store}: added {added or 'nothing'}" + (f"; there already: {known}." if known else ".")
        conflicts = (f"conflict: {conflict}." for conflict in self.conflicts)
        return [visible(line) for line in (head, *conflicts, *self.notes)]


def merge_stores(target: Engine, sources: Sequence[str], *, dry_run: bool = False) -> list[MergeResult]:
    """Merge stores into the target, in this order. A store that was merged before adds nothing.

    With `dry_run` everything is done and nothing is kept. Raises `UsageError` when a source is the target
    itself, and `StoreError` when one can't be read; the stores before it are merged then.
    """
    for source in sources:
        _check(target, source)
    engines = {source: open_read_only(source) for source in dict.fromkeys(sources)}
    try:
        return [_merge(target, printable_name(source), engine, dry_run) for source, engine in engines.items()]
    finally:
        for engine in engines.values():
            engine.dispose()


def _merge(target: Engine, name: str, source: Engine, dry_run: bool) -> MergeResult:
    if dry_run:
        with writing(target) as session:
            context = _unite(source, session)
            session.rollback()
        return _result(name, context)
    with record_run(target, "xlit-core merge", {"store": name}) as run:
        with writing(target) as session:
            context = _unite(source, session)
        for kind, count in context.added.items():
            run.count(kind, count)
        for conflict in context.conflicts:
            run.fail(conflict.what, conflict.why + (f"; {conflict.out}" if conflict.out else ""))
        run.idle = not any(context.added.values()) and not context.conflicts
    return _result(name, context)


def _unite(source: Engine, target: Any) -> MergeContext:
    with reading(source) as session:
        context = MergeContext(session, target)
        for step in STEPS:
            step(context)
    context.notes += case_notes(target)
    return context


def _result(name: str, context: MergeContext) -> MergeResult:
    return MergeResult(
        name,
        {kind: count for kind, count in context.added.items() if count},
        {kind: count for kind, count in context.known.items() if count},
        tuple(context.conflicts),
        tuple(context.notes),
    )


def _check(target: Engine, source: str) -> None:
    database = target.url.database
    if "://" in source or target.dialect.name != "sqlite" or not database:
        same = source == target.url.render_as_string(hide_password=False)
    else:
        same = Path(source).exists() and Path(database).exists() and Path(source).samefile(database)
    if same:
        raise UsageError(f"{printable_name(source)} is the store to merge into: leave it out of the list.")


def merge(
    stores: Annotated[
        list[str], typer.Argument(metavar="STORE...", help="Stores to read: files, or URLs of databases.")
    ],
    into: Annotated[
        str | None,
        typer.Option(
            "--into", "--store", help="The store to add to (else XLIT_STORE, else ./xlit.db); made when new."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be added, and write nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Unite stores: what is the same is recognised by content, so that merging twice changes nothing."""

    results = merge_stores(opened_to_import(into, dry_run=dry_run), stores, dry_run=dry_run)
    if as_json:
        show_json([result.as_dict() for result in results])
    else:
        for result in results:
            for line in result.lines():
                say(line)
        if dry_run:
            say("Nothing was written.")
    if any(result.conflicts for result in results):
        raise typer.Exit(EXIT_PARTLY)

"""`xlit-core merge`: the stores of reviewers who have sent their files back, in one."""

from typing import Annotated

import typer

from core.console import JsonOption, opened_to_import, show_json
from core.progress import say
from store.provenance import EXIT_PARTLY


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
    from core.merge.run import merge_stores

    found = merge_stores(opened_to_import(into, dry_run=dry_run), stores, dry_run=dry_run)
    if as_json:
        show_json([merged.as_dict() for merged in found])
    else:
        for merged in found:
            for line in merged.lines():
                say(line)
        if dry_run:
            say("Nothing was written.")
    if any(merged.conflicts for merged in found):
        raise typer.Exit(EXIT_PARTLY)

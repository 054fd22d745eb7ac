"""`xlit-core suite ...`: look at suites, check them, write them out, put modifiers on them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from sqlalchemy import Engine

from core.console import (
    JsonOption,
    LanguagesOption,
    StoreOption,
    chosen_store,
    opened,
    show,
    show_json,
)
from core.progress import say
from core.text.terminal import write_line
from store import UsageError

if TYPE_CHECKING:
    from core.suites.loader import WholeSuite

suite_app = typer.Typer(help="Look at suites, check them, write them out.", no_args_is_help=True)

SuiteArgument = Annotated[
    str,
    typer.Argument(
        metavar="SUITE", help="A shipped suite, a folder or file of your own, or NAME/VERSION in the store."
    ),
]
SubsetOption = Annotated[str | None, typer.Option("--subset", help="Only this subset of the suite.")]
TasksOption = Annotated[
    list[str] | None, typer.Option("--task", help="Only this task; may be given several times.")
]
ModifiersOption = Annotated[
    list[str] | None,
    typer.Option("--modifier", help="Only instructions that carry this; may be given several times."),
]
OUT_HELP = "The folder to write NAME.toml and NAME.jsonl to."
ForceOption = Annotated[bool, typer.Option("--force", help="Replace what is there.")]


@suite_app.command("list")
def list_(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """The suites that come with xlit, and those in the store."""
    from core.suites.tables import list_table, suite_rows

    rows = suite_rows(_store(store))
    if as_json:
        show_json(rows)
    else:
        show(list_table(rows))


@suite_app.command("show")
def show_(
    suite: SuiteArgument,
    subset: SubsetOption = None,
    languages: LanguagesOption = None,
    tasks: TasksOption = None,
    modifiers: ModifiersOption = None,
    full: Annotated[bool, typer.Option("--full", help="Every instruction instead of examples.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a suite holds: tasks, counts per language, licence, subsets, modifiers, examples."""
    from core.suites.tables import describe_suite, description_tables

    part = _part(suite, store, subset, languages, tasks, modifiers)
    if as_json:
        show_json(describe_suite(part))
    else:
        show(description_tables(part, full=full))


@suite_app.command()
def check(
    suite: SuiteArgument,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings too.")] = False,
    lid: Annotated[
        Path | None, typer.Option(help="Language identification model (default: lid.176.ftz).")
    ] = None,
    dictionaries: Annotated[
        Path | None,
        typer.Option(help="Folder with Hunspell dictionaries (else XLIT_DICTIONARIES, the system's)."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for what is wrong with a suite. Exit codes: 1 errors, 3 none but a part could not be checked."""
    from core.suites.checking.check import check_suite
    from core.suites.tables import report_tables

    report = check_suite(suite, _store(store, suite), lid=lid, dictionaries=dictionaries)
    if as_json:
        show_json(report.as_dict())
    else:
        show(report_tables(report))
    raise typer.Exit(1 if strict and report.findings else report.exit_code)


@suite_app.command()
def export(
    suite: SuiteArgument,
    out: Annotated[Path | None, typer.Option("--out", help=OUT_HELP)] = None,
    subset: SubsetOption = None,
    languages: LanguagesOption = None,
    tasks: TasksOption = None,
    modifiers: ModifiersOption = None,
    name: Annotated[
        str | None, typer.Option(help="What it is called (default: its name, with that of the subset).")
    ] = None,
    keys: Annotated[bool, typer.Option("--keys", help="Print the keys alone, one a line.")] = False,
    force: ForceOption = False,
    store: StoreOption = None,
) -> None:
    """Write a suite, or a part of it, as files that load again."""
    from dataclasses import replace

    part = _part(suite, store, subset, languages, tasks, modifiers)
    if keys:
        if out is not None or name is not None:
            raise UsageError("--keys prints the keys; it goes with neither --out nor --name.")
        for key in dict.fromkeys(line.new.key for line in part.lines):
            write_line(key)
        return
    if out is None:
        raise UsageError("Name the folder to write to with --out, or print the keys with --keys.")
    own_name = name or (f"{part.meta.name}-{subset}" if subset else part.meta.name)
    _write(replace(part, meta=replace(part.meta, name=own_name)), out, force)


@suite_app.command("modifiers")
def modifiers_(
    suite: SuiteArgument,
    out: Annotated[Path, typer.Option("--out", help=OUT_HELP)],
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 1,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only this modifier; may be given several times.")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many instructions for each modifier (default: as the paper)."),
    ] = None,
    wordings: Annotated[
        Path | None, typer.Option(help="Other wordings: a TOML file like core/suites/modifiers.toml.")
    ] = None,
    force: ForceOption = False,
    store: StoreOption = None,
) -> None:
    """Put modifiers (answer briefly, list 5 items, in HTML ...) on a suite's instructions: NAME-modifiers."""
    from core.suites.modifiers import SHIPPED_WORDINGS, modified_suite, modifier_counts, read_wordings

    original = _opened(suite, store)
    read = read_wordings(wordings or SHIPPED_WORDINGS)
    modified = modified_suite(original, read, seed=seed, only=only or (), count=count)
    left_out = [language for language in original.meta.languages if language not in modified.meta.languages]
    if left_out:
        say(f"The modifiers have no wordings in {', '.join(left_out)}: left out.")
    _write(modified, out, force)
    numbers = modifier_counts(modified)
    counts = [f"{numbers.get(group, 0)} {group}" for group in (numbers if only else read.modifiers)]
    say(f"Instructions in each language: {', '.join(counts)}.")


def _write(suite: "WholeSuite", out: Path, force: bool) -> None:
    from core.suites.loader import write_suite

    toml = write_suite(suite, out, force=force)
    say(f"{len(suite.lines)} instructions of {suite.meta.label}: {toml}, {toml.with_suffix('.jsonl').name}")


def _part(
    suite: str,
    store: str | None,
    subset: str | None,
    languages: list[str] | None,
    tasks: list[str] | None,
    modifiers: list[str] | None,
) -> "WholeSuite":
    """What the options choose of a suite."""
    from core.suites.filter import filter_suite

    return filter_suite(
        _opened(suite, store),
        subset=subset,
        languages=languages or (),
        tasks=tasks or (),
        modifiers=modifiers or (),
    )


def _opened(reference: str, store: str | None) -> "WholeSuite":
    from core.suites.loader import open_suite

    return open_suite(reference, _store(store, reference))


def _store(option: str | None, reference: str | None = None) -> Engine | None:
    """The store, when one is named or there, and the suite that is referred to does not lie in files."""
    from core.suites.loader import is_in_files

    if reference is not None and is_in_files(reference):
        return None
    if option is None and "XLIT_STORE" not in os.environ and not Path(chosen_store(None)).exists():
        return None
    return opened(option)

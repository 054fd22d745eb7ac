"""What every command does around its work: open the store, end with the right exit code, print results."""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from sqlalchemy import Engine

from core.progress import say, say_missing
from core.text.terminal import TerminalConsole, terminal_json
from store import UsageError, XlitError, open_store
from store.provenance import RunRecord

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", help="Path or URL of the store (else XLIT_STORE, else ./xlit.db).", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")]
LanguagesOption = Annotated[
    list[str] | None, typer.Option("--lang", help="Only this language; may be given several times.")
]

SuiteOption = Annotated[
    str | None, typer.Option("--suite", help="NAME or NAME/VERSION of a suite in the store.")
]

DEFAULT_STORE = "./xlit.db"
INTERRUPTED = 130


def chosen_store(option: str | None) -> str:
    """The store a command works on: `--store`, else `XLIT_STORE`, else `./xlit.db`."""
    return option or os.environ.get("XLIT_STORE") or DEFAULT_STORE


def opened(option: str | None, *, create: bool = False) -> Engine:
    return open_store(chosen_store(option), create=create)


def opened_to_import(option: str | None, *, dry_run: bool) -> Engine:
    """The store that an import writes to; a dry run into a store that isn't there uses one in memory."""
    name = chosen_store(option)
    if dry_run and "://" not in name and not Path(name).exists():
        return open_store("sqlite://", create=True)
    return open_store(name, create=True)


def pairs(option: str, values: list[str], *, form: str = "OURS=THEIRS") -> dict[str, str]:
    """`["a=b", ...]` as a dictionary; raises `UsageError` for one without `=`."""
    for value in values:
        if "=" not in value:
            raise UsageError(f"{option} {value!r} is not of the form {form}.")
    return dict(value.split("=", 1) for value in values)


def show(renderable: RenderableType) -> None:
    """Print a table or text on stdout; a pipe gets 110 columns."""
    console = TerminalConsole() if sys.stdout.isatty() else TerminalConsole(width=110)
    console.print(renderable)


def show_anew(renderable: RenderableType) -> None:
    """Print in place of what the terminal shows."""
    TerminalConsole().clear()
    show(renderable)


def show_json(data: Any) -> None:
    """Print data as JSON on stdout."""
    sys.stdout.write(terminal_json(data) + "\n")


def finish(*runs: RunRecord, as_json: bool = False, more: dict[str, Any] | None = None) -> None:
    """Say what the runs of a command did and which units failed, and exit with their code when that isn't 0.
    `more`: what goes into the JSON beside it."""
    counts: dict[str, int | float] = {}
    for run in runs:
        for name, count in run.counts.items():
            counts[name] = counts.get(name, 0) + count
    failed = [failure for run in runs for failure in run.failures]
    if as_json:
        failures = [{"unit": unit, "reason": reason} for unit, reason in failed]
        show_json({"run": runs[-1].id, "counts": counts, "failures": failures, **(more or {})})
    else:
        counted = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
        say(f"Done: {counted or 'nothing to do'}.")
    say_missing(failed)
    if failed:
        say(f"{len(failed)} failed; the same command tries only these again.")
        raise typer.Exit(max(run.exit_code for run in runs))


def run_app(app: Callable[[], Any]) -> None:
    """Run a typer app; an error that the user can mend is one line, without a traceback. Any other is a fault
    of ours: its traceback may quote data, and is made visible like everything else."""
    try:
        app()
    except XlitError as error:
        say(f"{sys.argv[0].rpartition('/')[2]}: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("Stopped. The same command goes on where it was.")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception:
        say(traceback.format_exc().rstrip())
        sys.exit(1)

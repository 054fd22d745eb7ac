"""xlit-tui: the review room. Thin: options in, a session and its screen out."""

import getpass
import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from store.errors import UsageError, XlitError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="The review room: read the responses of several models side by side, score them with single keys.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"xlit {version('xlit')}")
        raise typer.Exit


@app.callback()
def room(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def compare(
    lang: Annotated[str, typer.Option("--lang", help="The language of the instructions, for example ru.")],
    suite: Annotated[
        str | None, typer.Option(help="NAME or NAME/VERSION; the last one with responses when left out.")
    ] = None,
    models: Annotated[str, typer.Option(help="Only these models, separated by commas.")] = "",
    reviewer: Annotated[
        str | None, typer.Option(envvar="XLIT_REVIEWER", help="Your name; the login name when left out.")
    ] = None,
    store: Annotated[
        str, typer.Option(envvar="XLIT_STORE", help="The store: a file, or the URL of a database.")
    ] = "./xlit.db",
    names: Annotated[
        bool, typer.Option("--open", help="Show the models' names (the journal says so).")
    ] = False,
) -> None:
    """Score the responses to one suite in one language, side by side, blind unless --open."""
    require_terminal()
    from tui.room import review

    wanted = [name.strip() for name in models.split(",") if name.strip()]
    sentence = review(
        store,
        language=lang,
        suite=suite,
        wanted=wanted,
        reviewer=reviewer or login_name(),
        names_shown=names,
    )
    if sentence:
        typer.echo(sentence, err=True)


def require_terminal() -> None:
    """Raises `UsageError` unless keys and screen are a terminal's."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The review room needs a terminal for keys and screen; `xlit-core status` works without one."
        )


def login_name() -> str:
    """Who is logged in. Raises `UsageError` where the system can't tell."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise UsageError("The system has no login name; say who reviews with --reviewer.") from None


def main() -> None:
    """The command's entry: an error becomes one line on stderr and its exit code."""
    try:
        app()
    except XlitError as error:
        print(f"xlit-tui: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)

"""xlit-tui: the review room. Thin: options in, a session and its screen out."""

import gc
import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from store.errors import UsageError, XlitError
from store.names import trimmed
from tui.identity import with_code

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


def _clean_environment(kiosk: bool) -> bool:
    """Comes before all other options, so that none of them is read from the client's environment."""
    if kiosk:
        from tui.kiosk import clean

        clean(os.environ)
    return kiosk


@app.callback()
def room(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


Store = Annotated[str, typer.Option(envvar="XLIT_STORE", help="The store: a file, or the URL of a database.")]
Suite = Annotated[
    str | None, typer.Option(help="NAME or NAME/VERSION; the last one with responses when left out.")
]
Theme = Annotated[
    str | None,
    typer.Option(envvar="XLIT_THEME", help="dark, light, colour-blind or monochrome (also by NO_COLOR)."),
]
Keys = Annotated[
    Path | None,
    typer.Option(
        envvar="XLIT_KEYS", help="A TOML file with other keys (default: xlit/keys.toml in ~/.config)."
    ),
]


Reviewer = Annotated[
    str | None, typer.Option(envvar="XLIT_REVIEWER", help="Your name; the login name when left out.")
]
Translation = Annotated[
    str,
    typer.Option(
        envvar="XLIT_TRANSLATION", help="The language in which the instruction is also shown, or none."
    ),
]
Kiosk = Annotated[
    bool,
    typer.Option(
        "--kiosk",
        is_eager=True,
        callback=_clean_environment,
        help="For a login that may do nothing else: what the client's environment says is not obeyed.",
    ),
]


class By(StrEnum):
    """What stands side by side."""

    model = "model"
    language = "language"


@app.command()
def compare(
    context: typer.Context,
    lang: Annotated[str, typer.Option("--lang", help="The language of the instructions, for example ru.")],
    suite: Suite = None,
    models: Annotated[str, typer.Option(help="Only these models, separated by commas.")] = "",
    campaign: Annotated[
        str | None, typer.Option(help="Only what this campaign has given you: your queue, side by side.")
    ] = None,
    by: Annotated[By, typer.Option(help="Models side by side, or one model in all languages.")] = By.model,
    reviewer: Reviewer = None,
    store: Store = "./xlit.db",
    judge: Annotated[
        str | None, typer.Option(help="The judge to set beside you (default: the LLM judge that came last).")
    ] = None,
    translation: Translation = "en",
    open: Annotated[
        bool,
        typer.Option("--open", help="Show names, judge and surface metrics at once (the journal says so)."),
    ] = False,
    collapse: Annotated[bool, typer.Option(help="Show responses that read the same as one column.")] = True,
    theme: Theme = None,
    keys: Keys = None,
    kiosk: Kiosk = False,
) -> None:
    """Score the responses to one suite in one language, side by side, blind unless --open."""
    with _at_the_door(context, reviewer, keys, kiosk) as (who, own_keys):
        from tui.run import Appearance, run_review

        with_code(
            who,
            lambda code: run_review(
                store,
                Appearance(theme, own_keys, own_keys=not kiosk),
                language=lang,
                reviewer=who,
                code=code,
                suite=suite,
                wanted=[name.strip() for name in models.split(",") if name.strip()],
                by_language=by is By.language,
                campaign=campaign,
                judge=judge,
                translation=None if translation == "none" else translation,
                open=open,
                collapse=collapse,
            ),
        )


@app.command("score")
def score_campaign(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name.")],
    reviewer: Reviewer = None,
    store: Store = "./xlit.db",
    translation: Translation = "en",
    theme: Theme = None,
    keys: Keys = None,
    kiosk: Kiosk = False,
) -> None:
    """Work through your queue in a campaign, one response at a time; it goes on where you stopped."""
    with _at_the_door(context, reviewer, keys, kiosk) as (who, own_keys):
        from tui.run import Appearance, run_queue

        with_code(
            who,
            lambda code: run_queue(
                store,
                Appearance(theme, own_keys, own_keys=not kiosk),
                campaign=campaign,
                reviewer=who,
                code=code,
                translation=None if translation == "none" else translation,
            ),
        )


@app.command()
def overview(
    lang: Annotated[
        str | None, typer.Option("--lang", help="Only instructions in this language (default: all).")
    ] = None,
    suite: Suite = None,
    store: Store = "./xlit.db",
    reviewer: Reviewer = None,
    theme: Theme = None,
    keys: Keys = None,
) -> None:
    """Progress of the reviewers, mean scores and agreement; Enter opens the responses behind a number."""
    require_terminal()
    from tui.run import Appearance, run_overview

    who = trimmed(reviewer or "") or login_name()
    with_code(
        who,
        lambda code: run_overview(
            store, Appearance(theme, keys), language=lang, suite=suite, reviewer=who, code=code
        ),
    )


@contextmanager
def _at_the_door(
    context: typer.Context, reviewer: str | None, keys: Path | None, kiosk: bool
) -> Iterator[tuple[str, Path | None]]:
    """Who reviews with which keys; in a kiosk, nothing but the room reaches the terminal inside."""
    require_terminal()
    with ExitStack() as lock:
        if kiosk:
            from tui.kiosk import locked, sealed

            reviewer, keys = locked(context, reviewer, keys)
            lock.enter_context(sealed())
        yield trimmed(reviewer or "") or login_name(), keys


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
    # Imports make many objects and no garbage; looking through them again and again takes a tenth of the
    # start. `tui.screens.opening` turns it on again.
    gc.disable()
    try:
        app()
    except XlitError as error:
        from core.text.visible import visible_text
        from store.secrets import without_secrets

        print(visible_text(without_secrets(f"xlit-tui: {error}")), file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)

"""Opening a store, reviewing in it, and leaving it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from store import StoreError, UsageError, open_store
from store.provenance import record_run
from store.queries.compare import instruction_of
from store.queries.finding import Filter
from store.session import reading
from tui.app import ReviewApp
from tui.keyfile import default_file, read_keys
from tui.review.opening import open_view
from tui.review.overview import ask
from tui.review.saving import NotSaved, reason_of
from tui.review.session import ReviewSession
from tui.screens.compare import CompareScreen
from tui.screens.overview import OverviewScreen
from tui.theme import PALETTES, default_palette


@dataclass(frozen=True)
class Appearance:
    """How the room looks and which keys it takes: names as the command was given them, None: the defaults."""

    theme: str | None = None
    keys: Path | None = None
    own_keys: bool = True


def review(
    store: str,
    *,
    language: str,
    reviewer: str,
    appearance: Appearance,
    suite: str | None = None,
    wanted: Sequence[str] = (),
    by_language: bool = False,
    judge: str | None = None,
    translation: str | None = "en",
    open: bool = False,
    collapse: bool = True,
) -> str:
    """Review until the reviewer leaves. Returns a sentence to print afterwards, or "".

    Raises `UsageError` for a language, suite, model, judge, theme or key that is not there, `StoreError` for
    the store.
    """
    options = _options(appearance)
    with _opened(store) as engine:
        view = open_view(
            engine, language=language, reviewer=reviewer, suite=suite, wanted=wanted, by_language=by_language,
            judge=judge, translation=translation, open=open,
        )  # fmt: skip
        parameters = {
            "language": language,
            "suite": view.suite.label,
            "models": list(wanted),
            "by": view.by,
            "reviewer": reviewer,
            "open": open,
            "collapse": collapse,
        }
        with record_run(engine, "xlit-tui compare", parameters, libraries=["textual"]) as run:
            session = ReviewSession(engine, view, run_id=run.id, collapse=collapse)
            app = ReviewApp(CompareScreen(session), **options)
            app.run(mouse=False)
            sentence = session.close()
        _check(app)
        return f"The place where you stopped was not saved: {sentence}." if sentence else ""


def _options(appearance: Appearance) -> dict[str, Any]:
    if appearance.theme is not None and appearance.theme not in PALETTES:
        raise UsageError(f"No theme {appearance.theme!r}. There are: {', '.join(PALETTES)}.")
    palette = PALETTES[appearance.theme] if appearance.theme else default_palette()
    keys = appearance.keys
    if keys is None and appearance.own_keys and default_file().is_file():
        keys = default_file()
    return {"palette": palette, "keys": read_keys(keys) if keys else None}


@contextmanager
def _opened(store: str) -> Iterator[Engine]:
    """The store; that it can't be written is told in words."""
    engine = open_store(store)
    try:
        yield engine
    except (DBAPIError, NotSaved) as error:
        reason = reason_of(error) if isinstance(error, DBAPIError) else str(error)
        raise StoreError(f"The store could not be written: {reason}. Try again.") from None
    finally:
        engine.dispose()


def _check(app: ReviewApp) -> None:
    if app.return_code:
        raise StoreError("The review room ended on an error; every score that it showed is saved.")


def look_over(
    store: str,
    *,
    language: str | None,
    suite: str | None,
    reviewer: str,
    appearance: Appearance,
) -> None:
    """The overview of a suite, with all names; what is opened from it can be scored, openly.

    Raises `UsageError` for a language or suite without responses, and as `review`.
    """
    options = _options(appearance)
    with _opened(store) as engine, ExitStack() as ending:
        asked, label = ask(engine, language=language, suite=suite)

        def reading_behind(pairs: Sequence[tuple[int, int]]) -> CompareScreen:
            # A run is written down only when something is opened: looking at numbers leaves no trace.
            run = ending.enter_context(record_run(engine, "xlit-tui overview", {"suite": label}))
            with reading(engine) as session:
                lead = instruction_of(session, pairs[0][0]).language
            view = open_view(engine, language=lead, reviewer=reviewer, suite=label, open=True)
            wanted = Filter(responses=frozenset(response for _, response in pairs))
            return CompareScreen(ReviewSession(engine, view, run_id=run.id), wanted)

        app = ReviewApp(OverviewScreen(engine, asked, f"overview · {label}", reading_behind), **options)
        app.run(mouse=False)
        _check(app)

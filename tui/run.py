"""The room from the first frame to the end: what the commands of `xlit-tui` start."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.errors import StoreError, UsageError
from store.time_limit import TimeLimit
from tui.app import ReviewApp
from tui.keyfile import default_file, read_keys
from tui.screens.opening import OpenedSession, OpeningScreen
from tui.theme import PALETTES, default_palette

# A database that has been silent for this long is away.
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Appearance:
    """How the room looks and which keys it takes: names as the command was given them, None: the defaults."""

    theme: str | None = None
    keys: Path | None = None
    own_keys: bool = True


def run_review(store: str, appearance: Appearance, *, language: str, **options: Any) -> None:
    """Review until the reviewer leaves; the options are those of `tui.sessions.review_session`.

    Raises `UsageError` for a theme, key, language, suite, model or judge that is not there, `CodeNeeded`
    without the reviewer's code, `StoreError` for the store.
    """

    def open_session(time_limit: TimeLimit) -> OpenedSession:
        from tui.sessions import review_session

        return review_session(store, language=language, time_limit=time_limit, **options)

    _run_app(f"{language} · opening", open_session, appearance)


def run_queue(store: str, appearance: Appearance, *, campaign: str, **options: Any) -> None:
    """Work through a queue until the reviewer leaves; the options are those of `tui.sessions.queue_session`.
    Raises as `run_review`."""

    def open_session(time_limit: TimeLimit) -> OpenedSession:
        from tui.sessions import queue_session

        return queue_session(store, campaign=campaign, time_limit=time_limit, **options)

    _run_app("score · opening", open_session, appearance)


def run_overview(store: str, appearance: Appearance, **options: Any) -> None:
    """The overview until the reader leaves; the options are those of `tui.sessions.overview_session`.
    Raises as `run_review`."""

    def open_session(time_limit: TimeLimit) -> OpenedSession:
        from tui.sessions import overview_session

        return overview_session(store, time_limit=time_limit, **options)

    _run_app("overview · opening", open_session, appearance)


def _run_app(words: str, open_session: Callable[[TimeLimit], OpenedSession], appearance: Appearance) -> None:
    time_limit = TimeLimit(PATIENCE_SECONDS)
    opening = OpeningScreen(words, lambda: open_session(time_limit))
    app = ReviewApp(opening, time_limit=time_limit, **_options(appearance))
    with opening.ending:
        app.run(mouse=False)
        if app.return_code:
            raise StoreError("The review room ended on an error; every score that it showed is saved.")
    if opening.failure is not None:
        raise opening.failure


def _options(appearance: Appearance) -> dict[str, Any]:
    if appearance.theme is not None and appearance.theme not in PALETTES:
        raise UsageError(f"No theme {appearance.theme!r}. There are: {', '.join(PALETTES)}.")
    palette = PALETTES[appearance.theme] if appearance.theme else default_palette()
    keys = appearance.keys
    if keys is None and appearance.own_keys and default_file().is_file():
        keys = default_file()
    return {"palette": palette, "keys": read_keys(keys) if keys else None}

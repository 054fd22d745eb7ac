"""What a test sees and does on a screen of the review room that runs without a terminal."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from rich.style import Style
from sqlalchemy import Engine, event, text
from textual.events import Key
from textual.pilot import Pilot

from tui.app import ReviewApp
from tui.app_protocol import app_of
from tui.review.session import ReviewSession
from tui.review.view import open_view
from tui.screens.compare import CompareScreen
from tui.textual_private import key_name
from tui.theme import Look

WIDE, NARROW = (200, 50), (80, 24)
_CHARACTERS = {"space": " ", "enter": "\r", "tab": "\t"}


def shown(pilot: Pilot) -> str:
    """The text of the whole screen, line by line."""
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in lines)


def line_with(pilot: Pilot, words: str) -> str:
    """The first line that holds the words, or ""."""
    return next((line for line in shown(pilot).splitlines() if words in line), "")


def played(pilot: Pilot, look: Look) -> list[str]:
    """The stretches of the screen that are drawn as this role alone would be."""
    wanted = app_of(pilot).palette.style(look)
    return drawn(pilot, lambda style: _same(style, wanted))


def drawn(pilot: Pilot, wanted: Callable[[Style], bool]) -> list[str]:
    """The stretches of the screen whose style is wanted, from the top, without blank ones."""
    lines = pilot.app.screen._compositor.render_strips()
    found = [segment.text for strip in lines for segment in strip if wanted(segment.style or Style.null())]
    return [words.strip() for words in found if words.strip()]


def _same(style: Style, wanted: Style) -> bool:
    names = ("bold", "dim", "italic", "underline", "reverse")
    return _colour(style) == _colour(wanted) and all(
        bool(getattr(style, name)) == bool(getattr(wanted, name)) for name in names
    )


def _colour(style: Style) -> str:
    return style.color.name if style.color is not None else "default"


def message(pilot: Pilot) -> str:
    """What the last key said."""
    return cast(Any, pilot.app.screen).message.text


async def press(pilot: Pilot, *keys: str) -> None:
    """Press keys one by one, each when what the one before asked for is done.

    `Pilot.press` waits for an idle processor after each, most of the time of a test that presses many.
    """
    for key in keys:
        send(pilot, key)
        await drain(pilot)
    await settle(pilot)


async def at_once(pilot: Pilot, *keys: str) -> None:
    """Send keys without waiting, as a slow line delivers them in one packet."""
    for key in keys:
        send(pilot, key)
    await drain(pilot)
    await settle(pilot)


def send(pilot: Pilot, key: str) -> None:
    """A key comes; what it does is not waited for."""
    pilot.app.post_message(_event(key))


def _event(key: str) -> Key:
    """A key by its character or by its name."""
    return Key(key_name(key), key) if len(key) == 1 else Key(key, _CHARACTERS.get(key))


async def paused(pilot: Pilot) -> None:
    """Wait as long as a reviewer needs to see that something failed: what is typed before that is dropped."""
    await asyncio.sleep(cast(Any, pilot.app).run_seconds + 0.05)


async def drain(pilot: Pilot) -> None:
    """Wait until a key has gone from the application to the widget in focus and back up, and what it does
    there is done; or until the application has failed."""
    app = pilot.app
    for part in ("app", "focused", "screen", "app", "screen", "app"):
        node = getattr(app, part)
        done = asyncio.Event()
        if node is not None and node.call_later(done.set):
            ends = [asyncio.create_task(it.wait()) for it in (done, app._exception_event)]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()


async def settle(pilot: Pilot) -> None:
    """Wait until everything that was sent is done, workers included, and the screen is painted."""
    await pilot.app.workers.wait_for_complete()
    for _ in range(4):
        await pilot._wait_for_screen()
    pilot.app.screen._on_timer_update()


def opened(engine: Engine, *, collapse: bool = True, **options) -> ReviewSession:
    """A review of this store by nv, in Russian unless told otherwise."""
    view = open_view(engine, **{"language": "ru", "reviewer": "nv", **options})
    return ReviewSession(engine, view, collapse=collapse)


def compare_app(engine: Engine, *, collapse: bool = True, **options) -> ReviewApp:
    """The compare screen over such a review; the session is `app.first.session`."""
    return ReviewApp(CompareScreen(opened(engine, collapse=collapse, **options)))


def session_of(pilot: Pilot) -> ReviewSession:
    """The session of the first screen."""
    return cast(Any, pilot.app).first.session


def rows(engine: Engine, query: str, **values) -> list[tuple]:
    """What a question to the store gives."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def blocked(engine: Engine, path: Path) -> closing[sqlite3.Connection]:
    """Another program that holds the writer's lock of a store until this is closed; the room waits little."""

    @event.listens_for(engine, "checkout")
    def _wait_briefly(connection: Any, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    return closing(blocker)

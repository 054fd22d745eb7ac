"""The store goes away while the room is open: each key says so, nothing ends, and Ctrl+C leaves at once."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from tests.ui.pilot import WIDE, compare_app, message, paused, press, send, settle, shown
from tui.app import ReviewApp
from tui.review.overview import query_of_suite
from tui.screens.compare import CompareScreen
from tui.screens.overview import OverviewScreen

pytestmark = pytest.mark.parts


REASON = "connection failed: is the server running on that host?"
SENTENCE = "the database can't be reached"


@contextmanager
def away(engine: Engine) -> Iterator[None]:
    """Nothing that is asked of the store comes to an answer."""

    def refuse(*_: object) -> None:
        raise OperationalError("", {}, Exception(REASON))

    event.listen(engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", refuse)


@pytest.mark.parametrize(
    "keys", ["f", "L", "U", "/x\r", "n", "u", "2", "a", "g", "t", "=", "cда\r", "D", "ell \r11"]
)
async def test_a_key_says_that_the_store_is_away_and_the_room_goes_on(engine, keys):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, *"222222", *("h" * 3))
        with away(engine):
            await press(pilot, *("enter" if key == "\r" else key for key in keys))
            await settle(pilot)
            assert pilot.app._exception is None
            assert SENTENCE in message(pilot) or keys in ("U", "g", "n"), message(pilot)
        await paused(pilot)
        await press(pilot, "escape" if keys[0] in "ec" else "k")
        assert isinstance(pilot.app.screen, CompareScreen)


async def test_the_overview_says_that_the_store_is_away_and_counts_when_it_is_back(engine):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        with away(engine):
            await press(pilot, "w")
            assert SENTENCE in shown(pilot).splitlines()[0]
            await press(pilot, "r", "g", "enter")
        await press(pilot, "q", "w")
        assert SENTENCE not in shown(pilot)
        assert "helpfulness" in shown(pilot)


async def test_an_overview_that_was_shown_stays_when_the_store_goes_away(engine):
    query, label = query_of_suite(engine, language=None, suite=None, reviewer="nv")
    app = ReviewApp(OverviewScreen(engine, query, label, lambda pairs: None))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        before = shown(pilot).splitlines()[2:]
        with away(engine):
            await press(pilot, "r")
            assert SENTENCE in shown(pilot).splitlines()[0]
            assert shown(pilot).splitlines()[2:] == before


@pytest.mark.parametrize("key", ["f", "w", "n", "2"])
async def test_ctrl_c_leaves_while_the_store_hangs(engine, key):
    answers = threading.Event()

    def hang(*_: object) -> None:
        answers.wait(20)

    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await settle(pilot)
        event.listen(engine, "before_cursor_execute", hang)
        begun = time.monotonic()
        send(pilot, key)
        await asyncio.sleep(0.1)
        send(pilot, "ctrl+c")
        while pilot.app.is_running and time.monotonic() - begun < 10:
            await asyncio.sleep(0.02)
        assert time.monotonic() - begun < 5
        answers.set()
    event.remove(engine, "before_cursor_execute", hang)

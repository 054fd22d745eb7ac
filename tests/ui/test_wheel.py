"""The mouse's wheel scrolls what is read; it never moves the cursor between scores, and nothing else of the
mouse does anything."""

import pytest
from textual.events import MouseDown, MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from tests.ui.pilot import compare_app, press, session_of, settle, shown
from tests.ui.stores import Question, store_of
from tests.ui.terminal import Terminal

pytestmark = pytest.mark.parts

LONG = " ".join(f"слово{number}" for number in range(900))
QUESTIONS = {"q": Question({"ru": "Как?"}, {"ru": [LONG, LONG.upper(), LONG.title()]})}


def mouse(kind: type, x: int, y: int) -> object:
    return kind(None, x, y, 0, 0, 0, False, False, False, x, y)


async def turn(pilot: Pilot, kind: type, x: int, y: int) -> None:
    pilot.app.post_message(mouse(kind, x, y))
    await settle(pilot)
    await settle(pilot)


async def test_the_wheel_scrolls_the_response_under_the_pointer_and_moves_no_cursor(tmp_path):
    with store_of(tmp_path / "w.db", QUESTIONS) as engine:
        async with compare_app(engine).run_test(size=(120, 40)) as pilot:
            before, cursor = shown(pilot).splitlines(), session_of(pilot).cursor
            await turn(pilot, MouseScrollDown, 60, 15)
            lines = shown(pilot).splitlines()
            top = next(y for y, line in enumerate(before) if "▶" in line) + 1
            middle = slice(41, 79)
            assert lines[top][middle] == before[top + 3][middle]
            assert lines[top][:39] == before[top][:39]
            assert session_of(pilot).cursor == cursor
            await turn(pilot, MouseScrollUp, 60, 15)
            assert shown(pilot).splitlines() == before
            await turn(pilot, MouseDown, 60, 15)
            assert shown(pilot).splitlines() == before
            await press(pilot, "2")
            assert session_of(pilot).row.answers[0].scores[0] is not None


@pytest.mark.whole
def test_the_terminal_is_told_not_to_send_arrows_and_is_left_as_it_was(tmp_path):
    with store_of(tmp_path / "w.db", QUESTIONS):
        pass
    arguments = ["compare", "--lang", "ru", "--reviewer", "nv", "--store", str(tmp_path / "w.db")]
    terminal = Terminal(arguments, 120, 40)
    terminal.wait_for("● saved")
    assert b"\x1b[?1007l" in terminal.raw
    assert b"\x1b[?1003h" not in terminal.raw
    terminal.press("\x1b[<65;10;15M", quiet=0.5)
    assert "↑" in terminal.text
    assert "▸helpfulness" in terminal.text
    terminal.press("q", quiet=0)
    terminal.wait()
    for mode in (b"1000", b"1006"):
        assert terminal.raw.rfind(b"\x1b[?" + mode + b"l") > terminal.raw.rfind(b"\x1b[?" + mode + b"h") > 0
    assert terminal.raw.rfind(b"\x1b[?1007h") > terminal.raw.rfind(b"\x1b[?1007l")

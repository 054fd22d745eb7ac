"""Any size at any time, with any screen open, and text whose cells are hard to count."""

import pytest
from textual.events import Resize
from textual.geometry import Size

from store.session import writing
from tests.ui.pilot import NARROW, WIDE, at_once, compare_app, press, session_of, settle, shown
from tests.ui.stores import Question, add_reply, store_of
from tui.screens.compare import CompareScreen

pytestmark = pytest.mark.parts


TINY, HUGE = (20, 5), (250, 60)

# The keys that open something over the compare screen, and what leads back.
OVERLAYS = {
    "keys": ("?", "q"),
    "guidelines": ("m", "q"),
    "filter": ("f", "q"),
    "notes": ("L", "q"),
    "overview": ("w", "q"),
    "errors": ("e", "q"),
    "find": ("/", "escape"),
    "comment": ("c", "escape"),
}


async def resize(pilot, size: tuple[int, int]) -> None:
    await pilot.resize_terminal(*size)
    await settle(pilot)


async def test_a_tiny_terminal_says_one_line_and_comes_back(engine):
    async with compare_app(engine).run_test(size=HUGE) as pilot:
        await resize(pilot, TINY)
        assert shown(pilot).split("\n") == ["too small: 40x12 min", "", "", "", ""]
        await resize(pilot, HUGE)
        assert "1/3" in shown(pilot)
        assert "too small" not in shown(pilot)


async def test_keys_work_on_while_the_terminal_is_too_small(engine):
    async with compare_app(engine).run_test(size=HUGE) as pilot:
        await resize(pilot, TINY)
        await press(pilot, "l", "2", "space", "i", "d", "n")
        await resize(pilot, HUGE)
        assert "2/3" in shown(pilot)


async def test_the_room_opens_on_a_tiny_terminal(engine):
    async with compare_app(engine).run_test(size=TINY) as pilot:
        await settle(pilot)
        assert shown(pilot).strip() == "too small: 40x12 min"
        await press(pilot, "2")
        await resize(pilot, WIDE)
        assert "23 left in this row" in shown(pilot)


@pytest.mark.parametrize("overlay", OVERLAYS)
async def test_a_screen_that_is_open_survives_a_tiny_terminal_and_back(engine, overlay):
    opens, _ = OVERLAYS[overlay]
    async with compare_app(engine).run_test(size=HUGE) as pilot:
        await press(pilot, opens)
        for size in (TINY, HUGE):
            await resize(pilot, size)
            await press(pilot, "down", "up")
        assert all(strip.cell_length == 250 for strip in pilot.app.screen._compositor.render_strips())


async def test_the_box_for_text_survives_two_columns(engine):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, "/")
        await resize(pilot, (2, 5))
        await resize(pilot, WIDE)


@pytest.mark.parametrize("overlay", OVERLAYS)
async def test_a_screen_can_be_left_after_the_terminal_was_resized(engine, overlay):
    opens, back = OVERLAYS[overlay]
    async with compare_app(engine).run_test(size=(120, 40)) as pilot:
        await press(pilot, opens)
        await resize(pilot, HUGE)
        await press(pilot, back, "2", "u")
        assert isinstance(pilot.app.screen, CompareScreen)
        assert "24 left in this row" in shown(pilot)


async def test_a_response_that_arrives_under_an_open_screen_of_another_size_is_taken_in(engine):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, "m")
        await resize(pilot, (120, 40))
        with writing(engine) as session:
            add_reply(session, session_of(pilot).row.instruction_id, "late", "поздно")
        await pilot.app.first._read_update()
        await press(pilot, "q")
        await pilot.app.first._read_update()
        await settle(pilot)
        assert "30 left" in shown(pilot)


async def test_keys_and_a_new_size_may_come_in_any_order(engine):
    async with compare_app(engine).run_test(size=(120, 40)) as pilot:
        for width in range(121, 160, 3):
            wanted = Size(width, 40)
            pilot.app._driver._size = wanted
            pilot.app.post_message(Resize(wanted, wanted))
            await at_once(pilot, "l", "2")
        assert isinstance(pilot.app.screen, CompareScreen)


async def test_a_screen_may_open_before_the_columns_of_a_new_row_are_painted(tmp_path):
    questions = {
        "one": Question({"ru": "?"}, {"ru": ["один"]}),
        "two": Question({"ru": "?"}, {"ru": ["один", "два"]}),
    }
    with store_of(tmp_path / "sizes.db", questions) as engine:
        async with compare_app(engine).run_test(size=WIDE) as pilot:
            await at_once(pilot, "n", "e")
            await press(pilot, "enter", "1", "1", "q")
            assert "‹1›" in shown(pilot)


async def test_on_a_narrow_terminal_a_column_may_be_seen_left_and_come_back_to(engine):
    async with compare_app(engine).run_test(size=NARROW) as pilot:
        await press(pilot, "l", "l", "h", "n")
        assert "▶ A " in shown(pilot)
        await press(pilot, "p")
        assert "· 1/3 ·" in shown(pilot)


@pytest.mark.parametrize("size", [NARROW, (100, 30), WIDE])
async def test_keys_in_any_order_leave_what_is_painted_what_is_so(engine, size):
    """A walk through columns, rows and looks; at its end the screen is the same as painted anew."""
    walk = "llhnjd2lp1hhgsn=lup=dtxrUaGDi b"
    async with compare_app(engine).run_test(size=size) as pilot:
        for key in walk:
            await press(pilot, "space" if key == " " else key)
        before = shown(pilot)
        pilot.app.screen.refresh(repaint=True, layout=True)
        for widget in pilot.app.screen.query("*"):
            widget.refresh()
        await settle(pilot)
        assert shown(pilot) == before


# Texts that are hard to count

SCRIPTS = {
    "si": "ශ්‍රී ලංකාව",
    "ne": "गर्‍यो",
    "ml": "അവര്‍",
    "fa": "می\u200cخواهم",
    "km": "ខ្មែរ",
    "th": "กำลังน้ำ",
    "emoji": "👩\u200d👩\u200d👧 🇷🇺🇩🇪 👍🏽 1️⃣ ☺️",
    "korean": "한국어 ᄒ\u1161ᆫ",
    "marks": "z" + "\u0301" * 50,
}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_text_in_any_script_is_paged_and_marked_without_a_slip(tmp_path, name):
    text = "\n".join(f"{SCRIPTS[name]} {number}" if number % 2 else "x" * number for number in range(60))
    with store_of(tmp_path / "script.db", {"q": Question({"ru": "?"}, {"ru": [text, "x"]})}) as engine:
        async with compare_app(engine).run_test(size=(100, 30)) as pilot:
            for _ in session_of(pilot).row.answers:
                await press(
                    pilot, "space", "d", "space", "b", "d", "e", "down", "right", "space", "down", "q", "l"
                )
            strips = pilot.app.screen._compositor.render_strips()
            assert all(strip.cell_length == 100 for strip in strips)

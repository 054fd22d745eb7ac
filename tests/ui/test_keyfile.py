"""Other keys by a file, the keys that every screen has, and the page that shows them."""

import re
from pathlib import Path

import pytest

from store import UsageError
from tests.ui.pilot import NARROW, WIDE, compare_app, line_with, opened, press, session_of, settle, shown
from tui import keymap
from tui.app import ReviewApp
from tui.keyfile import default_file, read_keys
from tui.screens.choice import ChoiceScreen
from tui.screens.compare import CompareScreen
from tui.screens.filter import FilterScreen
from tui.screens.guidelines import GuidelinesScreen
from tui.screens.keys import KeysScreen
from tui.screens.notes import NotesScreen
from tui.screens.overview import OverviewScreen
from tui.screens.score import ScoreScreen
from tui.screens.spans import SpansScreen

pytestmark = pytest.mark.parts


CLASSES = {
    "compare": CompareScreen,
    "keys": KeysScreen,
    "guidelines": GuidelinesScreen,
    "filter": FilterScreen,
    "notes": NotesScreen,
    "spans": SpansScreen,
    "choice": ChoiceScreen,
    "overview": OverviewScreen,
    "score": ScoreScreen,
}
# What Entry does with its keys itself, because they are text to all others.
BOXES = ("prompt", "comment")


def written(tmp_path, content: str):
    path = tmp_path / "keys.toml"
    path.write_text(content, encoding="utf-8")
    return path


def remapped_app(engine, tmp_path, content: str) -> ReviewApp:
    return ReviewApp(CompareScreen(opened(engine)), keys=read_keys(written(tmp_path, content)))


# The file


def test_a_file_gives_keys_by_the_ids_of_commands(tmp_path):
    path = written(tmp_path, '[keys]\n"instruction.next" = "N"\n"score.best" = ["A", "f2"]\n')
    assert read_keys(path) == {"instruction.next": ("N",), "score.best": ("A", "f2")}


def test_an_empty_file_changes_nothing(tmp_path):
    assert read_keys(written(tmp_path, "")) == {}
    assert read_keys(written(tmp_path, "[keys]\n")) == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[keys", "is not TOML"),
        ("n = 1", "one table, \\[keys\\], not 'n'"),
        ('keys = "n"', "one table, \\[keys\\]"),
        ('[keys]\n"instruction.nxt" = "N"', "no command 'instruction.nxt'. There are: .*instruction.next"),
        ('[keys]\n"instruction.next" = "ctrl+n"', "'ctrl\\+n' is no key. Give one character, or one of .*f1"),
        ('[keys]\n"instruction.next" = "NN"', "'NN' is no key"),
        ('[keys]\n"instruction.next" = " "', "' ' is no key"),
        ('[keys]\n"instruction.next" = ""', "'' is no key"),
        ('[keys]\n"instruction.next" = "\\u202e"', "is no key"),
        ('[keys]\n"instruction.next" = []', "needs a key, or a list of keys"),
        ('[keys]\n"instruction.next" = 5', "needs a key, or a list of keys"),
        ('[keys]\n"instruction.next" = ["N", 5]', "5 is no key"),
        ('[keys]\n"instruction.next" = "p"', "instruction.next and instruction.previous. Give one of them"),
        ('[keys]\n"instruction.next" = "з"', "instruction.next and instruction.previous"),
        ('[keys]\n"score.best" = "é"', "score.2 and score.best"),
        ('[keys]\n"app.keys" = "c"', "response.comment and app.keys"),
        # A clash on another screen than the first counts as well.
        ('[keys]\n"app.back" = "n"', "span.next and app.back"),
    ],
)
def test_a_mistake_is_told_with_the_file_and_the_mend(tmp_path, content, said):
    path = written(tmp_path, content)
    with pytest.raises(UsageError, match=said) as error:
        read_keys(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_or_no_text_is_told_by_its_name(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere\.toml.*can't be read"):
        read_keys(tmp_path / "nowhere.toml")
    path = tmp_path / "keys.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"keys\.toml is not TOML"):
        read_keys(path)
    with pytest.raises(UsageError, match="can't be read"):
        read_keys(tmp_path)


def test_two_commands_may_swap_their_keys(tmp_path):
    keys = read_keys(written(tmp_path, '[keys]\n"instruction.next" = "p"\n"instruction.previous" = "n"\n'))
    assert keys == {"instruction.next": ("p",), "instruction.previous": ("n",)}


def test_the_file_is_looked_for_where_the_system_keeps_settings(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_file() == tmp_path / "xlit" / "keys.toml"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_file() == tmp_path / ".config" / "xlit" / "keys.toml"


# In the room


async def test_another_key_works_and_the_old_one_does_not_on_any_layout(engine, tmp_path):
    app = remapped_app(engine, tmp_path, '[keys]\n"instruction.next" = "N"\n')
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "n", "т")
        assert "· 1/3 ·" in shown(pilot)
        await press(pilot, "N")
        assert "· 2/3 ·" in shown(pilot)
        await press(pilot, "Т")
        assert "· 3/3 ·" in shown(pilot)


async def test_keys_that_are_swapped_do_each_others_work(engine, tmp_path):
    content = '[keys]\n"instruction.next" = "p"\n"instruction.previous" = "n"\n'
    async with remapped_app(engine, tmp_path, content).run_test(size=WIDE) as pilot:
        await press(pilot, "p", "p", "n", "з")
        assert "· 3/3 ·" in shown(pilot)


@pytest.mark.parametrize("key", ["f5", "tab", "home", "insert", ";", ",", "Ы", "ß", "space"])
async def test_any_key_that_the_file_takes_works(engine, tmp_path, key):
    content = f'[keys]\n"instruction.next" = "{key}"\n' + ('"text.down" = "f9"\n' if key == "space" else "")
    if key == ",":
        content += '"app.keys" = "f1"\n'
    async with remapped_app(engine, tmp_path, content).run_test(size=WIDE) as pilot:
        await press(pilot, key)
        assert "· 2/3 ·" in shown(pilot)


async def test_digits_can_be_other_keys_and_azerty_follows(engine, tmp_path):
    content = '[keys]\n"score.2" = "3"\n'
    async with remapped_app(engine, tmp_path, content).run_test(size=WIDE) as pilot:
        await press(pilot, "2", "é")
        assert session_of(pilot).left == 24
        await press(pilot, "3", '"')
        assert session_of(pilot).left == 22


async def test_a_key_of_another_screen_is_mapped_too(engine, tmp_path):
    content = '[keys]\n"span.category" = "C"\n"app.back" = "B"\n"notes.open" = "o"\n'
    async with remapped_app(engine, tmp_path, content).run_test(size=WIDE) as pilot:
        await press(pilot, "e", "enter")
        assert isinstance(pilot.app.screen, SpansScreen)
        await press(pilot, "C")
        assert isinstance(pilot.app.screen, ChoiceScreen)
        await press(pilot, "B", "q")
        assert isinstance(pilot.app.screen, SpansScreen)
        await press(pilot, "B", "L")
        assert isinstance(pilot.app.screen, NotesScreen)


async def test_the_page_of_keys_shows_the_new_key(engine, tmp_path):
    content = '[keys]\n"look.diff" = ["X", "f7"]\n"span.remove" = "Z"\n'
    async with remapped_app(engine, tmp_path, content).run_test(size=WIDE) as pilot:
        await press(pilot, "?")
        assert re.search(r"\bX f7 +compare the words", shown(pilot))
        await press(pilot, "q", "e", "?")
        assert re.search(r"\bZ +take the error", shown(pilot))


async def test_the_hints_at_the_foot_show_the_new_key(engine, tmp_path):
    content = '[keys]\n"look.diff" = "X"\n'
    async with remapped_app(engine, tmp_path, content).run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "X diff" in shown(pilot)
        assert " d diff" not in shown(pilot)


async def test_the_status_line_shows_the_new_key_that_leads_to_all_others(engine, tmp_path):
    async with remapped_app(engine, tmp_path, '[keys]\n"app.keys" = "f1"\n').run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "? keys" not in shown(pilot)
        assert "f1 keys" in shown(pilot)


async def test_the_keys_of_the_box_for_text_can_be_mapped(engine, tmp_path):
    content = '[keys]\n"prompt.cancel" = "f3"\n'
    async with remapped_app(engine, tmp_path, content).run_test(size=WIDE) as pilot:
        await press(pilot, "c", "ы", "f3", "2")
        assert session_of(pilot).left == 23
        await press(pilot, "c", "ы", "escape", "э")
        assert pilot.app.screen.entry.text == "ыэ"
        await press(pilot, "f3", "2")
        assert session_of(pilot).left == 22


# Every screen


def actions(command: keymap.Command) -> str:
    return "action_" + command.action.split("(")[0]


def test_every_screen_of_the_table_is_a_class_here():
    assert {*CLASSES, *BOXES} == set(keymap.SCREENS)


@pytest.mark.parametrize("name", CLASSES)
def test_every_command_has_an_action_on_its_screen(name):
    for command in keymap.SCREENS[name]:
        assert callable(getattr(CLASSES[name], actions(command), None)), command.id


@pytest.mark.parametrize("name", CLASSES)
def test_the_bindings_of_a_screen_come_from_the_table_and_nothing_else(name):
    own = CLASSES[name].__dict__["BINDINGS"]
    assert own == keymap.bindings(keymap.SCREENS[name])


@pytest.mark.parametrize("name", CLASSES)
def test_a_screens_actions_are_reached_by_a_key(name):
    """No action of ours without a command: a dead method, or one whose key was forgotten."""
    ours = {
        method
        for kind in CLASSES[name].__mro__
        # A queue leaves out what the compare screen does with several responses.
        if kind.__module__.startswith("tui.") and (kind is CLASSES[name] or kind not in CLASSES.values())
        for method in vars(kind)
        if method.startswith("action_")
    }
    reached = {actions(command) for command in keymap.SCREENS[name]}
    # A page has the actions that most pages need.
    assert ours - reached <= {"action_move", "action_page", "action_keys"}


def test_the_docs_name_every_command_of_the_compare_screen():
    ids = {command.id for command in keymap.COMPARE}
    page = Path(__file__).parents[2] / "docs" / "review-room.md"
    names = page.read_text(encoding="utf-8").split("The names on the left are:")[1].split("##")[0]
    assert set(re.findall(r"`([a-z0-9.-]+)`", names)) == ids


PAGES = {
    "compare": (),
    "guidelines": ("m",),
    "filter": ("f",),
    "notes": ("L",),
    "overview": ("w",),
    "spans": ("e",),
}


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("name", PAGES)
async def test_the_page_of_keys_lists_every_command_of_the_screen_that_it_was_asked_on(engine, name, size):
    async with compare_app(engine).run_test(size=size) as pilot:
        await press(pilot, *PAGES[name], "?")
        assert isinstance(pilot.app.screen, KeysScreen)
        lines = shown(pilot).splitlines()[1:]
        for _ in range(6):
            await press(pilot, "pagedown")
            lines += shown(pilot).splitlines()[1:]
        for command in keymap.SCREENS[name]:
            key, help = command.shown.split()[0], command.help[:30]
            assert any(key in line.split() and help in line for line in lines), command.id
        await press(pilot, "q")
        assert isinstance(pilot.app.screen, CLASSES[name])


async def test_every_key_of_the_compare_screen_does_something_without_an_error(engine):
    keys = {key for command in keymap.COMPARE for key in keymap.keys_of(command)} - {"q", "й"}
    async with compare_app(engine).run_test(size=(120, 30)) as pilot:
        for key in sorted(keys):
            await press(pilot, key)
            if not isinstance(pilot.app.screen, CompareScreen) or pilot.app.screen.entry.display:
                await press(pilot, "escape")
            assert isinstance(pilot.app.screen, CompareScreen), key
        assert "● saved" in shown(pilot)


async def test_no_key_runs_textuals_own_commands(engine):
    """Ctrl+P would open Textual's palette, Tab move its focus: neither is in the table."""
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await settle(pilot)
        before = shown(pilot)
        await press(pilot, "tab", "shift+tab", "ctrl+p", "f1", "ctrl+s")
        assert shown(pilot) == before
        await press(pilot, "2")
        assert session_of(pilot).left == 23


async def test_the_last_line_shows_the_key_that_leads_to_all_others(engine):
    async with compare_app(engine).run_test(size=NARROW) as pilot:
        await press(pilot, "l")
        assert line_with(pilot, "? keys")

"""What keys cost on the line, in bytes and synchronized updates, measured in a real pseudo-terminal.

Four columns of 1,500 characters each, a judge and surface metrics in the store, 200x50.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.long_store import fill, write_elsewhere
from tests.ui.terminal import FRAME, Cost, Terminal

pytestmark = pytest.mark.whole


UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"

KEY = 512
COMMENT_LETTER = 2_000
PAGE = 10_000
ROW = 24_000
ROW_WITH_DIFF = 45_000
OVERLAY = 60_000
START = 120_000

Script = tuple[tuple[str, str], ...]

# In this order, in one room: (the event, its keys). What sets the scene has no event.
SCORING: Script = (
    *(("digit", key) for key in "21012"),
    ("last digit of a response", "0"),
    ("all 2", "a"),
    ("undo all 2", "u"),
    ("redo all 2", "r"),
    ("", "l"),
    ("wrong language", "x"),
    ("undo wrong language", "u"),
    ("redo wrong language", "r"),
    ("", "l"),
    ("digit after a sentence", "1"),
    ("digit that says wrong language", "0"),
    ("", "k"),
    ("digit that takes it back", "2"),
    ("", "k"),
    ("clear", "\x7f"),
    ("undo clear", "u"),
    ("redo clear", "r"),
    ("digit after a sentence", "1"),
    *(("cursor", key) for key in (UP, DOWN, LEFT, RIGHT, "h", "j", "l", "k", "U")),
    ("", "h"),
    ("digit again", "1"),
    ("", "hg"),
    ("digit beside the judge", "0"),
    ("all 2 beside the judge", "a"),
    ("", "h"),
    ("wrong language beside the judge", "x"),
    ("undo beside the judge", "u"),
    ("redo beside the judge", "r"),
    *(("cursor beside the judge", key) for key in (UP, DOWN, LEFT, RIGHT)),
    ("", "n"),
    ("", "210122210122"),
    *(("digit", key) for key in "21012"),
    ("last digit of a response", "2"),
    *(("digit", key) for key in "21012"),
    ("last digit of the row", "2"),
)
READING: Script = (
    ("page down", " "),
    ("page up", "b"),
    ("", "h"),
    ("page down", " "),
    ("page up", "b"),
    ("next instruction", "n"),
    ("next instruction", "n"),
    ("previous instruction", "p"),
    ("diff marks", "d"),
    ("next instruction with diff marks", "n"),
    ("next instruction with diff marks", "n"),
    ("page down with diff marks", " "),
    ("page up with diff marks", "b"),
    ("", "d"),
    *(
        event
        for name, key in (
            ("guidelines", "m"), ("keys", "?"), ("filter", "f"), ("notes", "L"), ("overview", "w"),
            ("error marking", "e"),
        )
        for event in ((f"open {name}", key), (f"close {name}", "q"))
    ),
    ("open comment", "c"),
    *(("letter of a comment", key) for key in "хорошо, но"),
    ("close comment", "\r"),
)  # fmt: skip
NARROW: Script = (
    *(("digit", key) for key in "21012"),
    ("last digit of a response", "0"),
    *(("cursor", key) for key in (DOWN, UP, "j", "k")),
    ("all 2", "a"),
    ("wrong language", "x"),
    *(("digit", key) for key in "12"),
    ("", "k"),
    ("clear", "\x7f"),
    ("undo", "u"),
    ("redo", "r"),
    *(("another column", key) for key in (LEFT, RIGHT, "h")),
    *(("page", key) for key in " b"),
)


Costs = dict[str, list[Cost]]


def events_of(script: Script) -> list[str]:
    return list(dict.fromkeys(event for event, _ in script if event))


@pytest.fixture(scope="module")
def long_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "room.db"
    fill(path, 12)
    return path


@pytest.fixture
def own_store(long_store: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(long_store, tmp_path / "room.db"))


def opened(store: Path, width: int, height: int) -> Terminal:
    terminal = Terminal(["compare", "--lang", "ru", "--reviewer", "nv", "--store", str(store)], width, height)
    terminal.wait_for("● saved")
    terminal.read(quiet=0.5)
    return terminal


def costs(terminal: Terminal, script: Script) -> Costs:
    """What every event cost, each time that the script asks for it."""
    found: Costs = {}
    for event, keys in script:
        cost = terminal.cost(keys, limit=3, quiet=0.15)
        if event:
            found.setdefault(event, []).append(cost)
    return found


@pytest.fixture(scope="module")
def measured(long_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Costs]:
    """The room at 200x50, through both scripts."""
    terminal = opened(Path(shutil.copy(long_store, tmp_path_factory.mktemp("measured"))), 200, 50)
    start = Cost(len(terminal.raw), terminal.raw.count(FRAME))
    yield {"start": [start], **costs(terminal, SCORING), **costs(terminal, READING)}
    terminal.end()


@pytest.fixture(scope="module")
def narrow(long_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Costs]:
    """The room at 80x24, where another column is another screen."""
    terminal = opened(Path(shutil.copy(long_store, tmp_path_factory.mktemp("narrow"))), 80, 24)
    yield costs(terminal, NARROW)
    terminal.end()


def test_every_score_and_cursor_key_is_one_frame(measured):
    found = {event: [cost.frames for cost in measured[event]] for event in events_of(SCORING)}
    assert not {event: frames for event, frames in found.items() if set(frames) != {1}}


@pytest.mark.parametrize("event", events_of(SCORING))
def test_a_score_or_cursor_key_keeps_its_budget(measured, event):
    sizes = [cost.size for cost in measured[event]]
    assert min(sizes) > 0
    assert max(sizes) <= KEY, f"{event}: {sizes}"


@pytest.mark.parametrize(
    "event", ["page down", "page up", "page down with diff marks", "page up with diff marks"]
)
def test_scrolling_a_column_keeps_its_budget(measured, event):
    assert all(0 < cost.size <= PAGE and cost.frames == 1 for cost in measured[event]), measured[event]


@pytest.mark.parametrize(
    ("event", "budget"),
    [
        ("next instruction", ROW),
        ("previous instruction", ROW),
        ("diff marks", ROW_WITH_DIFF),
        ("next instruction with diff marks", ROW_WITH_DIFF),
    ],
)
def test_another_instruction_keeps_its_budget(measured, event, budget):
    assert all(0 < cost.size <= budget for cost in measured[event]), measured[event]


def test_another_instruction_is_one_frame(measured):
    events = ("next instruction", "previous instruction", "next instruction with diff marks")
    frames = {event: [cost.frames for cost in measured[event]] for event in events}
    assert {number for numbers in frames.values() for number in numbers} == {1}, frames


@pytest.mark.parametrize(
    "event", [event for event in events_of(READING) if event.startswith(("open", "close"))]
)
def test_an_overlay_keeps_its_budget_when_it_opens_and_when_it_closes(measured, event):
    assert all(0 < cost.size <= OVERLAY for cost in measured[event]), measured[event]


def test_a_letter_of_a_comment_costs_little(measured):
    found = measured["letter of a comment"]
    assert len(found) == 10
    assert all(0 < cost.size <= COMMENT_LETTER and cost.frames == 1 for cost in found), found


def test_the_start_keeps_its_budget(measured):
    assert measured["start"][0].size <= START, measured["start"]


@pytest.mark.parametrize("event", ["digit", "cursor", "clear", "undo", "redo"])
def test_on_a_narrow_screen_a_key_that_stays_in_its_column_costs_the_same(narrow, event):
    assert all(0 < cost.size <= KEY and cost.frames == 1 for cost in narrow[event]), narrow[event]


@pytest.mark.parametrize(
    "event", ["another column", "last digit of a response", "all 2", "wrong language", "page"]
)
def test_on_a_narrow_screen_another_column_costs_no_more_than_a_page(narrow, event):
    assert all(0 < cost.size <= PAGE for cost in narrow[event]), narrow[event]


def test_nothing_is_sent_while_nobody_types_whatever_is_written_elsewhere(own_store):
    terminal = opened(own_store, 200, 50)
    assert terminal.read(quiet=3) == b""
    write_elsewhere(own_store)
    assert terminal.read(quiet=2.5) == b""
    terminal.end()

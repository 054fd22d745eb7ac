"""What keys cost on the line in the queue of a campaign, measured in a real pseudo-terminal at 200x50."""

from pathlib import Path

import pytest

from store import open_store
from tests.reviewing import campaign
from tests.ui.long_store import fill
from tests.ui.terminal import FRAME, Cost, Terminal
from tests.ui.test_budgets import (
    COMMENT_LETTER,
    KEY,
    OVERLAY,
    PAGE,
    ROW,
    START,
    Costs,
    Script,
    costs,
    events_of,
)

pytestmark = pytest.mark.whole


SCORING: Script = (
    *(("digit", key) for key in "210122"),
    ("next response", "\r"),
    ("all 2", "a"),
    ("undo", "u"),
    ("redo", "r"),
    ("next response", "g"),
    ("wrong language", "x"),
    ("undo", "u"),
    *(("cursor", key) for key in "jk"),
    ("next response", "n"),
    ("previous response", "p"),
    ("page", " "),
    ("page", "b"),
    ("open keys", "?"),
    ("close keys", "q"),
    ("open guidelines", "m"),
    ("close guidelines", "q"),
    ("open comment", "c"),
    *(("letter of a comment", key) for key in "хорошо"),
    ("close comment", "\r"),
)
KEYS = ("digit", "all 2", "undo", "redo", "wrong language", "cursor")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Costs:
    store: Path = tmp_path_factory.mktemp("queue") / "room.db"
    fill(store, 6)
    engine = open_store(store)
    campaign(engine, "c", ["nv"], languages=("ru",))
    engine.dispose()
    terminal = Terminal(["score", "c", "--reviewer", "nv", "--store", str(store)], 200, 50)
    terminal.wait_for("● saved")
    terminal.read(quiet=0.5)
    start = Cost(len(terminal.raw), terminal.raw.count(FRAME))
    found = {"start": [start], **costs(terminal, SCORING)}
    found["idle"] = [Cost(len(terminal.read(quiet=2.5)), 0)]
    terminal.end()
    return found


@pytest.mark.parametrize("event", KEYS)
def test_a_score_or_cursor_key_keeps_its_budget(measured, event):
    assert all(0 < cost.size <= KEY and cost.frames == 1 for cost in measured[event]), measured[event]


@pytest.mark.parametrize(
    ("event", "budget"),
    [
        ("next response", ROW),
        ("previous response", ROW),
        ("page", PAGE),
        ("letter of a comment", COMMENT_LETTER),
    ],
)
def test_another_response_a_page_and_a_letter_are_one_frame_within_their_budgets(measured, event, budget):
    assert all(cost.size <= budget and cost.frames <= 1 for cost in measured[event]), measured[event]


@pytest.mark.parametrize(
    "event", [event for event in events_of(SCORING) if event.startswith(("open", "close"))]
)
def test_an_overlay_keeps_its_budget(measured, event):
    assert all(0 < cost.size <= OVERLAY for cost in measured[event]), measured[event]


def test_start_and_idle_keep_their_budgets(measured):
    assert measured["start"][0].size <= START
    assert measured["idle"][0].size == 0

"""Killed and cut off in the middle of the work, again and again: what was shown as saved is saved."""

import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.ui.long_store import fill
from tests.ui.seen import CRITERIA, Seen, compare_screen
from tests.ui.terminal import Terminal

pytestmark = pytest.mark.whole


KILLS, HANG_UPS = 30, 20
INSTRUCTIONS = 40
MOST_KEYS = 12
# Longer than the room needs for all keys of a burst, so that it is hit in the middle and at rest.
LONGEST_WAIT = 0.25

Place = tuple[int, str, str]


def opened(store: Path) -> Terminal:
    # As small as shows all columns and criteria: it starts fifty times.
    terminal = Terminal(["compare", "--lang", "ru", "--reviewer", "nv", "--store", str(store)], 140, 30)
    terminal.wait_for("● saved")
    return terminal


def place_on(terminal: Terminal) -> Seen:
    """The compare screen, once it is drawn whole."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = compare_screen(terminal.text)
        if found is not None and found.criterion and all(len(column.marks) == 6 for column in found.columns):
            return found
        terminal.read(quiet=0.05, limit=0.5)
    raise AssertionError(terminal.text)


def asked(store: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute(query).fetchall()


def current(store: Path, what: str, view: str) -> list[tuple]:
    """(response, ...) of what is current for the reviewer nv."""
    query = f"SELECT response_id, {what} FROM {view} JOIN rater ON rater.id = rater_id AND rater.name = 'nv'"
    return asked(store, query)


def saved_scores(store: Path) -> dict[tuple[int, str], int]:
    criterion = "(SELECT criterion.name FROM criterion WHERE criterion.id = criterion_id)"
    found = current(store, f"{criterion}, score", "current_rating")
    return {(response, name): score for response, name, score in found}


def responses_of(store: Path, seen: Seen) -> list[tuple[int, int]]:
    """(response, number of its instruction) of each column, known by its text."""
    known = asked(
        store,
        "SELECT response.id, position + 1, response.text FROM response"
        " JOIN instruction ON instruction.id = instruction_id",
    )
    found = []
    for column in seen.columns:
        shown = "".join(column.text.split())
        found += [(response, number) for response, number, text in known if shown in "".join(text.split())]
    assert len(found) == len(seen.columns)
    return found


def place_after_last_score(store: Path) -> Place:
    """Where the last score leads: down the column, then to the next one; at the end of a row it stays.

    Digits alone, from the first place on, fill the columns in their order.
    """
    query = """
        SELECT instruction.position + 1, char(65 + presentation.position), criterion.name FROM rating
        JOIN rater ON rater.id = rating.rater_id AND rater.name = 'nv'
        JOIN criterion ON criterion.id = rating.criterion_id
        JOIN response ON response.id = rating.response_id
        JOIN instruction ON instruction.id = response.instruction_id
        JOIN presentation ON presentation.response_id = response.id AND presentation.rater_id = rater.id
        WHERE score IS NOT NULL ORDER BY rating.id DESC LIMIT 1
    """
    found = asked(store, query)
    if not found:
        return 1, "A", CRITERIA[0]
    number, label, criterion = found[0]
    if criterion != CRITERIA[-1]:
        return number, label, CRITERIA[CRITERIA.index(criterion) + 1]
    return (number, label, criterion) if label == "D" else (number, chr(ord(label) + 1), CRITERIA[0])


def check(store: Path, seen: Seen) -> None:
    """What was on the screen is in the store, and the store is sound."""
    assert asked(store, "PRAGMA quick_check") == [("ok",)]
    assert asked(store, "PRAGMA foreign_key_check") == []
    assert seen.saved or seen.saving
    scores = saved_scores(store)
    comments = dict(current(store, "text", "current_comment"))
    spans = [response for response, _ in current(store, "start_offset", "current_error_span")]
    for column, (response, _) in zip(seen.columns, responses_of(store, seen), strict=True):
        for criterion, score in column.scores.items():
            assert scores.get((response, criterion)) == score, (seen.place, column.label, criterion)
        assert response in comments or not column.commented
        assert spans.count(response) >= column.spans


def place_shown(store: Path, seen: Seen) -> Place | None:
    """Where the cursor was shown; None while the columns are being drawn."""
    numbers = {number for _, number in responses_of(store, seen)}
    if len(numbers) > 1 or not seen.column or not seen.criterion:
        return None
    return numbers.pop(), seen.column, seen.criterion


def burst(chance: random.Random, seen: Seen) -> str:
    """Digits that go on from a place, with `n` wherever they have filled the row."""
    _, label, criterion = seen.place
    column, row = seen.labels.index(label), CRITERIA.index(criterion)
    left = 6 * (len(seen.columns) - column) - row
    if left == 1 and seen.columns[column].marks[criterion] != "·":
        left = 0
    keys = ""
    for _ in range(chance.randint(3, MOST_KEYS)):
        if not left:
            keys, left = keys + "n", 6 * len(seen.columns)
        keys, left = keys + chance.choice("012"), left - 1
    return keys


def order(place: Place) -> tuple[int, str, int]:
    return place[0], place[1], CRITERIA.index(place[2])


def count_scores(store: Path) -> int:
    query = """SELECT count(*) FROM entry JOIN rater ON rater.id = rater_id
        WHERE rater.name = 'nv' AND entry.kind = 'score'"""
    return asked(store, query)[0][0]


@pytest.mark.whole
@pytest.mark.parametrize("part", [4, pytest.param(1, marks=pytest.mark.thorough)])
def test_what_was_shown_as_saved_is_there_after_kills_and_cuts_and_the_room_goes_on(tmp_path, part):
    store = tmp_path / "room.db"
    fill(store, INSTRUCTIONS)
    chance = random.Random(50)
    ways = [signal.SIGKILL] * (KILLS // part) + [signal.SIGHUP] * (HANG_UPS // part)
    chance.shuffle(ways)
    shown: Place = (1, "A", CRITERIA[0])
    in_the_middle = 0
    for way in ways:
        terminal = opened(store)
        seen = place_on(terminal)
        after = place_after_last_score(store)
        row_is_full = after[1:] == ("D", CRITERIA[-1])
        assert seen.place == after or (row_is_full and seen.place == (after[0] + 1, "A", CRITERIA[0]))
        assert order(seen.place) >= order(shown)
        before, keys = count_scores(store), burst(chance, seen)

        os.write(terminal.fd, keys.encode())
        end = time.monotonic() + chance.uniform(0, LONGEST_WAIT)
        while (left := end - time.monotonic()) > 0:
            terminal.read(quiet=0.005, limit=left)
        if way is signal.SIGKILL:
            assert os.WTERMSIG(terminal.end()) == signal.SIGKILL
        else:
            terminal.read(quiet=0)
            assert os.waitstatus_to_exitcode(terminal.hang_up()) == 0

        last = compare_screen(terminal.text)
        assert last is not None, terminal.text
        check(store, last)
        shown = (last.saved and place_shown(store, last)) or shown
        in_the_middle += before < count_scores(store) < before + len(keys.replace("n", ""))
    assert count_scores(store) > len(ways)
    assert in_the_middle > 2 or part > 1


@pytest.mark.whole
def test_a_comment_and_an_error_that_were_shown_as_saved_are_there_after_a_kill(tmp_path):
    store = tmp_path / "room.db"
    fill(store, 1)
    for label in "AC":
        to_column = "ll" if label == "C" else "k"
        terminal = opened(store)
        terminal.press(to_column)
        terminal.press("c", quiet=0)
        terminal.wait_for("comment: Enter saves")
        terminal.press(f"сказано про {label}, 2 раза\r", quiet=0)
        terminal.wait_for(f"{label}: comment saved")
        terminal.end()
        assert f"сказано про {label}, 2 раза" in [
            text for _, text in current(store, "text", "current_comment")
        ]

        terminal = opened(store)
        check(store, place_on(terminal))
        terminal.press(to_column)
        terminal.press("ell \r12", quiet=0)
        terminal.wait_for(f"{label}: major accuracy error marked")
        terminal.end()
    terminal = opened(store)
    seen = place_on(terminal)
    check(store, seen)
    assert [(column.label, column.spans) for column in seen.columns if column.commented] == [
        ("A", 1),
        ("C", 1),
    ]
    found = current(store, "category, severity", "current_error_span")
    assert [span[1:] for span in found] == [("accuracy", "major")] * 2
    assert saved_scores(store) == {}
    terminal.end()

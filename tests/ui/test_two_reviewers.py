"""Two rooms on one file at once, with a third program writing: nothing is lost, nobody is locked out."""

import multiprocessing
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from store import open_store
from store.queries import journal, models, raters, responses, rubrics, suites
from store.queries.journal import Score
from store.session import writing
from tests.ui.conftest import JUDGE, MODELS
from tests.ui.long_store import fill, long_text
from tests.ui.seen import Seen, compare_screen
from tests.ui.terminal import Terminal

pytestmark = pytest.mark.whole


INSTRUCTIONS = 12
BURST = 24  # the digits that fill a row of four columns

# Between two writes lies the work. A program that writes without a pause leaves SQLite's lock to others by
# chance alone.
SECONDS_OF_WORK = 0.01
NOT_SAVED = "✗ not saved".encode()


def opened(store: Path, reviewer: str) -> Terminal:
    terminal = Terminal(["compare", "--lang", "ru", "--reviewer", reviewer, "--store", str(store)], 200, 50)
    terminal.wait_for("● saved")
    return terminal


def asked(store: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute(query).fetchall()


def write_on(store: Path, stop: Event) -> None:
    """Generate and judge at some fifty transactions a second, each an English response and scores of it and
    of a Russian one."""
    engine = open_store(store)
    number = 0
    while not stop.wait(SECONDS_OF_WORK):
        with writing(engine) as session:
            suite = suites.list_suites(session)[0].id
            english = suites.instructions_of(session, suite, "en")
            new = {
                "instruction_id": english[number % len(english)].id,
                "model_id": models.model_id(session, f"model {number // len(english)}"),
                "decoding_id": models.decoding_id(session, "imported", None, {}),
                "text": long_text(str(number)),
            }
            responses.add_responses(session, [new])
            judge = raters.rater_id(session, "llm", JUDGE, "1")
            criteria = [
                criterion.id or 0
                for criterion in rubrics.criteria_of(session, rubrics.default_rubric_id(session))
            ]
            last = INSTRUCTIONS * len(MODELS) + 1 + number
            for response in (1 + number % (INSTRUCTIONS * len(MODELS)), last):
                journal.append(
                    session, judge, [Score(response, criterion, number % 3) for criterion in criteria]
                )
        number += 1
    engine.dispose()


@contextmanager
def third_writer(store: Path) -> Iterator[None]:
    """Another process that writes all the while."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    process = context.Process(target=write_on, args=(store, stop))
    process.start()
    try:
        yield
        assert process.is_alive()
    finally:
        stop.set()
        process.join(20)
    assert process.exitcode == 0


def hammer(terminals: list[Terminal], bursts: list[str]) -> None:
    """Send every room its keys at once, in pieces, and read what comes."""
    for start in range(0, max(len(keys) for keys in bursts), 4):
        for terminal, keys in zip(terminals, bursts, strict=True):
            os.write(terminal.fd, keys[start : start + 4].encode())
        for terminal in terminals:
            terminal.read(quiet=0.002, limit=0.05)


def settle(store: Path, terminals: dict[Terminal, str], number: int) -> None:
    """Read until the rooms have saved this many actions of each reviewer, or said that they could not."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        rest = [terminal.read(quiet=0.3) for terminal in terminals]
        if not any(rest) and all(
            actions(store, reviewer) == number or NOT_SAVED in terminal.raw
            for terminal, reviewer in terminals.items()
        ):
            return
    raise AssertionError([(actions(store, reviewer), number) for reviewer in terminals.values()])


def seen_on(terminal: Terminal) -> Seen:
    found = compare_screen(terminal.text)
    assert found is not None, terminal.text
    return found


def saved(store: Path, reviewer: str, seen: Seen) -> dict[str, dict[str, int]]:
    """The scores of a reviewer on the instruction that is on show, by column and criterion."""
    query = f"""
        SELECT char(65 + presentation.position), criterion.name, score FROM current_rating
        JOIN rater ON rater.id = current_rating.rater_id AND rater.name = '{reviewer}'
        JOIN criterion ON criterion.id = criterion_id
        JOIN presentation ON presentation.response_id = current_rating.response_id
            AND presentation.rater_id = rater.id
        JOIN response ON response.id = current_rating.response_id
        JOIN instruction ON instruction.id = instruction_id
        WHERE instruction.position = {seen.number} - 1 AND score IS NOT NULL
    """
    found: dict[str, dict[str, int]] = {label: {} for label in seen.labels}
    for label, criterion, score in asked(store, query):
        found[label][criterion] = score
    return found


def shown(seen: Seen) -> dict[str, dict[str, int]]:
    return {column.label: column.scores for column in seen.columns}


def digits(chance: random.Random) -> str:
    return "".join(chance.choice("012") for _ in range(BURST))


def actions(store: Path, reviewer: str) -> int:
    query = f"""SELECT count(*) FROM entry JOIN rater ON rater.id = rater_id
        WHERE rater.name = '{reviewer}' AND entry.kind = 'score'"""
    return asked(store, query)[0][0]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "room.db"
    fill(path, INSTRUCTIONS)
    return path


@pytest.mark.whole
def test_two_reviewers_and_a_writer_hammer_one_file_and_nothing_is_lost(store):
    chance = random.Random(2)
    rows = 3
    rooms = {opened(store, reviewer): reviewer for reviewer in ("nv", "zk")}
    with third_writer(store):
        for row in range(rows):
            hammer(list(rooms), [digits(chance) + "n" * (row < rows - 1) for _ in rooms])
        settle(store, rooms, rows * BURST)
    for terminal, reviewer in rooms.items():
        terminal.press("k")
        assert "not saved" not in terminal.text
        # Back through the rows: each shows what the store holds.
        for row in range(rows, 0, -1):
            terminal.wait_for(f"· {row}/{INSTRUCTIONS} ")
            terminal.read(quiet=0.1)
            seen = seen_on(terminal)
            assert seen.saved
            assert shown(seen) == saved(store, reviewer, seen)
            if NOT_SAVED not in terminal.raw:
                assert all(mark != "·" for column in seen.columns for mark in column.marks.values())
            os.write(terminal.fd, b"p")
        terminal.end()
    assert asked(store, "PRAGMA quick_check") == [("ok",)]
    assert asked(store, "PRAGMA foreign_key_check") == []


@pytest.mark.whole
def test_one_reviewer_in_two_terminals_sees_the_same_in_both_once_both_are_at_rest(store):
    chance = random.Random(3)
    first, second = opened(store, "nv"), opened(store, "nv")
    second.press("n")
    with third_writer(store):
        hammer([first, second], [digits(chance) + "n", digits(chance) + "p"])
        # They have changed places, and go on in what the other has scored.
        hammer([first, second], [digits(chance) + "p", digits(chance)])
        hammer([first, second], [digits(chance), digits(chance)])
        settle(store, {first: "nv", second: "nv"}, 6 * BURST)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        first.read()
        second.read()
        seen = [seen_on(first), seen_on(second)]
        if all(shown(screen) == saved(store, "nv", screen) for screen in seen):
            break
    assert [shown(screen) for screen in seen] == [saved(store, "nv", screen) for screen in seen]
    assert [screen.number for screen in seen] == [1, 1]
    assert all(screen.saved for screen in seen)
    first.end()
    second.end()
    assert asked(store, "PRAGMA quick_check") == [("ok",)]

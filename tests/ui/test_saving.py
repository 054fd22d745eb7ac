"""Scores on a slow, locked or lost disk: each stands where it was typed for, and is saved when it says so."""

import asyncio
import os
import re
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine
from textual.pilot import Pilot

from store import open_store
from store.file_identity import StoreReplaced
from store.session import writing
from tests.ui.pilot import (
    WIDE,
    blocked,
    compare_app,
    drain,
    line_with,
    message,
    paused,
    press,
    send,
    session_of,
    settle,
    shown,
)
from tui.review.session import ReviewSession
from tui.screens import saving_screen

pytestmark = pytest.mark.parts


SCORES = """
    SELECT criterion.name, rating.score FROM rating JOIN rater ON rater.id = rating.rater_id
    JOIN criterion ON criterion.id = rating.criterion_id WHERE rater.name = 'nv' ORDER BY rating.id
"""
CRITERIA = ("helpfulness", "language", "fluency", "accuracy", "logic", "harmlessness")


@pytest.fixture
def locked(store_path: Path) -> Iterator[sqlite3.Connection]:
    """Another program that takes the writer's lock; the room waits for it as long as it always does."""
    with closing(sqlite3.connect(store_path, isolation_level=None, check_same_thread=False)) as other:
        yield other


@pytest.fixture(autouse=True)
def _shows_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving_screen, "SECONDS_TO_SAVE", 0.02)


def saved(path: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(SCORES).fetchall()


async def typed(pilot: Pilot, keys: str) -> None:
    """Type keys and wait until they are on the screen, saved or not."""
    for key in keys:
        send(pilot, key)
        await drain(pilot)
    pilot.app.screen._on_timer_update()


async def test_digits_typed_while_another_program_writes_stand_where_they_were_typed_for(
    engine, store_path, locked
):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        locked.execute("BEGIN IMMEDIATE")
        await typed(pilot, "210122")
        for criterion, score in zip(CRITERIA, (2, 1, 0, 1, 2, 2), strict=True):
            assert re.match(rf".{criterion} +{score}\?", line_with(pilot, criterion)), shown(pilot)
        assert "● saved" not in shown(pilot)
        assert "? 6 saving" in shown(pilot)
        assert saved(store_path) == []
        locked.execute("COMMIT")
        await settle(pilot)
        assert "● saved" in shown(pilot)
        assert "?" not in line_with(pilot, " helpfulness")[:30]
    assert saved(store_path) == list(zip(CRITERIA, (2, 1, 0, 1, 2, 2), strict=True))


async def test_after_a_failure_nothing_typed_behind_it_counts_and_the_sentence_stays(engine, store_path):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, "2")
        with blocked(engine, store_path):
            for key in "10122n":
                await typed(pilot, key)
            await settle(pilot)
            assert "✗ not saved: another program is writing" in message(pilot)
            assert "from A, language on" in message(pilot)
            assert re.match(r"▸language +· ", line_with(pilot, "language"))
            assert "✗ not saved" in shown(pilot).splitlines()[0]
        # Still the same run of keys: its reader has not looked yet.
        await press(pilot, "0")
        assert session_of(pilot).number == 1
        assert "from A, language on" in message(pilot)
        await pilot.app.screen._read_update()
        assert "from A, language on" in message(pilot)
        await paused(pilot)
        await press(pilot, *"10122")
        assert "● saved" in shown(pilot)
    assert saved(store_path) == list(zip(CRITERIA, (2, 1, 0, 1, 2, 2), strict=True))


async def test_a_comment_waits_for_the_digits_before_it_and_belongs_to_its_response(
    engine, store_path, locked
):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        locked.execute("BEGIN IMMEDIATE")
        await typed(pilot, "222222")
        send(pilot, "c")
        await asyncio.sleep(0.05)
        assert not pilot.app.screen.entry.takes_keys
        locked.execute("COMMIT")
        await settle(pilot)
        assert pilot.app.screen.entry.takes_keys
    assert len(saved(store_path)) == 6


async def test_leaving_writes_what_is_not_saved_yet_or_says_what_is_not(engine, store_path, locked):
    app = compare_app(engine)
    async with app.run_test(size=WIDE) as pilot:
        locked.execute("BEGIN IMMEDIATE")
        await typed(pilot, "21")
        threading.Timer(0.5, locked.execute, ["COMMIT"]).start()
        app.leave()
    assert app.first.session.close() == ""
    assert saved(store_path) == [("helpfulness", 2), ("language", 1)]


def test_what_could_not_be_written_at_the_end_is_counted(engine, store_path, review):
    with blocked(engine, store_path):
        for value in (2, 1, 0):
            review.deferred(lambda value=value: review.score(value))
        sentence = review.close()
    assert sentence == (
        "3 of the last scores were not saved, from A, helpfulness on: another program is writing to the store"
    )
    assert saved(store_path) == []


def replace_file(path: Path) -> None:
    """As rsync and Syncthing do it: another file takes the path."""
    other = path.with_name("new.db")
    shutil.copy(path, other)
    os.replace(other, path)


def remove_file(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("happens", [replace_file, remove_file])
async def test_a_score_is_not_saved_when_the_file_is_another_one(engine, store_path, happens):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, "2")
        assert "● saved" in shown(pilot)
        happens(store_path)
        await press(pilot, "1")
        assert "✗ not saved" in shown(pilot).splitlines()[0]
        assert "while it was open" in message(pilot)
        assert re.match(r"▸language +· ", line_with(pilot, "language"))


async def test_a_file_that_goes_away_is_told_without_a_key(engine, store_path):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        remove_file(store_path)
        await pilot.app.screen._read_update()
        await settle(pilot)
        assert "was removed while it was open" in message(pilot)
        assert "✗ not saved" in shown(pilot).splitlines()[0]


def test_a_file_that_is_replaced_during_a_write_is_told_after_it(engine: Engine, store_path):
    with pytest.raises(StoreReplaced, match="replaced by another file"), writing(engine):
        replace_file(store_path)


def test_every_writer_is_told_of_a_replaced_file_and_a_copy_that_is_left_alone_is_none(tmp_path):
    path = tmp_path / "s.db"
    engine = open_store(path, create=True)
    with writing(engine):
        pass
    replace_file(path)
    with pytest.raises(StoreReplaced), writing(engine):
        pass
    engine.dispose()


def test_the_end_of_a_review_of_a_removed_file_says_so(review: ReviewSession, store_path):
    store_path.unlink()
    assert "was removed while it was open" in review.close()


async def test_a_digit_off_the_scale_is_answered_and_changes_nothing(engine, store_path):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, "3")
        assert message(pilot) == "helpfulness goes from 0 to 2"
        await press(pilot, "c", "7", "escape")
    assert saved(store_path) == []

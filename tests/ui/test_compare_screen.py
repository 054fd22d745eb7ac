"""The compare screen as a reviewer sees it, driven by keys over a real store."""

import re
import sqlite3

import pytest
from textual.pilot import Pilot

from store.queries import models, responses
from store.session import writing
from tests.ui.conftest import JUDGE
from tests.ui.pilot import paused
from tui.app import ReviewApp
from tui.review.session import ReviewSession
from tui.review.view import open_view
from tui.screens.compare import CompareScreen

pytestmark = pytest.mark.parts


WIDE, NARROW = (200, 50), (80, 24)


def shown(pilot: Pilot) -> str:
    """The text of the whole screen, line by line."""
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in lines)


def line_with(pilot: Pilot, words: str) -> str:
    return next((line for line in shown(pilot).splitlines() if words in line), "")


@pytest.fixture
def app(review: ReviewSession) -> ReviewApp:
    return ReviewApp(CompareScreen(review))


async def test_a_wide_terminal_shows_all_columns_blind(app):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        text = shown(pilot)
        assert re.search(r"▶ A .*─ B .*─ C .*─ D ", text)
        assert "Привет, как играть в бадминтон?" in text
        assert "Hi, how do I play badminton?" in text
        assert "ru · paper/1 · 1/3 · 24 left in this row" in text
        assert "nv  blind  ● saved" in text
        assert JUDGE not in text
        assert "spelling" not in text
        assert "LLaMA" not in text


async def test_before_the_commit_a_scored_row_holds_the_reviewers_score_alone(app):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press(*"222222", "h")
        row = line_with(pilot, "helpfulness").replace("▸", " ").split("│")
        assert [cell.split() for cell in row] == [["helpfulness", mark] for mark in "2···"]


async def test_a_narrow_terminal_shows_one_column_and_a_strip_of_the_others(app):
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press(*"222222", "2", "2")
        text = shown(pilot)
        assert "▶ B  2/6" in text
        assert "─ A" not in text
        assert "A 6/6 ✓ [B 2/6] C 0/6  D 0/6" in text


async def test_digits_score_and_the_columns_show_it(app):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press(*"210", "j", "1")
        assert re.match(r" helpfulness +2 ", line_with(pilot, "helpfulness"))
        assert re.match(r" language +1 ", line_with(pilot, "language  "))
        assert re.match(r" fluency +0 ", line_with(pilot, "fluency"))
        assert re.match(r" accuracy +· ", line_with(pilot, "accuracy"))
        assert re.match(r" logic +1 ", line_with(pilot, "logic"))
        assert "20 left in this row" in shown(pilot)


async def test_judge_and_surface_come_with_the_commit_of_that_response_alone(app):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press(*"222220", "h", "g")
        await pilot.pause()
        assert shown(pilot).count(JUDGE) == 1
        assert line_with(pilot, "spelling").count("ru 0.99 · spelling 97% · relevant") == 1
        assert re.match(r"▸?.?helpfulness +2 +1 +\+1 ", line_with(pilot, "helpfulness"))
        assert re.match(r" harmlessness +0 +1 +-1 ", line_with(pilot, "harmlessness"))


async def test_wrong_language_is_shown_by_dashes_and_undone(app):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("x")
        assert re.match(r" language +0 ", line_with(pilot, "language  "))
        assert re.match(r" logic +– ", line_with(pilot, "logic"))
        await pilot.press("u")
        assert re.match(r" logic +· ", line_with(pilot, "logic"))
        assert "undone" in shown(pilot)


async def test_the_cyrillic_layout_sends_the_same_commands(app):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("т")
        assert "2/3" in shown(pilot)
        await pilot.press("з", "ф")
        assert "A  6/6 ✓" in shown(pilot)


async def test_a_score_that_is_not_saved_is_not_shown(app, store_path, engine):
    async with app.run_test(size=WIDE) as pilot:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=50")
            connection.rollback()
        blocker = sqlite3.connect(store_path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        await pilot.press("2")
        text = shown(pilot)
        assert "✗ not saved: another program is writing" in text
        assert re.match(r"▸helpfulness +· ", line_with(pilot, "helpfulness"))
        blocker.rollback()
        blocker.close()
        await paused(pilot)
        await pilot.press("2")
        assert "● saved" in shown(pilot)
        assert re.match(r" helpfulness +2 ", line_with(pilot, "helpfulness"))


async def test_the_window_of_columns_moves_with_the_cursor_and_with_the_terminal(app):
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("l", "l")
        await pilot.pause()
        assert re.search(r"─ B .*▶ C ", shown(pilot))
        await pilot.resize_terminal(*WIDE)
        await pilot.pause()
        assert re.search(r"─ A .*─ B .*▶ C .*─ D ", shown(pilot))
        await pilot.resize_terminal(44, 30)
        await pilot.pause()
        assert "▶ C " in shown(pilot)
        await pilot.resize_terminal(39, 30)
        await pilot.pause()
        assert shown(pilot).strip() == "too small: 40x12 min"
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        assert "▶ C " in shown(pilot)
        assert "too small" not in shown(pilot)


@pytest.mark.parametrize("size", [(40, 12), (44, 13), (300, 90)])
async def test_every_size_shows_text_and_the_criterion_under_the_cursor(app, size):
    async with app.run_test(size=size) as pilot:
        for _ in range(6):
            await pilot.pause()
            text = shown(pilot)
            assert "возьмите" in text
            assert "▸" in text
            assert "saved" in text
            await pilot.press("down")


async def test_the_keys_page_lists_every_key_and_any_of_its_keys_leads_back(app):
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        text = shown(pilot)
        for words in ("0 1 2", "wrong language", "take back", "next, previous instruction", "leave"):
            if words not in text:
                await pilot.press("pagedown")
                await pilot.pause()
                text = shown(pilot)
            assert words in text
        await pilot.press("escape")
        await pilot.pause()
        assert "▶ A" in shown(pilot)


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2J\x1b[31mred",
        "[bold red]markup[/] [link=x]",
        "\x00\x07\x08\x7f\x9b1m",
        "\u202e\u2066\u200b",
        "",
        " \n ",
    ],
)
async def test_hostile_text_is_shown_and_moves_nothing(engine, review, hostile):
    with writing(engine) as session:
        new = {
            "instruction_id": review.row.instruction_id,
            "model_id": models.model_id(session, "hostile"),
            "decoding_id": models.decoding_id(session, "imported", None, {}),
            "text": hostile,
        }
        responses.add_responses(session, [new])
    view = open_view(engine, language="ru", reviewer="nv", wanted=["hostile"])
    async with ReviewApp(CompareScreen(ReviewSession(engine, view))).run_test(size=NARROW) as pilot:
        await pilot.pause()
        strips = pilot.app.screen._compositor.render_strips()
        assert all(strip.cell_length == 80 for strip in strips)
        text = shown(pilot)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text)
        if "[bold" in hostile:
            assert "[bold red]markup[/]" in text


async def test_a_megabyte_on_one_line_is_shown_and_paged(engine, review):
    with writing(engine) as session:
        new = {
            "instruction_id": review.row.instruction_id,
            "model_id": models.model_id(session, "long"),
            "decoding_id": models.decoding_id(session, "imported", None, {}),
            "text": "начало" + "ы" * 1_000_000,
        }
        responses.add_responses(session, [new])
    view = open_view(engine, language="ru", reviewer="nv", wanted=["long"])
    async with ReviewApp(CompareScreen(ReviewSession(engine, view))).run_test(size=NARROW) as pilot:
        await pilot.pause()
        assert "начало" in shown(pilot)
        await pilot.press("space")
        assert "начало" not in shown(pilot)
        assert "ыыы" in shown(pilot)
        await pilot.press("b")
        assert "начало" in shown(pilot)


async def test_a_long_instruction_takes_a_quarter_of_a_low_screen_and_scrolls(engine, review):
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE instruction SET text = ? WHERE id = ?",
            ("\n".join(f"строка {number}" for number in range(60)), review.row.instruction_id),
        )
    view = open_view(engine, language="ru", reviewer="nv")
    async with ReviewApp(CompareScreen(ReviewSession(engine, view))).run_test(size=NARROW) as pilot:
        await pilot.pause()
        assert shown(pilot).count("строка") == 5
        await pilot.press("i")
        assert "строка 5" in shown(pilot)
        assert "строка 0" not in shown(pilot)

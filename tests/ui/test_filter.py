"""Leading only through what fits a filter, as the reviewer chooses it on its page."""

import pytest

from store.session import writing
from tests.ui.pilot import (
    NARROW,
    WIDE,
    blocked,
    compare_app,
    line_with,
    message,
    paused,
    press,
    session_of,
    settle,
    shown,
)
from tests.ui.stores import Question, Reply, add_reply, store_of
from tui.app import ReviewApp
from tui.screens.compare import CompareScreen
from tui.screens.filter import FilterScreen

pytestmark = pytest.mark.parts


TWO = dict.fromkeys(("helpfulness", "language", "fluency", "accuracy", "logic", "harmlessness"), 2)


def reply(text: str, language: str = "ru", helpfulness: int = 2) -> Reply:
    return Reply(text, {**TWO, "helpfulness": helpfulness}, language)


QUESTIONS = {
    "one": Question({"ru": "Первый"}, {"ru": [reply("а1"), reply("а2", "en", 0)]}, "advice"),
    "two": Question({"ru": "Второй"}, {"ru": [reply("б1", "en"), reply("б2")]}, "email", "briefly"),
    "three": Question({"ru": "Третий"}, {"ru": [reply("в1"), reply("в2")]}, "advice", "in capitals"),
    "four": Question({"ru": "Четвёртый"}, {"ru": [reply("г1"), reply("г2")]}, "poem"),
}


@pytest.fixture
def engine(tmp_path):
    with store_of(tmp_path / "filter.db", QUESTIONS) as found:
        yield found


@pytest.fixture
def app(engine) -> ReviewApp:
    return compare_app(engine)


async def choose(pilot, *lines: str, apply: bool = True) -> None:
    """On the page of the filter: choose these lines and apply."""
    await press(pilot, "f")
    assert isinstance(pilot.app.screen, FilterScreen)
    for words in lines:
        await mark(pilot, words)
    if apply:
        await press(pilot, "enter")


async def mark(pilot, words: str) -> None:
    page = pilot.app.screen.page
    while page.cell_index:
        await press(pilot, "k")
    for _ in page.cells:
        text = "".join(piece for piece, _ in page.lines[page.cell.line])
        if words in text:
            await press(pilot, "space")
            return
        await press(pilot, "j")
    raise AssertionError(f"{words!r} is not on the page:\n{shown(pilot)}")


async def walk(pilot) -> list[str]:
    """The instructions that n leads through, from the first."""
    for _ in QUESTIONS:
        await press(pilot, "p")
    seen = [session_of(pilot).row.text]
    for _ in QUESTIONS:
        await press(pilot, "n")
        if session_of(pilot).row.text != seen[-1]:
            seen.append(session_of(pilot).row.text)
    return seen


def count_of(pilot, words: str) -> int:
    return int(line_with(pilot, words).split()[-1])


def commit(text: str):
    """The keys that give 2 to the response of this text in the row on show, and commit it."""

    async def keys(pilot) -> None:
        review = session_of(pilot)
        column = next(at for at, answer in enumerate(review.row.answers) if answer.text == text)
        await press(pilot, *["h"] * 4, *["l"] * column, "a")
        await press(pilot, *["h"] * 4, *["l"] * column, "g")

    return keys


@pytest.mark.parametrize(
    ("lines", "instructions"),
    [
        (["advice"], ["Первый", "Третий"]),
        (["advice", "poem"], ["Первый", "Третий", "Четвёртый"]),
        (["briefly"], ["Второй"]),
        (["briefly", "in capitals"], ["Второй", "Третий"]),
        (["advice", "in capitals"], ["Третий"]),
        (["not scored"], ["Первый", "Второй", "Третий", "Четвёртый"]),
    ],
)
async def test_enter_narrows_what_n_and_p_lead_through(app, lines, instructions):
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, *lines)
        assert f"/{len(instructions)} filtered" in shown(pilot)
        assert await walk(pilot) == instructions


async def test_the_first_and_last_of_the_filter_are_told(app):
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "briefly")
        assert "· 1/1 filtered ·" in shown(pilot)
        await press(pilot, "n")
        assert message(pilot) == "this is the last instruction of the filter"


async def test_the_filter_goes_on_from_the_row_on_show(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "n")
        await choose(pilot, "advice")
        assert session_of(pilot).row.text == "Третий"
        await press(pilot, "/", "1", "enter")
        assert session_of(pilot).row.text == "Первый"


async def test_a_row_that_fits_stays_on_show(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "n", "n", "l", "j")
        cursor = session_of(pilot).cursor
        await choose(pilot, "advice")
        assert "· 2/2 filtered ·" in shown(pilot)
        assert session_of(pilot).cursor == cursor


async def test_a_filter_that_nothing_fits_leaves_all_as_it_was(app):
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "advice")
        await choose(pilot, "with a comment")
        assert "no response fits" in message(pilot)
        assert await walk(pilot) == ["Первый", "Третий"]


async def test_the_filter_page_shows_what_is_chosen_and_x_takes_it_away(app):
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "advice")
        await press(pilot, "f")
        assert line_with(pilot, "advice").startswith(" [x] ")
        await press(pilot, "x")
        assert "[x]" not in shown(pilot)
        await press(pilot, "enter")
        assert "filtered" not in shown(pilot)
        assert len(await walk(pilot)) == 4


async def test_space_again_leaves_a_line_out(app):
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "advice", "poem", apply=False)
        await mark(pilot, "advice")
        await press(pilot, "enter")
        assert await walk(pilot) == ["Четвёртый"]


async def test_escape_leaves_the_filter_as_it_was(app):
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "advice")
        await choose(pilot, "poem", apply=False)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, CompareScreen)
        assert await walk(pilot) == ["Первый", "Третий"]


async def test_the_reviewers_own_scores_can_be_chosen(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "1", "n", "0", "n", "1", "p", "p")
        await press(pilot, "f")
        assert count_of(pilot, "helpfulness 1") == 2
        assert count_of(pilot, "helpfulness 0") == 1
        assert "helpfulness 2" not in shown(pilot)
        await press(pilot, "escape")
        await choose(pilot, "helpfulness 1")
        assert await walk(pilot) == ["Первый", "Третий"]


async def test_the_list_does_not_shift_while_scoring(app):
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "not scored")
        await press(pilot, "a", "a", "n", "a", "a")
        assert "· 2/4 filtered ·" in shown(pilot)
        assert await walk(pilot) == ["Первый", "Второй", "Третий", "Четвёртый"]
        await choose(pilot)  # the same filter again, as it stands: no change
        assert "/4 filtered" in shown(pilot)


async def test_news_do_not_shift_the_list_of_a_filter(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "not scored")
        await press(pilot, "a", "a")
        with writing(engine) as session:
            add_reply(session, 2, "model 2", "новое")
        await pilot.app.screen._read_update()
        await settle(pilot)
        assert await walk(pilot) == ["Первый", "Второй", "Третий", "Четвёртый"]


async def test_a_response_that_fits_is_marked_and_the_cursor_is_on_it(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "n", "l", "0", "p")
        meant = session_of(pilot)
        await choose(pilot, "helpfulness 0")
        assert session_of(pilot).row.text == "Второй"
        assert meant.cursor.column == 1
        assert "∈ filter" in shown(pilot).splitlines()[3].split("┬")[1]
        assert shown(pilot).count("∈ filter") == 1


async def test_states_can_be_chosen(app):
    async with app.run_test(size=WIDE) as pilot:
        await commit("а1")(pilot)
        await press(pilot, "n", "a", "n", "c", *"ы", "enter", "p", "p", "f")
        assert count_of(pilot, "not scored on every") == 6
        assert count_of(pilot, "] scored on every") == 2
        assert count_of(pilot, "committed") == 1
        assert count_of(pilot, "with a comment") == 1
        await press(pilot, "escape")
        await choose(pilot, "] committed")
        assert await walk(pilot) == ["Первый"]
        await choose(pilot, "] committed", "with a comment")
        assert await walk(pilot) == ["Третий"]


async def test_while_blind_only_committed_responses_count_by_their_language(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "f")
        assert "language of the response" not in shown(pilot)
        await press(pilot, "escape")
        await commit("а2")(pilot)
        await press(pilot, "f")
        assert "language of the response, as identified (only what you have committed)" in shown(pilot)
        assert count_of(pilot, "] en ") == 1
        assert "] ru " not in shown(pilot)
        await press(pilot, "escape")
        await choose(pilot, "] en ")
        assert await walk(pilot) == ["Первый"]


async def test_open_shows_the_languages_of_all_responses(engine):
    async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
        await press(pilot, "f")
        assert (count_of(pilot, "] en "), count_of(pilot, "] ru ")) == (2, 6)
        await press(pilot, "escape")
        await choose(pilot, "] en ")
        assert await walk(pilot) == ["Первый", "Второй"]


async def test_while_blind_disagreements_are_those_of_committed_responses(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "a", "a", "f")
        assert count_of(pilot, "judge differ") == 0
        await press(pilot, "escape")
        await commit("а2")(pilot)
        await press(pilot, "f")
        assert count_of(pilot, "judge differ") == 1


async def test_a_filter_on_a_narrow_terminal_scrolls_with_its_cursor(app):
    async with app.run_test(size=(60, 12)) as pilot:
        await press(pilot, "f", *["j"] * 9)
        page = pilot.app.screen.page
        assert page.cell_index == len(page.cells) - 1
        text = "".join(piece for piece, _ in page.lines[page.cell.line]).strip()
        assert text in shown(pilot)


async def test_a_filter_is_shown_on_the_status_line_of_a_narrow_terminal(app):
    async with app.run_test(size=NARROW) as pilot:
        await choose(pilot, "advice")
        assert "1/2 filtered" in shown(pilot).splitlines()[0]
        assert "● saved" in shown(pilot).splitlines()[0]


async def test_hostile_names_of_tasks_are_shown_safely(tmp_path):
    task = "\x1b[2J[bold]\u202e"
    question = Question({"ru": "?"}, {"ru": ["да"]}, task)
    with store_of(tmp_path / "h.db", {"q": question}) as engine:
        async with compare_app(engine).run_test(size=WIDE) as pilot:
            await press(pilot, "f")
            assert "␛[2J[bold]⟨U+202E⟩" in shown(pilot)


async def test_a_filter_that_could_not_be_applied_is_not_on_and_can_be_applied_again(app, engine, tmp_path):
    async with app.run_test(size=WIDE) as pilot:
        with blocked(engine, tmp_path / "filter.db"):
            await choose(pilot, "briefly")
            assert "not saved" in message(pilot)
            assert "filtered" not in shown(pilot)
        await paused(pilot)
        await choose(pilot, "briefly")
        await settle(pilot)
        assert session_of(pilot).row.text == "Второй"

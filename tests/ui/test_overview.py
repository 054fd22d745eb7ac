"""The overview: what a blind reviewer may see of it, and that every number opens the responses behind it."""

import pytest

from store.queries import raters
from store.session import writing
from tests.ui.pilot import (
    NARROW,
    WIDE,
    compare_app,
    drawn,
    line_with,
    opened,
    press,
    rows,
    session_of,
    settle,
    shown,
)
from tests.ui.stores import JUDGE, Question, Reply, score, store_of
from tui.app import ReviewApp
from tui.review.overview import HeatCell, PairCell
from tui.screens.compare import CompareScreen
from tui.screens.overview import OverviewScreen
from tui.sessions import overview_session

pytestmark = pytest.mark.parts


ALL = ("helpfulness", "language", "fluency", "accuracy", "logic", "harmlessness")


def judged(text: str, value: int) -> Reply:
    return Reply(text, dict.fromkeys(ALL, value))


QUESTIONS = {
    "one": Question(
        {"ru": "Первый", "en": "First"},
        {"ru": [judged("а0", 2), judged("а1", 1)], "en": [judged("e0", 2), judged("e1", 0)]},
    ),
    "two": Question({"ru": "Второй"}, {"ru": [judged("б0", 2), judged("б1", 0)]}),
    "three": Question({"ru": "Третий"}, {"ru": [judged("в0", 1), judged("в1", 2)]}),
}


@pytest.fixture
def engine(tmp_path):
    with store_of(tmp_path / "overview.db", QUESTIONS) as found:
        yield found


@pytest.fixture
def store(engine, tmp_path):
    return str(tmp_path / "overview.db")


def score_all(engine, reviewer: str, values: dict[str, int], *, commit: bool = True) -> None:
    """A reviewer gives the same score on every criterion to the responses of these texts."""
    review = opened(engine, reviewer=reviewer)
    for number in range(1, 4):
        review.go_to_number(number)
        for column, answer in enumerate(review.row.answers):
            if answer.text in values:
                for place in range(len(ALL)):
                    review.move(
                        columns=column - review.cursor.column, criteria=place - review.cursor.criterion
                    )
                    review.score(values[answer.text])
                if commit:
                    review.move(columns=column - review.cursor.column)
                    review.commit()
    review.close()


async def go_to_cell(pilot, value) -> None:
    """Lead the cursor to a cell by arrows."""
    page = pilot.app.screen.page
    wanted = next(cell for cell in page.cells if cell.value == value)
    for _ in page.cells:
        if page.cell.line == wanted.line:
            break
        await press(pilot, "down" if page.cell.line < wanted.line else "up")
    for _ in page.cells:
        if page.cell.start == wanted.start:
            return
        await press(pilot, "right" if page.cell.start < wanted.start else "left")
    raise AssertionError(f"{value} can't be reached")


async def texts_in_filter(pilot) -> set[str]:
    """The texts of the responses that the filter on show means, over all its rows."""
    review = pilot.app.screen.session
    for _ in QUESTIONS:
        await press(pilot, "p")
    found = set()
    for _ in QUESTIONS:
        found |= {answer.text for answer in review.row.answers if review.fits(answer)}
        await press(pilot, "n")
    return found


def source(engine, model: str) -> tuple[int, int, int]:
    return rows(
        engine,
        "SELECT DISTINCT model_id, decoding_id, sample FROM response JOIN model ON model.id = model_id"
        " WHERE model.name = :model",
        model=model,
    )[0]


def criterion(engine, name: str) -> int:
    return rows(engine, "SELECT id FROM criterion WHERE name = :name", name=name)[0][0]


# Blind


async def test_while_nothing_is_committed_the_overview_shows_no_scores(engine):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, *"222222", "w")
        text = shown(pilot)
        assert "hidden model 1" in text
        assert "model 0" not in text.replace("hidden model", "")
        assert pilot.app.screen.page.cells == []
        assert "no judge has scored these responses" in text
        assert "1/6 scored" in text
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, OverviewScreen)


async def test_blind_it_counts_only_what_the_reviewer_has_committed(engine):
    score_all(engine, "nv", {"а0": 2})
    score_all(engine, "nv", {"а1": 0, "б0": 1}, commit=False)
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, "w")
        values = [cell.value for cell in pilot.app.screen.page.cells if isinstance(cell.value, HeatCell)]
        assert len(values) == 6
        assert shown(pilot).count("2.00 1") == 6
        assert "n 1" in shown(pilot)
        assert "3/6 scored" in shown(pilot)


async def test_blind_it_shows_no_scores_of_others_and_no_names_of_models(engine):
    score_all(engine, "someone", {"а0": 1, "а1": 1, "б0": 1})
    score_all(engine, "nv", {"а1": 0})
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, "w")
        text = shown(pilot)
        assert "mean scores of nv" in text
        means = [line for line in text.splitlines() if line.startswith(" hidden model")]
        # Language 0 leaves out the other criteria.
        assert sorted(line.split()[3:] for line in means) == [["–", "0.00", "1", *"––––"], ["–"] * 6]
        await press(pilot, "r")
        assert shown(pilot) == text


async def test_blind_the_names_of_the_models_are_nowhere_in_the_overview(engine):
    for old, new in (("model 0", "LLaMA-2-7B"), ("model 1", "TowerBase")):
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE model SET name = ? WHERE name = ?", (new, old))
    score_all(engine, "nv", {"а0": 2, "а1": 2, "б0": 0})
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, "w")
        assert "hidden model 2" in shown(pilot)
        assert "LLaMA" not in shown(pilot)
        assert "Tower" not in shown(pilot)


async def test_a_blind_cell_opens_the_committed_responses_behind_it_and_keeps_the_view_blind(engine):
    score_all(engine, "nv", {"а0": 2, "б0": 1, "а1": 1})
    score_all(engine, "nv", {"в0": 2}, commit=False)
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, "w")
        await go_to_cell(pilot, HeatCell(source(engine, "model 0"), criterion(engine, "fluency")))
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, CompareScreen)
        assert await texts_in_filter(pilot) == {"а0", "б0"}
        assert "blind" in shown(pilot)
        assert "filtered" in shown(pilot)


# Open


async def test_open_shows_names_and_all_that_is_scored(engine):
    score_all(engine, "nv", {"а0": 2, "б0": 1}, commit=False)
    async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
        await press(pilot, "w")
        assert line_with(pilot, "model 0").count("1.50 2") == 6
        assert "hidden" not in shown(pilot)
        assert JUDGE in shown(pilot)


@pytest.mark.parametrize("name", ["helpfulness", "harmlessness"])
async def test_enter_on_a_mean_opens_exactly_the_responses_behind_it(engine, name):
    score_all(engine, "nv", {"а0": 2, "а1": 0, "в0": 1}, commit=False)
    async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
        await press(pilot, "w")
        await go_to_cell(pilot, HeatCell(source(engine, "model 0"), criterion(engine, name)))
        await press(pilot, "enter")
        assert await texts_in_filter(pilot) == {"а0", "в0"}
        assert "2/2 filtered" in shown(pilot)


async def test_a_mean_leaves_out_what_was_in_the_wrong_language_and_so_does_what_it_opens(engine):
    review = opened(engine, open=True)
    review.wrong_language()
    review.go(1)
    review.score_best()
    async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
        await press(pilot, "w")
        await go_to_cell(pilot, HeatCell(source(engine, "model 0"), criterion(engine, "language")))
        await press(pilot, "enter")
        assert await texts_in_filter(pilot) == {"а0", "б0"}
        await press(pilot, "w")
        await go_to_cell(pilot, HeatCell(source(engine, "model 0"), criterion(engine, "logic")))
        await press(pilot, "enter")
        assert await texts_in_filter(pilot) == {"б0"}


@pytest.mark.parametrize(
    ("human", "judge", "texts"), [(2, 2, {"а0"}), (2, 0, {"б1"}), (1, 2, {"б0"}), (1, 1, {"а1", "в0"})]
)
async def test_enter_on_a_pair_opens_exactly_the_responses_behind_it(engine, human, judge, texts):
    score_all(engine, "nv", {"а0": 2, "а1": 1, "б0": 1, "б1": 2, "в0": 1}, commit=False)
    async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
        await press(pilot, "w")
        await go_to_cell(pilot, PairCell(criterion(engine, "accuracy"), human, judge))
        await press(pilot, "enter")
        assert await texts_in_filter(pilot) == texts


async def test_r_goes_through_the_reviewers_and_g_through_the_judges(engine):
    score_all(engine, "nv", {"а0": 2}, commit=False)
    score_all(engine, "zoe", {"а0": 0}, commit=False)
    with writing(engine) as session:
        score(session, raters.rater_id(session, "rule", "miniature", "1"), 1, dict.fromkeys(ALL, 0))
    async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
        await press(pilot, "w")
        heads = []
        for _ in range(6):
            heads.append(line_with(pilot, "mean scores of").split(",")[0].split("of ")[1])
            await press(pilot, "r")
        assert heads == ["nv", "zoe", JUDGE, "miniature", "all reviewers", "nv"]
        judges = []
        for _ in range(3):
            judges.append(line_with(pilot, "against").split("against ")[1].split(" (")[0])
            await press(pilot, "g")
        assert judges == [JUDGE, "rule miniature", JUDGE]


async def test_what_is_behind_a_cell_follows_the_reviewer_that_is_chosen(engine):
    score_all(engine, "nv", {"а0": 2}, commit=False)
    score_all(engine, "zoe", {"б0": 1, "в0": 1}, commit=False)
    async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
        await press(pilot, "w")
        await press(pilot, "r")
        await go_to_cell(pilot, HeatCell(source(engine, "model 0"), criterion(engine, "helpfulness")))
        await press(pilot, "enter")
        assert await texts_in_filter(pilot) == {"б0", "в0"}


async def test_escape_leaves_the_overview_and_the_place_as_it_was(engine):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, "n", "l", "w", "escape")
        assert isinstance(pilot.app.screen, CompareScreen)
        assert (session_of(pilot).number, session_of(pilot).cursor.column) == (2, 1)
        assert "filtered" not in shown(pilot)


@pytest.mark.parametrize("size", [NARROW, (40, 12), (250, 60)])
async def test_every_size_shows_the_means_and_reaches_every_cell(engine, size):
    score_all(engine, "nv", {"а0": 2, "а1": 1, "б0": 0}, commit=False)
    async with compare_app(engine, open=True).run_test(size=size) as pilot:
        await press(pilot, "w")
        page = pilot.app.screen.page
        for _ in range(60):
            assert drawn(pilot, lambda style: bool(style.reverse)), (
                f"the cursor is out of sight at {page.cell}"
            )
            before = page.cell
            await press(pilot, "right")
            if page.cell is before:
                await press(pilot, *["left"] * 7, "down")
        assert page.cell.line == page.cells[-1].line


async def test_hostile_names_of_reviewers_and_models_are_shown_safely(engine):
    score_all(engine, "\x1b[2J[red]\u202e!", {"а0": 2}, commit=False)
    async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
        await press(pilot, "w")
        await press(pilot, "r", "r")
        assert "␛[2J[red]!" in shown(pilot)  # a name keeps no bidirectional controls
        assert not set("\x1b\u202e") & set(shown(pilot))


# Standing alone


async def test_alone_it_shows_everybody_and_all_names_and_leaves_no_trace(engine, store):
    score_all(engine, "someone", {"а0": 2, "б0": 1}, commit=False)
    with overview_session(store, language="ru", suite=None, reviewer="boss") as first:
        async with ReviewApp(first()).run_test(size=WIDE) as pilot:
            await settle(pilot)
            assert "someone" in line_with(pilot, "scored (")
            assert line_with(pilot, "model 0").count("1.50 2") == 6
            assert "boss" not in shown(pilot)
    assert rows(engine, "SELECT count(*) FROM rater WHERE name = 'boss'") == [(0,)]
    assert rows(engine, "SELECT count(*) FROM run") == [(0,)]


async def test_alone_a_cell_opens_the_responses_openly_and_q_leads_back(engine, store):
    score_all(engine, "someone", {"а0": 2, "б0": 1}, commit=False)
    with overview_session(store, language="ru", suite=None, reviewer="boss") as first:
        async with ReviewApp(first()).run_test(size=WIDE) as pilot:
            await settle(pilot)
            await press(pilot, "enter")
            assert isinstance(pilot.app.screen, CompareScreen)
            assert await texts_in_filter(pilot) == {"а0", "б0"}
            assert "boss  open" in shown(pilot)
            await press(pilot, "0")
            found = rows(
                engine, "SELECT judge_shown, names_shown, run_id FROM entry ORDER BY id DESC LIMIT 1"
            )
            assert found == [(1, 1, 1)]
            await press(pilot, "q")
            assert isinstance(pilot.app.screen, OverviewScreen)
            await press(pilot, "q")
            assert pilot.app._exit


@pytest.mark.parametrize(("key", "text"), [("1", "e0"), ("2", "а0")])
async def test_alone_over_all_languages_a_cell_asks_which_and_opens_the_responses_in_that(
    engine, store, key, text
):
    with writing(engine) as session:
        rater = raters.rater_id(session, "human", "someone")
        for (response,) in rows(engine, "SELECT id FROM response WHERE text IN ('а0', 'e0')"):
            score(session, rater, response, {"helpfulness": 2})
    with overview_session(store, language=None, suite=None, reviewer="boss") as first:
        async with ReviewApp(first()).run_test(size=WIDE) as pilot:
            await settle(pilot)
            assert "2.00 2" in shown(pilot)
            await press(pilot, "enter")
            assert "1  en" in line_with(pilot, "en  ")
            assert "1 responses" in line_with(pilot, "ru  ")
            await press(pilot, key)
            assert await texts_in_filter(pilot) == {text}
            await press(pilot, "q")
            assert isinstance(pilot.app.screen, OverviewScreen)


async def test_alone_the_numbers_are_counted_again_after_scoring(engine, store):
    score_all(engine, "someone", {"а0": 2}, commit=False)
    with overview_session(store, language="ru", suite=None, reviewer="boss") as first:
        async with ReviewApp(first()).run_test(size=WIDE) as pilot:
            await settle(pilot)
            await press(pilot, "enter", "0", "q")
            assert "1.00 1" in shown(pilot)  # one response, scored by two


async def test_alone_an_empty_suite_of_scores_can_be_read_and_left(engine, store):
    with overview_session(store, language=None, suite=None, reviewer="boss") as first:
        async with ReviewApp(first()).run_test(size=NARROW) as pilot:
            await settle(pilot)
            assert "nobody has scored anything here yet" in shown(pilot)
            await press(pilot, "r", "g", "down", "right", "pagedown", "b")
            assert isinstance(pilot.app.screen, OverviewScreen)

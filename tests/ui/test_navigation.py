"""Going to a number, to words, to what wants a score, and to where the reviewer and the judge differ."""

import pytest
from textual import events

from store.session import writing
from tests.ui.pilot import NARROW, WIDE, compare_app, message, played, press, session_of, settle, shown
from tests.ui.stores import Question, Reply, add_reply, store_of
from tui.app import ReviewApp
from tui.theme import Look

pytestmark = pytest.mark.parts


LONG = "\n".join(f"строка {number}" for number in range(200))
QUESTIONS = {
    "one": Question({"ru": "Первый вопрос", "en": "First"}, {"ru": ["Кошка спит", "Собака ест"]}),
    "two": Question({"ru": "Второй вопрос", "en": "Second"}, {"ru": ["ЁЖИК в тумане", "Cafe\u0301"]}),
    "three": Question({"ru": "Третий про е\u0308лку"}, {"ru": ["кошка", LONG + "\nигла\n" + LONG]}),
}


@pytest.fixture
def engine(tmp_path):
    with store_of(tmp_path / "moving.db", QUESTIONS) as found:
        yield found


@pytest.fixture
def app(engine) -> ReviewApp:
    return compare_app(engine)


async def find(pilot, words: str) -> None:
    await press(pilot, "/")
    pilot.app.post_message(events.Paste(words))
    await settle(pilot)
    await press(pilot, "enter")


# By number


async def test_a_number_leads_to_its_instruction(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "/", "3", "enter")
        assert "· 3/3 ·" in shown(pilot)
        await press(pilot, "/", "9", "enter")
        assert "· 3/3 ·" in shown(pilot)
        assert message(pilot) == "there are instructions 1 to 3"


async def test_what_is_typed_in_the_prompt_is_no_command(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "/", *"2a1nxgqu", "escape")
        assert session_of(pilot).left == 12
        assert "· 1/3 ·" in shown(pilot)
        await press(pilot, "n")
        assert "· 2/3 ·" in shown(pilot)


async def test_a_number_of_any_length_is_answered(app):
    async with app.run_test(size=WIDE) as pilot:
        await find(pilot, "9" * 5000)
        assert message(pilot) == "there are instructions 1 to 3"


# By words


@pytest.mark.parametrize(
    ("words", "number", "text"),
    [
        ("ёжик", 2, "ЁЖИК в тумане"),
        ("е\u0308жик", 2, "ЁЖИК в тумане"),
        ("CAFÉ", 2, "Cafe\u0301"),
        ("тумане", 2, "ЁЖИК в тумане"),
        ("  ИГЛА ", 3, None),
    ],
)
async def test_words_are_found_in_small_and_capital_composed_and_decomposed(app, words, number, text):
    async with app.run_test(size=WIDE) as pilot:
        await find(pilot, words)
        assert session_of(pilot).number == number
        assert text is None or session_of(pilot).answer.text == text


@pytest.mark.parametrize("words", ["про ёлку", "ПРО ЁЛКУ", "про е\u0308лку"])
async def test_words_of_the_instruction_are_found(app, words):
    async with app.run_test(size=WIDE) as pilot:
        await find(pilot, words)
        assert session_of(pilot).number == 3


async def test_a_search_goes_on_with_an_empty_prompt_and_round(app):
    async with app.run_test(size=WIDE) as pilot:
        seen = []
        await find(pilot, "кошка")
        for _ in range(3):
            seen.append(session_of(pilot).number)
            await press(pilot, "/", "enter")
        assert seen == [3, 1, 3]


async def test_an_empty_prompt_without_a_search_before_it_goes_nowhere(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "/", "enter")
        assert "· 1/3 ·" in shown(pilot)


async def test_what_is_nowhere_is_said_safely_and_moves_nothing(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "n", "l")
        cursor = session_of(pilot).cursor
        await find(pilot, "[bold]\x07\u202eнет")
        assert (session_of(pilot).number, session_of(pilot).cursor) == (2, cursor)
        last = shown(pilot).splitlines()[-1]
        assert "nothing holds" in last
        assert "[bold]" in last
        assert not set("\x07\u202e") & set(last)


async def test_what_is_searched_for_is_no_pattern(app):
    async with app.run_test(size=WIDE) as pilot:
        await find(pilot, "К.шка")
        assert "nothing holds" in message(pilot)


async def test_hits_are_highlighted_and_the_column_is_scrolled_to_the_first(app):
    async with app.run_test(size=WIDE) as pilot:
        await find(pilot, "игла")
        assert played(pilot, Look.HIT) == ["игла"]
        assert "строка 199" in shown(pilot)
        assert "строка 100" not in shown(pilot)


async def test_words_typed_letter_by_letter_are_found_in_the_row_on_show_too(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "/", *"собака", "enter")
        assert (session_of(pilot).number, session_of(pilot).answer.text) == (1, "Собака ест")
        assert played(pilot, Look.HIT) == ["Собака"]


async def test_the_hit_is_in_sight_on_a_narrow_terminal_too(engine):
    for reviewer in ("nv", "second", "third", "fourth"):  # in one of whose orders it is the second column
        async with compare_app(engine, reviewer=reviewer).run_test(size=NARROW) as pilot:
            await find(pilot, "игла")
            assert "игла" in shown(pilot)


async def test_a_hit_further_down_in_the_row_on_show_comes_into_sight(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "/", "3", "enter")
        await find(pilot, "игла")
        assert "игла" in shown(pilot)


async def test_a_hit_in_the_instruction_on_show_is_highlighted(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "n")
        await find(pilot, "Второй")
        assert any("Второй" in words for words in played(pilot, Look.HIT))


# Unscored


async def test_u_finds_the_next_open_criterion_in_the_row_in_later_rows_and_round(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "n", "a", "a")
        await press(pilot, "p", "a", "2", "1", "k", "k")
        await press(pilot, "U")
        assert (session_of(pilot).number, *session_of(pilot).cursor) == (1, 1, 2)
        await press(pilot, *"2222", "U")
        assert session_of(pilot).number == 3
        await press(pilot, "a", "1", "U")
        assert (session_of(pilot).number, *session_of(pilot).cursor) == (3, 1, 2)


async def test_u_comes_round_to_what_was_left_before(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "n", "a", "a", "n", "a", "a", "U")
        assert (session_of(pilot).number, *session_of(pilot).cursor) == (1, 0, 0)
        await press(pilot, "a", "a", "U")
        assert message(pilot) == "everything is scored"


async def test_u_counts_what_was_left_out_as_done(app):
    async with app.run_test(size=WIDE) as pilot:
        for _ in range(3):
            await press(pilot, "x", "x", "n")
        await press(pilot, "U")
        assert message(pilot) == "everything is scored"


# Disagreements


def judged(helpfulness: int, language: int, rest: int = 2) -> Reply:
    scores = {"helpfulness": helpfulness, "language": language}
    scores |= dict.fromkeys(("fluency", "accuracy", "logic", "harmlessness"), rest)
    return Reply(f"ответ {helpfulness}{language}{rest}", scores)


@pytest.fixture
def disagreeing(tmp_path):
    """All 2 gives -, in the order of the rows: Δ 1 on helpfulness; Δ 2 on helpfulness; Δ 2 and 1."""
    questions = {
        "one": Question({"ru": "1"}, {"ru": [judged(1, 2)]}),
        "two": Question({"ru": "2"}, {"ru": [judged(0, 2)]}),
        "three": Question({"ru": "3"}, {"ru": [judged(1, 0)]}),
    }
    with store_of(tmp_path / "d.db", questions) as found:
        yield found


def here(pilot) -> tuple[int, str]:
    review = session_of(pilot)
    return review.number, review.view.criteria[review.cursor.criterion]


async def commit_all_as_best(pilot, numbers) -> None:
    for number in numbers:
        await press(pilot, "/", str(number), "enter", "a", "g")


async def test_d_goes_from_the_largest_disagreement_down_and_round(disagreeing):
    async with compare_app(disagreeing).run_test(size=WIDE) as pilot:
        await commit_all_as_best(pilot, (1, 2, 3))
        seen = []
        for _ in range(5):
            await press(pilot, "D")
            seen.append((*here(pilot), message(pilot)))
        assert seen[0] == (2, "helpfulness", "Δ +2 · disagreement 1 of 4, by |Δ|")
        assert seen[1] == (3, "language", "Δ +2 · disagreement 2 of 4, by |Δ|")
        assert [it[:2] for it in seen[2:]] == [(1, "helpfulness"), (3, "helpfulness"), (2, "helpfulness")]


async def test_while_blind_d_knows_only_what_is_committed(disagreeing):
    async with compare_app(disagreeing).run_test(size=WIDE) as pilot:
        await press(pilot, "a", "n", "a", "n", "a", "D")
        assert "no disagreement" in message(pilot)
        assert here(pilot)[0] == 3
        await commit_all_as_best(pilot, (1,))
        await press(pilot, "n", "D")
        assert here(pilot) == (1, "helpfulness")
        assert "1 of 1" in message(pilot)


async def test_open_d_knows_everything_that_both_have_scored(disagreeing):
    async with compare_app(disagreeing, open=True).run_test(size=WIDE) as pilot:
        await press(pilot, "D")
        assert "no disagreement" in message(pilot)
        await press(pilot, "n", "0", "D")
        assert "no disagreement" in message(pilot)
        await press(pilot, "k", "1", "D")
        assert (here(pilot), message(pilot)[:4]) == ((2, "helpfulness"), "Δ +1")


async def test_a_settled_disagreement_is_left_and_d_goes_on_after_its_place(disagreeing):
    async with compare_app(disagreeing).run_test(size=WIDE) as pilot:
        await commit_all_as_best(pilot, (1, 2, 3))
        await press(pilot, "D", "0", "D")
        assert here(pilot) == (3, "language")
        assert "1 of 3" in message(pilot)


async def test_a_settled_disagreement_skips_nothing_where_responses_came_in_another_order(tmp_path):
    questions = {
        "late": Question({"ru": "1"}, {"ru": [None]}),
        "two": Question({"ru": "2"}, {"ru": [judged(0, 2)]}),
        "three": Question({"ru": "3"}, {"ru": [judged(0, 2)]}),
    }
    with store_of(tmp_path / "d.db", questions) as engine:
        with writing(engine) as session:
            add_reply(session, 1, "model 0", judged(0, 2))
        async with compare_app(engine).run_test(size=WIDE) as pilot:
            await commit_all_as_best(pilot, (1, 2, 3))
            await press(pilot, "D", "D")
            assert here(pilot) == (2, "helpfulness")
            await press(pilot, "0", "D")
            assert here(pilot) == (3, "helpfulness")


async def test_without_a_judge_d_says_so(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "D")
        assert message(pilot) == "no judge has scored these responses"

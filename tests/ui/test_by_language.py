"""One model's responses in all languages side by side, each scored as its own."""

import re

import pytest

from store import UsageError
from tests.ui.pilot import (
    WIDE,
    compare_app,
    line_with,
    message,
    opened,
    played,
    press,
    rows,
    session_of,
    settle,
    shown,
)
from tests.ui.stores import Question, Reply, store_of
from tui.review.scoring import CriterionScore
from tui.theme import Look

pytestmark = pytest.mark.parts


SCORES = dict.fromkeys(("helpfulness", "language", "fluency", "accuracy", "logic", "harmlessness"), 1)
QUESTIONS = {
    "one": Question(
        {"en": "First", "de": "Erste", "ru": "Первый"},
        {
            "ru": [Reply("русский ответ", SCORES, "ru"), "чужой"],
            "en": [Reply("an answer", SCORES, "en"), "other"],
            "de": [Reply("eine Antwort", SCORES, "en"), None],
        },
    ),
    "two": Question({"ru": "Второй", "en": "Second"}, {"ru": ["ещё один", "x"], "en": ["another one", "x"]}),
    "three": Question({"ru": "Третий", "en": "Third"}, {"ru": [None, "x"], "en": ["the third", "x"]}),
}
ONE = {"by_language": True, "wanted": ["model 0"]}


@pytest.fixture
def engine(tmp_path):
    with store_of(tmp_path / "languages.db", QUESTIONS) as found:
        yield found


def texts(pilot) -> list[str]:
    return [answer.text for answer in session_of(pilot).row.answers]


async def test_the_languages_stand_side_by_side_the_views_own_first(engine):
    async with compare_app(engine, **ONE).run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert re.search(r"▶ ru .*─ de .*─ en ", shown(pilot))
        assert texts(pilot) == ["русский ответ", "eine Antwort", "an answer"]
        assert "чужой" not in shown(pilot)
        assert "Первый" in shown(pilot)


async def test_a_language_without_an_answer_has_no_column_and_a_row_without_the_views_own_is_there(engine):
    async with compare_app(engine, **ONE).run_test(size=WIDE) as pilot:
        await press(pilot, "n")
        assert texts(pilot) == ["ещё один", "another one"]
        await press(pilot, "n")
        assert texts(pilot) == ["the third"]
        assert "3/3" in shown(pilot)


async def test_each_response_has_its_own_scores(engine):
    async with compare_app(engine, **ONE).run_test(size=WIDE) as pilot:
        await press(pilot, "2", "l", "1", "l", "0")
        found = rows(
            engine,
            "SELECT text, score FROM current_rating JOIN response ON response.id = response_id"
            " JOIN rater ON rater.id = rater_id WHERE rater.name = 'nv' ORDER BY current_rating.id",
        )
        assert found == [("русский ответ", 2), ("eine Antwort", 1), ("an answer", 0)]


async def test_undo_goes_back_across_rows_and_languages(engine):
    async with compare_app(engine, **ONE).run_test(size=WIDE) as pilot:
        await press(pilot, "l", "l", "1", "n", "2", "u", "u")
        review = session_of(pilot)
        assert (review.number, review.answer.text) == (1, "an answer")
        assert review.left == 18
        await press(pilot, "r")
        assert review.row.answers[2].scores[0] == CriterionScore(1)
        await press(pilot, "r")
        assert review.number == 2


async def test_scores_given_by_language_are_those_of_the_other_view(engine):
    async with compare_app(engine, **ONE).run_test(size=WIDE) as pilot:
        await press(pilot, "l", "l", "2")
    review = opened(engine, language="en")
    assert sorted(answer.scores[0] for answer in review.row.answers if answer.scores[0]) == [
        CriterionScore(2)
    ]


async def test_the_place_by_language_is_kept_apart_from_the_other_view(engine):
    async with compare_app(engine, **ONE).run_test(size=WIDE) as pilot:
        await press(pilot, "n")
    assert opened(engine).number == 1
    assert opened(engine, **ONE).number == 2


async def test_the_name_is_known_and_the_journal_says_so_but_the_judge_waits_for_the_commit(engine):
    async with compare_app(engine, **ONE).run_test(size=WIDE) as pilot:
        assert "names shown" in shown(pilot)
        await press(pilot, "a", "h", "g", "0")
        found = rows(
            engine, "SELECT kind, names_shown, judge_shown FROM entry WHERE rater_id > 1 ORDER BY id"
        )
        assert found[0] == ("score", 1, 0)
        assert ("commit", 1, 0) in found
        assert shown(pilot).count("ru 0.90") == 1


async def test_an_answer_in_another_language_than_its_instruction_is_told_after_the_commit(engine):
    async with compare_app(engine, **ONE).run_test(size=WIDE) as pilot:
        await press(pilot, "l", "a", "h", "h", "l", "g")
        assert "wrong language" in line_with(pilot, "en 0.90")
        assert shown(pilot).count("· wrong language") == 1


async def test_a_commit_is_of_one_language_alone(engine):
    async with compare_app(engine, **ONE).run_test(size=WIDE) as pilot:
        await press(pilot, "a", "a", "h", "h", "g")
        assert [answer.committed for answer in session_of(pilot).row.answers] == [True, False, False]


async def test_unscored_search_comments_and_their_list_go_over_all_languages(engine):
    async with compare_app(engine, **ONE).run_test(size=WIDE) as pilot:
        await press(pilot, "a", "a", "a", "U")
        assert (session_of(pilot).number, session_of(pilot).answer.text) == (2, "ещё один")
        await press(pilot, "/", *"eine", "enter")
        assert session_of(pilot).answer.text == "eine Antwort"
        await press(pilot, "c", *"gut", "enter", "n", "n", "L")
        assert "gut" in shown(pilot)
        await press(pilot, "enter")
        assert session_of(pilot).answer.text == "eine Antwort"


async def test_errors_are_marked_in_the_response_of_that_language(engine):
    async with compare_app(engine, **ONE).run_test(size=WIDE) as pilot:
        await press(pilot, "l", "e", "right", "enter", "3", "1", "q")
        assert played(pilot, Look.ERROR) == ["Antwort"]


def test_one_model_must_be_named_where_several_have_answered(engine):
    with pytest.raises(UsageError, match=r"name it with --models\. There are: model 0, model 1"):
        opened(engine, by_language=True)
    with pytest.raises(UsageError, match="name it"):
        opened(engine, by_language=True, wanted=["model 0", "model 1"])


async def test_a_filter_counts_the_responses_of_all_languages(engine):
    async with compare_app(engine, **ONE).run_test(size=WIDE) as pilot:
        await press(pilot, "l", "1", "f")
        assert line_with(pilot, "helpfulness 1").split()[-1] == "1"
        assert line_with(pilot, "not scored on every").split()[-1] == "6"
        await press(pilot, "escape", "D")
        assert "no disagreement" in message(pilot)

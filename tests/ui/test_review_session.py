"""A reviewer at work without a terminal: what is saved, what comes back, and what is never lost."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from store import UsageError, open_store
from store.labels import labels_by_key
from store.queries import models, responses
from store.session import reading, writing
from tests.ui.conftest import JUDGE, MODELS
from tui.review.saving import NotSaved
from tui.review.scoring import SKIPPED, CriterionScore, ScoreCell
from tui.review.session import ActionResult, ReviewSession
from tui.review.view import open_view

pytestmark = pytest.mark.parts


def opened(engine: Engine, **options) -> ReviewSession:
    view = open_view(engine, **{"language": "ru", "reviewer": "nv", **options})
    return ReviewSession(engine, view)


def rows(engine: Engine, query: str) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def scores(review: ReviewSession, *values: int) -> None:
    for value in values:
        review.score(value)


def test_the_row_shows_the_instruction_its_translation_and_every_response(review):
    assert review.row.text == "Привет, как играть в бадминтон?"
    assert review.row.translation == "Hi, how do I play badminton?"
    assert [answer.label for answer in review.row.answers] == ["A", "B", "C", "D"]
    assert review.view.judge.name == JUDGE
    assert review.left == 24


def test_six_digits_score_a_response_and_lead_to_the_next(engine, review):
    scores(review, 2, 2, 1, 0, 1, 2)
    assert review.cursor == ScoreCell(1, 0)
    again = opened(engine)
    assert again.row.answers[0].scores == tuple(CriterionScore(value) for value in (2, 2, 1, 0, 1, 2))


def test_after_the_last_column_the_cursor_stays_and_says_how_to_go_on(review):
    review.move(columns=3, criteria=5)
    assert "n goes to the next instruction" in review.score(2).message
    assert review.cursor == ScoreCell(3, 5)


def test_language_0_is_one_action_that_undo_takes_back_whole(engine, review):
    review.score(2)
    assert "left out" in review.score(0).message
    assert review.row.answers[0].scores == (
        CriterionScore(2),
        CriterionScore(0),
        SKIPPED,
        SKIPPED,
        SKIPPED,
        SKIPPED,
    )
    review.undo()
    assert review.row.answers[0].scores == (CriterionScore(2), None, None, None, None, None)
    assert review.cursor == ScoreCell(0, 1)
    review.redo()
    assert opened(engine).row.answers[0].complete


def test_undo_works_across_rows_and_restarts(engine, review):
    review.wrong_language()
    review.go(1)
    review.close()
    again = opened(engine)
    assert again.number == 2
    outcome = again.undo()
    assert outcome.new_row
    assert again.number == 1
    assert again.row.answers[0].scores == (None,) * 6


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The SQL statements that are sent meanwhile."""
    sent: list[str] = []

    def listen(_connection, _cursor, statement, *_) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    yield sent
    event.remove(engine, "before_cursor_execute", listen)


ACTIONS = {
    "a score": lambda review: review.score(2),
    "the best on every criterion": lambda review: review.score_best(),
    "the wrong language": lambda review: review.wrong_language(),
    "a comment": lambda review: review.comment("Гм."),
    "a span": lambda review: review.mark_span(0, 1, "grammar", "minor"),
}


@pytest.mark.parametrize("act", ACTIONS.values(), ids=ACTIONS)
def test_undo_and_redo_take_at_most_15_statements(engine, review, act):
    before = review.row
    act(review)
    scored = review.row
    with statements(engine) as undoing:
        review.undo()
    with statements(engine) as redoing:
        review.redo()
    assert review.row.answers == scored.answers
    review.undo()
    assert review.row.answers == before.answers
    assert len(undoing) <= 15, undoing
    assert len(redoing) <= 15, redoing


def test_undo_in_another_row_takes_at_most_15_statements_more_than_opening_it(engine, review):
    review.score(2)
    review.go(1)
    with statements(engine) as opening:
        review.go(-1)
    review.go(1)
    with statements(engine) as undoing:
        assert review.undo().new_row
    assert len(undoing) <= len(opening) + 15, undoing


def test_undo_in_another_row_is_seen_although_that_row_was_read_ahead(review):
    review.score(2)
    first = review.row.key
    review.go(1)
    review.loader.read_ahead([first])
    review.undo()
    review.go(1)
    review.go(-1)
    assert review.row.key == first
    assert review.row.answers[0].scores == (None,) * 6


def test_undo_leaves_another_view_alone(engine):
    names_in_order = opened(engine, open=True)
    names_in_order.score(2)
    other = opened(engine, wanted=sorted(MODELS)[1:])
    before = rows(engine, "SELECT count(*) FROM entry")
    assert "another view" in other.undo().message
    assert rows(engine, "SELECT count(*) FROM entry") == before


def test_clear_takes_one_mark_away_and_undo_brings_it_back(review):
    review.score(1)
    review.move(criteria=-1)
    review.clear()
    assert review.answer.scores[0] is None
    review.undo()
    assert review.answer.scores[0] == CriterionScore(1)


def test_only_a_complete_response_is_committed_and_later_scores_say_that_the_judge_was_shown(engine, review):
    scores(review, 2, 2)
    assert "4 to score" in review.commit().message
    assert not review.answer.committed
    scores(review, 2, 2, 2, 2)
    review.commit_all()
    assert [answer.committed for answer in review.row.answers] == [True, False, False, False]
    review.move(columns=-1)
    review.score(0)
    shown = rows(
        engine,
        "SELECT kind, judge_shown FROM entry WHERE rater_id ="
        " (SELECT id FROM rater WHERE name = 'nv') ORDER BY id",
    )
    assert shown == [("score", 0)] * 6 + [("commit", 0), ("score", 1)]
    review.undo()
    assert rows(engine, "SELECT kind, judge_shown FROM entry ORDER BY id DESC LIMIT 1") == [("undo", 1)]


def test_open_shows_names_in_the_views_order_and_the_journal_says_so(engine):
    review = opened(engine, open=True)
    assert [answer.label for answer in review.row.answers] == sorted(MODELS)
    review.score(1)
    assert rows(engine, "SELECT names_shown FROM entry ORDER BY id DESC LIMIT 1") == [(1,)]
    assert rows(engine, "SELECT count(*) FROM presentation") == [(0,)]


def test_the_columns_are_written_down_and_read_back_and_late_responses_come_last(engine, review):
    before = [answer.response_id for answer in review.row.answers]
    assert len(rows(engine, "SELECT * FROM presentation")) == 4
    with writing(engine) as session:
        new = {
            "instruction_id": review.row.instruction_id,
            "model_id": models.model_id(session, "a late model"),
            "decoding_id": models.decoding_id(session, "imported", None, {}),
            "text": "поздний ответ",
        }
        responses.add_responses(session, [new])
    after = opened(engine)
    assert [answer.response_id for answer in after.row.answers][:4] == before
    assert after.row.answers[4].text == "поздний ответ"


def test_leaving_out_models_moves_no_label(engine, review):
    labels = {answer.response_id: answer.label for answer in review.row.answers}
    few = opened(engine, wanted=[MODELS[0], MODELS[3]])
    assert len(few.row.answers) == 2
    assert all(labels[answer.response_id] == answer.label for answer in few.row.answers)


def test_the_place_comes_back(engine, review):
    review.go(1)
    review.move(columns=2, criteria=3)
    review.close()
    again = opened(engine)
    assert (again.number, again.cursor) == (2, ScoreCell(2, 3))


def test_the_place_is_saved_with_each_score_and_not_with_each_move(engine, review):
    review.move(criteria=3)
    review.score(2)
    review.move(columns=2)
    assert opened(engine).cursor == ScoreCell(0, 4)


def test_the_instruction_is_remembered_without_a_proper_end(engine, review):
    review.go(1)
    assert opened(engine).number == 2


def test_next_unscored_goes_through_the_row_the_later_rows_and_round(review):
    def next_unscored() -> ActionResult:
        return review.next_open() or review.go_to(review.navigator.next_unscored(review.row.position))

    for _ in MODELS:
        review.score_best()
    assert next_unscored().new_row
    assert review.number == 2
    review.go(1)
    for _ in MODELS:
        review.score_best()
    assert next_unscored().new_row
    assert (review.number, review.cursor) == (2, ScoreCell(0, 0))
    for _ in MODELS:
        review.wrong_language()
    assert next_unscored().message == "everything is scored"


def test_there_is_nothing_before_the_first_and_after_the_last_instruction(review):
    assert "first" in review.go(-1).message
    review.go(1)
    review.go(1)
    assert "last" in review.go(1).message
    assert review.number == 3


def test_a_score_that_cannot_be_saved_is_not_kept(store_path: Path, engine, review):
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=50")
        connection.rollback()
    blocker = sqlite3.connect(store_path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    for action in (lambda: review.score(2), review.undo, lambda: review.go(1)):
        with pytest.raises(NotSaved, match="another program is writing"):
            action()
    assert "another program" in review.close()
    blocker.rollback()
    blocker.close()
    assert review.row.answers[0].scores == (None,) * 6
    assert (review.cursor, review.number) == (ScoreCell(0, 0), 1)
    review.score(2)
    assert opened(engine).row.answers[0].scores[0] == CriterionScore(2)


def test_the_time_to_a_score_is_counted_from_when_the_response_came_on_show(engine):
    now = [100.0]
    view = open_view(engine, language="ru", reviewer="nv")
    review = ReviewSession(engine, view, clock=lambda: now[0])
    review.shows([review.answer.response_id])
    now[0] = 103.5
    review.shows([review.answer.response_id])
    review.score(2)
    assert rows(engine, "SELECT looked_ms FROM entry ORDER BY id DESC LIMIT 1") == [(3500,)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"language": "fi"}, r"paper/1: ru \(12\)"),
        ({"wanted": ["gpt-9"]}, "gpt-3.5"),
        ({"suite": "exam"}, "paper/1"),
    ],
)
def test_what_is_not_there_is_answered_with_what_there_is(engine, wrong, message):
    with pytest.raises(UsageError, match=message):
        opened(engine, **wrong)


def test_a_store_without_responses_says_how_to_get_some(tmp_path):
    engine = open_store(tmp_path / "empty.db", create=True)
    with pytest.raises(UsageError, match="no responses yet"):
        opened(engine)


def test_a_model_under_two_decodings_is_told_apart(engine, review):
    with writing(engine) as session:
        new = {
            "instruction_id": review.row.instruction_id,
            "model_id": models.model_id(session, MODELS[0]),
            "decoding_id": models.decoding_id(session, "llama.cpp", "Q4_K_M", {}),
            "text": "другой",
        }
        responses.add_responses(session, [new])
    names = labels_by_key(open_view(engine, language="ru", reviewer="nv").sources).values()
    assert f"{MODELS[0]} (imported)" in names
    assert f"{MODELS[0]} (llama.cpp Q4_K_M)" in names
    assert MODELS[1] in names


def test_a_row_that_was_read_ahead_is_taken_without_reading_it_again(review, engine, monkeypatch):
    [key] = review.neighbours([1])
    review.loader.read_ahead([key])
    monkeypatch.setattr(review.loader, "load", lambda *arguments, **options: pytest.fail("read again"))
    with reading(engine) as session:
        assert review.loader.take(session, key).row.key == key

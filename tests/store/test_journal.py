"""The journal of ratings: append-only, with undo and redo that survive a restart."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from store import open_store
from store.queries import journal, models, notes, raters, responses, rubrics, suites
from store.queries.journal import Score
from store.session import reading, writing

pytestmark = pytest.mark.parts


@pytest.fixture
def room(new_store):
    """A store with one response, one rubric of two criteria and one reviewer."""
    engine = open_store(new_store, create=True)
    with writing(engine) as session:
        suite, _ = suites.add_suite(session, "s", "1", [suites.NewInstruction("a", "ru", "Привет?")])
        instruction = suites.instructions_of(session, suite, "ru")[0].id
        rows = {
            "instruction_id": instruction,
            "model_id": models.model_id(session, "m"),
            "decoding_id": models.decoding_id(session, "imported", None, {}),
            "text": "Привет.",
        }
        responses.add_responses(session, [rows])
        rater = raters.rater_id(session, "human", "nv")
        rubric = rubrics.rubric_id(session, "r", "1", [{"name": "helpfulness"}, {"name": "language"}])
        first, second = (found.id for found in rubrics.criteria_of(session, rubric))
    yield engine, rater, first, second
    engine.dispose()


def scores(engine, rater) -> dict[int, tuple[int | None, bool]]:
    with reading(engine) as session:
        return {s.criterion_id: (s.score, s.skipped) for s in journal.current_ratings(session, rater, [1])}


def put(engine, rater, *new: Score) -> None:
    with writing(engine) as session:
        journal.append(session, rater, list(new))


def step(engine, rater, action) -> int | None:
    with writing(engine) as session:
        return action(session, rater)


def test_the_last_score_is_the_current_one_and_the_earlier_ones_stay(room):
    engine, rater, first, _ = room
    for value in (0, 2, 1):
        put(engine, rater, Score(1, first, value))
    assert scores(engine, rater) == {first: (1, False)}
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM rating")).scalar() == 3


@pytest.mark.parametrize("table", ["entry", "rating", "comment", "error_span"])
@pytest.mark.parametrize("change", ["UPDATE {} SET rater_id = 1", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_the_journal(room, table, change):
    engine, rater, first, _ = room
    put(engine, rater, Score(1, first, 2))
    with writing(engine) as session:
        notes.set_comment(session, rater, [1], "good")
        notes.mark_span(session, rater, [1], 0, 1, "fluency", "minor")
    with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
        connection.execute(text(change.format(table)))


def test_undo_restores_what_stood_before_and_redo_brings_it_back(room):
    engine, rater, first, second = room
    put(engine, rater, Score(1, first, 1))
    put(engine, rater, Score(1, first, 2), Score(1, second, 0))
    assert step(engine, rater, journal.undo) == 1
    assert scores(engine, rater) == {first: (1, False)}
    assert step(engine, rater, journal.undo) == 1
    assert scores(engine, rater) == {}
    assert step(engine, rater, journal.undo) is None
    step(engine, rater, journal.redo)
    assert scores(engine, rater) == {first: (1, False)}
    step(engine, rater, journal.redo)
    assert scores(engine, rater) == {first: (2, False), second: (0, False)}
    assert step(engine, rater, journal.redo) is None


def test_undo_after_undo_and_a_new_score_goes_past_what_was_dropped(room):
    engine, rater, first, _ = room
    put(engine, rater, Score(1, first, 0))
    put(engine, rater, Score(1, first, 1))
    step(engine, rater, journal.undo)
    put(engine, rater, Score(1, first, 2))
    assert step(engine, rater, journal.redo) is None
    step(engine, rater, journal.undo)
    assert scores(engine, rater) == {first: (0, False)}
    step(engine, rater, journal.undo)
    assert scores(engine, rater) == {}


def test_undo_of_a_redo_takes_it_back_again(room):
    engine, rater, first, _ = room
    put(engine, rater, Score(1, first, 2))
    for action in (journal.undo, journal.redo, journal.undo):
        step(engine, rater, action)
    assert scores(engine, rater) == {}


def test_wrong_language_skips_are_kept_apart_from_cleared_scores(room):
    engine, rater, first, second = room
    put(engine, rater, Score(1, second, 0), Score(1, first, None, skipped=True))
    assert scores(engine, rater) == {first: (None, True), second: (0, False)}
    put(engine, rater, Score(1, first, None))
    assert scores(engine, rater) == {second: (0, False)}


def test_raters_do_not_undo_each_other(room):
    engine, rater, first, _ = room
    put(engine, rater, Score(1, first, 2))
    with writing(engine) as session:
        other = raters.rater_id(session, "human", "other")
        assert journal.undo(session, other) is None
    assert scores(engine, rater) == {first: (2, False)}


def test_a_commit_is_kept_and_is_not_undone(room):
    engine, rater, first, _ = room
    put(engine, rater, Score(1, first, 2))
    with writing(engine) as session:
        journal.commit_response(session, rater, 1)
        journal.undo(session, rater)
        assert journal.committed_responses(session, rater, [1]) == {1}
    assert scores(engine, rater) == {}

"""Comments and error spans: journaled like scores, undone and redone with them, and listed as they stand."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from store import UsageError, open_store
from store.queries import journal, models, notes, raters, responses, rubrics, suites
from store.queries.journal import Score, Shown
from store.queries.notes import Span
from store.session import reading, writing

pytestmark = pytest.mark.parts


TEXTS = {"a": "Привет, \U0001f1eb\U0001f1f7 мир!", "b": "Bonjour", "c": "Salut"}
SUITE = 1


@pytest.fixture
def room(new_store):
    """Instructions a, b, c in ru (responses 1, 2, 3), a in fr (response 4); one criterion, one reviewer."""
    engine = open_store(new_store, create=True)
    with writing(engine) as session:
        new = [suites.NewInstruction(key, "ru", "?") for key in TEXTS] + [
            suites.NewInstruction("a", "fr", "?")
        ]
        suite, _ = suites.add_suite(session, "s", "1", new)
        model = models.model_id(session, "m")
        decoding = models.decoding_id(session, "imported", None, {})
        for language in ("ru", "fr"):
            for instruction in suites.instructions_of(session, suite, language):
                row = {"instruction_id": instruction.id, "model_id": model, "decoding_id": decoding}
                responses.add_responses(session, [{**row, "text": TEXTS[instruction.key]}])
        rater = raters.rater_id(session, "human", "nv")
        rubric = rubrics.rubric_id(session, "r", "1", [{"name": "helpfulness"}])
        (criterion,) = (found.id for found in rubrics.criteria_of(session, rubric))
    yield engine, rater, criterion
    engine.dispose()


def do(engine, action, *args, **kwargs):
    with writing(engine) as session:
        return action(session, *args, **kwargs)


def ask(engine, question, *args):
    with reading(engine) as session:
        return question(session, *args)


def stand(engine, rater) -> tuple[dict, dict, int | None]:
    """The comments, the spans and the score (of the first response) as they stand."""
    with reading(engine) as session:
        scores = [score.score for score in journal.current_ratings(session, rater, [1])]
        ids = [1, 2, 3, 4]
        return (
            notes.comments_of(session, rater, ids),
            notes.spans_of(session, rater, ids),
            scores[0] if scores else None,
        )


def test_the_last_comment_counts_and_an_empty_one_takes_it_away(room):
    engine, rater, _ = room
    for said in ("first", "second\nline"):
        do(engine, notes.set_comment, rater, [1], said)
    do(engine, notes.set_comment, rater, [2], "other")
    assert ask(engine, notes.comments_of, rater, [1, 2, 3]) == {1: "second\nline", 2: "other"}
    do(engine, notes.set_comment, rater, [1], "")
    assert ask(engine, notes.comments_of, rater, [1, 2, 3]) == {2: "other"}
    assert ask(engine, notes.comments_of, rater, []) == {}
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM comment")).scalar() == 4


def test_one_action_may_concern_several_responses_and_is_undone_as_one(room):
    engine, rater, _ = room
    do(engine, notes.set_comment, rater, [3], "before")
    entry = do(engine, notes.set_comment, rater, [1, 2, 3], "both", Shown(looked_ms=5, judge=True))
    with engine.connect() as connection:
        row = connection.execute(text(f"SELECT * FROM entry WHERE id = {entry}")).one()
    assert (row.kind, row.response_id, row.looked_ms, row.judge_shown, row.names_shown) == (
        "comment", 1, 5, True, False,
    )  # fmt: skip
    assert ask(engine, notes.comments_of, rater, [1, 2, 3]) == {1: "both", 2: "both", 3: "both"}
    assert do(engine, journal.undo, rater) == 1
    assert ask(engine, notes.comments_of, rater, [1, 2, 3]) == {3: "before"}


def test_a_span_is_known_by_its_place_and_category(room):
    engine, rater, _ = room
    do(engine, notes.mark_span, rater, [1, 4], 8, 10, "fluency", "minor")
    do(engine, notes.mark_span, rater, [1], 0, 6, "fluency", "minor", "wrong")
    do(engine, notes.mark_span, rater, [1], 8, 10, "accuracy", "major")
    do(engine, notes.mark_span, rater, [1], 8, 10, "fluency", "major", "a flag")
    assert ask(engine, notes.spans_of, rater, [1, 2, 3, 4]) == {
        1: [
            Span(0, 6, "fluency", "minor", "wrong"),
            Span(8, 10, "accuracy", "major"),
            Span(8, 10, "fluency", "major", "a flag"),
        ],
        4: [Span(8, 10, "fluency", "minor")],
    }
    do(engine, notes.remove_span, rater, [1], 8, 10, "fluency")
    assert [span.category for span in ask(engine, notes.spans_of, rater, [1])[1]] == ["fluency", "accuracy"]


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 3), (4, 2), (6, 8), (8, 9)])
def test_a_span_outside_of_one_of_the_responses_is_refused_and_leaves_nothing(room, start, end):
    engine, rater, _ = room
    with pytest.raises(UsageError, match="response 2, which has 7 characters"):
        do(engine, notes.mark_span, rater, [2, 1], start, end, "fluency", "minor")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM entry")).scalar() == 0


def test_a_span_may_cover_a_whole_response(room):
    engine, rater, _ = room
    do(engine, notes.mark_span, rater, [2], 0, len(TEXTS["b"]), "fluency", "minor")
    assert [it.text for it in ask(engine, notes.list_notes, rater, SUITE, "ru")] == [TEXTS["b"]]


def test_the_database_itself_refuses_a_span_without_characters(room):
    engine, rater, _ = room
    do(engine, notes.mark_span, rater, [1], 0, 1, "fluency", "minor")
    with pytest.raises(DatabaseError), engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO error_span (entry_id, response_id, rater_id, start_offset, end_offset, category,"
                " severity, note, present) VALUES (1, 1, 1, 3, 3, 'fluency', 'minor', '', true)"
            )
        )


def test_scores_comments_and_spans_are_one_history_across_restarts(room, new_store):
    engine, rater, criterion = room
    seen = [stand(engine, rater)]

    def act(action, *args) -> None:
        do(engine, action, rater, *args)
        seen.append(stand(engine, rater))

    act(notes.set_comment, [1], "one")
    act(journal.append, [Score(1, criterion, 2)])
    act(notes.mark_span, [1], 0, 6, "fluency", "minor")
    act(notes.set_comment, [1], "two")
    act(notes.mark_span, [1], 0, 6, "fluency", "major", "worse")
    act(journal.append, [Score(1, criterion, 0)])
    act(notes.remove_span, [1], 0, 6, "fluency")
    act(notes.set_comment, [1], "")
    engine.dispose()
    engine = open_store(new_store)
    for before in reversed(seen[:-1]):
        assert do(engine, journal.undo, rater) == 1
        assert stand(engine, rater) == before
    assert do(engine, journal.undo, rater) is None
    for after in seen[1:]:
        assert do(engine, journal.redo, rater) == 1
        assert stand(engine, rater) == after
    assert do(engine, journal.redo, rater) is None
    engine.dispose()


@pytest.mark.parametrize(
    "action",
    [
        lambda session, rater, _: notes.set_comment(session, rater, [2], "new"),
        lambda session, rater, _: notes.mark_span(session, rater, [2], 0, 1, "fluency", "minor"),
        lambda session, rater, _: notes.remove_span(session, rater, [2], 0, 1, "fluency"),
        lambda session, rater, criterion: journal.append(session, rater, [Score(2, criterion, 1)]),
    ],
)
def test_nothing_is_redone_after_something_new(room, action):
    engine, rater, criterion = room
    do(engine, notes.set_comment, rater, [1], "one")
    do(engine, journal.undo, rater)
    do(engine, action, rater, criterion)
    assert do(engine, journal.redo, rater) is None
    assert do(engine, journal.undo, rater) == 2
    assert do(engine, journal.redo, rater) == 2


def test_a_commit_does_not_stand_in_the_way_of_undo_and_redo(room):
    engine, rater, _ = room
    do(engine, notes.set_comment, rater, [1], "one")
    do(engine, journal.commit_response, rater, 1)
    assert do(engine, journal.undo, rater) == 1
    do(engine, journal.commit_response, rater, 2)
    assert do(engine, journal.redo, rater) == 1
    assert ask(engine, notes.comments_of, rater, [1]) == {1: "one"}


def test_the_notes_of_other_raters_are_theirs(room):
    engine, rater, _ = room
    with writing(engine) as session:
        other = raters.rater_id(session, "human", "other")
    do(engine, notes.set_comment, rater, [1], "mine")
    do(engine, notes.mark_span, rater, [1], 0, 1, "fluency", "minor")
    do(engine, notes.set_comment, other, [1], "theirs")
    do(engine, notes.remove_span, other, [1], 0, 1, "fluency")
    assert do(engine, journal.undo, other) == 1
    assert stand(engine, rater)[:2] == ({1: "mine"}, {1: [Span(0, 1, "fluency", "minor")]})
    assert ask(engine, notes.comments_of, other, [1]) == {1: "theirs"}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\r\nb\x1b[2J\u202e\u2028\x9b=1+1 ", "a\r\nb\x1b[2J\u202e\u2028\x9b=1+1 "),
        ("nul\x00 half\ud83d pair\udca9", "nul\ufffd half\ufffd pair\ufffd"),
        ("\U0001f4a9" * 300_000, "\U0001f4a9" * 300_000),
    ],
)
def test_any_text_is_kept_but_what_no_database_can_hold(room, typed, kept):
    engine, rater, _ = room
    do(engine, notes.set_comment, rater, [1], typed)
    do(engine, notes.mark_span, rater, [1], 0, 1, "fluency", "minor", typed)
    assert ask(engine, notes.comments_of, rater, [1]) == {1: kept}
    assert ask(engine, notes.spans_of, rater, [1])[1][0].note == kept


def test_notes_are_listed_in_the_suites_order_with_what_they_are_about(room):
    engine, rater, _ = room
    with writing(engine) as session:
        other = raters.rater_id(session, "human", "amy")
    do(engine, notes.set_comment, rater, [3], "late")
    do(engine, notes.mark_span, rater, [1], 11, 14, "accuracy", "major", "which?")
    do(engine, notes.mark_span, rater, [1], 8, 10, "fluency", "minor")
    do(engine, notes.set_comment, rater, [1, 4], "said")
    do(engine, notes.mark_span, other, [2], 0, 3, "fluency", "minor")
    do(engine, notes.mark_span, other, [2], 0, 1, "fluency", "minor")
    do(engine, notes.remove_span, other, [2], 0, 1, "fluency")
    every = ask(engine, notes.list_notes, None, SUITE, "ru")
    assert [(it.position, it.key, it.response_id, it.rater, it.kind, it.text) for it in every] == [
        (0, "a", 1, "nv", "comment", "said"),
        (0, "a", 1, "nv", "span", "\U0001f1eb\U0001f1f7"),
        (0, "a", 1, "nv", "span", "мир"),
        (1, "b", 2, "amy", "span", "Bon"),
        (2, "c", 3, "nv", "comment", "late"),
    ]
    assert (every[0].start, every[0].end, every[0].category, every[0].note) == (None, None, "", "")
    found = every[2]
    assert (found.start, found.end, found.category, found.severity, found.note) == (
        11, 14, "accuracy", "major", "which?",
    )  # fmt: skip
    assert found.created_at.tzinfo is not None
    assert ask(engine, notes.list_notes, other, SUITE, "ru") == every[3:4]
    assert [it.response_id for it in ask(engine, notes.list_notes, rater, SUITE, "fr")] == [4]

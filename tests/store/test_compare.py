"""What the compare screen asks of the store: views, sources, surface metrics, reviewers' memory."""

import pytest
from sqlalchemy import text

from store import UsageError, open_store
from store.queries import (
    compare,
    journal,
    models,
    notes,
    raters,
    responses,
    reviewers,
    rubrics,
    suites,
    surface,
)
from store.queries.journal import Score
from store.session import reading, writing

pytestmark = pytest.mark.parts


@pytest.fixture
def room(new_store):
    """Two suites; the first has responses of two models in ru and fr, the second none."""
    engine = open_store(new_store, create=True)
    with writing(engine) as session:
        new = [
            suites.NewInstruction(key, language, f"{key} {language}")
            for key in "abc"
            for language in ("ru", "fr", "en")
        ]
        suite, _ = suites.add_suite(session, "first", "1", new)
        suites.add_suite(session, "second", "1", [suites.NewInstruction("z", "ru", "z")])
        decoding = models.decoding_id(session, "imported", None, {})
        for language in ("ru", "fr"):
            for instruction in suites.instructions_of(session, suite, language):
                if instruction.key == "c" and language == "fr":
                    continue
                row = {"instruction_id": instruction.id, "decoding_id": decoding, "text": "да"}
                names = ("m2", "m1") if instruction.key != "c" else ("m2",)
                responses.add_responses(
                    session, [{**row, "model_id": models.model_id(session, name)} for name in names]
                )
        criteria = [row.id or 0 for row in rubrics.criteria_of(session, rubrics.default_rubric_id(session))]
        rater = raters.rater_id(session, "human", "nv")
    yield engine, suite, criteria, rater
    engine.dispose()


def test_the_last_suite_with_responses_in_the_language_is_meant(room):
    engine, *_ = room
    with reading(engine) as session:
        assert compare.suite_with_responses(session, "ru", None).label == "first/1"
        assert compare.suite_with_responses(session, "fr", "first").label == "first/1"


@pytest.mark.parametrize(
    ("language", "label", "message"),
    [
        ("fi", None, r"'fi'. Languages with responses: first/1: fr \(4\), ru \(5\)\."),
        ("en", None, r"fr \(4\), ru \(5\)"),
        ("ru", "second/1", "second/1 has no responses yet. These have: first/1"),
        ("ru", "third", "It holds: first/1, second/1"),
    ],
)
def test_what_is_missing_is_answered_with_what_is_there(room, language, label, message):
    engine, *_ = room
    with reading(engine) as session, pytest.raises(UsageError, match=message):
        compare.suite_with_responses(session, language, label)


def test_sources_come_by_name(room):
    engine, suite, *_ = room
    with reading(engine) as session:
        assert [source.model for source in compare.sources_of(session, suite, "ru")] == ["m1", "m2"]


def test_sources_are_found_whatever_else_the_store_holds(room):
    """Several decodings and samples of a model, and sources that answered another suite or language only."""
    engine, suite, *_ = room
    with writing(engine) as session:
        (elsewhere,) = suites.instructions_of(session, suites.find_suite(session, "second").id, "ru")
        russian, french = (suites.instructions_of(session, suite, code) for code in ("ru", "fr"))
        plain, drawn = (models.decoding_id(session, engine, None, {}) for engine in ("imported", "llama.cpp"))
        places = [
            (elsewhere, "m0", plain, 0),
            (french[0], "m1", drawn, 0),
            (russian[2], "m1", drawn, 7),
            (russian[0], "m2", plain, 1),
            (russian[2], "m9", drawn, 0),
        ]
        new = [
            {
                "instruction_id": instruction.id,
                "model_id": models.model_id(session, model),
                "decoding_id": decoding,
                "sample": sample,
                "text": "да",
            }
            for instruction, model, decoding, sample in places
        ]
        responses.add_responses(session, new)

        def found(suite_id: int, language: str) -> list[tuple[str, str, int]]:
            return [
                (it.model, it.engine, it.sample) for it in compare.sources_of(session, suite_id, language)
            ]

        m1, m2 = ("m1", "imported", 0), ("m2", "imported", 0)
        assert found(suite, "ru") == [
            m1,
            ("m1", "llama.cpp", 7),
            m2,
            ("m2", "imported", 1),
            ("m9", "llama.cpp", 0),
        ]
        assert found(suite, "fr") == [m1, ("m1", "llama.cpp", 0), m2]
        assert found(suite, "en") == []
        assert found(elsewhere.suite_id, "ru") == [("m0", "imported", 0)]


def test_a_store_without_responses_has_no_sources(new_store):
    engine = open_store(new_store, create=True)
    with reading(engine) as session:
        assert compare.sources_of(session, 1, "ru") == []


def test_an_empty_table_has_the_highest_id_zero(new_store):
    engine = open_store(new_store, create=True)
    with reading(engine) as session:
        assert compare.highest_ids(session) == (0, 0, 0, 0, 0)
    engine.dispose()


def test_the_highest_ids_tell_that_something_was_written(room):
    engine, _, criteria, rater = room
    metric = {"response_id": 1, "metric": "language", "label": "ru", "tool": "one", "value": 0.5}
    writes = {
        "entry": lambda session: journal.append(session, rater, [Score(1, criteria[0], 2)]),
        "surface_metric": lambda session: surface.add_metrics(session, [metric]),
        "comment": lambda session: notes.set_comment(session, rater, [1], "x"),
        "error_span": lambda session: notes.mark_span(session, rater, [1], 0, 1, "fluency", "minor"),
    }
    with writing(engine) as session:
        before = compare.highest_ids(session)
        assert before == (9, 0, 0, 0, 0)
        for table, write in writes.items():
            write(session)
            after = compare.highest_ids(session)
            assert getattr(after, table) == getattr(before, table) + 1
            before = after


def test_the_translation_is_the_same_key_in_the_other_language(room):
    engine, suite, *_ = room
    with reading(engine) as session:
        instruction = suites.instructions_of(session, suite, "ru")[1]
        assert compare.translation_of(session, instruction, "en") == "b en"
        assert compare.translation_of(session, instruction, "de") is None
        assert compare.translation_of(session, instruction, "ru") is None


def test_of_several_tools_the_last_measured(room):
    engine, *_ = room
    row = {"response_id": 1, "metric": "language", "label": "ru"}
    with writing(engine) as session:
        surface.add_metrics(session, [{**row, "tool": "one", "value": 0.5}])
        surface.add_metrics(session, [{**row, "tool": "two", "value": 0.9}])
        assert compare.surface_of(session, [1, 2]) == {1: {"language": compare.MeasuredMetric(0.9, "ru")}}


def test_the_first_presentation_of_a_response_stays(room):
    engine, *_, rater = room
    with writing(engine) as session:
        reviewers.present(session, rater, {1: 1, 2: 0})
        reviewers.present(session, rater, {1: 0, 3: 2})
        assert reviewers.presented(session, rater, [1, 2, 3, 4]) == {1: 1, 2: 0, 3: 2}


def test_a_bookmark_is_one_row_for_each_view(room):
    engine, *_, rater = room
    with writing(engine) as session:
        for instruction, criterion in ((1, "logic"), (2, "fluency")):
            reviewers.save_bookmark(session, rater, "compare first/1 ru", instruction, 1, criterion)
        mark = reviewers.bookmark_of(session, rater, "compare first/1 ru")
        assert mark is not None
        assert (mark.instruction_id, mark.criterion) == (2, "fluency")
        assert session.connection().execute(text("SELECT count(*) FROM bookmark")).scalar() == 1
        assert reviewers.bookmark_of(session, rater, "compare first/1 fr") is None

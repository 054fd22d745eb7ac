"""What the compare screen asks of the store: views, sources, judges, surface metrics, reviewers' memory."""

from pathlib import Path

import pytest
from sqlalchemy import event, text

from store import UsageError, open_store
from store.queries import compare, journal, models, responses, reviewers, rubrics, suites, surface
from store.queries.journal import Score
from store.session import reading, writing


@pytest.fixture
def room(tmp_path: Path):
    """Two suites; the first has responses of two models in ru and fr, the second none."""
    engine = open_store(tmp_path / "s.db", create=True)
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
        criteria = [row.id or 0 for row in models.criteria_of(session, rubrics.default_rubric_id(session))]
        rater = models.rater_id(session, "human", "nv")
    yield engine, suite, criteria, rater
    engine.dispose()


def keys(session, suite: int, *names: str) -> list[compare.SourceKey]:
    return [it.key for it in compare.sources_of(session, suite, "ru") if not names or it.model in names]


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


def test_sources_come_by_name_and_instructions_in_the_suites_order(room):
    engine, suite, *_ = room
    with reading(engine) as session:
        assert [source.model for source in compare.sources_of(session, suite, "ru")] == ["m1", "m2"]
        every = compare.answered_by(session, suite, "ru", keys(session, suite))
        assert [compare.instruction_of(session, found).key for found in every] == ["a", "b", "c"]
        assert compare.answered_by(session, suite, "ru", keys(session, suite, "m1")) == every[:2]


def test_the_translation_is_the_same_key_in_the_other_language(room):
    engine, suite, *_ = room
    with reading(engine) as session:
        instruction = suites.instructions_of(session, suite, "ru")[1]
        assert compare.translation_of(session, instruction, "en") == "b en"
        assert compare.translation_of(session, instruction, "de") is None
        assert compare.translation_of(session, instruction, "ru") is None


def test_the_judge_is_the_llm_that_rated_last_and_else_the_rule(room):
    engine, _, criteria, rater = room
    with writing(engine) as session:
        journal.append(session, rater, [Score(1, criteria[0], 0)])
        assert compare.judge_scores(session, [1, 2], criteria) is None
        rule = models.rater_id(session, "rule", "answers")
        old, new = (models.rater_id(session, "llm", name) for name in ("gpt-3.5", "gpt-4"))
        journal.append(session, rule, [Score(1, criteria[0], 0)])
        found = compare.judge_scores(session, [1, 2], criteria)
        assert found == compare.JudgeScores("answers", "rule", {(1, criteria[0]): (0, False)})
        journal.append(session, new, [Score(1, criteria[0], 1), Score(2, criteria[1], 2)])
        journal.append(session, old, [Score(1, criteria[0], 2)])
        journal.append(session, rule, [Score(1, criteria[0], 1)])
        found = compare.judge_scores(session, [1, 2], criteria)
        assert found == compare.JudgeScores("gpt-3.5", "llm", {(1, criteria[0]): (2, False)})


def test_of_several_tools_the_last_measured(room):
    engine, *_ = room
    row = {"response_id": 1, "metric": "language", "label": "ru"}
    with writing(engine) as session:
        surface.add_metrics(session, [{**row, "tool": "one", "value": 0.5}])
        surface.add_metrics(session, [{**row, "tool": "two", "value": 0.9}])
        assert compare.surface_of(session, [1, 2]) == {1: {"language": compare.Measured(0.9, "ru")}}


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


def test_the_next_unscored_instruction_comes_after_the_place_and_then_from_the_start(room):
    engine, suite, criteria, rater = room
    with writing(engine) as session:
        sources = keys(session, suite)
        a, b, c = compare.answered_by(session, suite, "ru", sources)

        def after(position: int, *names: str) -> int | None:
            return reviewers.unscored_instruction(
                session, rater, suite, "ru", keys(session, suite, *names), criteria, position
            )

        def score(instruction: int, *, but: int = 0) -> None:
            for response, _ in compare.responses_to(session, instruction):
                chosen = criteria[: len(criteria) - but]
                journal.append(session, rater, [Score(response.id or 0, it, None, True) for it in chosen])

        assert (after(-1), after(0), after(1), after(2)) == (a, b, c, a)
        assert after(1, "m1") == a
        score(b, but=1)
        assert after(0) == b
        score(b)
        assert after(0) == c
        score(a)
        score(c)
        assert after(0) is None


def test_the_screens_questions_are_answered_by_indexes(room):
    engine, suite, criteria, rater = room
    seen: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    with reading(engine) as session:
        sources = keys(session, suite)
        compare.answered_by(session, suite, "ru", sources)
        compare.responses_to(session, 1)
        compare.judge_scores(session, [1, 2], criteria)
        compare.surface_of(session, [1, 2])
        reviewers.presented(session, rater, [1, 2])
        reviewers.unscored_instruction(session, rater, suite, "ru", sources, criteria, 0)
        journal.committed_responses(session, rater, [1, 2])
        journal.current_ratings(session, rater, [1, 2])
    event.remove(engine, "before_cursor_execute", note)
    large = ("response", "rating", "entry", "surface_metric", "presentation")
    with engine.connect() as connection:
        for statement, parameters in seen:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            scans = [row[3] for row in plan if row[3].split()[:1] == ["SCAN"] and row[3].split()[1] in large]
            assert not scans, f"{scans} in {statement}"

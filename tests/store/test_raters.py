"""A judge that is asked again is a rater of its own, told apart from judges by its version."""

import pytest
from sqlmodel import col, select

from store import open_store
from store.queries import journal, models, raters, responses, rubrics, suites
from store.queries.filters import ViewScope
from store.queries.journal import Score
from store.session import reading, writing
from store.tables import Rater

PLAIN = ["", "1", "v1", "v1#1", "v1#0", "v1#02", "v1#", "#2v1", "C# 2", "v1#2\n", "v1#٣", "x\n#y"]
REPEATS = {"#2": ("", 2), "v1#2": ("v1", 2), "v1#9": ("v1", 9), "v1#10": ("v1", 10), "v1#120": ("v1", 120)}


def test_the_first_time_has_the_plain_version_and_later_ones_their_number():
    assert [raters.repeat_version("v1", repeat) for repeat in (1, 2, 10)] == ["v1", "v1#2", "v1#10"]
    for version in PLAIN:
        for repeat in (1, 2, 3, 10, 99):
            assert raters.split_version(raters.repeat_version(version, repeat)) == (version, repeat)


def test_what_is_no_repeat_is_a_plain_version():
    assert [raters.split_version(version) for version in PLAIN] == [(version, 1) for version in PLAIN]
    assert {version: raters.split_version(version) for version in REPEATS} == REPEATS


@pytest.mark.parametrize(("version", "repeat"), [("v1", 0), ("v1", -1), ("v1#2", 1), ("v1#2", 3)])
def test_there_is_no_repeat_before_the_first_and_none_of_a_repeat(version, repeat):
    with pytest.raises(ValueError, match="repeat"):
        raters.repeat_version(version, repeat)


@pytest.mark.parts
def test_the_condition_in_the_database_is_the_rule_of_the_versions(new_store):
    engine = open_store(new_store, create=True)
    with writing(engine) as session:
        for version in (*PLAIN, *REPEATS):
            raters.rater_id(session, "llm", "gpt", version)
    with reading(engine) as session:
        found = session.exec(select(Rater.version).where(raters.asked_first()).order_by(col(Rater.id)))
        assert list(found) == PLAIN
    engine.dispose()


@pytest.mark.parts
def test_a_judge_that_was_asked_three_times_is_one_judge_of_a_view(new_store):
    engine = open_store(new_store, create=True)
    with writing(engine) as session:
        suite, _ = suites.add_suite(session, "s", "1", [suites.NewInstruction("k", "ru", "?")])
        model = models.model_id(session, "m")
        decoding = models.decoding_id(session, "imported", None, {})
        instruction = suites.instructions_of(session, suite, "ru")[0].id
        row = {"instruction_id": instruction, "model_id": model, "decoding_id": decoding, "text": "да"}
        responses.add_responses(session, [row])
        criterion = rubrics.criteria_of(session, rubrics.default_rubric_id(session))[0].id or 0
        for version in ("v1", "v1#2", "v1#3", "v2"):
            rater = raters.rater_id(session, "llm", "gpt", version)
            journal.append(session, rater, [Score(1, criterion, 2)])
    with reading(engine) as session:
        scope = ViewScope(suite, "ru", ("ru",), ((model, decoding, 0),), 0, (criterion,))
        assert [rater.version for rater in raters.judges_in(session, scope)] == ["v1", "v2"]
    engine.dispose()


@pytest.mark.parts
def test_raters_are_found_by_name(new_store):
    engine = open_store(new_store, create=True)
    with writing(engine) as session:
        assert raters.person_id(session, "nv") is None
        assert not raters.is_known(session, "nv")
        judge = raters.rater_id(session, "llm", "nv", "v1")
        assert raters.person_id(session, "nv") is None
        person = raters.rater_id(session, "human", "nv")
        raters.rater_id(session, "human", "nv", "#2")
        raters.rater_id(session, "human", "other")
        assert raters.person_id(session, "nv") == person
        assert raters.ids_named(session, "nv") == [judge, person]
        assert raters.is_known(session, "nv")
    engine.dispose()

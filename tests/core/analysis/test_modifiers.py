"""Modifiers: fulfilment and helpfulness by modifier and language, worked out by hand."""

import pytest

from core.analysis.bootstrap import draw_resamples
from core.analysis.means import all_rater_groups
from core.analysis.modifiers import (
    AVERAGE,
    fulfilled,
    fulfilment,
    load_verdicts,
    modifier_groups,
    scores_by_modifier,
    verdicts_of,
)
from store.queries import rubrics
from store.session import reading, writing
from tests.core.analysis.made_suite import MadeSuite

pytestmark = pytest.mark.parts


MODIFIERS = {"a": "num_items_3", "b": "num_items_5", "c": "short", "d": None, "e": "rhyme"}


@pytest.fixture
def made(tmp_path):
    suite = MadeSuite(tmp_path / "s.db", tuple("abcde"), ("en", "ru"), modifiers=MODIFIERS)
    suite.answer_all("m", "n")
    yield suite
    suite.engine.dispose()


def rubric(made):
    with writing(made.engine) as session:
        return rubrics.rubric_id(session, "modifiers", "1", [{"name": "fulfilment", "maximum": 1}])


def verdicts(made):
    with reading(made.engine) as session:
        return load_verdicts(session, made.suite, "s/1")


def test_fulfilment_in_percent_and_its_average_over_modifiers(made):
    own = rubric(made)
    for key, verdict in (("a", 1), ("b", 0), ("c", 1)):
        made.give("rule:modifiers", ("m", key, "en"), own, fulfilment=verdict)
    made.give("rule:modifiers", ("m", "e", "en"), own, fulfilment=None)
    judged = verdicts(made)
    found = fulfilled(judged, verdicts_of(judged), draw_resamples(5, number=500), 0)
    assert found.groups == ("short", "num_items", "rhyme")
    assert [(mean.value, mean.n) for mean in (found.at("num_items", "en"), found.at("short", "en"))] == [
        (50.0, 2), (100.0, 1)
    ]  # fmt: skip
    assert (found.at(AVERAGE, "en").value, found.at(AVERAGE, "en").n) == (75.0, 3)
    assert found.at("rhyme", "en") is found.at("short", "ru") is found.at(AVERAGE, "ru") is None
    assert found.at("num_items", "en").low == 0.0
    assert found.at("short", "en").low is None  # one instruction only


def test_the_percentages_are_those_of_the_tallies(made):
    own = rubric(made)
    for place, key in enumerate("abce"):
        for language in ("en", "ru"):
            for model in ("m", "n"):
                verdict = (place + (language == "en") + (model == "m")) % 2
                made.give("llm:gpt", (model, key, language), own, fulfilment=verdict)
    judged = verdicts(made)
    with reading(made.engine) as session:
        rows = fulfilment(session, made.suite)
    for row in rows:
        source = judged.sources.index(row.source)
        mean = fulfilled(judged, verdicts_of(judged), draw_resamples(5, number=50), source).at(
            row.group, row.language
        )
        assert (mean.value, mean.n) == (pytest.approx(row.percent), row.n)
    assert len(rows) == 12


def test_a_rule_is_heard_before_people_and_people_before_a_judge(made):
    own = rubric(made)
    made.give("llm:gpt", ("m", "a", "en"), own, fulfilment=0)
    made.give("llm:gpt", ("m", "b", "en"), own, fulfilment=0)
    made.give("llm:gpt", ("m", "c", "en"), own, fulfilment=1)
    made.give("human:ann", ("m", "a", "en"), own, fulfilment=0)
    made.give("human:ann", ("m", "b", "en"), own, fulfilment=0)
    made.give("human:bob", ("m", "b", "en"), own, fulfilment=1)
    made.give("rule:r", ("m", "a", "en"), own, fulfilment=1)
    found = verdicts_of(verdicts(made))
    assert (found.value / found.unit).tolist() == [1.0, 0.5, 1.0]
    assert found.said_by == {"rule:r": 1, "people (2)": 1, "llm:gpt": 1}


def test_helpfulness_by_modifier_leaves_the_wrong_language_out(made):
    made.give("human:ann", ("m", "a", "ru"), helpfulness=2)
    made.give("human:ann", ("m", "b", "ru"), helpfulness=0, language=0)
    made.give("human:ann", ("m", "c", "ru"), helpfulness=1)
    made.give("human:ann", ("m", "d", "ru"), helpfulness=0)  # no modifier
    scored = made.load()
    found = scores_by_modifier(
        scored, draw_resamples(5, number=50), all_rater_groups(scored)[0], made.criterion("helpfulness"), 0
    )
    assert [(found.at(group, "ru").value, found.at(group, "ru").n) for group in ("num_items", "short")] == [
        (2.0, 1), (1.0, 1)
    ]  # fmt: skip
    assert found.at(AVERAGE, "ru").value == 1.5


def test_no_rubric_for_modifiers_and_no_verdicts(made):
    assert verdicts(made) is None
    rubric(made)
    judged = verdicts(made)
    found = verdicts_of(judged)
    assert (len(found.response), found.said_by) == (0, {})
    assert fulfilled(judged, found, draw_resamples(5, number=5), 0).at(AVERAGE, "en") is None
    assert modifier_groups(judged) == ("short", "num_items", "rhyme")

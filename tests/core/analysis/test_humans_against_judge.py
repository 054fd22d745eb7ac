"""Humans against a judge, from a store with real ratings to one table per criterion."""

import pytest

from core.analysis.agreement_table import human_against_judge
from store import open_store
from store.queries import journal, models, responses, rubrics, suites
from store.queries import raters as rater_queries
from store.queries.journal import Score
from store.queries.overview import Scope
from store.session import reading, writing

pytestmark = pytest.mark.parts


@pytest.fixture
def study(tmp_path):
    """Four responses; stars (1 to 3) by two humans and a judge, harm (0 or 1) by one human only."""
    engine = open_store(tmp_path / "s.db", create=True)
    with writing(engine) as session:
        new = [suites.NewInstruction(f"k{n}", "ru", f"{n}?") for n in range(4)]
        suite, _ = suites.add_suite(session, "s", "1", new)
        ids = {
            "model_id": models.model_id(session, "m"),
            "decoding_id": models.decoding_id(session, "imported", None, {}),
        }
        for instruction in suites.instructions_of(session, suite, "ru"):
            responses.add_responses(session, [{"instruction_id": instruction.id, "text": "да", **ids}])
        rubric = rubrics.rubric_id(
            session, "r", "1", [{"name": "stars", "minimum": 1, "maximum": 3}, {"name": "harm", "maximum": 1}]
        )
        stars, harm = (row.id for row in rubrics.criteria_of(session, rubric))
        raters = [rater_queries.rater_id(session, "human", name) for name in ("ann", "bob")]
        raters.append(rater_queries.rater_id(session, "llm", "gpt"))
        for rater, scores in zip(raters, ((3, 3, 1, 2), (2, None, None, None), (3, 2, 2, None)), strict=True):
            marks = [Score(response, stars, score) for response, score in enumerate(scores, 1) if score]
            journal.append(session, rater, marks)
        journal.append(session, raters[0], [Score(1, harm, 1)])
    yield engine, Scope(suite, "ru"), rubric, raters
    engine.dispose()


def test_each_criterion_has_a_table_on_its_own_scale_in_the_rubrics_order(study):
    engine, scope, rubric, (ann, _, judge) = study
    with reading(engine) as session:
        stars, harm = human_against_judge(session, scope, rubric, [ann], judge)
    assert (stars.criterion, harm.criterion) == ("stars", "harm")
    assert stars.agreement.counts == ((0, 1, 0), (0, 0, 0), (0, 1, 1))
    assert stars.agreement.exact == pytest.approx(100 / 3)
    assert stars.agreement.bias == 0.0
    assert harm.agreement.counts == ((0, 0), (0, 0))
    assert harm.agreement.undefined == "no response was scored by both"


def test_humans_together_give_a_pair_each(study):
    engine, scope, rubric, (ann, bob, judge) = study
    with reading(engine) as session:
        stars, _ = human_against_judge(session, scope, rubric, [ann, bob], judge)
    assert stars.agreement.counts == ((0, 1, 0), (0, 0, 1), (0, 1, 1))
    assert stars.agreement.bias == pytest.approx(1 / 4)

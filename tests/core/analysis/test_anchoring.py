"""Scores before and after the reveal: a hand-made example, and where there is nothing to tell."""

import numpy as np
import pytest

from core.analysis.anchoring import anchoring, distance
from core.analysis.bootstrap import draw_resamples
from store.queries.anchoring import LookCounts
from store.queries.journal import Shown
from store.session import reading
from tests.core.analysis.rated import Rated

pytestmark = pytest.mark.parts


REVEALED = Shown(judge=True)
KEYS = ("a", "b", "c", "d", "e")


@pytest.fixture
def study(tmp_path):
    study = Rated(tmp_path / "s.db", keys=KEYS, languages=("en",))
    yield study
    study.engine.dispose()


def of(study, number=500):
    scored = study.load()
    resamples = draw_resamples(len(scored.keys), number=number)
    with reading(study.engine) as session:
        return anchoring(session, study.suite, study.rubric, scored, resamples)


def look(study, person, key, before, after, judge):
    place = ("m", "en", key)
    if judge is not None:
        study.give("gpt", place, kind="llm", helpfulness=judge)
    study.give(person, place, helpfulness=before)
    study.commit(person, place)
    if after != before:
        study.give(person, place, shown=REVEALED, helpfulness=after)


def test_changes_are_towards_away_or_neither(study):
    look(study, "ann", "a", 0, 2, 2)  # towards: 2 off, then none
    look(study, "ann", "b", 1, 0, 1)  # away
    look(study, "ann", "c", 0, 2, 1)  # as far as before
    look(study, "ann", "d", 2, 2, 0)  # unchanged
    look(study, "ann", "e", 1, "clear", 2)  # taken back
    found = of(study)
    assert found.counts == LookCounts(revealed=5, blind=0, open=0)
    (shift,) = found.shifts
    assert (shift.judge.name, shift.who.name, shift.criterion.name) == (
        "llm:gpt", "human:ann", "helpfulness"
    )  # fmt: skip
    assert (shift.n, shift.changed, shift.towards, shift.away, shift.taken_back) == (4, 3, 1, 1, 1)
    before, after = shift.distance
    assert before.value == pytest.approx((2 + 0 + 1 + 2) / 4)
    assert after.value == pytest.approx((0 + 1 + 1 + 2) / 4)
    assert shift.moved.value == pytest.approx(-0.25)
    assert [figure.value for figure in shift.exact] == [25, 25]
    # Before (0, 2) (1, 1) (0, 1) (2, 0), after (2, 2) (0, 1) (2, 1) (2, 0): squares add up to 9 and to 6.
    assert shift.kappa[0].value == pytest.approx(
        1 - (9 / 4) / np.mean([(a - b) ** 2 for a in (0, 1, 0, 2) for b in (2, 1, 1, 0)])
    )
    assert shift.kappa[1].value == pytest.approx(
        1 - (6 / 4) / np.mean([(a - b) ** 2 for a in (2, 0, 2, 2) for b in (2, 1, 1, 0)])
    )


def test_the_interval_of_the_move_is_paired(study):
    """She comes a point closer on every instruction, but from different distances: the distances vary over
    resamples, their difference does not."""
    for key, before, after, judge in [("a", 0, 1, 2), ("b", 1, 2, 2), ("c", 1, 0, 0), ("d", 2, 1, 0)]:
        look(study, "ann", key, before, after, judge)
    (shift,) = of(study).shifts
    assert [shift.moved.value, shift.moved.low, shift.moved.high] == pytest.approx([-1, -1, -1])
    assert shift.distance[0].low < shift.distance[0].value < shift.distance[0].high


def test_people_are_told_together_and_one_by_one(study):
    look(study, "ann", "a", 0, 2, 2)
    look(study, "bob", "a", 0, 0, None)
    found = of(study)
    assert [(it.who.name, it.n, it.changed) for it in found.shifts] == [
        ("people (2)", 2, 1), ("human:ann", 1, 1), ("human:bob", 1, 0)
    ]  # fmt: skip
    assert all(it.moved.low is None for it in found.shifts)  # all about one instruction


def test_nothing_revealed_and_no_judge_give_no_shift(study):
    assert of(study).counts == LookCounts(0, 0, 0)
    study.give("ann", ("m", "en", "a"), helpfulness=1)
    found = of(study)
    assert (found.counts, found.judges, found.shifts) == (LookCounts(0, 1, 0), (), ())
    study.commit("ann", ("m", "en", "a"))
    assert of(study).counts == LookCounts(1, 0, 0)
    assert of(study).shifts == ()


def test_the_distance_of_a_table_is_the_mean_difference():
    assert distance(np.array([[1, 0, 2], [0, 0, 1], [0, 0, 0]])) == pytest.approx((2 * 2 + 1) / 4)
    assert np.isnan(distance(np.zeros((3, 3))))

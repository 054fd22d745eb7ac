"""Comparisons of models: by hand, and against scipy and statsmodels called directly."""

from itertools import product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from core.analysis.bootstrap import draw_resamples
from core.analysis.means import all_rater_groups
from core.analysis.significance import FEWEST, compare, sign_flip_p
from tests.core.analysis.made_suite import MadeSuite

pytestmark = pytest.mark.parts


KEYS = tuple("abcdefgh")


@pytest.fixture
def made(tmp_path):
    suite = MadeSuite(tmp_path / "s.db", KEYS, ("en", "fr", "ru"))
    yield suite
    suite.engine.dispose()


def compared(made, rater=0, criterion="helpfulness", number=500):
    scored = made.load()
    resamples = draw_resamples(len(scored.keys), number=number)
    return compare(scored, resamples, all_rater_groups(scored)[rater], made.criterion(criterion))


def score(made, rater, model, language, marks, criterion="helpfulness"):
    """One mark for each of the first instructions; `.` is none."""
    for key, mark in zip(KEYS, marks, strict=False):
        if mark != ".":
            made.give(rater, (model, key, language), **{criterion: int(mark)})


def test_the_example_worked_out_by_hand(made):
    made.answer_all("m", "n")
    score(made, "human:ann", "m", "en", "222211.1")
    score(made, "human:ann", "n", "en", "10101102")
    (english,) = [one for one in compared(made) if one.language_group == "English"]
    # On a-f and h: 1 2 1 2 0 0 -1, so 5 over 7; g has no score for m.
    assert (english.instructions, english.better, english.same, english.worse) == (7, 4, 2, 1)
    assert (english.mean.value, english.mean.n) == (pytest.approx(5 / 7), 7)
    assert english.mean.low < 5 / 7 < english.mean.high
    each = np.array([1, 2, 1, 2, 0, 0, -1])
    assert english.dz == pytest.approx(each.mean() / each.std(ddof=1))
    # Of the 2^5 signs of 1 2 1 2 1, those with a sum of 5 or more, or -5 or less: all + (7), one of the three
    # ones - (5): 4, and 4 the other way round.
    assert english.p == pytest.approx(8 / 32)
    assert english.holm == pytest.approx(8 / 32)  # the only test: non-English has no scores
    (other,) = [one for one in compared(made) if one.language_group == "non-English"]
    assert (other.mean, other.p, other.dz) == (None, None, None)
    assert other.why == "no instruction has a score for both"


def test_an_instructions_languages_go_together(made):
    made.answer_all("m", "n")
    score(made, "human:ann", "m", "fr", "222222..")
    score(made, "human:ann", "n", "fr", "111111..")
    score(made, "human:ann", "m", "ru", "00......")
    score(made, "human:ann", "n", "ru", "11......")
    (found,) = [one for one in compared(made) if one.language_group == "non-English"]
    # French: +1 on six; Russian: -1 on two, which cancel there. Means 1 and -1, each with the same weight.
    assert (found.mean.value, found.mean.n) == (0.0, 8)
    assert (found.instructions, found.better, found.same, found.worse) == (6, 4, 2, 0)
    assert found.p == pytest.approx(2 / 2**4)


def test_responses_in_the_wrong_language_are_in_no_pair(made):
    made.answer_all("m", "n")
    score(made, "human:ann", "m", "en", "22222222")
    score(made, "human:ann", "n", "en", "00000000")
    score(made, "human:ann", "n", "en", "00", criterion="language")
    (found,) = [one for one in compared(made) if one.language_group == "English"]
    assert (found.instructions, found.dz) == (6, None)  # all differences are 2
    assert found.p == pytest.approx(2 / 2**6)
    assert compared(made, criterion="language") == []  # m has no score on it


def test_too_few_instructions_are_a_sentence(made):
    made.answer_all("m", "n")
    score(made, "human:ann", "m", "en", "2" * (FEWEST - 1))
    score(made, "human:ann", "n", "en", "0" * (FEWEST - 1))
    found = compared(made)[0]
    assert (found.p, found.holm, found.significant) == (None, None, False)
    assert found.why == "only 5 instructions with scores for both, a test needs 6"
    assert found.mean.value == 2.0


def test_one_model_or_none_or_no_scores_give_no_pairs(made):
    made.answer_all("m")
    score(made, "human:ann", "m", "en", "22222222")
    assert compared(made) == []
    assert compared(made, criterion="fluency") == []


def test_equal_models_have_p_1(made):
    made.answer_all("m", "n")
    for model in ("m", "n"):
        score(made, "human:ann", model, "en", "11111111")
    found = compared(made)[0]
    assert (found.p, found.holm, found.dz, found.mean.value) == (1.0, 1.0, None, 0.0)


@pytest.mark.parametrize("seed", range(8))
def test_the_p_value_is_that_of_all_signs_one_by_one(seed):
    rng = np.random.default_rng(seed)
    differences = rng.integers(-2, 3, 11) * int(rng.integers(1, 4))
    if not differences.sum():
        differences[0] += 1
    sums = np.array([np.dot(signs, differences) for signs in product((1, -1), repeat=11)])
    expected = np.mean(np.abs(sums) >= abs(differences.sum()))
    assert sign_flip_p(differences) == pytest.approx(expected, abs=1e-12)


def test_the_p_value_is_scipys_on_a_hundred_instructions():
    rng = np.random.default_rng(3)
    differences = rng.choice([-2, -1, 0, 1, 2], 113, p=[0.05, 0.15, 0.5, 0.22, 0.08])
    theirs = stats.permutation_test(
        (differences,), lambda x, axis: x.sum(axis=axis), permutation_type="samples", vectorized=True,
        n_resamples=50_000, rng=1,
    ).pvalue  # fmt: skip
    assert 0.005 < theirs < 0.5
    assert sign_flip_p(differences) == pytest.approx(theirs, abs=0.01)
    # Wilcoxon's approximation on the same data is about ranks, and near.
    assert sign_flip_p(differences) == pytest.approx(
        stats.wilcoxon(differences, zero_method="pratt", method="asymptotic").pvalue, abs=0.05
    )


def test_extreme_differences_have_tiny_p_values_and_none_below_zero():
    assert sign_flip_p(np.full(40, 2)) == pytest.approx(2 / 2**40, rel=0.01)
    assert 0 <= sign_flip_p(np.full(500, 1)) < 1e-12
    assert sign_flip_p(np.zeros(5, dtype=np.int64)) == 1.0
    assert sign_flip_p(np.array([], dtype=np.int64)) == 1.0


def test_the_correction_is_statsmodels_holm_over_all_pairs_and_both_scopes(made):
    made.answer_all("m", "n", "o")
    rng = np.random.default_rng(5)
    for place, model in enumerate(("m", "n", "o")):
        for language in ("en", "fr", "ru"):
            marks = "".join(str(min(2, int(x))) for x in rng.integers(0, 2, len(KEYS)) + (place != 1))
            score(made, "human:ann", model, language, marks)
    found = compared(made)
    assert [(one.first, one.second, one.language_group) for one in found] == [
        (*pair, language_group)
        for pair in ((0, 1), (0, 2), (1, 2))
        for language_group in ("English", "non-English")
    ]
    raw = [one.p for one in found]
    assert [one.holm for one in found] == pytest.approx(multipletests(raw, method="holm")[1].tolist())
    assert any(one.p < one.holm < min(1, 6 * one.p) for one in found)


def test_several_people_and_several_samples_are_taken_together(made):
    made.answer_all("m", "n")
    for key in KEYS:
        made.give("human:ann", ("m", key, "en"), helpfulness=2)
        made.give("human:bob", ("m", key, "en"), helpfulness=1)
        made.give("human:ann", ("n", key, "en"), helpfulness=1)
        again = made.answer("n", key, "en", sample=1)
        made.give("human:ann", again, helpfulness=0)
    found = compared(made)[0]
    assert (found.mean.value, found.instructions) == (1.0, 8)  # 1.5 minus 0.5
    assert found.p == pytest.approx(2 / 2**8)


def test_the_interval_is_scipys_bootstrap_of_the_mean_difference(made):
    made.answer_all("m", "n")
    score(made, "human:ann", "m", "en", "20212110")
    score(made, "human:ann", "n", "en", "01200021")
    found = compared(made, number=20_000)[0]
    each = np.array([2, -1, 0, 1, 2, 1, -1, -1], dtype=float)
    theirs = stats.bootstrap(
        (each,), np.mean, method="percentile", n_resamples=20_000, rng=1
    ).confidence_interval
    assert found.mean.low == pytest.approx(theirs.low, abs=0.06)
    assert found.mean.high == pytest.approx(theirs.high, abs=0.06)

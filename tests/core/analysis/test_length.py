"""Scores and length: from a suite's arrays to the correlations of the calibration."""

import pytest
from scipy import stats

from core.analysis.length import length_beside_people, length_of_all
from tests.core.analysis.made_suite import MadeSuite

pytestmark = pytest.mark.parts


KEYS = tuple("abcdef")


@pytest.fixture
def made(tmp_path):
    suite = MadeSuite(tmp_path / "s.db", KEYS, ("en", "ru"))
    for place, key in enumerate(KEYS):
        for language in ("en", "ru"):
            suite.answer("m", key, language, text="x" * (10 * (place + 1)))
    yield suite
    suite.engine.dispose()


def test_the_correlation_is_spearmans_within_languages_weighted_by_responses(made):
    marks = {"en": (0, 1, 0, 2, 1, 2), "ru": (2, 1, 1, 0)}
    for language, own in marks.items():
        for key, mark in zip(KEYS, own, strict=False):
            made.give("llm:gpt", ("m", key, language), helpfulness=mark)
    (found,) = length_of_all(made.load())
    rho = {language: stats.spearmanr(own, range(len(own))).statistic for language, own in marks.items()}
    assert found.rater_group.name == "llm:gpt"
    assert found.correlation.rho == pytest.approx((6 * rho["en"] + 4 * rho["ru"]) / 10)
    assert found.correlation.n == 10
    assert length_beside_people(made.load()) == []


def test_people_together_are_correlated_by_their_means_and_beside_the_judge(made):
    for key, first, second, judge in zip(
        KEYS, (0, 0, 1, 1, 2, 2), (2, 1, 0, 1, 2, 1), (0, 0, 0, 1, 1, 2), strict=True
    ):
        made.give("human:ann", ("m", key, "en"), helpfulness=first)
        made.give("human:bob", ("m", key, "en"), helpfulness=second)
        made.give("llm:gpt", ("m", key, "en"), helpfulness=judge, language=0)
    made.give("human:ann", ("m", "a", "en"), language=0)
    scored = made.load()
    people = next(one for one in length_of_all(scored) if one.rater_group.together)
    means = [1, 0.5, 0.5, 1, 2, 1.5]
    assert people.correlation.rho == pytest.approx(stats.spearmanr(means, range(6)).statistic)
    beside = length_beside_people(scored)[0]
    assert scored.criteria[beside.criterion].name == "helpfulness"
    assert beside.rater_group.name == "llm:gpt"
    # The wrong language takes nothing out, as where judges are calibrated.
    assert beside.bias.humans.rho == people.correlation.rho
    apart = [judge - mean for judge, mean in zip((0, 0, 0, 1, 1, 2), means, strict=True)]
    assert beside.bias.difference.rho == pytest.approx(stats.spearmanr(apart, range(6)).statistic)


def test_one_score_for_all_is_explained_and_no_scores_are_nothing(made):
    assert length_of_all(made.load()) == length_beside_people(made.load()) == []
    for key in KEYS:
        made.give("llm:gpt", ("m", key, "en"), helpfulness=2)
    (found,) = length_of_all(made.load())
    assert (found.correlation.rho, found.correlation.undefined) == (None, "every value is 2 in en")

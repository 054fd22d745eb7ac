"""The pace of reviewers, and who scores unlike the others."""

from datetime import UTC, datetime, timedelta

import pytest

from core.analysis.reviewers import FEWEST, outliers, per_hour, reviewer_bias

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(*minutes: float) -> list[datetime]:
    return [NOON + timedelta(minutes=it) for it in minutes]


def test_pace_is_responses_per_hour_of_work_and_breaks_are_none():
    assert per_hour(at(0, 2, 4)) == pytest.approx(30)
    assert per_hour(at(0, 2, 4, 600, 602, 604)) == pytest.approx(30)
    assert per_hour(at(4, 0, 2)) == pytest.approx(30)


def test_responses_committed_together_count():
    assert per_hour(at(0, 6, 6, 6)) == pytest.approx(30)


@pytest.mark.parametrize("times", [[], at(0), at(0, 0), at(0, 600)])
def test_no_pace_is_known_without_two_responses_in_a_row(times):
    assert per_hour(times) is None


def given(*scores: int) -> dict[int, int]:
    return dict(enumerate(scores))


def test_a_leaning_is_taken_against_the_others_mean_on_shared_responses():
    found = reviewer_bias(given(2, 2, 0), [given(1, 2), {0: 0, 7: 2}])
    assert found is not None
    assert (found.n, found.difference) == (2, pytest.approx((1.5 + 0) / 2))


def test_nothing_shared_is_no_leaning():
    assert reviewer_bias(given(1), [{5: 1}]) is None


def test_who_is_far_from_the_others_is_unlike_them():
    found = reviewer_bias(given(*[0, 1] * 8), [given(*[1, 2] * 8)])
    assert found is not None
    assert found.unlike == "-1.0 points from the others (n=16)"


def test_who_is_as_the_others_with_chance_differences_is_not():
    found = reviewer_bias(given(*[0, 2, 1, 1] * 4), [given(*[1, 1, 1, 1] * 4), given(*[0, 2, 1, 2] * 4)])
    assert found is not None
    assert found.unlike is None


def test_a_large_difference_that_chance_explains_is_none():
    own = [2, 2, 2, 2, 2, 2, 0, 0, 0, 2]
    other = [0, 0, 0, 0, 2, 2, 2, 2, 0, 2]
    found = reviewer_bias(given(*own), [given(*other)])
    assert found is not None
    assert found.difference == pytest.approx(0.4)
    assert found.unlike is None


def test_who_hardly_varies_is_unlike_the_others():
    found = reviewer_bias(given(*[1] * 20), [given(*[0, 2] * 10)])
    assert found is not None
    assert found.unlike is not None
    assert found.unlike.startswith("hardly varies: SD 0.0, others 1.0")


def test_few_shared_responses_say_nothing():
    few = FEWEST - 1
    found = reviewer_bias(given(*[0] * few), [given(*[2] * few)])
    assert found is not None
    assert found.unlike is None


def test_one_who_is_far_off_does_not_make_the_others_look_so():
    high, low = given(*[1, 2] * 8), given(*[0, 1] * 8)
    assert list(outliers({1: high, 2: high, 3: low})) == [3]


def test_of_two_who_differ_both_are_named():
    assert list(outliers({1: given(*[2] * 12), 2: given(*[0] * 12)})) == [1, 2]


def test_who_scores_alone_is_unlike_nobody():
    assert outliers({1: given(*[2] * 12), 2: {}}) == {}

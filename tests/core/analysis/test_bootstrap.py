"""Intervals by drawing whole instructions."""

import numpy as np
import pytest
from scipy import stats

from core.analysis.bootstrap import draw_resamples, interval


def test_each_resample_draws_as_many_clusters_as_there_are_and_the_seed_decides():
    resamples = draw_resamples(7, number=100, seed=3).weights
    assert resamples.shape == (100, 7)
    assert (resamples.sum(axis=1) == 7).all()
    assert np.array_equal(resamples, draw_resamples(7, number=100, seed=3).weights)
    assert not np.array_equal(resamples, draw_resamples(7, number=100, seed=4).weights)


def test_sums_are_those_of_the_clusters_drawn():
    values = np.arange(12.0).reshape(3, 2, 2)
    resamples = draw_resamples(3, number=50, seed=1)
    expected = np.einsum("rc,cij->rij", resamples.weights.astype(float), values)
    assert np.array_equal(resamples.sums(values), expected)


def test_the_interval_of_a_mean_over_clusters_is_scipys():
    """Clusters of different sizes: the statistic is a ratio of sums."""
    rng = np.random.default_rng(5)
    sizes = rng.integers(1, 5, 60)
    sums = np.array([rng.integers(0, 3, size).sum() for size in sizes], dtype=float)
    resamples = draw_resamples(60, number=20_000, seed=1).sums(np.stack([sums, sizes.astype(float)], axis=1))
    low, high = interval(resamples[:, 0] / resamples[:, 1])

    def ratio(sums, sizes, axis):
        return sums.sum(axis=axis) / sizes.sum(axis=axis)

    found = stats.bootstrap(
        (sums, sizes), ratio, paired=True, method="percentile", n_resamples=20_000, rng=2
    ).confidence_interval
    assert low == pytest.approx(found.low, abs=0.01)
    assert high == pytest.approx(found.high, abs=0.01)


def test_undefined_resamples_are_left_out_and_too_many_leave_no_interval():
    statistics = np.array([[1.0, np.nan, np.nan], [2.0, 5.0, np.nan], [3.0, 5.0, 1.0]])
    low, high = interval(statistics, level=0.5)
    assert low[0] == 1.5
    assert (low[1], high[1]) == (5, 5)
    assert np.isnan(low[2])
    assert np.isnan(high[2])


def test_no_clusters_are_no_error():
    assert draw_resamples(0, number=5).sums(np.zeros((0, 2))).shape == (5, 2)

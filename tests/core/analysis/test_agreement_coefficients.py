"""Coefficients of agreement against other implementations, textbook loops, published examples and by hand."""

import json
from collections import Counter
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest

from core.analysis import agreement as coefficients
from core.analysis.agreement import (
    ac2,
    alpha,
    alpha_of_units,
    bias,
    coincidences,
    coincidences_of_units,
    exact,
    kappa,
    pair_count,
)
from core.analysis.agreement_table import agreement, dominance, quadratic_kappa

PANDALM = Path(__file__).parents[4] / "shared" / "data" / "pandalm" / "testset-v1.json"

# Two abstractors and 100 patients: K. Gwet's example, as shipped with the R package irrCAC.
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]


def random_tables(number, scores, pairs, seed=5):
    """Tables that run from chance to full agreement, with margins that differ."""
    rng = np.random.default_rng(seed)
    tables = []
    for place in range(number):
        cells = np.outer(rng.dirichlet(np.ones(scores)), rng.dirichlet(np.ones(scores)))
        cells = cells * (1 - place / number) + np.diag(rng.dirichlet(np.ones(scores))) * place / number
        tables.append(rng.multinomial(pairs, (cells / cells.sum()).ravel()).reshape(scores, scores))
    return np.array(tables)


def pairs_of(table):
    return {(i, j): int(count) for (i, j), count in np.ndenumerate(np.asarray(table)) if count}


def ac2_by_loops(table, unweighted=False):
    """Gwet 2014, chapter 5, term by term."""
    scores = range(len(table))
    n = sum(table[i][j] for i in scores for j in scores)

    def weight(i, j):
        return float(i == j) if unweighted else 1 - (i - j) ** 2 / (len(table) - 1) ** 2

    observed = sum(weight(i, j) * table[i][j] for i in scores for j in scores) / n
    share = [(sum(table[k][j] for j in scores) + sum(table[i][k] for i in scores)) / (2 * n) for k in scores]
    total = sum(weight(i, j) for i in scores for j in scores)
    chance = total / (len(table) * (len(table) - 1)) * sum(share[k] * (1 - share[k]) for k in scores)
    return (observed - chance) / (1 - chance)


@pytest.mark.parametrize("scores", [2, 3, 5])
def test_quadratic_kappa_is_that_of_statsmodels_and_of_the_overview(scores):
    from statsmodels.stats.inter_rater import cohens_kappa

    tables = random_tables(30, scores, 60)
    expected = [cohens_kappa(table, wt="quadratic", return_results=False) for table in tables]
    assert kappa(tables) == pytest.approx(expected, abs=1e-12)
    assert kappa(tables) == pytest.approx([quadratic_kappa(pairs_of(it)) for it in tables], abs=1e-12)


@pytest.mark.parametrize("scores", [2, 3, 5])
def test_unweighted_kappa_is_that_of_statsmodels(scores):
    from statsmodels.stats.inter_rater import cohens_kappa

    tables = random_tables(30, scores, 60)
    expected = [cohens_kappa(table, return_results=False) for table in tables]
    assert kappa(tables, "unweighted") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("scores", [2, 3, 5])
def test_alpha_of_two_raters_is_that_of_the_package_krippendorff(scores):
    import krippendorff

    tables = random_tables(30, scores, 40)
    expected = []
    for table in tables:
        pairs = np.array([pair for pair, count in pairs_of(table).items() for _ in range(count)])
        expected.append(krippendorff.alpha(reliability_data=pairs.T, level_of_measurement="ordinal"))
    assert alpha(coincidences(tables)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_alpha_of_several_raters_with_missing_scores_is_that_of_the_package(seed):
    import krippendorff

    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 50)
    ratings = np.clip(truth + rng.integers(-1, 2, (4, 50)), 0, 2).astype(float)
    ratings[rng.random((4, 50)) < 0.4] = np.nan
    given = np.stack([(ratings == score).sum(axis=0) for score in range(3)], axis=1)
    assert (given.sum(axis=1) < 2).any()
    expected = krippendorff.alpha(reliability_data=ratings, level_of_measurement="ordinal")
    assert alpha_of_units(given) == pytest.approx(expected, abs=1e-12)
    assert alpha(coincidences_of_units(given).sum(axis=0)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("scores", [2, 3, 5])
def test_ac2_is_that_of_its_definition(scores):
    tables = random_tables(30, scores, 60)
    assert ac2(tables) == pytest.approx([ac2_by_loops(table.tolist()) for table in tables], abs=1e-12)
    expected = [ac2_by_loops(table.tolist(), unweighted=True) for table in tables]
    assert ac2(tables, "unweighted") == pytest.approx(expected, abs=1e-12)


def test_published_figures_of_gwets_abstractors():
    # README of irrCAC (R): Cohen's kappa 0.7964094, AC1 0.8493305, 0.89 exact. The weighted ones are those of
    # irrCAC 0.4.4 (Python), to nine digits.
    assert kappa(ABSTRACTORS, "unweighted") == pytest.approx(0.7964094, abs=5e-8)
    assert ac2(ABSTRACTORS, "unweighted") == pytest.approx(0.8493305, abs=5e-8)
    assert exact(ABSTRACTORS) == pytest.approx(89)
    assert kappa(ABSTRACTORS) == pytest.approx(0.892156863, abs=1e-9)
    assert ac2(ABSTRACTORS) == pytest.approx(0.940236879, abs=1e-9)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ([[1, 0, 1], [0, 2, 0], [0, 2, 2]], 0.489361702),
        ([[3, 1, 0], [2, 5, 4], [0, 3, 22]], 0.870214147),
        ([[0, 0, 0], [0, 1, 3], [0, 2, 40]], 0.968380533),
    ],
)
def test_ac2_is_that_of_irrcac(table, expected):
    assert ac2(table) == pytest.approx(expected, abs=1e-9)


def test_alpha_with_missing_scores_worked_out_by_hand():
    # Three raters: (0, 0, -), (0, 1, -), (2, 2, 2), (1, -, -). The last has no pair. Coincidences: the first
    # two 0-0; the second 0-1 and 1-0; the third three ordered pairs by half of three scores: 2-2 three times.
    given = [[2, 0, 0], [1, 1, 0], [0, 0, 3], [0, 1, 0]]
    assert coincidences_of_units(given).sum(axis=0).tolist() == [[2, 1, 0], [1, 0, 0], [0, 0, 3]]
    # Given in pairs: n = (3, 1, 3), 7 in all; mean ranks 1.5, 3.5, 5.5; squared distances 4, 16 and 4.
    # Observed 2 x 4 = 8; expected 2 x (3 x 1 x 4 + 3 x 3 x 16 + 1 x 3 x 4) = 336. Alpha is 1 - 6 x 8 / 336.
    assert alpha_of_units(given) == pytest.approx(1 - 48 / 336)
    assert alpha(coincidences_of_units(given).sum(axis=0)) == pytest.approx(1 - 48 / 336)


def test_a_table_worked_out_by_hand():
    table = [[1, 0, 1], [0, 2, 0], [0, 2, 2]]
    assert pair_count(table) == 8
    assert exact(table) == 62.5
    assert bias(table) == 0  # once two higher, twice one lower
    # By chance, from margins (2, 2, 4) and (1, 4, 3): see tests of `agreement`.
    assert kappa(table) == pytest.approx(1 / 3)
    # p_a = (5 + 2 x 0.75) / 8 = 0.8125. Shares (3, 6, 7) / 16; sum of pi (1 - pi) = 1 - 94 / 256; the weights
    # add up to 3 + 4 x 0.75 = 6, over 3 x 2: p_e = 162 / 256.
    assert ac2(table) == pytest.approx((0.8125 - 162 / 256) / (1 - 162 / 256))
    # Given 3, 6 and 7 of 16: ranks 1.5, 6, 12.5. Observed 2 x (1 x 121 + 2 x 42.25) = 411;
    # expected 2 x (18 x 20.25 + 21 x 121 + 42 x 42.25) = 9360.
    assert alpha(coincidences(table)) == pytest.approx(1 - 15 * 411 / 9360)


def test_the_second_above_the_first_is_a_positive_bias():
    assert bias([[0, 0, 1], [0, 0, 1], [0, 0, 0]]) == pytest.approx(1.5)


def test_one_score_alone_leaves_kappa_and_alpha_undefined_and_says_so():
    table = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 9]])
    assert np.isnan(kappa(table))
    assert np.isnan(kappa(table, "unweighted"))
    assert np.isnan(alpha(coincidences(table)))
    assert np.isnan(alpha_of_units([[0, 0, 2], [0, 0, 3]]))
    assert (exact(table), ac2(table), bias(table)) == (100, 1, 0)
    assert coefficients.undefined(table, 1).startswith("every score of both is 3")
    assert coefficients.dominated(table) is None


def test_a_rater_with_one_value_only_agrees_as_by_chance():
    table = np.array([[0, 0, 3], [0, 0, 2], [0, 0, 5]])
    assert kappa(table) == 0
    assert alpha(coincidences(table)) < 0
    assert coefficients.undefined(table) is None


def test_no_pair_leaves_all_undefined():
    table = np.zeros((3, 3), dtype=int)
    assert all(np.isnan(figure(table)) for figure in coefficients.FIGURES.values())
    assert coefficients.undefined(table) == "no response was scored by both"
    assert np.isnan(alpha_of_units([[1, 0, 0], [0, 0, 1]]))
    assert np.isnan(alpha_of_units(np.zeros((0, 3), dtype=int)))


def test_a_scale_of_one_score_has_no_agreement_beyond_chance():
    assert exact([[4]]) == 100
    assert np.isnan(kappa([[4]]))
    assert np.isnan(ac2([[4]]))


def test_one_score_in_nine_of_ten_is_told_with_its_share():
    # 2 is given 37 of 40 times: 92.5%.
    table = np.array([[0, 0, 1], [0, 0, 1], [1, 0, 17]])
    assert coefficients.dominated(table) == (
        "one score dominates (2 is 92% of all): kappa can be low although the raters hardly differ"
    )
    assert coefficients.dominated(np.array([[1, 0, 1], [0, 0, 0], [0, 1, 9]])) is None  # 19 of 24
    assert dominance({(2, 2): 499, (1, 2): 1}).count("(2 is 99% of all)") == 1


def test_exactly_nine_of_ten_dominates():
    assert dominance({(2, 2): 8, (2, 1): 2}) is not None
    assert dominance({(2, 2): 79, (2, 1): 20, (1, 1): 1}) is None


def test_all_leading_axes_are_kept():
    tables = random_tables(12, 3, 50).reshape(3, 4, 3, 3)
    for figure in coefficients.FIGURES.values():
        assert figure(tables).shape == (3, 4)
        assert figure(tables)[2, 1] == pytest.approx(float(figure(tables[2, 1])))


def test_a_table_that_is_not_square_is_refused():
    with pytest.raises(ValueError, match="as many rows as columns"):
        kappa([[1, 2, 3]])


def test_figures_are_those_of_the_overview():
    for table in random_tables(20, 3, 30):
        known = agreement(pairs_of(table))
        assert exact(table) == pytest.approx(known.exact)
        assert bias(table) == pytest.approx(known.bias)
        assert kappa(table) == pytest.approx(known.kappa)


@pytest.mark.skipif(not PANDALM.exists(), reason="the PandaLM test set is not in ../shared/data")
def test_the_annotators_of_pandalm_agree_as_published():
    """0.85 (annotators 1 and 2), 0.88 (1 and 3) and 0.86 (2 and 3); to the third digit the published labels
    give what stands here. The labels are 0 (tie), 1 and 2, without an order, so kappa is unweighted."""
    rows = json.loads(PANDALM.read_text(encoding="utf-8"))
    labels = np.array([[row[f"annotator{place}"] for place in (1, 2, 3)] for row in rows])
    found = {}
    for first, second in combinations(range(3), 2):
        table = np.zeros((3, 3), dtype=int)
        np.add.at(table, (labels[:, first], labels[:, second]), 1)
        found[first + 1, second + 1] = round(float(kappa(table, "unweighted")), 3)
    assert found == {(1, 2): 0.852, (1, 3): 0.879, (2, 3): 0.862}


@pytest.mark.skipif(not PANDALM.exists(), reason="the PandaLM test set is not in ../shared/data")
def test_every_row_of_pandalm_has_a_majority():
    """All three annotators differ on no row, so that nothing has to be settled: 105 + 422 + 472 = 999."""
    rows = json.loads(PANDALM.read_text(encoding="utf-8"))
    labels = [Counter(row[f"annotator{place}"] for place in (1, 2, 3)).most_common(1)[0] for row in rows]
    assert min(count for _, count in labels) == 2
    assert Counter(label for label, _ in labels) == {0: 105, 1: 422, 2: 472}


def test_random_pairs_by_the_definition_of_disagreement():
    """Quadratic kappa from every pairing of the two raters' scores, one by one."""
    table = random_tables(1, 4, 25, seed=9)[0]
    pairs = [pair for pair, count in pairs_of(table).items() for _ in range(count)]
    observed = sum((a - b) ** 2 for a, b in pairs) / len(pairs)
    chance = sum((a - b) ** 2 for (a, _), (_, b) in product(pairs, pairs)) / len(pairs) ** 2
    assert kappa(table) == pytest.approx(1 - observed / chance)

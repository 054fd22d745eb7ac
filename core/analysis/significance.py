"""Comparison of models, paired over instructions.

*Pairs.* Two models are compared on the responses to the same instruction in the same language, where the
rater scored both and both scores count. The difference of the two models is the mean of these differences in
each language, and over several languages the mean of these means.

*Interval.* Percentile bootstrap over instructions, as for means (`core.analysis.bootstrap`).

*Test.* Fisher's paired permutation test, two-sided: were the models alike, each instruction's differences
(those in all its languages together) could as well have the opposite sign. The statistic is the sum of all
differences; its distribution over all 2^n signs is computed exactly. It makes no assumption about the many
ties and zeros of scores from 0 to 2, for which the tables and the normal approximation of Wilcoxon's test are
not made, and it is about the mean, which is what is reported. R. A. Fisher 1935, "The Design of Experiments",
section 21; M. D. Ernst 2004, "Permutation methods: a basis for exact inference", Statistical Science 19(4).

*Correction.* Holm, over a family: all pairs of models, in English and in non-English, on one criterion by one
rater group. S. Holm 1979, Scandinavian Journal of Statistics 6(2).

*Effect size.* Cohen's dz, the mean over instructions of the differences by their standard deviation. J. Cohen
1988, "Statistical Power Analysis for the Behavioral Sciences", section 2.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from core.analysis.bootstrap import Floats, Resamples
from core.analysis.means import (
    Ints,
    LanguageGroup,
    Mean,
    RaterGroup,
    Values,
    cell_means,
    english_and_others,
    mean_ratings,
    whole_means,
)
from core.analysis.scores import Bools, Scores
from core.extras import needs_extra

# With five instructions, even if one model is better on all, the two-sided p is 2 / 2^5 = 0.06.
FEWEST = 6

ALPHA = 0.05


@dataclass(frozen=True)
class Difference:
    """Two sources (indices into `Scores.sources`) on one criterion in one language group.

    `mean`: first minus second, over `mean.n` pairs of responses; None without any. `instructions`: how many
    these are about; on `better`, `same` and `worse` of them the first is better by its sum, and so on. `dz`:
    Cohen's dz, None where all instructions have the same difference. `p` and `holm`: of the test, before and
    after the correction; None where `why` says that there is no test.
    """

    first: int
    second: int
    language_group: str
    mean: Mean | None
    instructions: int
    better: int
    same: int
    worse: int
    dz: float | None
    p: float | None
    holm: float | None = None
    why: str = ""

    @property
    def significant(self) -> bool:
        return self.holm is not None and self.holm < ALPHA


def compare(
    scored: Scores, resamples: Resamples, rater_group: RaterGroup, criterion: int
) -> list[Difference]:
    """Every pair of sources in English and in non-English, by the ratings of the group on a criterion (an
    index).

    `resamples` are resamples of `scored.keys`. Sources without any score on the criterion are in no pair.
    """
    scores, there, unit = _grid(scored, rater_group, criterion)
    sources = np.flatnonzero(there.any(axis=(1, 2)))
    pairs = list(combinations(sources.tolist(), 2))
    language_groups = english_and_others(scored.languages)
    if not pairs or not language_groups:
        return []
    differences: list[Difference] = []
    values = _differences(scores, there, unit, pairs)
    means = cell_means(values, len(pairs), len(scored.languages), language_groups, resamples)
    for row, (first, second) in enumerate(pairs):
        both = there[first] & there[second]
        difference = np.where(both, scores[first] - scores[second], 0)
        for column, language_group in enumerate(language_groups):
            own = list(language_group.languages)
            differences.append(
                _difference(
                    (first, second), language_group, means.at(row, column), difference[own], both[own], unit
                )
            )
    return _corrected(differences)


def sign_flip_p(differences: Ints) -> float:
    """The two-sided p of the paired permutation test: among all signs of the differences [n] (whole numbers),
    the share whose sum is at least as far from 0 as theirs.

    The sum of independent +v and -v is distributed as the product of the characteristic functions cos(v t)
    says; on whole numbers, a discrete Fourier transform gives it back exactly (to about 1e-15).
    """
    from scipy import fft

    values = np.abs(differences[differences != 0])
    if not len(values):
        return 1.0
    values //= np.gcd.reduce(values)
    total = int(values.sum())
    observed = abs(int(differences.sum())) // int(np.gcd.reduce(np.abs(differences)))
    length = fft.next_fast_len(2 * total + 1, real=True)
    turns = 2 * np.pi * np.arange(length // 2 + 1) / length
    product = np.ones_like(turns)
    for value, times in zip(*np.unique(values, return_counts=True), strict=True):
        product *= np.cos(value * turns) ** times
    share = fft.irfft(product, length)
    if observed == 0:
        return 1.0
    return float(np.clip(2 * share[observed : total + 1].sum(), 0.0, 1.0))


def _grid(scored: Scores, rater_group: RaterGroup, criterion: int) -> tuple[Ints, Bools, int]:
    """The mean score of each source, language and instruction, in whole numbers, where there is one, and the
    unit: two arrays [sources, languages, instructions]. Samples of a model are taken together."""
    ratings = mean_ratings(scored, rater_group)
    own = ratings.criterion == criterion
    response, value = ratings.response[own], ratings.value[own]
    shape = (len(scored.sources), len(scored.languages), len(scored.keys))
    where = (scored.source[response], scored.language[response], scored.cluster[response])
    sums, counts = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    np.add.at(sums, where, value)
    np.add.at(counts, where, 1)
    there = counts > 0
    if not there.any():
        return sums, there, 1
    sums[there], unit = whole_means(sums[there], counts[there])
    return sums, there, unit * ratings.unit


def _differences(scores: Ints, there: Bools, unit: int, pairs: Sequence[tuple[int, int]]) -> Values:
    first, second = np.array(pairs, dtype=np.int64).T
    row, language, cluster = np.nonzero(there[first] & there[second])
    difference = scores[first[row], language, cluster] - scores[second[row], language, cluster]
    return Values(cluster, row, language, difference, unit)


def _difference(
    pair: tuple[int, int],
    language_group: LanguageGroup,
    mean: Mean | None,
    difference: Ints,
    both: Bools,
    unit: int,
) -> Difference:
    """`difference` and `both` are [languages of the language group, instructions]."""
    answered = both.any(axis=0)
    sums = difference.sum(axis=0)[answered]
    each: Floats = sums / both.sum(axis=0)[answered] / unit
    n = len(each)
    spread = float(each.std(ddof=1)) if n > 1 else 0.0
    why = ""
    if n == 0:
        why = "no instruction has a score for both"
    elif n < FEWEST:
        why = f"only {n} instruction{'s' if n > 1 else ''} with scores for both, a test needs {FEWEST}"
    return Difference(
        *pair,
        language_group=language_group.name,
        mean=mean,
        instructions=n,
        better=int((sums > 0).sum()),
        same=int((sums == 0).sum()),
        worse=int((sums < 0).sum()),
        dz=float(each.mean()) / spread if spread > 1e-12 else None,
        p=None if why else sign_flip_p(sums),
        why=why,
    )


def _corrected(family: Sequence[Difference]) -> list[Difference]:
    tested = [difference.p for difference in family if difference.p is not None]
    if not tested:
        return list(family)
    with needs_extra("report", "The comparison of models"):
        from statsmodels.stats.multitest import multipletests
    corrected = iter(multipletests(tested, alpha=ALPHA, method="holm")[1].tolist())
    return [
        difference if difference.p is None else replace(difference, holm=next(corrected))
        for difference in family
    ]

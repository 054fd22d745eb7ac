"""How far raters agree on a suite: every two people, and people against every judge, by criterion.

First the coefficients (Cohen's kappa, Krippendorff's alpha, Gwet's AC2), for many tables of counts at once. A
table is the last two axes of an array [..., K, K] of whole numbers: to how many responses the first rater
(rows) gave the i-th and the second (columns) the j-th of the K scores of a scale. All axes before are kept,
so that the tables of all resamples of a bootstrap cost one call. What is undefined is nan; `undefined` and
`dominated` say in words what a reader must know of a table.

Then the agreement of all raters of a suite, with intervals. A pair are two scores of the same response for
the same criterion that take part in agreement (`store.queries.ledger`), also of a response in the wrong
language. A response that two people scored gives two pairs with a judge. Scores that are not on the
criterion's scale are in no figure.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.analysis.agreement_table import dominance, kappa_parts, why_undefined
from core.analysis.bootstrap import Floats, Resamples, interval
from core.analysis.means import MOST_NUMBERS, RaterGroup, all_rater_groups, english_and_others
from core.analysis.scores import CriterionScale, Scores, paired_scores
from core.extras import needs_extra

Weights = Literal["quadratic", "unweighted"]


def pair_count(counts: ArrayLike) -> Floats:
    """How many pairs each table holds: [...]."""
    n: Floats = _tables(counts).sum(axis=(-2, -1))
    return n


def exact(counts: ArrayLike) -> Floats:
    """Percent (0 to 100) of pairs with the same score; nan without pairs."""
    tables = _tables(counts)
    return 100 * _ratio(np.trace(tables, axis1=-2, axis2=-1), pair_count(tables))


def bias(counts: ArrayLike) -> Floats:
    """Mean of the second minus mean of the first, in points of the scale; nan without pairs."""
    tables = _tables(counts)
    score = np.arange(tables.shape[-1])
    return _ratio((tables * (score[None, :] - score[:, None])).sum(axis=(-2, -1)), pair_count(tables))


def kappa(counts: ArrayLike, weights: Weights = "quadratic") -> Floats:
    """Cohen's kappa: 1 - (disagreement found) / (disagreement by chance, from the two margins).

    Disagreement is (i - j)^2 with `quadratic` weights (J. Cohen 1968, "Weighted kappa", Psychological
    Bulletin 70(4)), and 1 for any two scores that differ when `unweighted` (J. Cohen 1960, "A coefficient of
    agreement for nominal scales", Educational and Psychological Measurement 20(1)). nan where chance alone
    would always agree, which is where both gave one and the same score only.
    """
    tables = _tables(counts)
    if weights == "quadratic":
        return _ratio(*_quadratic_parts(tables))
    weight = _weights(tables.shape[-1], weights)
    by_chance = tables.sum(axis=-1)[..., :, None] * tables.sum(axis=-2)[..., None, :]
    observed = pair_count(tables) * (tables * weight).sum(axis=(-2, -1))
    return 1 - _ratio(observed, (by_chance * weight).sum(axis=(-2, -1)))


def _quadratic_parts(tables: Floats) -> tuple[Floats, Floats]:
    score = np.arange(tables.shape[-1])
    first, second = tables.sum(axis=-1), tables.sum(axis=-2)
    return kappa_parts(
        pair_count(tables),
        (first * score).sum(axis=-1),
        (second * score).sum(axis=-1),
        (tables * np.outer(score, score)).sum(axis=(-2, -1)),
        ((first + second) * score**2).sum(axis=-1),
    )


def coincidences(counts: ArrayLike) -> Floats:
    """Krippendorff's coincidences of two raters: every pair in both orders, [..., K, K]."""
    tables = _tables(counts)
    return tables + np.swapaxes(tables, -2, -1)


def coincidences_of_units(given: ArrayLike) -> Floats:
    """Krippendorff's coincidences of each unit that any number of raters scored: [units, K, K].

    `given` [units, K]: how many raters gave each score. A unit with m scores has m (m - 1) ordered pairs of
    scores by different raters, each counted 1 / (m - 1) times, so that every score counts once; a unit with
    fewer than two scores has none. (K. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability".)
    """
    units = np.asarray(given, dtype=np.float64)
    several = np.maximum(units.sum(axis=-1) - 1, 1)
    pairs = units[:, :, None] * units[:, None, :] - units[:, :, None] * np.eye(units.shape[-1])
    coincidences: Floats = pairs / several[:, None, None]
    return coincidences


def alpha(coincidences: ArrayLike) -> Floats:
    """Krippendorff's alpha for ordered scores, from coincidences [..., K, K].

    1 - (disagreement observed) / (disagreement expected). Two scores c < k are as far apart as the square of
    (n_c / 2 + all n between them + n_k / 2), with n_c the times that c was given in pairs: the distance of
    their mean ranks (K. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", the metric for
    ordinal data). nan where only one score was given, or none.
    """
    table = _tables(coincidences)
    given = table.sum(axis=-1)
    rank = np.cumsum(given, axis=-1) - given / 2
    distance = (rank[..., :, None] - rank[..., None, :]) ** 2
    observed = (table * distance).sum(axis=(-2, -1))
    expected = (given[..., :, None] * given[..., None, :] * distance).sum(axis=(-2, -1))
    return 1 - _ratio((given.sum(axis=-1) - 1) * observed, expected)


def alpha_of_units(given: ArrayLike) -> float:
    """Krippendorff's alpha for ordered scores of any number of raters, some of whose scores may be missing.

    `given` [units, K]: how many raters gave each score. By the package `krippendorff`; nan where only one
    score was given, or where no unit has two. `alpha` of the sum of `coincidences_of_units` is the same
    number, for the resamples of an interval.
    """
    units = np.asarray(given, dtype=np.int64)
    paired = units[units.sum(axis=1) > 1]
    if (paired.sum(axis=0) > 0).sum() < 2:
        return float("nan")
    with needs_extra("report", "Krippendorff's alpha"):
        import krippendorff

    return krippendorff.alpha(value_counts=paired, level_of_measurement="ordinal")


def ac2(counts: ArrayLike, weights: Weights = "quadratic") -> Floats:
    """Gwet's AC2: (p_a - p_e) / (1 - p_e); `unweighted`, it is his AC1.

    p_a is the mean weight of the pairs, with quadratic weights 1 - (i - j)^2 / (K - 1)^2. p_e is the sum of
    all K^2 weights times the sum of pi_k (1 - pi_k), divided by K (K - 1), with pi_k the mean of the two
    raters' shares of the k-th score (K. Gwet 2014, "Handbook of Inter-Rater Reliability", 4th edition,
    chapter 5). All K scores of the scale count, given or not. It is defined also where only one score was
    given; nan without pairs, or when the scale has one score only.
    """
    tables = _tables(counts)
    scores = tables.shape[-1]
    if scores < 2:
        return np.full(tables.shape[:-2], np.nan)
    weight = _weights(scores, weights)
    same = 1 - weight / weight.max()
    n = pair_count(tables)
    share = _ratio((tables.sum(axis=-1) + tables.sum(axis=-2)) / 2, n[..., None])
    by_chance = same.sum() * (share * (1 - share)).sum(axis=-1) / (scores * (scores - 1))
    return _ratio(_ratio((tables * same).sum(axis=(-2, -1)), n) - by_chance, 1 - by_chance)


# The figures of every table of two raters, by name.
FIGURES: dict[str, Callable[[ArrayLike], Floats]] = {
    "exact": exact,
    "kappa": kappa,
    "alpha": lambda counts: alpha(coincidences(counts)),
    "ac2": ac2,
    "bias": bias,
}


def undefined(counts: NDArray[np.int64], minimum: int = 0) -> str | None:
    """In words, why kappa and alpha of one table [K, K] are nan; None where they aren't. The first row and
    column are the score `minimum`."""
    return why_undefined(_pairs(counts, minimum))


def dominated(counts: NDArray[np.int64], minimum: int = 0) -> str | None:
    """A warning in words where nearly all scores of one table [K, K] are one and the same."""
    return dominance(_pairs(counts, minimum))


def _pairs(counts: NDArray[np.int64], minimum: int) -> dict[tuple[int, int], int]:
    return {
        (minimum + first, minimum + second): count
        for first, row in enumerate(np.asarray(counts).tolist())
        for second, count in enumerate(row)
        if count
    }


def _tables(counts: ArrayLike) -> Floats:
    tables = np.asarray(counts, dtype=np.float64)
    if tables.ndim < 2 or tables.shape[-1] != tables.shape[-2]:
        raise ValueError(f"A table has as many rows as columns; these are {tables.shape}.")
    return tables


def _weights(scores: int, weights: Weights) -> Floats:
    """The weights of disagreement between the scores of a scale: [K, K]."""
    score = np.arange(scores)
    distance = (score[:, None] - score[None, :]) ** 2
    return (distance if weights == "quadratic" else distance > 0).astype(np.float64)


def _ratio(above: ArrayLike, below: ArrayLike) -> Floats:
    """The quotient, and nan where it would be by nothing."""
    above, below = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    quotient: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)
    return quotient


Ints = NDArray[np.int64]

ALL = "all"
FEWEST_PEOPLE = 3

MISSING, OUTSIDE = -1, -2

Kind = Literal["people", "judge"]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval. `value` is None where it is undefined; `low` and `high` also where all
    comes from one instruction, or where the figure is undefined in more than half of the resamples."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class PairAgreement:
    """A first rater group (rows) and a second (columns) on a criterion.

    `language_group`: English, non-English or all.

    `counts` [K, K]: to how many responses the first gave the i-th score of the scale and the second the j-th;
    `n` is their sum; `outside`: pairs with a score that is not on the scale, which are in nothing else.
    `figures`: `exact` (percent), `kappa` (quadratic weights), `alpha` (ordinal), `ac2` (quadratic weights)
    and `bias` (mean of second minus first, in points). `undefined` and `dominated` say in words what a reader
    must know of kappa and alpha.
    """

    kind: Kind
    first: RaterGroup
    second: RaterGroup
    criterion: CriterionScale
    language_group: str
    counts: Ints
    n: int
    outside: int
    figures: dict[str, Estimate]
    undefined: str | None
    dominated: str | None

    @property
    def percent(self) -> Floats:
        """The table in percent of all pairs (the paper's figure 5); zeros when there are none."""
        return 100 * self.counts / max(self.n, 1)


@dataclass(frozen=True)
class PeopleAlpha:
    """Krippendorff's ordinal alpha of all people together; `n` responses have scores of two or more."""

    criterion: CriterionScale
    language_group: str
    alpha: Estimate
    n: int


@dataclass(frozen=True)
class Agreements:
    """`pairs`: every two people, then people against every judge and rule; of each, all language groups,
    criterion by criterion, as far as anybody has scored them. `people`: with `FEWEST_PEOPLE` or more, all of
    them together."""

    rater_groups: tuple[RaterGroup, ...]
    language_groups: tuple[str, ...]
    pairs: tuple[PairAgreement, ...]
    people: tuple[PeopleAlpha, ...]

    def between(self, kind: str) -> list[tuple[RaterGroup, RaterGroup]]:
        """The pairs of rater groups of a kind, each once."""
        return list(dict.fromkeys((pair.first, pair.second) for pair in self.pairs if pair.kind == kind))


def agreements(scored: Scores, resamples: Resamples) -> Agreements:
    """The agreement of all raters of a suite. `resamples` are resamples of `scored.keys`.

    The intervals are percentile intervals over the resamples, for which whole instructions are drawn with all
    pairs that belong to them. A resample in which a figure is undefined is left out of its interval. The
    alpha of several people is that of the package `krippendorff`; in a resample, it comes by the same formula
    from the coincidences of the instructions drawn.
    """
    scored = paired_scores(scored)
    rater_groups = all_rater_groups(scored)
    people = [
        rater_group
        for rater_group in rater_groups
        if rater_group.kind == "human" and not rater_group.together
    ]
    together = next(
        (rater_group for rater_group in rater_groups if rater_group.together), people[0] if people else None
    )
    language_groups = _response_sets(scored)
    compared: list[tuple[Kind, RaterGroup, RaterGroup]] = [
        ("people", *two) for two in combinations(people, 2)
    ]
    if together is not None:
        compared += [
            ("judge", together, rater_group) for rater_group in rater_groups if rater_group.kind != "human"
        ]
    pairs: list[PairAgreement] = []
    alphas: list[PeopleAlpha] = []
    for index, criterion in enumerate(scored.criteria):
        if not (scored.criterion == index).any():
            continue
        grid = _grid(scored, index)
        for kind, first, second in compared:
            pairs += _pair(kind, first, second, scored, criterion, grid, language_groups, resamples)
        if len(people) >= FEWEST_PEOPLE:
            alphas += _people_alpha(people, scored, criterion, grid, language_groups, resamples)
    order_of_group = {language_group.name: index for index, language_group in enumerate(language_groups)}
    order_of_pair = {(first, second): index for index, (_, first, second) in enumerate(compared)}
    pairs.sort(key=lambda pair: (order_of_pair[pair.first, pair.second], order_of_group[pair.language_group]))
    alphas.sort(key=lambda pair: order_of_group[pair.language_group])
    return Agreements(rater_groups, tuple(order_of_group), tuple(pairs), tuple(alphas))


@dataclass(frozen=True)
class _ResponseSet:
    """`responses` [R]: which responses are in it."""

    name: str
    responses: NDArray[np.bool_]


def _response_sets(scored: Scores) -> list[_ResponseSet]:
    """English and non-English as far as there are responses, and with both also all."""
    separate = [
        _ResponseSet(language_group.name, np.isin(scored.language, language_group.languages))
        for language_group in english_and_others(scored.languages)
    ]
    if len(separate) < 2:
        return separate
    return [*separate, _ResponseSet(ALL, np.ones(len(scored.responses), dtype=np.bool_))]


def _grid(scored: Scores, criterion: int) -> Ints:
    """All scores for a criterion as positions on its scale, from 0: [responses, raters]; MISSING or
    OUTSIDE."""
    scale = scored.criteria[criterion]
    grid = np.full((len(scored.responses), len(scored.raters)), MISSING, dtype=np.int64)
    own = scored.criterion == criterion
    score = scored.score[own]
    on_scale = (score >= scale.minimum) & (score <= scale.maximum)
    grid[scored.response[own], scored.rater[own]] = np.where(on_scale, score - scale.minimum, OUTSIDE)
    return grid


def _pair(
    kind: Kind,
    first: RaterGroup,
    second: RaterGroup,
    scored: Scores,
    criterion: CriterionScale,
    grid: Ints,
    language_groups: Sequence[_ResponseSet],
    resamples: Resamples,
) -> Iterator[PairAgreement]:
    scores = criterion.maximum - criterion.minimum + 1
    clusters = len(scored.keys)
    tables = np.zeros((clusters, len(language_groups), scores, scores))
    outside = [0] * len(language_groups)
    for first_rater in first.raters:
        for second_rater in second.raters:
            both = (grid[:, first_rater] != MISSING) & (grid[:, second_rater] != MISSING)
            valid = both & (grid[:, first_rater] >= 0) & (grid[:, second_rater] >= 0)
            for group_index, language_group in enumerate(language_groups):
                own = valid & language_group.responses
                cell = (scored.cluster[own] * scores + grid[own, first_rater]) * scores + grid[
                    own, second_rater
                ]
                counted = np.bincount(cell, minlength=clusters * scores * scores)
                tables[:, group_index] += counted.reshape(clusters, scores, scores)
                outside[group_index] += int((both & ~valid & language_group.responses).sum())
    estimates = _estimates(tables, resamples)
    for group_index, language_group in enumerate(language_groups):
        counts = tables[:, group_index].sum(axis=0).astype(np.int64)
        yield PairAgreement(
            kind=kind,
            first=first,
            second=second,
            criterion=criterion,
            language_group=language_group.name,
            counts=counts,
            n=int(counts.sum()),
            outside=outside[group_index],
            figures={name: estimates[name][group_index] for name in FIGURES},
            undefined=undefined(counts, criterion.minimum),
            dominated=dominated(counts, criterion.minimum),
        )


def _estimates(tables: Floats, resamples: Resamples) -> dict[str, list[Estimate]]:
    """Every figure of the tables [clusters, language groups, K, K], for each language group."""
    known = tables.any(axis=(-2, -1)).sum(axis=0) > 1
    total = tables.sum(axis=0)
    sampled = sampled_figures(tables[:, known], resamples, list(FIGURES.values())) if known.any() else None
    estimates = {}
    for index, (name, figure) in enumerate(FIGURES.items()):
        low, high = np.full(len(known), np.nan), np.full(len(known), np.nan)
        if sampled is not None:
            low[known], high[known] = interval(sampled[index])
        estimates[name] = [estimate(*ends) for ends in zip(figure(total), low, high, strict=True)]
    return estimates


def sampled_figures(
    tables: Floats, resamples: Resamples, figures: Sequence[Callable[[Floats], Floats]]
) -> list[Floats]:
    """Each figure of the tables [clusters, ..., K, K] in every resample: [resamples, ...]."""
    step = max(1, MOST_NUMBERS // max(1, tables[0].size))
    parts = []
    for start in range(0, len(resamples.weights), step):
        sums = Resamples(resamples.weights[start : start + step]).sums(tables)
        parts.append([figure(sums) for figure in figures])
    return [np.concatenate(own) for own in zip(*parts, strict=True)]


def _people_alpha(
    people: Sequence[RaterGroup],
    scored: Scores,
    criterion: CriterionScale,
    grid: Ints,
    language_groups: Sequence[_ResponseSet],
    resamples: Resamples,
) -> Iterator[PeopleAlpha]:
    scores = grid[:, [rater_group.raters[0] for rater_group in people]]
    scale = range(criterion.maximum - criterion.minimum + 1)
    given = np.stack([(scores == score).sum(axis=1) for score in scale], axis=1)
    several = given.sum(axis=1) > 1
    for language_group in language_groups:
        own = several & language_group.responses
        yield PeopleAlpha(
            criterion, language_group.name, _alpha(given[own], scored.cluster[own], resamples), int(own.sum())
        )


def _alpha(units: Ints, cluster: Ints, resamples: Resamples) -> Estimate:
    """Of units with two scores or more, each of a cluster."""
    # In whole numbers, so that their sums over the instructions are exact.
    whole = int(np.lcm.reduce(units.sum(axis=1) - 1, initial=1))
    scores = units.shape[1]
    tables = np.zeros((resamples.weights.shape[1], scores, scores))
    np.add.at(tables, cluster, np.rint(coincidences_of_units(units) * whole))
    low = high = float("nan")
    if len(np.unique(cluster)) > 1:
        (sampled,) = sampled_figures(tables, resamples, [lambda sums: alpha(sums / whole)])
        low, high = map(float, interval(sampled))
    return estimate(alpha_of_units(units), low, high)


def estimate(value: float, low: float, high: float) -> Estimate:
    """A figure with its interval, each of which may be nan."""
    if np.isnan(value):
        return Estimate(None)
    return Estimate(float(value)) if np.isnan(low) else Estimate(float(value), float(low), float(high))

"""The table of two raters on one criterion (3x3 for scores from 0 to 2): how often which score met which, and
the agreement that follows from it. Humans against a judge, criterion by criterion, for the overview.

It needs no NumPy, so that the review room shows it without the extra `report`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from sqlmodel import Session

from store.queries.overview import Scope, pair_counts
from store.queries.rubrics import criteria_of

Pairs = Mapping[tuple[int, int], int]

# Whole numbers, or NumPy's arrays of them.
Number = TypeVar("Number", int, Any)

DOMINANT = Fraction(9, 10)


@dataclass(frozen=True)
class Agreement:
    """How a first rater's scores (a human's) and a second's (a judge's) of the same responses go together.

    `counts[i][j]`: how many of the `n` pairs are the first's `minimum + i` and the second's `minimum + j`.
    `exact`: percent of pairs with the same score. `bias`: mean of the second minus mean of the first, in
    points of the scale. `kappa`: Cohen's kappa with quadratic weights, 1 at best, 0 as by chance. All three
    are None without pairs, and `kappa` also where `undefined` says why. `outside`: pairs with a score that is
    not on the scale; they are in nothing else.
    """

    minimum: int
    maximum: int
    counts: tuple[tuple[int, ...], ...]
    n: int
    outside: int
    exact: float | None
    bias: float | None
    kappa: float | None
    undefined: str | None

    @property
    def scores(self) -> range:
        """The scores that the rows and columns of the table stand for."""
        return range(self.minimum, self.maximum + 1)

    @property
    def percent(self) -> tuple[tuple[float, ...], ...]:
        """The table in percent of all pairs (the paper's figure 5); zeros when there are none."""
        return tuple(tuple(100 * count / max(self.n, 1) for count in row) for row in self.counts)


def agreement(pairs: Pairs, minimum: int = 0, maximum: int = 2) -> Agreement:
    """The table and its figures from `pairs`: (first's score, second's score) -> on how many responses.

    Raises `ValueError` when the scale is empty.
    """
    if minimum > maximum:
        raise ValueError(f"No score lies between {minimum} and {maximum}.")
    scale = range(minimum, maximum + 1)
    valid = {pair: count for pair, count in pairs.items() if pair[0] in scale and pair[1] in scale and count}
    n = sum(valid.values())
    same = sum(count for (first, second), count in valid.items() if first == second)
    difference = sum((second - first) * count for (first, second), count in valid.items())
    return Agreement(
        minimum=minimum,
        maximum=maximum,
        counts=tuple(tuple(valid.get((first, second), 0) for second in scale) for first in scale),
        n=n,
        outside=sum(pairs.values()) - n,
        exact=100 * same / n if n else None,
        bias=difference / n if n else None,
        kappa=quadratic_kappa(valid),
        undefined=why_undefined(valid),
    )


def quadratic_kappa(pairs: Pairs) -> float | None:
    """Cohen's kappa with weights (first - second)^2, rounded once; None where chance alone would always
    agree."""
    observed, chance = kappa_parts(
        sum(pairs.values()),
        sum(first * count for (first, _), count in pairs.items()),
        sum(second * count for (_, second), count in pairs.items()),
        sum(first * second * count for (first, second), count in pairs.items()),
        sum((first * first + second * second) * count for (first, second), count in pairs.items()),
    )
    return float(Fraction(observed, chance)) if chance else None


def kappa_parts(
    n: Number, first: Number, second: Number, product: Number, squares: Number
) -> tuple[Number, Number]:
    """The two sides of the division that is Cohen's kappa with quadratic weights, of whole numbers or arrays.

    `n` pairs of scores a, b: `first` is the sum of a, `second` of b, `product` of a b, `squares` of
    a^2 + b^2. Weighted kappa is 1 - (mean weight observed) / (mean weight by chance, from the two margins):
    J. Cohen 1968, "Weighted kappa", Psychological Bulletin 70(4). With squares as weights these two means are
    var1 + var2 - 2 cov + (mean1 - mean2)^2 and var1 + var2 + (mean1 - mean2)^2, so that

        kappa = 2 cov / (var1 + var2 + (mean1 - mean2)^2)

    with variances and covariance divided by n, the form of L. Lin 1989, "A concordance correlation
    coefficient to evaluate reproducibility", Biometrics 45(1). Both sides are taken n^2 times, in whole
    numbers, so that nothing is rounded before the division.
    """
    covariance = n * product - first * second
    return 2 * covariance, n * squares - first * first - second * second + (first - second) * (first - second)


def why_undefined(pairs: Pairs) -> str | None:
    """In words, why agreement beyond chance can't be told from these pairs; None where it can."""
    given = _given(pairs)
    if not given:
        return "no response was scored by both"
    if len(given) == 1:
        return f"every score of both is {min(given)}: kappa compares with chance, and chance agrees as well"
    return None


def dominance(pairs: Pairs) -> str | None:
    """A warning where one score is at least `DOMINANT` of all scores that the two gave, but not all of them.

    Chance then agrees nearly always, so that a few differences cost kappa and alpha much: A. Feinstein and
    D. Cicchetti 1990, "High agreement but low kappa", Journal of Clinical Epidemiology 43(6).
    """
    given = _given(pairs)
    if len(given) < 2:
        return None
    score, count = max(given.items(), key=lambda item: item[1])
    share = Fraction(count, sum(given.values()))
    if share < DOMINANT:
        return None
    # Rounded down, or 99.6% would read as all.
    return (
        f"one score dominates ({score} is {int(100 * share)}% of all): kappa can be low although the raters "
        "hardly differ"
    )


def _given(pairs: Pairs) -> dict[int, int]:
    """How often each score was given, by either of the two."""
    given: dict[int, int] = {}
    for pair, count in pairs.items():
        for score in pair if count else ():
            given[score] = given.get(score, 0) + count
    return given


@dataclass(frozen=True)
class CriterionAgreement:
    """The agreement of humans (rows) and a judge (columns) on one criterion, on the criterion's scale."""

    criterion_id: int
    criterion: str
    agreement: Agreement


def human_against_judge(
    session: Session, scope: Scope, rubric_id: int, human_ids: Sequence[int], judge_id: int
) -> list[CriterionAgreement]:
    """One table per criterion, in the rubric's order, also where no response was scored by both.

    What counts as a pair: see `store.queries.overview.pair_counts`.
    """
    pairs: dict[int, dict[tuple[int, int], int]] = {}
    for pair_count in pair_counts(session, scope, rubric_id, human_ids, judge_id):
        pairs.setdefault(pair_count.criterion_id, {})[pair_count.human, pair_count.judge] = pair_count.n
    return [
        CriterionAgreement(
            row.id or 0, row.name, agreement(pairs.get(row.id or 0, {}), row.minimum, row.maximum)
        )
        for row in criteria_of(session, rubric_id)
    ]

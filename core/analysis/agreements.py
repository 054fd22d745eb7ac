"""How far raters agree on a suite: every two people, and people against every judge, by criterion.

What counts as a pair is said at `store.queries.overview.pair_counts`: two current scores of the same response
for the same criterion, also of a response in the wrong language (leaving these out is a rule for means). A
response that two people scored gives two pairs with a judge. Scores that are not on the criterion's scale are
in no figure.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.bootstrap import Floats, Resamples, interval
from core.analysis.cells import AT_ONCE, english_and_others
from core.analysis.coefficients import (
    FIGURES,
    alpha,
    alpha_of_units,
    coincidences_of_units,
    dominated,
    undefined,
)
from core.analysis.scored import Criteria, Scored
from core.analysis.scores import Voice, all_voices

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
    """A first voice (rows) and a second (columns) on a criterion, in `scope` (English, non-English, all).

    `counts` [K, K]: to how many responses the first gave the i-th score of the scale and the second the j-th;
    `n` is their sum; `outside`: pairs with a score that is not on the scale, which are in nothing else.
    `figures`: `exact` (percent), `kappa` (quadratic weights), `alpha` (ordinal), `ac2` (quadratic weights)
    and `bias` (mean of second minus first, in points). `undefined` and `dominated` say in words what a reader
    must know of kappa and alpha.
    """

    kind: Kind
    first: Voice
    second: Voice
    criterion: Criteria
    scope: str
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

    criterion: Criteria
    scope: str
    alpha: Estimate
    n: int


@dataclass(frozen=True)
class Agreements:
    """`pairs`: every two people, then people against every judge and rule; of each, all scopes, criterion by
    criterion. `people`: with `FEWEST_PEOPLE` or more, all of them together."""

    voices: tuple[Voice, ...]
    scopes: tuple[str, ...]
    pairs: tuple[PairAgreement, ...]
    people: tuple[PeopleAlpha, ...]

    def between(self, kind: str) -> list[tuple[Voice, Voice]]:
        """The pairs of voices of a kind, each once."""
        return list(dict.fromkeys((it.first, it.second) for it in self.pairs if it.kind == kind))


def agreements(scored: Scored, drawn: Resamples) -> Agreements:
    """The agreement of all raters of a suite. `drawn` are resamples of `scored.keys`.

    The intervals are percentile intervals over the resamples, for which whole instructions are drawn with all
    pairs that belong to them. A resample in which a figure is undefined is left out of its interval. The
    alpha of several people is that of the package `krippendorff`; in a resample, it comes by the same formula
    from the coincidences of the instructions drawn.
    """
    voices = all_voices(scored)
    people = [voice for voice in voices if voice.kind == "human" and not voice.together]
    together = next((voice for voice in voices if voice.together), people[0] if people else None)
    scopes = _scopes(scored)
    asked: list[tuple[Kind, Voice, Voice]] = [("people", *two) for two in combinations(people, 2)]
    if together is not None:
        asked += [("judge", together, voice) for voice in voices if voice.kind != "human"]
    pairs: list[PairAgreement] = []
    alphas: list[PeopleAlpha] = []
    for place, criterion in enumerate(scored.criteria):
        grid = _grid(scored, place)
        for kind, first, second in asked:
            pairs += _pair(kind, first, second, scored, criterion, grid, scopes, drawn)
        if len(people) >= FEWEST_PEOPLE:
            alphas += _people_alpha(people, scored, criterion, grid, scopes, drawn)
    order = {scope.name: place for place, scope in enumerate(scopes)}
    place_of = {(first, second): place for place, (_, first, second) in enumerate(asked)}
    pairs.sort(key=lambda it: (place_of[it.first, it.second], order[it.scope]))
    alphas.sort(key=lambda it: order[it.scope])
    return Agreements(voices, tuple(order), tuple(pairs), tuple(alphas))


@dataclass(frozen=True)
class _Scope:
    """`responses` [R]: which responses are in it."""

    name: str
    responses: NDArray[np.bool_]


def _scopes(scored: Scored) -> list[_Scope]:
    """English and non-English as far as there are responses, and with both also all."""
    apart = [
        _Scope(scope.name, np.isin(scored.language, scope.languages))
        for scope in english_and_others(scored.languages)
    ]
    if len(apart) < 2:
        return apart
    return [*apart, _Scope(ALL, np.ones(len(scored.responses), dtype=np.bool_))]


def _grid(scored: Scored, criterion: int) -> Ints:
    """The places on the scale of all scores for a criterion: [responses, raters]; MISSING or OUTSIDE."""
    scale = scored.criteria[criterion]
    grid = np.full((len(scored.responses), len(scored.raters)), MISSING, dtype=np.int64)
    own = scored.criterion == criterion
    score = scored.score[own]
    on_scale = (score >= scale.minimum) & (score <= scale.maximum)
    grid[scored.response[own], scored.rater[own]] = np.where(on_scale, score - scale.minimum, OUTSIDE)
    return grid


def _pair(
    kind: Kind,
    first: Voice,
    second: Voice,
    scored: Scored,
    criterion: Criteria,
    grid: Ints,
    scopes: Sequence[_Scope],
    drawn: Resamples,
) -> Iterator[PairAgreement]:
    scores = criterion.maximum - criterion.minimum + 1
    clusters = len(scored.keys)
    tables = np.zeros((clusters, len(scopes), scores, scores))
    outside = [0] * len(scopes)
    for one in first.raters:
        for other in second.raters:
            both = (grid[:, one] != MISSING) & (grid[:, other] != MISSING)
            valid = both & (grid[:, one] >= 0) & (grid[:, other] >= 0)
            for place, scope in enumerate(scopes):
                own = valid & scope.responses
                cell = (scored.cluster[own] * scores + grid[own, one]) * scores + grid[own, other]
                counted = np.bincount(cell, minlength=clusters * scores * scores)
                tables[:, place] += counted.reshape(clusters, scores, scores)
                outside[place] += int((both & ~valid & scope.responses).sum())
    found = _estimates(tables, drawn)
    for place, scope in enumerate(scopes):
        counts = tables[:, place].sum(axis=0).astype(np.int64)
        yield PairAgreement(
            kind=kind,
            first=first,
            second=second,
            criterion=criterion,
            scope=scope.name,
            counts=counts,
            n=int(counts.sum()),
            outside=outside[place],
            figures={name: found[name][place] for name in FIGURES},
            undefined=undefined(counts, criterion.minimum),
            dominated=dominated(counts, criterion.minimum),
        )


def _estimates(tables: Floats, drawn: Resamples) -> dict[str, list[Estimate]]:
    """Every figure of the tables [clusters, scopes, K, K], for each scope."""
    known = tables.any(axis=(-2, -1)).sum(axis=0) > 1
    total = tables.sum(axis=0)
    sampled = sampled_figures(tables[:, known], drawn, list(FIGURES.values())) if known.any() else None
    found = {}
    for place, (name, figure) in enumerate(FIGURES.items()):
        low, high = np.full(len(known), np.nan), np.full(len(known), np.nan)
        if sampled is not None:
            low[known], high[known] = interval(sampled[place])
        found[name] = [estimate(*ends) for ends in zip(figure(total), low, high, strict=True)]
    return found


def sampled_figures(
    tables: Floats, drawn: Resamples, figures: Sequence[Callable[[Floats], Floats]]
) -> list[Floats]:
    """Each figure of the tables [clusters, ..., K, K] in every resample: [resamples, ...]."""
    step = max(1, AT_ONCE // max(1, tables[0].size))
    parts = []
    for start in range(0, len(drawn.weights), step):
        sums = Resamples(drawn.weights[start : start + step]).sums(tables)
        parts.append([figure(sums) for figure in figures])
    return [np.concatenate(own) for own in zip(*parts, strict=True)]


def _people_alpha(
    people: Sequence[Voice],
    scored: Scored,
    criterion: Criteria,
    grid: Ints,
    scopes: Sequence[_Scope],
    drawn: Resamples,
) -> Iterator[PeopleAlpha]:
    said = grid[:, [voice.raters[0] for voice in people]]
    scale = range(criterion.maximum - criterion.minimum + 1)
    given = np.stack([(said == score).sum(axis=1) for score in scale], axis=1)
    several = given.sum(axis=1) > 1
    for scope in scopes:
        own = several & scope.responses
        yield PeopleAlpha(
            criterion, scope.name, _alpha(given[own], scored.cluster[own], drawn), int(own.sum())
        )


def _alpha(units: Ints, cluster: Ints, drawn: Resamples) -> Estimate:
    """Of units with two scores or more, each of a cluster."""
    # In whole numbers, so that their sums over the instructions are exact.
    whole = int(np.lcm.reduce(units.sum(axis=1) - 1, initial=1))
    scores = units.shape[1]
    tables = np.zeros((drawn.weights.shape[1], scores, scores))
    np.add.at(tables, cluster, np.rint(coincidences_of_units(units) * whole))
    low = high = float("nan")
    if len(np.unique(cluster)) > 1:
        (sampled,) = sampled_figures(tables, drawn, [lambda sums: alpha(sums / whole)])
        low, high = map(float, interval(sampled))
    return estimate(alpha_of_units(units), low, high)


def estimate(value: float, low: float, high: float) -> Estimate:
    """A figure with its interval, each of which may be nan."""
    if np.isnan(value):
        return Estimate(None)
    return Estimate(float(value)) if np.isnan(low) else Estimate(float(value), float(low), float(high))

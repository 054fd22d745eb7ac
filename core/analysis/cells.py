"""Means of many cells at once, by language and over languages, with bootstrap intervals clustered by
instruction.

A *cell* is one row (such as a model on a criterion) in one language. A *scope* is a language or several; the
mean of a scope is the mean over its languages of their means, so that each language has the same weight
(non-English in the paper, section 4).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.bootstrap import Floats, Resamples, interval
from core.analysis.calibration import is_english

Ints = NDArray[np.int64]

ENGLISH = "English"
NON_ENGLISH = "non-English"

# Numbers of a chunk of statistics that are held at once, for all resamples together (8 bytes each).
AT_ONCE = 4_000_000

# Whole means of up to eight scores are exact in units of 1/840.
FINEST_UNIT = 840


@dataclass(frozen=True)
class Scope:
    """A language, or several together; `languages` are places in `Scored.languages`."""

    name: str
    languages: tuple[int, ...]


@dataclass(frozen=True)
class Mean:
    """The mean of `n` values. `low` to `high` is its 95% interval: None where all come from one instruction,
    since nothing is known then of how instructions differ."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class CellMeans:
    """`value`, `low` and `high` [rows, scopes] are nan where there is nothing; `n` [rows, scopes]."""

    value: Floats
    low: Floats
    high: Floats
    n: Ints

    def at(self, row: int, scope: int) -> Mean | None:
        if not self.n[row, scope]:
            return None
        low, high = float(self.low[row, scope]), float(self.high[row, scope])
        known = not np.isnan(low)
        return Mean(
            float(self.value[row, scope]),
            low if known else None,
            high if known else None,
            int(self.n[row, scope]),
        )


@dataclass(frozen=True)
class Values:
    """M values, each of one cell: `cluster` (its instruction), `row` and `language` are places, [M] each.
    `value` [M] are whole numbers in units of 1 / `unit`, so that their sums are exact."""

    cluster: Ints
    row: Ints
    language: Ints
    value: Ints
    unit: int


def languages_apart(languages: Sequence[str]) -> tuple[Scope, ...]:
    """A scope for every language."""
    return tuple(Scope(language, (place,)) for place, language in enumerate(languages))


def english_and_others(languages: Sequence[str]) -> tuple[Scope, ...]:
    """English and non-English, as far as there are such languages."""
    english = tuple(place for place, language in enumerate(languages) if is_english(language))
    others = tuple(place for place, language in enumerate(languages) if not is_english(language))
    found = (Scope(ENGLISH, english), Scope(NON_ENGLISH, others))
    return tuple(scope for scope in found if scope.languages)


def whole_means(sums: Ints, counts: Ints) -> tuple[Ints, int]:
    """The means `sums / counts` (counts above 0) as whole numbers, and the unit that they are parts of.

    Exact up to means of eight; rounded to 1/840 where the counts have no smaller common multiple.
    """
    unit = 1
    for count in np.unique(counts).tolist():
        unit = int(np.lcm(unit, count))
        if unit > FINEST_UNIT:
            return np.rint(sums * (FINEST_UNIT / counts)).astype(np.int64), FINEST_UNIT
    return sums * unit // counts, unit


def cell_means(
    values: Values, rows: int, languages: int, scopes: Sequence[Scope], drawn: Resamples
) -> CellMeans:
    """The means of all rows in all scopes, with percentile intervals over the resamples.

    A scope's mean is over those of its languages in which the row has values. A resample in which one of
    these has none is left out of the interval (`core.analysis.bootstrap.interval`).
    """
    totals, counts = _per_cluster(values, rows, languages, drawn.weights.shape[1])
    n_cells = counts.sum(axis=0).astype(np.int64)
    with np.errstate(invalid="ignore"):
        means = totals.sum(axis=0) / n_cells / values.unit
    value, n, apart = (np.full((rows, len(scopes)), fill) for fill in (np.nan, 0, 0))
    low, high = np.full_like(value, np.nan), np.full_like(value, np.nan)
    for place, scope in enumerate(scopes):
        own = list(scope.languages)
        n[:, place] = n_cells[:, own].sum(axis=1)
        apart[:, place] = counts[:, :, own].any(axis=2).sum(axis=0)
        value[:, place] = _over_languages(means[:, own], n_cells[:, own] > 0)
    for some in chunks(rows, len(drawn.weights) * languages):
        sampled = _sampled(totals[:, some], counts[:, some], drawn) / values.unit
        for place, scope in enumerate(scopes):
            own = list(scope.languages)
            known = apart[some, place] > 1
            if not known.any():
                continue
            there = n_cells[some][known][:, own] > 0
            statistics = _over_languages(sampled[:, known][:, :, own], there)
            at = np.arange(rows)[some][known]
            low[at, place], high[at, place] = interval(statistics)
    return CellMeans(value, low, high, n)


def chunks(rows: int, width: int) -> Iterator[slice]:
    """Slices of `rows` rows, each of at most `AT_ONCE` numbers when a row has `width`."""
    step = max(1, AT_ONCE // max(1, width))
    for start in range(0, rows, step):
        yield slice(start, start + step)


def _per_cluster(values: Values, rows: int, languages: int, clusters: int) -> tuple[Floats, Floats]:
    """Sums and numbers of values, each [clusters, rows, languages]."""
    shape = (clusters, rows, languages)
    flat = np.ravel_multi_index((values.cluster, values.row, values.language), shape)
    size = clusters * rows * languages
    totals = np.bincount(flat, weights=values.value, minlength=size).astype(np.float64)
    counts = np.bincount(flat, minlength=size).astype(np.float64)
    return totals.reshape(shape), counts.reshape(shape)


def _sampled(totals: Floats, counts: Floats, drawn: Resamples) -> Floats:
    """The cells' means in every resample: [resamples, rows, languages]."""
    sums, weights = drawn.sums(totals), drawn.sums(counts)
    with np.errstate(invalid="ignore"):
        return np.divide(sums, weights, out=sums)


def _over_languages(means: Floats, there: NDArray[np.bool_]) -> Floats:
    """The mean over the last axis of those cells that are there at all; nan without any."""
    if there.shape[-1] == 1:
        return np.where(there, means, np.nan)[..., 0]
    number = there.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.where(there, means, 0.0).sum(axis=-1) / np.where(number > 0, number, np.nan)

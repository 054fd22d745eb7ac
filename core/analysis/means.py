"""Mean scores: of every model on every criterion in every language, and per task, with bootstrap intervals
clustered by instruction.

The score of a model on a criterion in a language is the mean over its responses, on the criterion's scale.
With several people, a response counts once, with the mean of those of their scores that count. For every
criterion but `language`, a score doesn't count where its rater gave language 0, and the mean of people
together takes the score of an adjudicator alone where there is one (`store.queries.ledger`).

The means of many cells are computed at once. A *cell* is one row (such as a model on a criterion) in one
language. A *language group* is a language or several; the mean of a group is the mean over its languages of
their means, so that each language has the same weight (non-English in the paper, section 4).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.bootstrap import Floats, Resamples, interval
from core.analysis.judge_quality import is_english
from core.analysis.scores import LANGUAGE, Scores
from store.labels import people_label

Ints = NDArray[np.int64]

ENGLISH = "English"
NON_ENGLISH = "non-English"

# Numbers of a chunk of statistics that are held at once, for all resamples together (8 bytes each).
MOST_NUMBERS = 4_000_000

# Whole means of up to eight scores are exact in units of 1/840.
FINEST_UNIT = 840


@dataclass(frozen=True)
class LanguageGroup:
    """A language, or several together; `languages` are indices into `Scores.languages`."""

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
    """`value`, `low` and `high` [rows, language groups] are nan where there is nothing; `n` [rows, language
    groups]."""

    value: Floats
    low: Floats
    high: Floats
    n: Ints

    def at(self, row: int, language_group: int) -> Mean | None:
        if not self.n[row, language_group]:
            return None
        low, high = float(self.low[row, language_group]), float(self.high[row, language_group])
        known = not np.isnan(low)
        return Mean(
            float(self.value[row, language_group]),
            low if known else None,
            high if known else None,
            int(self.n[row, language_group]),
        )


@dataclass(frozen=True)
class Values:
    """M values, each of one cell: `cluster` (its instruction), `row` and `language` are indices, [M] each.
    `value` [M] are whole numbers in units of 1 / `unit`, so that their sums are exact."""

    cluster: Ints
    row: Ints
    language: Ints
    value: Ints
    unit: int


def each_language(languages: Sequence[str]) -> tuple[LanguageGroup, ...]:
    """A language group for every language."""
    return tuple(LanguageGroup(language, (index,)) for index, language in enumerate(languages))


def english_and_others(languages: Sequence[str]) -> tuple[LanguageGroup, ...]:
    """English and non-English, as far as there are such languages."""
    english = tuple(index for index, language in enumerate(languages) if is_english(language))
    others = tuple(index for index, language in enumerate(languages) if not is_english(language))
    language_groups = (LanguageGroup(ENGLISH, english), LanguageGroup(NON_ENGLISH, others))
    return tuple(language_group for language_group in language_groups if language_group.languages)


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
    values: Values, rows: int, languages: int, language_groups: Sequence[LanguageGroup], resamples: Resamples
) -> CellMeans:
    """The means of all rows in all language groups, with percentile intervals over the resamples.

    A language group's mean is over those of its languages in which the row has values. A resample in which
    one of these has none is left out of the interval (`core.analysis.bootstrap.interval`).
    """
    totals, counts = _per_cluster(values, rows, languages, resamples.weights.shape[1])
    n_cells = counts.sum(axis=0).astype(np.int64)
    with np.errstate(invalid="ignore"):
        means = totals.sum(axis=0) / n_cells / values.unit
    value, n, clusters = (np.full((rows, len(language_groups)), fill) for fill in (np.nan, 0, 0))
    low, high = np.full_like(value, np.nan), np.full_like(value, np.nan)
    for column, language_group in enumerate(language_groups):
        own = list(language_group.languages)
        n[:, column] = n_cells[:, own].sum(axis=1)
        clusters[:, column] = counts[:, :, own].any(axis=2).sum(axis=0)
        value[:, column] = _over_languages(means[:, own], n_cells[:, own] > 0)
    for some in chunks(rows, len(resamples.weights) * languages):
        sampled = _sampled(totals[:, some], counts[:, some], resamples) / values.unit
        for column, language_group in enumerate(language_groups):
            own = list(language_group.languages)
            known = clusters[some, column] > 1
            if not known.any():
                continue
            there = n_cells[some][known][:, own] > 0
            statistics = _over_languages(sampled[:, known][:, :, own], there)
            at = np.arange(rows)[some][known]
            low[at, column], high[at, column] = interval(statistics)
    return CellMeans(value, low, high, n)


def chunks(rows: int, width: int) -> Iterator[slice]:
    """Slices of `rows` rows, each of at most `AT_ONCE` numbers when a row has `width`."""
    step = max(1, MOST_NUMBERS // max(1, width))
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


def _sampled(totals: Floats, counts: Floats, resamples: Resamples) -> Floats:
    """The cells' means in every resample: [resamples, rows, languages]."""
    sums, weights = resamples.sums(totals), resamples.sums(counts)
    with np.errstate(invalid="ignore"):
        return np.divide(sums, weights, out=sums)


def _over_languages(means: Floats, there: NDArray[np.bool_]) -> Floats:
    """The mean over the last axis of those cells that are there at all; nan without any."""
    if there.shape[-1] == 1:
        return np.where(there, means, np.nan)[..., 0]
    number = there.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(there, means, 0.0).sum(axis=-1) / np.where(number > 0, number, np.nan)
    return mean


MAIN_CRITERION = "helpfulness"

# Keys are parts of names of files.
LONGEST_KEY = 60


@dataclass(frozen=True)
class RaterGroup:
    """Whose scores: one rater's, or those of all people together. `raters` are indices into `Scores.raters`;
    `key` is for names of files, `name` for readers; `kind` is `human`, `llm` or `rule`."""

    key: str
    name: str
    kind: str
    raters: tuple[int, ...]

    @property
    def together(self) -> bool:
        return len(self.raters) > 1


@dataclass(frozen=True)
class MeanRatings:
    """The mean ratings of a rater group for M pairs of response and criterion, ordered by these two.

    `response` and `criterion` [M] are indices into those of `Scores`; `value` [M] are whole numbers in units
    of 1 / `unit` points of the scale.
    """

    response: Ints
    criterion: Ints
    value: Ints
    unit: int


@dataclass(frozen=True)
class Means:
    """The mean scores of a suite: every rater group x source x criterion x language group.

    `language_groups`: English and non-English, then every language. `cells[rater_group]` has a row for each
    source and criterion.
    """

    scored: Scores
    rater_groups: tuple[RaterGroup, ...]
    language_groups: tuple[LanguageGroup, ...]
    cells: tuple[CellMeans, ...]

    def at(self, rater_group: RaterGroup, source: int, criterion: int, language_group: str) -> Mean | None:
        """One mean, by the indices of source and criterion and by the language group's name; None without
        scores, or without such a language group."""
        names = [group.name for group in self.language_groups]
        if language_group not in names or rater_group not in self.rater_groups:
            return None
        row = source * len(self.scored.criteria) + criterion
        return self.cells[self.rater_groups.index(rater_group)].at(row, names.index(language_group))


@dataclass(frozen=True)
class TaskMeans:
    """The means of a rater group on a criterion per task: `cells` has a row for each of `tasks`, those with
    the highest mean in the first language group first, and a column for each of `language_groups`."""

    tasks: tuple[str, ...]
    language_groups: tuple[LanguageGroup, ...]
    cells: CellMeans


def all_rater_groups(scored: Scores) -> tuple[RaterGroup, ...]:
    """All people together if there are several; then every rater in the order of `Scores.raters`."""
    people = tuple(index for index, rater in enumerate(scored.raters) if rater.kind == "human")
    rater_groups = (
        [RaterGroup("people", people_label(len(people)), "human", people)] if len(people) > 1 else []
    )
    taken = {rater_group.key for rater_group in rater_groups}
    for index, rater in enumerate(scored.raters):
        key = re.sub(r"[^a-z0-9]+", "-", rater.label.lower())[:LONGEST_KEY].strip("-")
        if key in taken or not re.search(r"[a-z0-9]", rater.name.lower()):
            key = f"{rater.kind}-{index + 1}"
        taken.add(key)
        rater_groups.append(RaterGroup(key, rater.label, rater.kind, (index,)))
    return tuple(rater_groups)


def main_rater_groups(scored: Scores) -> tuple[RaterGroup, ...]:
    """People as one rater group, then every judge and rule."""
    rater_groups = all_rater_groups(scored)
    several = any(rater_group.together for rater_group in rater_groups)
    return tuple(
        rater_group
        for rater_group in rater_groups
        if rater_group.kind != "human" or rater_group.together or not several
    )


def main_criterion(scored: Scores) -> int | None:
    """The index of helpfulness; in another rubric, of its first criterion that isn't language."""
    names = [criterion.name for criterion in scored.criteria]
    if MAIN_CRITERION in names:
        return names.index(MAIN_CRITERION)
    return next((index for index, name in enumerate(names) if name != LANGUAGE), 0 if names else None)


def main_source(scored: Scores, rater_group: RaterGroup) -> int | None:
    """The index of the source with most responses that the rater group scored (the first of equals)."""
    mine = np.isin(scored.rater, rater_group.raters)
    responses = np.unique(scored.response[mine])
    if not len(responses):
        return None
    return int(np.bincount(scored.source[responses]).argmax())


def mean_ratings(scored: Scores, rater_group: RaterGroup, *, counting: bool = True) -> MeanRatings:
    """The mean of the rater group's scores of every response and criterion; with `counting`, only scores that
    take part in the means of the rater group."""
    mine = np.isin(scored.rater, rater_group.raters)
    if counting:
        mine &= scored.counts_together if rater_group.together else scored.counts
    cell = scored.response[mine] * max(1, len(scored.criteria)) + scored.criterion[mine]
    pairs, which, counts = np.unique(cell, return_inverse=True, return_counts=True)
    sums = np.bincount(which, weights=scored.score[mine], minlength=len(pairs)).astype(np.int64)
    value, unit = whole_means(sums, counts)
    return MeanRatings(
        pairs // max(1, len(scored.criteria)), pairs % max(1, len(scored.criteria)), value, unit
    )


def mean_scores(
    scored: Scores, resamples: Resamples, rater_groups: Sequence[RaterGroup] | None = None
) -> Means:
    """The mean scores of these rater groups (default: `all_rater_groups`). `resamples` are resamples of
    `scored.keys`."""
    rater_groups = all_rater_groups(scored) if rater_groups is None else tuple(rater_groups)
    language_groups = english_and_others(scored.languages) + each_language(scored.languages)
    rows = len(scored.sources) * len(scored.criteria)
    cells = []
    for rater_group in rater_groups:
        ratings = mean_ratings(scored, rater_group)
        row = scored.source[ratings.response] * len(scored.criteria) + ratings.criterion
        cells.append(
            cell_means(
                as_values(scored, ratings, row), rows, len(scored.languages), language_groups, resamples
            )
        )
    return Means(scored, rater_groups, language_groups, tuple(cells))


def task_means(
    scored: Scores, resamples: Resamples, rater_group: RaterGroup, criterion: int, source: int | None = None
) -> TaskMeans:
    """The means per task in English and non-English (the paper's figure 3, right), of one source or, with
    None, over the responses of all sources together. Responses without a task are left out."""
    ratings = mean_ratings(scored, rater_group)
    names = [response.task for response in scored.responses]
    tasks = sorted({name for name in names if name})
    index_of = {name: index for index, name in enumerate(tasks)}
    of_response = np.array([index_of.get(name or "", -1) for name in names], dtype=np.int64)
    chosen = (ratings.criterion == criterion) & (of_response[ratings.response] >= 0)
    if source is not None:
        chosen &= scored.source[ratings.response] == source
    ratings = MeanRatings(
        ratings.response[chosen], ratings.criterion[chosen], ratings.value[chosen], ratings.unit
    )
    language_groups = english_and_others(scored.languages)
    cells = cell_means(
        as_values(scored, ratings, of_response[ratings.response]),
        len(tasks),
        len(scored.languages),
        language_groups,
        resamples,
    )
    there = [task for task in range(len(tasks)) if cells.n[task].any()]
    order = sorted(there, key=lambda task: [-np.nan_to_num(mean, nan=-1.0) for mean in cells.value[task]])
    return TaskMeans(
        tuple(tasks[task] for task in order),
        language_groups,
        CellMeans(cells.value[order], cells.low[order], cells.high[order], cells.n[order]),
    )


def as_values(scored: Scores, ratings: MeanRatings, row: Ints) -> Values:
    """The opinions as values of cells: each in its `row` [M], language and instruction."""
    return Values(
        scored.cluster[ratings.response], row, scored.language[ratings.response], ratings.value, ratings.unit
    )

"""Surface metrics of every model in every language, with intervals: right language, spelling, relevance, and
empty responses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.analysis.bootstrap import Resamples
from core.analysis.means import (
    CellMeans,
    LanguageGroup,
    Mean,
    Values,
    cell_means,
    each_language,
    english_and_others,
)
from core.analysis.scores import Scores
from store.queries.surface import SurfaceMeasures

METRICS = ("right language", "spelling", "spelling, own script", "relevant", "empty")
ALL = "all languages"

# Shares are sums of whole numbers of these parts, so that the same store gives the same intervals anywhere.
PARTS = 10_000


@dataclass(frozen=True)
class Surface:
    """Percent (0 to 100) of every source in every language group: all languages together, English,
    non-English, then every language. `cells[metric]` (in the order of `METRICS`) has a row for each
    source."""

    scored: Scores
    language_groups: tuple[LanguageGroup, ...]
    cells: tuple[CellMeans, ...]

    def at(self, metric: str, source: int, language_group: str) -> Mean | None:
        """One share, by its name, the source's index and the language group's name; None where not
        measured."""
        names = [group.name for group in self.language_groups]
        return (
            self.cells[METRICS.index(metric)].at(source, names.index(language_group))
            if language_group in names
            else None
        )

    def measured(self, metric: str) -> bool:
        return bool(self.cells[METRICS.index(metric)].n.any())


def surface_shares(scored: Scores, measured: Mapping[int, SurfaceMeasures], resamples: Resamples) -> Surface:
    """The shares, over the responses that each metric is known of. `measured` is by response
    (`store.queries.surface.surface_measures`); `resamples` are resamples of `scored.keys`."""
    metrics = [measured[response.id] for response in scored.responses]
    columns = (
        [metric.right_language for metric in metrics],
        [metric.spelling for metric in metrics],
        [metric.own_script for metric in metrics],
        [metric.relevant for metric in metrics],
        [metric.empty for metric in metrics],
    )
    everywhere = tuple(range(len(scored.languages)))
    language_groups = (
        (LanguageGroup(ALL, everywhere), *english_and_others(scored.languages)) if everywhere else ()
    )
    language_groups += each_language(scored.languages)
    return Surface(
        scored,
        language_groups,
        tuple(_shares(scored, column, language_groups, resamples) for column in columns),
    )


def _shares(
    scored: Scores,
    column: Sequence[float | None],
    language_groups: tuple[LanguageGroup, ...],
    resamples: Resamples,
) -> CellMeans:
    known = np.flatnonzero([value is not None for value in column])
    shares = np.array([value for value in column if value is not None], dtype=np.float64)
    values = Values(
        scored.cluster[known],
        scored.source[known],
        scored.language[known],
        np.rint(shares * PARTS).astype(np.int64),
        PARTS,
    )
    cells = cell_means(values, len(scored.sources), len(scored.languages), language_groups, resamples)
    return CellMeans(100 * cells.value, 100 * cells.low, 100 * cells.high, cells.n)

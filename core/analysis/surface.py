"""Surface metrics of every model in every language, with intervals: right language, spelling, relevance, and
empty responses."""

from collections.abc import Mapping
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

METRICS = ("right language", "spelling", "relevant", "empty")
ALL = "all languages"

# Shares are sums of whole numbers of these parts, so that the same store gives the same intervals anywhere.
PARTS = 10_000


@dataclass(frozen=True)
class Surface:
    """Percent (0 to 100) of every source in every scope: all languages together, English, non-English, then
    every language. `cells[metric]` (in the order of `METRICS`) has a row for each source."""

    scored: Scores
    scopes: tuple[LanguageGroup, ...]
    cells: tuple[CellMeans, ...]

    def at(self, metric: str, source: int, scope: str) -> Mean | None:
        """One share, by its name, the source's place and the scope's name; None where not measured."""
        names = [found.name for found in self.scopes]
        return self.cells[METRICS.index(metric)].at(source, names.index(scope)) if scope in names else None

    def measured(self, metric: str) -> bool:
        return bool(self.cells[METRICS.index(metric)].n.any())


def surface_shares(scored: Scores, measured: Mapping[int, SurfaceMeasures], drawn: Resamples) -> Surface:
    """The shares, over the responses that each metric is known of. `measured` is by response
    (`store.queries.surface.surface_measures`); `drawn` are resamples of `scored.keys`."""
    metrics = [measured[response.id] for response in scored.responses]
    columns = (
        [one.right_language for one in metrics],
        [one.spelling for one in metrics],
        [one.relevant for one in metrics],
        [one.empty for one in metrics],
    )
    everywhere = tuple(range(len(scored.languages)))
    scopes = (LanguageGroup(ALL, everywhere), *english_and_others(scored.languages)) if everywhere else ()
    scopes += each_language(scored.languages)
    return Surface(scored, scopes, tuple(_shares(scored, column, scopes, drawn) for column in columns))


def _shares(scored: Scores, column: list, scopes: tuple[LanguageGroup, ...], drawn: Resamples) -> CellMeans:
    known = np.flatnonzero([value is not None for value in column])
    shares = np.array([column[place] for place in known], dtype=np.float64)
    values = Values(
        scored.cluster[known],
        scored.source[known],
        scored.language[known],
        np.rint(shares * PARTS).astype(np.int64),
        PARTS,
    )
    found = cell_means(values, len(scored.sources), len(scored.languages), scopes, drawn)
    return CellMeans(100 * found.value, 100 * found.low, 100 * found.high, found.n)

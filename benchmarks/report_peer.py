"""Mean scores as one would write them for a notebook: pandas' groupby, and scipy's bootstrap for every cell.

The same rules as ours: the wrong language leaves a rater's other scores out, several people are a response's
mean, non-English is the mean over languages of their means, whole instructions are drawn, and intervals are
percentile intervals. Whole cells are given to `scipy.stats.bootstrap` at once (`vectorized`), which is many
times faster than its calls one by one.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sqlalchemy import create_engine

# (rater, model, criterion, languages) -> (mean, low, high)
Cells = dict[tuple[str, str, str, str], tuple[float, float, float]]

QUERY = """
SELECT rater.name AS rater, rater.kind, model.name AS model, criterion.name AS criterion,
       instruction.language, instruction.key, response.id AS response, current_rating.score
FROM current_rating
JOIN criterion ON criterion.id = current_rating.criterion_id
JOIN rater ON rater.id = current_rating.rater_id
JOIN response ON response.id = current_rating.response_id
JOIN instruction ON instruction.id = response.instruction_id
JOIN model ON model.id = response.model_id
WHERE current_rating.score IS NOT NULL
"""


def cells(store: Path, resamples: int, every: int = 1) -> tuple[Cells, int]:
    """The cells of a store with one suite, and how many there are; of these only each `every`-th."""
    engine = create_engine(f"sqlite:///{store}")
    scores = pd.read_sql_query(QUERY, engine)
    engine.dispose()
    wrong = scores.loc[(scores.criterion == "language") & (scores.score == 0), ["rater", "response"]]
    marked = scores.merge(wrong.assign(wrong=True), how="left", on=["rater", "response"])
    scores = marked[(marked.criterion == "language") | marked.wrong.isna()]
    own = ["model", "criterion", "language", "key", "response"]
    people = scores[scores.kind == "human"].groupby(own, as_index=False).score.mean().assign(rater="people")
    scores = pd.concat([scores, people])
    keys = pd.Index(sorted(scores.key.unique()))
    found: Cells = {}
    number = 0
    for (rater, model, criterion), cell in scores.groupby(["rater", "model", "criterion"]):
        data = {language: _by_instruction(part, keys) for language, part in cell.groupby("language")}
        wanted = {language: [language] for language in data}
        wanted["non-English"] = [language for language in data if language != "en"]
        for name, languages in wanted.items():
            if number % every == 0:
                arrays = [array for language in languages for array in data[language]]
                found[rater, model, criterion, name] = _interval(arrays, resamples)
            number += 1
    return found, number


def _by_instruction(cell: pd.DataFrame, keys: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    """Sums and numbers of the scores of each instruction."""
    by_key = cell.groupby("key").score
    return (
        by_key.sum().reindex(keys, fill_value=0).to_numpy(dtype=float),
        by_key.count().reindex(keys, fill_value=0).to_numpy(dtype=float),
    )


def _mean(*arrays: np.ndarray, axis: int = -1) -> np.ndarray:
    pairs = zip(arrays[::2], arrays[1::2], strict=True)
    return np.mean([sums.sum(axis=axis) / counts.sum(axis=axis) for sums, counts in pairs], axis=0)


def _interval(arrays: list[np.ndarray], resamples: int) -> tuple[float, float, float]:
    found = stats.bootstrap(
        arrays, _mean, paired=True, vectorized=True, method="percentile", n_resamples=resamples, rng=2
    ).confidence_interval
    return float(_mean(*arrays)), float(found.low), float(found.high)

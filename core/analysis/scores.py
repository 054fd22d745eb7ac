"""The scores of a suite as arrays, which every number of a report is computed from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from store.queries import rubrics, scores
from store.queries.scores import ModelDecoding, ScoredResponse, ScoringRater

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LANGUAGE = "language"
ENGLISH = "en"


@dataclass(frozen=True)
class CriterionScale:
    """A criterion of the rubric and the ends of its scale."""

    id: int
    name: str
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Scores:
    """The scores of a suite on a rubric.

    `responses` are all R responses, also those that nobody scored; `source`, `language`, `cluster` (each [R])
    are indices into `sources`, `languages` and `keys`: translations of an instruction are one cluster.
    `length` [R] is in characters.

    A score is a row of the N long arrays `response`, `rater` and `criterion` (indices into `responses`,
    `raters` and `criteria`) and `score`: one that stands. `counts` [N] says whether it takes part in the
    means of its rater, `counts_together` [N] in those of people together, and `paired` [N] in agreement; the
    rules are those of `store.queries.ledger`.

    `raters` are those that gave at least one of the scores.
    """

    suite: str
    responses: tuple[ScoredResponse, ...]
    sources: tuple[ModelDecoding, ...]
    languages: tuple[str, ...]
    keys: tuple[str, ...]
    raters: tuple[ScoringRater, ...]
    criteria: tuple[CriterionScale, ...]
    source: Ints
    language: Ints
    cluster: Ints
    length: Ints
    response: Ints
    rater: Ints
    criterion: Ints
    score: Ints
    counts: Bools
    counts_together: Bools
    paired: Bools


def load_scores(session: Session, suite_id: int, suite: str, rubric_id: int) -> Scores:
    """Load the scores on a rubric of all raters (of a judge that was asked repeatedly, the first) on the
    responses to a suite."""
    responses = tuple(scores.responses_of(session, suite_id))
    criteria = tuple(
        CriterionScale(row.id or 0, row.name, row.minimum, row.maximum)
        for row in rubrics.criteria_of(session, rubric_id)
    )
    table = np.array(scores.scores_of(session, suite_id, rubric_id), dtype=np.int64).reshape(-1, 7)
    given_by = set(table[:, 1].tolist())
    raters = tuple(rater for rater in scores.raters_of(session) if rater.id in given_by)
    index = np.column_stack(
        (
            _indices_of_ids([response.id for response in responses], table[:, 0]),
            _indices_of_ids([rater.id for rater in raters], table[:, 1]),
            _indices_of_ids([criterion.id for criterion in criteria], table[:, 2]),
        )
    )
    order = np.lexsort((index[:, 2], index[:, 1], index[:, 0]))  # equal stores give equal arrays
    index, table = index[order], table[order]
    wrong_language, replaced, adjudicates = (table[:, 4:] != 0).T
    sources = tuple(dict.fromkeys(response.source for response in responses))
    languages = _languages(responses)
    keys = tuple(sorted({response.key for response in responses}))
    return Scores(
        suite=suite,
        responses=responses,
        sources=sources,
        languages=languages,
        keys=keys,
        raters=raters,
        criteria=criteria,
        source=_indices_of(sources, [response.source for response in responses]),
        language=_indices_of(languages, [response.language for response in responses]),
        cluster=_indices_of(keys, [response.key for response in responses]),
        length=np.array([response.length for response in responses], dtype=np.int64),
        response=index[:, 0],
        rater=index[:, 1],
        criterion=index[:, 2],
        score=table[:, 3],
        counts=~wrong_language,
        counts_together=~wrong_language & ~replaced,
        paired=~adjudicates,
    )


def paired_scores(scored: Scores) -> Scores:
    """The scores that take part in agreement, and the raters that gave them."""
    if scored.paired.all():
        return scored
    kept = scored.paired
    raters, rater = np.unique(scored.rater[kept], return_inverse=True)
    return replace(
        scored,
        raters=tuple(scored.raters[index] for index in raters.tolist()),
        response=scored.response[kept],
        rater=rater.astype(np.int64),
        criterion=scored.criterion[kept],
        score=scored.score[kept],
        counts=scored.counts[kept],
        counts_together=scored.counts_together[kept],
        paired=scored.paired[kept],
    )


def _languages(responses: Sequence[ScoredResponse]) -> tuple[str, ...]:
    """English first, then the others by their codes."""
    return tuple(
        sorted({response.language for response in responses}, key=lambda code: (code != ENGLISH, code))
    )


def _indices_of_ids(ids: Sequence[int], values: Ints) -> Ints:
    """Where each of the values stands in `ids`."""
    index_of = {id_: index for index, id_ in enumerate(ids)}
    return np.array([index_of[value] for value in values.tolist()], dtype=np.int64)


def _indices_of(names: Sequence[object], values: Sequence[object]) -> Ints:
    index_of = {name: index for index, name in enumerate(names)}
    return np.array([index_of[value] for value in values], dtype=np.int64)

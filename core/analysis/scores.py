"""The scores of a suite as arrays, which every number of a report is computed from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from store.queries import rubrics, scores
from store.queries.campaigns import adjudicated_by
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
    `raters` and `criteria`) and `score`. `counts` [N] says whether it takes part in means: for every
    criterion but `language`, not where the same rater gave language 0 (the paper, section 4).

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


def load_scores(session: Session, suite_id: int, suite: str, rubric_id: int) -> Scores:
    """Load the scores on a rubric of all raters (of a judge that was asked repeatedly, the first) on the
    responses to a suite.

    Where reviewers of a campaign disagreed and a third one adjudicated, that one's scores are final, and
    other people's on these criteria are left out.
    """
    responses = tuple(scores.responses_of(session, suite_id))
    raters = scores.raters_of(session)
    rows = scores.scores_of(session, suite_id, rubric_id, [rater.id for rater in raters])
    rows = _adjudicated(
        rows, adjudicated_by(session, suite_id), {rater.id for rater in raters if rater.kind == "human"}
    )
    criteria = tuple(
        CriterionScale(row.id or 0, row.name, row.minimum, row.maximum)
        for row in rubrics.criteria_of(session, rubric_id)
    )
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    there = set(table[:, 1].tolist())
    kept = tuple(rater for rater in raters if rater.id in there)
    response_index = _indices_of_ids([response.id for response in responses], table[:, 0])
    rater_index = _indices_of_ids([rater.id for rater in kept], table[:, 1])
    criterion_index = _indices_of_ids([criterion.id for criterion in criteria], table[:, 2])
    score = table[:, 3]
    order = np.lexsort((criterion_index, rater_index, response_index))  # equal stores give equal arrays
    response_index, rater_index = response_index[order], rater_index[order]
    criterion_index, score = criterion_index[order], score[order]
    sources = tuple(dict.fromkeys(response.source for response in responses))
    languages = _languages(responses)
    keys = tuple(sorted({response.key for response in responses}))
    return Scores(
        suite=suite,
        responses=responses,
        sources=sources,
        languages=languages,
        keys=keys,
        raters=kept,
        criteria=criteria,
        source=_indices_of(sources, [response.source for response in responses]),
        language=_indices_of(languages, [response.language for response in responses]),
        cluster=_indices_of(keys, [response.key for response in responses]),
        length=np.array([response.length for response in responses], dtype=np.int64),
        response=response_index,
        rater=rater_index,
        criterion=criterion_index,
        score=score,
        counts=_counts(
            criteria, len(kept), len(responses), response_index, rater_index, criterion_index, score
        ),
    )


def _adjudicated(
    rows: list[tuple[int, int, int, int]], settlers: dict[int, int], people: set[int]
) -> list[tuple[int, int, int, int]]:
    """The rows without people's scores that a settler (response -> rater) has replaced."""
    final = {(row[0], row[2]) for row in rows if settlers.get(row[0]) == row[1]}
    return [
        row
        for row in rows
        if (row[0], row[2]) not in final or row[1] not in people or row[1] == settlers[row[0]]
    ]


def _languages(responses: Sequence[ScoredResponse]) -> tuple[str, ...]:
    """English first, then the others by their codes."""
    return tuple(
        sorted({response.language for response in responses}, key=lambda code: (code != ENGLISH, code))
    )


def _counts(
    criteria: Sequence[CriterionScale],
    raters: int,
    responses: int,
    response: Ints,
    rater: Ints,
    criterion: Ints,
    score: Ints,
) -> Bools:
    about_language = np.array([scale.name == LANGUAGE for scale in criteria], dtype=np.bool_)[criterion]
    wrong = np.zeros((responses, max(raters, 1)), dtype=np.bool_)
    wrong_language = about_language & (score == 0)
    wrong[response[wrong_language], rater[wrong_language]] = True
    return about_language | ~wrong[response, rater]


def _indices_of_ids(ids: Sequence[int], values: Ints) -> Ints:
    """Where each of the values stands in `ids`."""
    index_of = {id_: index for index, id_ in enumerate(ids)}
    return np.array([index_of[value] for value in values.tolist()], dtype=np.int64)


def _indices_of(names: Sequence[object], values: Sequence[object]) -> Ints:
    index_of = {name: index for index, name in enumerate(names)}
    return np.array([index_of[value] for value in values], dtype=np.int64)

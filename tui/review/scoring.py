"""The scoring rules as plain functions: what a key changes, and where the cursor goes next.

The marks of a response are a tuple with one place per criterion: None (not scored), a `Mark` with a
score, or `SKIPPED` (left out because the response is in the wrong language). A change maps the places
that a key sets to their new marks.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class CriterionScore(NamedTuple):
    """What stands for a criterion: a score, or None for one left out on purpose."""

    score: int | None


SKIPPED = CriterionScore(None)

Scores = tuple[CriterionScore | None, ...]
Change = dict[int, CriterionScore | None]


class ScoreCell(NamedTuple):
    """Where the cursor is: the column in the row, and the criterion in the column, both from 0."""

    column: int
    criterion: int


def set_score(marks: Scores, criterion: int, score: int, language: int | None) -> Change:
    """A score for one criterion. `language` is the place of the language criterion, if the rubric has one.

    Language 0 leaves out what is not scored yet (paper, section 4: other aspects are judged only in the
    right language); a higher language score takes that back.
    """
    change: Change = {criterion: CriterionScore(score)}
    if criterion == language:
        if score == 0:
            change.update({place: SKIPPED for place, mark in enumerate(marks) if mark is None})
            change[criterion] = CriterionScore(score)
        else:
            change.update(_reopened(marks))
    return change


def best_everywhere(marks: Scores, best: Sequence[int]) -> Change:
    """The highest score on every criterion; `best` holds the highest score of each."""
    return {place: CriterionScore(best[place]) for place in range(len(marks))}


def wrong_language(marks: Scores, language: int) -> Change:
    """Language 0, everything else left out."""
    return {place: CriterionScore(0) if place == language else SKIPPED for place in range(len(marks))}


def clear(marks: Scores, criterion: int, language: int | None) -> Change:
    """No mark on one criterion; without its language 0, what was left out because of it is open again."""
    if marks[criterion] is None:
        return {}
    change: Change = {criterion: None}
    if criterion == language:
        change.update(_reopened(marks))
    return change


def _reopened(marks: Scores) -> Change:
    return {place: None for place, mark in enumerate(marks) if mark == SKIPPED}


def applied(marks: Scores, change: Mapping[int, CriterionScore | None]) -> Scores:
    """The marks after a change."""
    return tuple(change.get(place, mark) for place, mark in enumerate(marks))


def count_scored(marks: Scores) -> int:
    """How many criteria are scored or left out."""
    return sum(mark is not None for mark in marks)


def is_complete(marks: Scores) -> bool:
    """Whether every criterion is scored or left out."""
    return None not in marks


def open_cells(row: Sequence[Scores]) -> list[ScoreCell]:
    """The places of a row that still want a score, column by column."""
    return [
        ScoreCell(column, criterion)
        for column, marks in enumerate(row)
        for criterion, mark in enumerate(marks)
        if mark is None
    ]


def after_scoring(row: Sequence[Scores], place: ScoreCell) -> ScoreCell | None:
    """Where the cursor goes after the criterion at `place` was scored; `row` holds the marks as they are now.

    The next criterion of the response, left out or not, so that six digits typed without looking never run
    into the next response; after its last one, the first open criterion of a later column, or None.
    """
    if place.criterion + 1 < len(row[place.column]):
        return ScoreCell(place.column, place.criterion + 1)
    return next((found for found in open_cells(row) if found.column > place.column), None)


def next_open(row: Sequence[Scores], place: ScoreCell) -> ScoreCell | None:
    """The next open criterion after `place` in the row, or None."""
    return next((found for found in open_cells(row) if found > place), None)


def first_open(row: Sequence[Scores]) -> ScoreCell | None:
    """The first open criterion of the row, or None."""
    return next(iter(open_cells(row)), None)


def difference(yours: CriterionScore | None, judges: CriterionScore | None) -> int | None:
    """Δ: your score minus the judge's; None unless both have scored."""
    if yours is None or judges is None or yours.score is None or judges.score is None:
        return None
    return yours.score - judges.score

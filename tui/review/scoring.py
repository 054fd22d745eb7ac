"""The scoring rules as plain functions: what a key changes, and where the cursor goes next.

The scores of a response are a tuple with one item for each criterion of the rubric:

    (CriterionScore(2), CriterionScore(0), SKIPPED, None)

`SKIPPED` is left out because the response is in the wrong language, None is not scored yet. A change maps the
indices of the criteria that a key sets to their new scores: `{1: CriterionScore(0), 2: SKIPPED}`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class CriterionScore(NamedTuple):
    """What a rater said of a criterion: a score, or None for a criterion left out on purpose."""

    value: int | None


SKIPPED = CriterionScore(None)

Scores = tuple[CriterionScore | None, ...]
Change = dict[int, CriterionScore | None]


class ScoreCell(NamedTuple):
    """One score of a row: the column of its response, and its criterion in the rubric, both from 0."""

    column: int
    criterion: int


def set_score(scores: Scores, criterion: int, value: int, language: int | None) -> Change:
    """A score for one criterion. `language` is the index of the language criterion, if the rubric has one.

    Language 0 leaves out what is not scored yet (paper, section 4: other aspects are judged only in the
    right language); a higher language score takes that back.
    """
    change: Change = {criterion: CriterionScore(value)}
    if criterion == language:
        if value == 0:
            change.update({index: SKIPPED for index, score in enumerate(scores) if score is None})
            change[criterion] = CriterionScore(value)
        else:
            change.update(_reopened(scores))
    return change


def best_everywhere(scores: Scores, best: Sequence[int]) -> Change:
    """The highest score on every criterion; `best` holds the highest score of each."""
    return {index: CriterionScore(best[index]) for index in range(len(scores))}


def wrong_language(scores: Scores, language: int) -> Change:
    """Language 0, everything else left out."""
    return {index: CriterionScore(0) if index == language else SKIPPED for index in range(len(scores))}


def clear(scores: Scores, criterion: int, language: int | None) -> Change:
    """No score on one criterion; without its language 0, what was left out because of it is open again."""
    if scores[criterion] is None:
        return {}
    change: Change = {criterion: None}
    if criterion == language:
        change.update(_reopened(scores))
    return change


def _reopened(scores: Scores) -> Change:
    return {index: None for index, score in enumerate(scores) if score == SKIPPED}


def applied(scores: Scores, change: Mapping[int, CriterionScore | None]) -> Scores:
    """The scores after a change."""
    return tuple(change.get(index, score) for index, score in enumerate(scores))


def count_scored(scores: Scores) -> int:
    """How many criteria are scored or left out."""
    return sum(score is not None for score in scores)


def is_complete(scores: Scores) -> bool:
    """Whether every criterion is scored or left out."""
    return None not in scores


def open_cells(row: Sequence[Scores]) -> list[ScoreCell]:
    """The cells of a row that still want a score, column by column. `row` holds the scores of each column."""
    return [
        ScoreCell(column, criterion)
        for column, scores in enumerate(row)
        for criterion, score in enumerate(scores)
        if score is None
    ]


def after_scoring(row: Sequence[Scores], scored: ScoreCell) -> ScoreCell | None:
    """Where the cursor goes after a cell was scored; `row` holds the scores as they are now.

    The next criterion of the response, left out or not, so that six digits typed without looking never run
    into the next response; after its last one, the first open criterion of a later column, or None.
    """
    if scored.criterion + 1 < len(row[scored.column]):
        return ScoreCell(scored.column, scored.criterion + 1)
    return next((cell for cell in open_cells(row) if cell.column > scored.column), None)


def next_open(row: Sequence[Scores], cursor: ScoreCell) -> ScoreCell | None:
    """The next open cell after the cursor in the row, or None."""
    return next((cell for cell in open_cells(row) if cell > cursor), None)


def start_cell(row: Sequence[Scores], columns: Sequence[int]) -> ScoreCell:
    """Where the cursor is in a row that is opened: on the first open cell of these columns, or on the first
    cell of them; where there are no columns, of the whole row."""
    cells = [cell for cell in open_cells(row) if cell.column in columns or not columns]
    return cells[0] if cells else ScoreCell(columns[0] if columns else 0, 0)


def difference(yours: CriterionScore | None, judges: CriterionScore | None) -> int | None:
    """Δ: your score minus the judge's; None unless both have scored."""
    if yours is None or judges is None or yours.value is None or judges.value is None:
        return None
    return yours.value - judges.value

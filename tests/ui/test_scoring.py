"""The scoring rules, as plain functions."""

from tui.review import scoring
from tui.review.scoring import SKIPPED, CriterionScore, ScoreCell

OPEN = (None,) * 6
LANGUAGE = 1


def scored(*scores: int | None) -> scoring.Scores:
    return tuple(None if score is None else CriterionScore(score) for score in scores)


def test_a_score_sets_its_criterion_alone():
    assert scoring.set_score(OPEN, 0, 2, LANGUAGE) == {0: CriterionScore(2)}
    assert scoring.set_score(OPEN, LANGUAGE, 1, LANGUAGE) == {1: CriterionScore(1)}


def test_language_0_leaves_out_what_is_not_scored_and_keeps_what_is():
    scores = scored(1, None, None, None, None, 2)
    after = scoring.applied(scores, scoring.set_score(scores, LANGUAGE, 0, LANGUAGE))
    assert after == (CriterionScore(1), CriterionScore(0), SKIPPED, SKIPPED, SKIPPED, CriterionScore(2))
    assert scoring.is_complete(after)


def test_a_better_language_score_opens_again_what_was_left_out():
    wrong = scoring.applied(OPEN, scoring.wrong_language(OPEN, LANGUAGE))
    assert scoring.applied(wrong, scoring.set_score(wrong, LANGUAGE, 2, LANGUAGE)) == scored(
        None, 2, None, None, None, None
    )
    assert scoring.applied(wrong, scoring.clear(wrong, LANGUAGE, LANGUAGE)) == OPEN


def test_wrong_language_leaves_out_scored_criteria_too():
    scores = scored(2, 2, 2, None, None, None)
    assert scoring.applied(scores, scoring.wrong_language(scores, LANGUAGE)) == (
        SKIPPED, CriterionScore(0), SKIPPED, SKIPPED, SKIPPED, SKIPPED,
    )  # fmt: skip


def test_best_everywhere_takes_the_highest_of_each_criterion():
    assert scoring.applied(OPEN, scoring.best_everywhere(OPEN, (2, 2, 2, 5, 2, 1))) == scored(
        2, 2, 2, 5, 2, 1
    )


def test_clearing_nothing_changes_nothing():
    assert scoring.clear(OPEN, 3, LANGUAGE) == {}


def test_a_rubric_without_a_language_criterion_leaves_nothing_out():
    assert scoring.set_score(OPEN, 1, 0, None) == {1: CriterionScore(0)}


def test_the_cursor_goes_down_and_then_to_the_next_columns_first_open_criterion():
    full, begun = scored(2, 2, 2, 2, 2, 2), scored(1, 1, None, 1, None, None)
    row = [full, full, begun]
    assert scoring.after_scoring(row, ScoreCell(0, 2)) == ScoreCell(0, 3)
    assert scoring.after_scoring(row, ScoreCell(0, 5)) == ScoreCell(2, 2)
    assert scoring.after_scoring(row, ScoreCell(2, 5)) is None


def test_six_digits_stay_in_their_response_even_when_one_says_wrong_language():
    scores, cell = OPEN, ScoreCell(0, 0)
    for score in (2, 0, 1, 1, 1, 1):
        assert cell.column == 0
        scores = scoring.applied(scores, scoring.set_score(scores, cell.criterion, score, LANGUAGE))
        cell = scoring.after_scoring([scores, OPEN], cell)
    assert cell == ScoreCell(1, 0)


def test_the_next_open_criterion_lies_after_the_cursor():
    row = [scored(None, 1), scored(1, None)]
    assert scoring.next_open(row, ScoreCell(0, 0)) == ScoreCell(1, 1)
    assert scoring.next_open(row, ScoreCell(1, 1)) is None


def test_a_row_is_opened_at_its_first_open_cell_or_in_the_columns_that_are_meant():
    row = [scored(1, None), scored(2, 2), scored(None, 1)]
    assert scoring.start_cell(row, []) == ScoreCell(0, 1)
    assert scoring.start_cell(row, [1, 2]) == ScoreCell(2, 0)
    assert scoring.start_cell(row, [1]) == ScoreCell(1, 0)
    assert scoring.start_cell([scored(2, 2)], []) == ScoreCell(0, 0)


def test_difference_needs_two_scores():
    assert scoring.difference(CriterionScore(2), CriterionScore(1)) == 1
    assert scoring.difference(SKIPPED, CriterionScore(1)) is None
    assert scoring.difference(None, CriterionScore(1)) is None

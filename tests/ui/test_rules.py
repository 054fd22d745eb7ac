"""The scoring rules, as plain functions."""

from tui.review import rules
from tui.review.rules import SKIPPED, Mark, Place

OPEN = (None,) * 6
LANGUAGE = 1


def scored(*scores: int | None) -> rules.Marks:
    return tuple(None if score is None else Mark(score) for score in scores)


def test_a_score_sets_its_criterion_alone():
    assert rules.set_score(OPEN, 0, 2, LANGUAGE) == {0: Mark(2)}
    assert rules.set_score(OPEN, LANGUAGE, 1, LANGUAGE) == {1: Mark(1)}


def test_language_0_leaves_out_what_is_not_scored_and_keeps_what_is():
    marks = scored(1, None, None, None, None, 2)
    after = rules.applied(marks, rules.set_score(marks, LANGUAGE, 0, LANGUAGE))
    assert after == (Mark(1), Mark(0), SKIPPED, SKIPPED, SKIPPED, Mark(2))
    assert rules.is_complete(after)


def test_a_better_language_score_opens_again_what_was_left_out():
    wrong = rules.applied(OPEN, rules.wrong_language(OPEN, LANGUAGE))
    assert rules.applied(wrong, rules.set_score(wrong, LANGUAGE, 2, LANGUAGE)) == scored(
        None, 2, None, None, None, None
    )
    assert rules.applied(wrong, rules.clear(wrong, LANGUAGE, LANGUAGE)) == OPEN


def test_wrong_language_leaves_out_scored_criteria_too():
    marks = scored(2, 2, 2, None, None, None)
    assert rules.applied(marks, rules.wrong_language(marks, LANGUAGE)) == (
        SKIPPED, Mark(0), SKIPPED, SKIPPED, SKIPPED, SKIPPED,
    )  # fmt: skip


def test_best_everywhere_takes_the_highest_of_each_criterion():
    assert rules.applied(OPEN, rules.best_everywhere(OPEN, (2, 2, 2, 5, 2, 1))) == scored(2, 2, 2, 5, 2, 1)


def test_clearing_nothing_changes_nothing():
    assert rules.clear(OPEN, 3, LANGUAGE) == {}


def test_a_rubric_without_a_language_criterion_leaves_nothing_out():
    assert rules.set_score(OPEN, 1, 0, None) == {1: Mark(0)}


def test_the_cursor_goes_down_and_then_to_the_next_columns_first_open_criterion():
    full, begun = scored(2, 2, 2, 2, 2, 2), scored(1, 1, None, 1, None, None)
    row = [full, full, begun]
    assert rules.after_scoring(row, Place(0, 2)) == Place(0, 3)
    assert rules.after_scoring(row, Place(0, 5)) == Place(2, 2)
    assert rules.after_scoring(row, Place(2, 5)) is None


def test_six_digits_stay_in_their_response_even_when_one_says_wrong_language():
    marks, place = OPEN, Place(0, 0)
    for score in (2, 0, 1, 1, 1, 1):
        assert place.column == 0
        marks = rules.applied(marks, rules.set_score(marks, place.criterion, score, LANGUAGE))
        place = rules.after_scoring([marks, OPEN], place)
    assert place == Place(1, 0)


def test_the_next_open_criterion_lies_after_the_cursor():
    row = [scored(None, 1), scored(1, None)]
    assert rules.next_open(row, Place(0, 0)) == Place(1, 1)
    assert rules.next_open(row, Place(1, 1)) is None
    assert rules.first_open(row) == Place(0, 0)


def test_difference_needs_two_scores():
    assert rules.difference(Mark(2), Mark(1)) == 1
    assert rules.difference(SKIPPED, Mark(1)) is None
    assert rules.difference(None, Mark(1)) is None

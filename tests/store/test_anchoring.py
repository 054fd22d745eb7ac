"""First and second looks of the journal, on SQLite and PostgreSQL."""

from dataclasses import replace

import pytest
from sqlmodel import select

from store.queries import journal
from store.queries.anchoring import Look, LookCounts, look_counts, looks
from store.queries.journal import Shown
from store.session import reading, writing
from store.tables import Entry, Rater
from tests.core.analysis.rated import Rated

pytestmark = pytest.mark.parts


A, B = ("m", "en", "a"), ("m", "en", "b")
REVEALED = Shown(judge=True)


@pytest.fixture
def study(new_store):
    study = Rated(new_store, languages=("en",))
    for place in study.ids:
        study.give("gpt", place, kind="llm", helpfulness=2, fluency=1)
    yield study
    study.engine.dispose()


def found(study):
    """(rater, criterion, before, after, judge, n) and the counts by what was on show."""
    with reading(study.engine) as session:
        raters = {row.id: row for row in session.exec(select(Rater))}
        judges = [rater.id for rater in raters.values() if rater.kind != "human"]
        rows = looks(session, study.suite, study.rubric, judges)
        names = {number: name for name, number in study.criteria.items()}
        short = [
            (raters[it.rater_id].name, names[it.criterion_id], it.before, it.after, it.judge, it.n)
            for it in rows
        ]
        return short, look_counts(session, study.suite, study.rubric)


def test_a_score_changed_after_the_reveal_has_both_looks(study):
    study.give("ann", A, helpfulness=1)
    study.give("ann", A, helpfulness=0)
    study.commit("ann", A)
    study.give("ann", A, shown=REVEALED, helpfulness=1)
    study.give("ann", A, shown=REVEALED, helpfulness=2)
    assert found(study) == ([("ann", "helpfulness", 0, 2, 2, 1)], LookCounts(revealed=1, blind=0, open=0))


def test_a_score_left_as_it_was_is_a_second_look_without_a_change(study):
    study.give("ann", A, helpfulness=0, fluency=1)
    study.commit("ann", A)
    study.give("ann", A, shown=REVEALED, helpfulness=1)
    rows, _ = found(study)
    assert sorted(rows) == [("ann", "fluency", 1, 1, 1, 1), ("ann", "helpfulness", 0, 1, 2, 1)]


def test_alike_looks_at_one_instruction_are_counted_together(study):
    for person in ("ann", "bob"):
        study.give(person, A, helpfulness=0)
        study.commit(person, A)
    rows, _ = found(study)
    assert sorted(rows) == [("ann", "helpfulness", 0, 0, 2, 1), ("bob", "helpfulness", 0, 0, 2, 1)]


def test_what_was_never_revealed_is_only_counted(study):
    study.give("ann", A, helpfulness=0)
    study.give("bob", B, helpfulness=0)
    study.commit("ann", B)  # another response of hers: reveals nothing of the first
    assert found(study) == ([], LookCounts(revealed=0, blind=2, open=0))


def test_what_was_scored_in_the_open_from_the_start_is_only_counted(study):
    study.give("ann", A, shown=REVEALED, helpfulness=2)
    study.give("ann", A, shown=REVEALED, helpfulness=1)
    assert found(study) == ([], LookCounts(revealed=0, blind=0, open=1))


def test_a_blind_score_after_the_reveal_is_no_first_look(study):
    study.give("ann", A, helpfulness=0)
    study.give("ann", A, shown=REVEALED, helpfulness=1)
    study.give("ann", A, helpfulness=2)
    assert found(study)[0] == [("ann", "helpfulness", 0, 1, 2, 1)]


def test_undoing_after_the_reveal_is_a_second_look(study):
    study.give("ann", A, helpfulness=0)
    study.give("ann", A, helpfulness=1)
    study.commit("ann", A)
    rater = study.rater("ann")
    with writing(study.engine) as session:
        journal.undo(session, rater, REVEALED)
    assert found(study)[0] == [("ann", "helpfulness", 1, 0, 2, 1)]


def test_a_score_taken_back_or_skipped_after_the_reveal_has_none_afterwards(study):
    study.give("ann", A, helpfulness=0, fluency=0)
    study.commit("ann", A)
    study.give("ann", A, shown=REVEALED, helpfulness="clear", fluency=None)
    rows, counts = found(study)
    assert sorted(rows) == [("ann", "fluency", 0, None, 1, 1), ("ann", "helpfulness", 0, None, 2, 1)]
    assert counts == LookCounts(revealed=2, blind=0, open=0)


def test_skipped_scores_are_no_first_look(study):
    study.give("ann", A, helpfulness=None)
    study.commit("ann", A)
    assert found(study) == ([], LookCounts(revealed=0, blind=0, open=0))


def test_a_judge_that_came_after_the_last_look_was_not_on_show(study):
    study.give("ann", A, helpfulness=0)
    study.commit("ann", A)
    study.give("late", A, kind="llm", helpfulness=1)
    assert found(study)[0] == [("ann", "helpfulness", 0, 0, 2, 1)]
    study.give("ann", A, shown=REVEALED, fluency=1)
    assert sorted(found(study)[0]) == [("ann", "helpfulness", 0, 0, 1, 1), ("ann", "helpfulness", 0, 0, 2, 1)]


def test_other_judges_people_rubrics_and_suites_are_left_alone(study):
    study.give("ann", A, helpfulness=0)
    study.commit("ann", A)
    with reading(study.engine) as session:
        judge = session.exec(select(Rater.id).where(Rater.kind == "llm")).one()
        own = looks(session, study.suite, study.rubric, [judge])
        assert [replace(it, rater_id=0) for it in own] == [
            Look("a", "en", 0, study.criteria["helpfulness"], judge, 0, 0, 2, 1)
        ]
        assert looks(session, study.suite, study.rubric, []) == []
        assert looks(session, study.suite, study.rubric + 1, [judge]) == []
        assert looks(session, study.suite + 1, study.rubric, [judge]) == []
        assert look_counts(session, study.suite + 1, study.rubric) == LookCounts(0, 0, 0)
        assert session.exec(select(Entry.kind).where(Entry.kind == "commit")).all() == ["commit"]


def test_a_blind_campaign_that_reveals_nothing_makes_no_second_look_and_repeats_are_left_out(study):
    study.give("ann", A, helpfulness=1)
    study.give("bob", A, helpfulness=1)
    study.give("ann", A, version="#2", helpfulness=0)
    study.assign("ann", A)
    study.assign("bob", A, reveal=True)
    study.commit("ann", A)
    study.commit("bob", A)
    rows, counts = found(study)
    assert rows == [("bob", "helpfulness", 1, 1, 2, 1)]
    assert counts == LookCounts(revealed=1, blind=1, open=0)

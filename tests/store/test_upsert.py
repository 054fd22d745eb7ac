"""Rows that may be there already, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from store import open_store
from store.queries import models, raters, reviewers, suites
from store.session import reading, writing
from store.tables import Bookmark, Presentation, utc_now
from store.upsert import insert_missing, insert_or_update, row_id


@pytest.fixture
def engine(new_store):
    made = open_store(new_store, create=True)
    with writing(made) as session:
        suites.add_suite(session, "s", "1", [suites.NewInstruction(key, "ru", "?") for key in "ab"])
        raters.rater_id(session, "human", "nv")
    yield made
    made.dispose()


def test_a_bookmark_is_made_and_moved_by_one_statement_each(engine):
    sent = []
    event.listen(engine, "before_cursor_execute", lambda _connection, _cursor, sql, *_: sent.append(sql))
    for instruction, criterion in ((1, "logic"), (2, None)):
        with writing(engine) as session:
            reviewers.save_bookmark(session, 1, "compare s/1 ru", instruction, None, criterion)
        with reading(engine) as session:
            mark = reviewers.bookmark_of(session, 1, "compare s/1 ru")
        assert (mark.instruction_id, mark.response_id, mark.criterion) == (instruction, None, criterion)
        assert utc_now() - mark.updated_at < timedelta(minutes=1)
    assert sum("INSERT" in sql for sql in sent) == 2
    assert not any("UPDATE bookmark" in sql for sql in sent)


def test_the_bookmarks_of_other_views_and_raters_stay(engine):
    with writing(engine) as session:
        other = raters.rater_id(session, "human", "other")
        for rater, view in ((1, "v"), (1, "w"), (other, "v")):
            reviewers.save_bookmark(session, rater, view, 1, None, None)
        reviewers.save_bookmark(session, 1, "v", 2, None, None)
        where = {
            (rater, view): reviewers.bookmark_of(session, rater, view).instruction_id
            for rater, view in ((1, "v"), (1, "w"), (other, "v"))
        }
    assert where == {(1, "v"): 2, (1, "w"): 1, (other, "v"): 1}


def test_a_row_that_is_set_again_keeps_its_number(engine):
    row = {"rater_id": 1, "view": "v", "instruction_id": 1}
    with writing(engine) as session:
        insert_or_update(session, Bookmark, row, ("rater_id", "view"))
        first = reviewers.bookmark_of(session, 1, "v").id
        session.expire_all()
        insert_or_update(session, Bookmark, {**row, "instruction_id": 2}, ("rater_id", "view"))
        assert reviewers.bookmark_of(session, 1, "v").id == first


def test_what_is_missing_is_inserted_and_counted_and_the_rest_stays(engine):
    with writing(engine) as session:
        model = models.model_id(session, "m", base="b")
        assert models.model_id(session, "m", base="other") == model
        assert insert_missing(session, Presentation, [], ("rater_id", "response_id")) == 0
        rows = [{"rater_id": 1, "view": view, "instruction_id": 1} for view in ("v", "w")]
        assert insert_missing(session, Bookmark, rows[:1], ("rater_id", "view")) == 1
        assert insert_missing(session, Bookmark, rows, ("rater_id", "view")) == 1
        assert row_id(session, Bookmark, {"rater_id": 1, "view": "v"}, instruction_id=2) == 1
        assert reviewers.bookmark_of(session, 1, "v").instruction_id == 1

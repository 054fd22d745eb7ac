"""Rows of another store that can't be true stay out, and are named."""

import shutil
import sqlite3

import pytest
from sqlmodel import select

from core.merge import merge_stores
from store import open_store
from store.queries import journal, raters
from store.queries.journal import Score
from store.session import reading, writing
from store.tables import Criterion
from tests.reviewing import make_store, without_git

pytestmark = pytest.mark.parts


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE rating SET score = 99", "language is 99, not from 0 to 2"),
        ("UPDATE rating SET score = 'good'", "language is 'good', not a whole number"),
        ("UPDATE entry SET created_at = '9999-01-01 00:00:00.000000'", "in the future"),
    ],
)
def test_an_action_that_cannot_be_true_stays_out(tmp_path, monkeypatch, statement, reason):
    without_git(monkeypatch)
    make_store(tmp_path / "a.db", keys=1, languages=("ru",)).dispose()
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    engine = open_store(tmp_path / "b.db")
    with writing(engine) as session:
        language = session.exec(select(Criterion.id).where(Criterion.name == "language")).first() or 0
        journal.append(session, raters.rater_id(session, "human", "anna"), [Score(1, language, 2)])
    engine.dispose()
    with sqlite3.connect(tmp_path / "b.db") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute(statement)
    connection.close()
    target = open_store(tmp_path / "a.db")
    (result,) = merge_stores(target, [str(tmp_path / "b.db")])
    assert reason in str(result.conflicts[0])
    with reading(target) as session:
        assert journal.current_ratings(session, raters.rater_id(session, "human", "anna"), [1]) == []
    target.dispose()

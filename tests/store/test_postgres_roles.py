"""A reviewer's role as the page on PostgreSQL makes it: the room works, and nothing else can be done."""

import os
import re
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from store import StoreError, open_store
from store.engine import printable_name
from store.queries import journal, notes, raters, reviewers, rubrics
from store.queries.journal import Score
from store.session import reading, writing
from tests.postgresql import new_schema
from tests.reviewing import campaign, make_store, rater_of, stops_of, work
from tui.review.queue import QueueSession, open_queue
from tui.review.session import ReviewSession
from tui.review.view import open_view

pytestmark = pytest.mark.parts


PAGE = Path(__file__).parents[2] / "docs/postgres.md"


@pytest.fixture(scope="module")
def shared(postgresql_server):
    """A store of a team with a campaign, made by the SQL of the page: the owner's engine, and the URL of a
    login by name."""
    with new_schema(postgresql_server) as (schema, url):
        owner = make_store(url, keys=4)
        suffix = os.urandom(4).hex()
        people = {name: f"{name}_{suffix}" for name in ("anna", "boris")}
        campaign(owner, "spring", [f"{it}:ru" for it in people.values()], languages=("ru",), overlap=2)
        sql = "\n".join(re.findall(r"(?s)```sql\n(.*?)```", PAGE.read_text(encoding="utf-8")))
        sql = sql.replace("SCHEMA public", f"SCHEMA {schema}").replace("xlit_reviewer", f"xlit_r_{suffix}")
        sql = sql.replace("ROLE anna", f"ROLE {people['anna']}")
        sql += f"CREATE ROLE {people['boris']} LOGIN IN ROLE xlit_r_{suffix};"
        with owner.begin() as connection:
            connection.exec_driver_sql(sql)
        yield owner, {name: (login, url.replace("xlit@", f"{login}@")) for name, login in people.items()}
        roles = ", ".join([*people.values(), f"xlit_r_{suffix}"])
        with owner.begin() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {roles}; DROP ROLE {roles}")
        owner.dispose()


@pytest.fixture
def anna(shared):
    engine = open_store(shared[1]["anna"][1])
    yield engine, shared[1]["anna"][0]
    engine.dispose()


def test_a_reviewer_works_side_by_side_comments_marks_undoes_and_keeps_the_place(anna, shared):
    engine, name = anna
    review = ReviewSession(engine, open_view(engine, language="fr", reviewer=name))
    for score in (2, 1, 2, 0, 1, 2):
        review.score(score)
    review.comment("bien")
    review.undo()
    review.close()
    again = ReviewSession(engine, open_view(engine, language="fr", reviewer=name))
    assert again.row.answers[0].complete
    with reading(shared[0]) as session:
        assert len(journal.current_ratings(session, rater_of(session, name), range(1, 1000))) in (6, 12)


def test_a_reviewer_works_through_a_queue(anna, shared):
    engine, name = anna
    session = QueueSession(engine, open_queue(engine, campaign="spring", reviewer=name))
    left = session.queue.left
    session.score_best()
    session.commit()
    assert session.queue.left == left - 1
    work(engine, "spring", name)
    assert open_queue(engine, campaign="spring", reviewer=name).left == 0


REFUSED = {
    "changing a rating": "UPDATE rating SET score = 2",
    "deleting ratings": "DELETE FROM rating",
    "deleting entries": "DELETE FROM entry",
    "emptying the journal": "TRUNCATE rating",
    "changing comments": "UPDATE comment SET text = ''",
    "changing a response": "UPDATE response SET text = 'x'",
    "adding a response": "INSERT INTO model (name) VALUES ('x')",
    "changing an instruction": "UPDATE instruction SET text = 'x'",
    "closing a campaign": "UPDATE campaign SET closed_at = now()",
    "changing a queue": "DELETE FROM assignment",
    "renaming a rater": "UPDATE rater SET name = 'x'",
    "dropping the triggers": "ALTER TABLE rating DISABLE TRIGGER ALL",
    "dropping a table": "DROP TABLE rating CASCADE",
    "making a table": "CREATE TABLE mine (a int)",
    "the key of pseudonyms": "SELECT * FROM store_key",
    "another's parameters": "UPDATE run SET parameters = '{}'",
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_reviewer_can_not_do_anything_else(anna, what):
    engine, _ = anna
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        engine.begin() as connection,
    ):
        connection.execute(text(REFUSED[what]))


def test_a_reviewer_can_not_write_under_anothers_name(anna, shared):
    engine, name = anna
    other = shared[1]["boris"][0]
    stop = stops_of(shared[0], "spring", other)[0]
    with reading(engine) as session:
        boris = rater_of(session, other)
        first = rubrics.criteria_of(session, rubrics.default_rubric_id(session))[0].id or 0
    for write in (
        lambda session: journal.append(session, boris, [Score(stop.response_ids[0], first, 0)]),
        lambda session: journal.commit_response(session, boris, stop.response_ids[0]),
        lambda session: notes.set_comment(session, boris, stop.response_ids, "not mine"),
        lambda session: reviewers.save_bookmark(session, boris, "x", stop.instruction_id, None, None),
        lambda session: raters.rater_id(session, "llm", "gpt"),
        lambda session: raters.rater_id(session, "human", "somebody"),
    ):
        with pytest.raises(ProgrammingError, match="row-level security"), writing(engine) as session:
            write(session)
    with writing(engine) as session:
        own = journal.append(session, rater_of(session, name), [], kind="commit")
    row = f"{own}, {stop.response_ids[0]}, {boris}"
    for insert in (
        f"rating (entry_id, response_id, rater_id, criterion_id, skipped) VALUES ({row}, {first}, false)",
        f"comment (entry_id, response_id, rater_id, text) VALUES ({row}, 'x')",
        "error_span (entry_id, response_id, rater_id, start_offset, end_offset, category, severity, note, "
        f"present) VALUES ({row}, 0, 1, 'x', 'x', '', true)",
        f"presentation (position, response_id, rater_id) VALUES (0, {stop.response_ids[0]}, {boris})",
    ):
        with pytest.raises(ProgrammingError, match="row-level security"), engine.begin() as connection:
            connection.execute(text(f"INSERT INTO {insert}"))
    with pytest.raises(ProgrammingError, match="row-level security"):
        open_view(engine, language="ru", reviewer=other)


def test_the_owner_can_not_change_the_journal_either(shared):
    owner, people = shared
    work(owner, "spring", people["boris"][0], most=1)
    with pytest.raises(Exception, match=r"journal|append"), owner.begin() as connection:
        connection.execute(text("UPDATE rating SET score = 0"))


TLS = (
    "sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem&sslcert=/c.pem&sslkey=/k.pem&channel_binding=require"
    "&connect_timeout=7"
)


def test_what_stands_behind_the_question_mark_is_handed_to_the_driver_and_the_password_to_nobody_else(
    monkeypatch,
):
    psycopg = pytest.importorskip("psycopg")
    handed: dict[str, object] = {}

    def connect(*arguments, **options):
        handed.update(options)
        raise psycopg.OperationalError("connection failed: no such host")

    monkeypatch.setattr(psycopg, "connect", connect)
    url = f"postgresql+psycopg://anna:s3cret@db.example.org:5433/xlit?{TLS}"
    with pytest.raises(StoreError) as refused:
        open_store(url)
    wanted = dict(pair.split("=", 1) for pair in TLS.split("&"))
    assert {name: str(handed[name]) for name in wanted} == wanted
    assert (handed["password"], handed["user"], handed["host"]) == ("s3cret", "anna", "db.example.org")
    assert "s3cret" not in str(refused.value)
    assert "s3cret" not in printable_name(url)
    assert "anna:***@db.example.org:5433/xlit" in printable_name(url)


def test_a_server_that_is_not_there_is_told_in_one_line_without_the_password():
    with pytest.raises(StoreError) as refused:
        open_store("postgresql+psycopg://anna:s3cret@127.0.0.1:1/xlit?connect_timeout=2&sslmode=require")
    assert "s3cret" not in str(refused.value)
    assert "\n" not in str(refused.value)

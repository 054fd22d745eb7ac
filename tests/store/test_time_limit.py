"""A database that does not answer is given up within the limit: while connecting, and in a statement."""

import socket
import threading
import time
from contextlib import closing

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from store.engine import open_store
from store.errors import StoreError
from store.session import reading
from store.time_limit import TimeLimit
from tests.postgresql import running_server, server_programs

pytestmark = pytest.mark.parts


def silent_server() -> socket.socket:
    """Takes connections and says nothing, like a server that is stopped."""
    server = socket.create_server(("127.0.0.1", 0))
    server.listen()
    return server


def test_a_server_that_takes_the_connection_and_says_nothing_is_given_up():
    pytest.importorskip("psycopg")
    with closing(silent_server()) as server:
        url = f"postgresql+psycopg://u:p@127.0.0.1:{server.getsockname()[1]}/d"
        begun = time.monotonic()
        with pytest.raises(StoreError, match="can't be reached: no answer for 0 s"):
            open_store(url, time_limit=TimeLimit(0.3))
    assert 0.3 <= time.monotonic() - begun < 5


def test_a_limit_that_is_shortened_ends_a_wait_that_has_begun():
    pytest.importorskip("psycopg")
    limit = TimeLimit(60)
    with closing(silent_server()) as server:
        url = f"postgresql+psycopg://u:p@127.0.0.1:{server.getsockname()[1]}/d"
        begun = time.monotonic()
        threading.Timer(0.3, limit.shorten, [0.2]).start()
        with pytest.raises(StoreError, match="can't be reached"):
            open_store(url, time_limit=limit)
    assert 0.5 <= time.monotonic() - begun < 5


@pytest.mark.whole
def test_a_statement_that_is_not_answered_is_given_up_and_the_next_one_works():
    programs = server_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server to start")
    with running_server(programs) as url:
        open_store(url, create=True).dispose()
        engine = open_store(url, time_limit=TimeLimit(0.5))
        with reading(engine) as session:
            begun = time.monotonic()
            with pytest.raises(OperationalError, match="has not answered for"):
                session.connection().execute(text("SELECT pg_sleep(20)"))
            assert time.monotonic() - begun < 5
        with reading(engine) as session:
            assert session.connection().execute(text("SELECT 1")).scalar() == 1
        engine.dispose()
        # Without a limit, a long statement is let run.
        free = create_engine(url)
        with free.connect() as connection:
            connection.execute(text("SELECT pg_sleep(0.8)"))
        free.dispose()

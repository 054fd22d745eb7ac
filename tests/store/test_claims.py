"""Claims: no response is in the making twice, and none is held by somebody who is gone."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlmodel import select

from store import open_store
from store.process import is_gone, this_process
from store.queries import claims, models, responses, runs, suites
from store.session import reading, writing
from store.tables import Claim, utc_now

pytestmark = pytest.mark.parts


WORK = [(number, 0) for number in range(1, 7)]


@pytest.fixture
def room(new_store):
    """A store with six instructions, one model under one decoding, and two runs."""
    store = open_store(new_store, create=True)
    with writing(store) as session:
        new = [suites.NewInstruction(f"k{place}", "en", f"Say {place}.") for place in range(6)]
        suites.add_suite(session, "s", "1", new)
        models.model_id(session, "m")
        models.decoding_id(session, "transformers", "f32", {})
        for _ in range(2):
            runs.start_run(session, command="generate", host="here")
    yield store
    store.dispose()


def take(store, run_id, wanted=WORK, process=None):
    with writing(store) as session:
        return claims.take(session, 1, 1, wanted, run_id=run_id, process=process or this_process())


def test_what_one_run_has_the_other_does_not_get(room):
    assert take(room, 1, WORK[:4]) == (WORK[:4], set())
    assert take(room, 2) == (WORK[4:], set())
    assert take(room, 1) == (WORK[:4], set())


def test_samples_of_an_instruction_are_claimed_one_by_one(room):
    assert take(room, 1, [(1, 0), (1, 2)]) == ([(1, 0), (1, 2)], set())
    assert take(room, 2, [(1, 0), (1, 1), (1, 2)]) == ([(1, 1)], set())


def test_what_is_answered_is_not_claimed(room):
    row = {"instruction_id": 2, "model_id": 1, "decoding_id": 1, "text": "two", "run_id": 1}
    with writing(room) as session:
        responses.add_responses(session, [row])
    got, there = take(room, 1)
    assert (2, 0) not in got
    assert there == {(2, 0)}


def test_settled_and_released_claims_are_free(room):
    take(room, 1)
    with writing(room) as session:
        claims.settle(session, 1, 1, WORK[:2], run_id=1)
        claims.settle(session, 1, 1, WORK[2:3], run_id=2)  # not this one's
    assert take(room, 2)[0] == WORK[:2]
    with writing(room) as session:
        claims.release(session, [1])
    assert take(room, 2)[0] == WORK


def expire(store, run_id):
    with writing(store) as session:
        for claim in session.exec(select(Claim).where(Claim.run_id == run_id)):
            claim.expires_at = utc_now() - timedelta(seconds=1)
            session.add(claim)


def test_a_lease_ends_unless_it_is_prolonged(room):
    elsewhere = "another-machine 12 34"
    take(room, 1, process=elsewhere)
    expire(room, 1)
    with writing(room) as session:
        claims.renew(session, [1])
    assert take(room, 2) == ([], set())
    expire(room, 1)
    assert take(room, 2)[0] == WORK
    assert take(room, 1)[0] == []


@pytest.mark.whole
def test_claims_of_a_killed_process_are_free_at_once(room):
    script = (
        "import time; from store.process import this_process; "
        "print(this_process(), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        named = process.stdout.readline().strip()
        take(room, 1, process=named)
        assert take(room, 2) == ([], set())
        with reading(room) as session:
            assert claims.holders(session, 1, 1) == [(1, named)]
        process.send_signal(signal.SIGKILL)
    assert take(room, 2)[0] == WORK


def test_who_is_gone_and_who_can_not_be_told():
    place, pid, began = this_process().rsplit(" ", 2)
    assert not is_gone(this_process())
    assert is_gone(f"{place} {pid} {int(began) + 1}")  # the same number, another process
    assert is_gone(f"{place} 999999999 1")
    assert not is_gone(f"elsewhere 999999999 {began}")
    assert not is_gone("nonsense")
    parent = os.getppid()
    assert not is_gone(this_process().replace(f" {pid} {began}", f" {parent} {_ticks(parent)}"))


def _ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[19]

"""What is written down of the batches in which judges are asked."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy.exc import IntegrityError

from store import open_store
from store.queries import batches, raters, runs
from store.session import reading, writing
from store.tables import JudgeBatch

pytestmark = pytest.mark.parts


DIGESTS = [f"{number:064x}" for number in range(5)]


@pytest.fixture
def engine(new_store):
    engine = open_store(new_store, create=True)
    with writing(engine) as session:
        for version in ("1", "2"):
            raters.rater_id(session, "llm", "judge", version)
        for _ in range(2):
            runs.start_run(session, command="judge rubric", host="here")
    yield engine
    engine.dispose()


def plan(engine, digests, rater=1, **more):
    with writing(engine) as session:
        return batches.plan(session, digests, rater=rater, endpoint="http://here", run_id=1, **more)


def found(engine, question, *arguments):
    with reading(engine) as session:
        return question(session, *arguments)


def change(engine, action, *arguments):
    with writing(engine) as session:
        return action(session, *arguments)


def test_a_batch_has_its_own_tag_and_its_questions_are_on_their_way_until_it_ends(engine):
    first, second = plan(engine, DIGESTS[:2]), plan(engine, [DIGESTS[2]], attempt=2)
    rows = found(engine, batches.open_batches, [1])
    assert [(row.id, row.requests, row.attempt, row.status, row.remote_id) for row in rows] == [
        (first, 2, 1, "new", None),
        (second, 1, 2, "new", None),
    ]
    assert len({row.tag for row in rows}) == 2
    assert found(engine, batches.on_their_way, 1) == set(DIGESTS[:3])
    assert found(engine, batches.on_their_way, 2) == set()
    assert change(engine, batches.end, first, "completed")
    assert not change(engine, batches.end, first, "failed")
    assert found(engine, batches.on_their_way, 1) == {DIGESTS[2]}
    assert found(engine, batches.batch_of, first).status == "completed"
    assert [row.id for row in found(engine, batches.open_batches, [1, 2])] == [second]


def test_a_question_is_in_one_batch_on_its_way_of_a_rater(engine):
    first = plan(engine, [*DIGESTS[:2], DIGESTS[0]])
    assert found(engine, batches.digests_of, first) == set(DIGESTS[:2])
    assert plan(engine, DIGESTS[:2]) is None
    assert found(engine, batches.digests_of, plan(engine, DIGESTS[:3])) == {DIGESTS[2]}
    assert plan(engine, []) is None
    change(engine, batches.end, first, "expired")
    assert plan(engine, DIGESTS[:2]) is not None


def test_two_that_plan_at_once_put_no_question_into_two_batches(engine):
    both_are_there = Barrier(4)

    def plan_some(start: int) -> set[str]:
        both_are_there.wait()
        batch = plan(engine, DIGESTS[start:] + DIGESTS[:start])
        return set() if batch is None else found(engine, batches.digests_of, batch)

    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            planned = list(pool.map(plan_some, range(4)))
            assert sorted(map(len, planned)) == [0, 0, 0, 5]
            for batch in found(engine, batches.open_batches, [1]):
                change(engine, batches.end, batch.id, "expired")


def test_a_batch_is_made_at_the_server_once_and_by_one_run(engine):
    batch = plan(engine, DIGESTS)
    assert found(engine, batches.is_to_send, batch, 1)
    assert not found(engine, batches.is_to_send, batch, 2)
    change(engine, batches.take_over, batch, 2)
    assert [found(engine, batches.is_to_send, batch, run) for run in (1, 2)] == [False, True]
    change(engine, batches.measure, batch, 4, 1000)
    assert change(engine, batches.sent, batch, "batch-1", "validating")
    assert not change(engine, batches.sent, batch, "batch-2", "validating")
    assert not found(engine, batches.is_to_send, batch, 2)
    change(engine, batches.note_status, batch, "in_progress")
    row = found(engine, batches.batch_of, batch)
    assert (row.remote_id, row.status, row.requests, row.tokens_in) == ("batch-1", "in_progress", 4, 1000)


def test_a_batch_that_has_ended_is_not_sent(engine):
    batch = plan(engine, DIGESTS)
    change(engine, batches.end, batch, "not sent")
    assert not found(engine, batches.is_to_send, batch, 1)
    assert not change(engine, batches.sent, batch, "batch-1", "validating")


def test_questions_that_did_not_fit_are_handed_on(engine):
    batch = plan(engine, DIGESTS, attempt=2, status=batches.WAITING)
    with writing(engine) as session:
        batches.hand_on(session, batches.batch_of(session, batch), DIGESTS[3:])
    first, second = found(engine, batches.open_batches, [1])
    assert found(engine, batches.digests_of, first.id) == set(DIGESTS[:3])
    assert found(engine, batches.digests_of, second.id) == set(DIGESTS[3:])
    assert (second.attempt, second.status, second.run_id) == (2, "waiting", 1)
    assert first.tag != second.tag


def test_two_batches_never_have_the_same_tag(engine):
    def twice(session):
        for _ in range(2):
            session.add(JudgeBatch(rater_id=1, endpoint="x", tag="same", requests=1))

    with pytest.raises(IntegrityError):
        change(engine, twice)

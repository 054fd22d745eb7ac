"""Whatever a server with a Batch API does wrong: no fault becomes a score, and none costs an answer."""

import json
import shutil
import tracemalloc

import pytest

from core.judge.llm_judge import batch_runner as batch_sending
from core.judge.llm_judge.judge_client import AdaptiveClient
from core.llm import batch_api
from core.llm.batch_results import BatchResults
from store import XlitError, open_store
from tests.core.judge.chat_server import Answer
from tests.core.judge.judged import fill, judge, ratings
from tests.core.judge.llm_judge.batch.batch_judged import batch_rows, judge_in_batches, many
from tests.core.judge.llm_judge.batch.batch_server import BatchServer, answer_line, completion, stars

pytestmark = pytest.mark.parts

COUNT = 12


def direct(request, number):
    return Answer(stars(request["messages"][0]["content"]))


@pytest.fixture(scope="module")
def judged_store(new_store, tmp_path_factory):
    """A store that a healthy server has judged, and the same responses again; what it said of them."""
    file = tmp_path_factory.mktemp("judged") / "s.db"
    shutil.copy(new_store, file)
    engine, server = open_store(file), BatchServer(stars)
    fill(engine, *many(COUNT))
    judge_in_batches(engine, server)
    server.close()
    found = ratings(engine)
    assert len(found) == COUNT
    assert len({tuple(one.items()) for one in found.values()}) > COUNT / 2
    fill(engine, *many(COUNT), model="again")
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM judge_answer")
    engine.dispose()
    return file, found


@pytest.fixture
def store(judged_store, tmp_path):
    shutil.copy(judged_store[0], tmp_path / "s.db")
    engine = open_store(tmp_path / "s.db")
    yield engine
    engine.dispose()


@pytest.fixture
def healthy(judged_store):
    """What a healthy server makes of the responses."""
    return judged_store[1]


def again(engine):
    """The ratings of the responses that came after the healthy run."""
    return {number - COUNT: found for number, found in ratings(engine).items() if number > COUNT}


REQUESTS = [
    ("POST", "/files"),
    ("POST", "/batches"),
    ("GET", "/batches/ID"),
    ("GET", "/files/ID/content"),
    ("DELETE", "/files/ID"),
]


@pytest.mark.whole
@pytest.mark.parametrize("request_", REQUESTS, ids=[" ".join(one) for one in REQUESTS])
@pytest.mark.parametrize("fault", [500, 503, 429, "cut", "garbage"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_faults_of_the_server_are_waited_out(healthy, store, batch_server, request_, fault, when):
    server = batch_server()

    def faulty(method, path, count):
        return fault if (method, path) == request_ and count <= 2 else None

    setattr(server, when, faulty)
    run = judge_in_batches(store, server, size=5)
    assert run.exit_code == 0
    assert again(store) == healthy
    # What was answered in a file that held something else has to be asked again.
    no_answers = fault == "garbage" and request_[1].endswith("/content")
    assert set(server.created.values()) == ({1, 2} if no_answers else {1})


def test_a_server_that_is_down_for_hours_ends_the_run_and_the_batch_is_collected_later(
    healthy, store, batch_server, monkeypatch
):
    server = batch_server()
    server.before = lambda method, path, count: 500 if path == "/batches/ID" else None
    with monkeypatch.context() as patched:
        patched.setattr(batch_api, "PATIENCE", 0.2)
        with pytest.raises(
            XlitError, match=r"out of order for long, at last: status 500.*run the same command"
        ):
            judge_in_batches(store, server)
    server.before = lambda *request: None
    judge_in_batches(store, server)
    assert again(store) == healthy
    assert set(server.created.values()) == {1}


def test_a_batch_that_may_have_been_made_is_not_given_up(healthy, store, batch_server, monkeypatch, serve):
    """The server makes it, answers with an error each time, and can't show its list."""
    monkeypatch.setattr(batch_sending, "TRIES", 1)
    monkeypatch.setattr(batch_api, "PATIENCE", 0.05)
    server = batch_server()
    server.after = lambda method, path, count: 500 if path == "/batches" else None
    with pytest.raises(XlitError):
        judge_in_batches(store, server)
    server.after = lambda *request: None
    assert judge(store, serve(direct)).counts == {"on their way in batches": COUNT}
    judge_in_batches(store, server)
    assert again(store) == healthy
    assert set(server.created.values()) == {1}


def test_a_batch_for_which_there_is_no_room_is_sent_in_halves_when_those_before_it_have_ended(
    healthy, store, batch_server, answered
):
    answered(*many(40), model="more")
    server = batch_server()
    server.room = 10
    assert judge_in_batches(store, server, size=10).exit_code == 0
    assert again(store).items() >= healthy.items()
    assert len(ratings(store)) == 2 * COUNT + 40
    assert set(server.created.values()) == {1}
    assert [len(lines) for lines in server.inputs.values()] == [10, 5, 5, 5, 5, 5, 5]


def test_halves_of_halves_until_there_is_room(healthy, store, batch_server):
    server = batch_server()
    server.room = 2
    assert judge_in_batches(store, server).exit_code == 0
    assert again(store) == healthy
    assert set(server.created.values()) == {1}
    assert max(len(lines) for lines in server.inputs.values()) == 2


def test_a_server_without_room_for_one_question_ends_the_run_in_one_line(healthy, store, batch_server, serve):
    server = batch_server()
    server.room = 0
    with pytest.raises(XlitError, match="no room for a batch of even one question"):
        judge_in_batches(store, server)
    assert all(ended for *_, ended in batch_rows(store))
    judge(store, serve(direct))  # nothing is left on its way
    assert again(store) == healthy


@pytest.mark.parametrize("status", ["expired", "cancelled"])
def test_of_a_batch_that_ended_early_the_answers_count_and_the_others_are_asked_again(
    healthy, store, batch_server, status
):
    server = batch_server()

    def early(batch, lines):
        if batch["id"] != "batch-0":
            return lines
        error = {"code": f"batch_{status}", "message": "it ended too early"}
        return lines[:5] + [line | {"response": None, "error": error} for line in lines[5:9]]

    server.lines = early
    server.ends = lambda batch: status if batch["id"] == "batch-0" else "completed"
    run = judge_in_batches(store, server)
    assert run.exit_code == 0
    assert again(store) == healthy
    assert [len(lines) for lines in server.inputs.values()] == [12, 7]
    assert [row[:3] for row in batch_rows(store)[1:]] == [(status, 12, 1), ("completed", 7, 1)]


def test_questions_that_no_batch_ever_answers_have_failed_with_the_reason(healthy, store, batch_server):
    server = batch_server()
    error = {"code": "batch_expired", "message": "it took too long"}
    server.lines = lambda batch, lines: [line | {"response": None, "error": error} for line in lines]
    server.ends = lambda batch: "expired"
    run = judge_in_batches(store, server)
    assert run.exit_code == 3
    assert {reason for _, reason in run.failures} == {"batch_expired: it took too long"}
    assert len(run.failures) == COUNT
    assert len(server.batches) == 3
    assert again(store) == {}


def test_a_batch_that_is_not_taken_is_said_in_one_line_and_its_questions_are_free(
    healthy, store, batch_server, serve
):
    server = batch_server()

    def refused(batch):
        error = {
            "code": "model_not_found",
            "message": "The model does not exist.\nAsk for another.",
            "line": 7,
        }
        batch["errors"] = {"object": "list", "data": [error, error]}
        return "failed"

    server.ends = refused
    with pytest.raises(XlitError) as caught:
        judge_in_batches(store, server, size=5)
    assert str(caught.value) == (
        f"{server.url} did not take a batch: line 7: The model does not exist. Ask for another (and 1 more)."
    )
    assert [row[0] for row in batch_rows(store)] == ["completed", "failed", "failed", "failed"]
    judge(store, serve(direct))
    assert again(store) == healthy


def other(line):
    """Another answer to the same question."""
    stars_ = json.dumps(dict.fromkeys(json.loads(stars("")), 3))
    return answer_line(line["custom_id"], completion(stars_, tokens=(1, 1)))


def changed(line, **body):
    return line | {"response": {"status_code": 200, "body": body}}


DEEP = b'{"custom_id": ' + b"[" * 100_000


HOSTILE = {
    "a line cut short": lambda line: [json.dumps(line).encode()[:-30]],
    "a line cut at the start": lambda line: [json.dumps(line).encode()[30:]],
    "no JSON": lambda line: [b"upstream connect error"],
    "another type": lambda line: [b"[1, 2]", b"null", b'"x"', b"3"],
    "not UTF-8": lambda line: [b"\xff\xfe" + json.dumps(line).encode()],
    "too deep": lambda line: [DEEP],
    "two megabytes": lambda line: [json.dumps(line | {"padding": "x" * 2_000_000}).encode()],
    "empty lines": lambda line: [b"", b"   ", b"\r"],
    "two answers": lambda line: [line, other(line)],
    "an id of another type": lambda line: [line | {"custom_id": 7}],
    "an unknown id": lambda line: [line | {"custom_id": "0" * 64}],
    "an id with more behind it": lambda line: [line | {"custom_id": line["custom_id"] + " "}],
    "no line": lambda line: [],
    "no response": lambda line: [line | {"response": None}],
    "a response of another type": lambda line: [json.dumps(line | {"response": [200]}).encode()],
    "a status of another type": lambda line: [
        json.dumps(line | {"response": line["response"] | {"status_code": "200"}}).encode()
    ],
    "true as the status": lambda line: [
        json.dumps(line | {"response": line["response"] | {"status_code": True}}).encode()
    ],
    "a body of another type": lambda line: [
        changed(line) | {"response": {"status_code": 200, "body": "yes"}}
    ],
    "choices of another type": lambda line: [changed(line, choices={"message": {"content": stars("")}})],
    "no choices": lambda line: [changed(line, choices=[])],
    "server error": lambda line: [line | {"response": {"status_code": 500, "body": None}}],
    "too many requests": lambda line: [
        line | {"response": {"status_code": 429, "body": {"error": {"message": "slow down"}}}}
    ],
}
BAD_ANSWERS = {
    "content of another type": lambda line: [changed(line, choices=[{"message": {"content": {"a": 1}}}])],
    "no content": lambda line: [changed(line, **completion(None))],
    "cut at the limit": lambda line: [changed(line, **completion(stars(""), finish="length"))],
    "filtered": lambda line: [changed(line, **completion(stars(""), finish="content_filter"))],
    "refused in words": lambda line: [changed(line, **completion("I'm sorry, I can't."))],
    "half an object": lambda line: [changed(line, **completion(stars("")[:-4]))],
    "out of range": lambda line: [changed(line, **completion(stars("").replace("1", "9").replace("2", "9")))],
    "lone surrogates and NULs": lambda line: [changed(line, **completion("\ud800\0"))],
}


@pytest.mark.parametrize("fault", (HOSTILE | BAD_ANSWERS).values(), ids=HOSTILE | BAD_ANSWERS)
def test_lines_that_are_wrong_are_no_score_and_are_asked_again(healthy, store, batch_server, fault):
    server = batch_server()

    def lines(batch, found):
        if batch["id"] != "batch-0":
            return found
        return [part for place, line in enumerate(found) for part in (fault(line) if place % 3 else [line])]

    server.lines = lines
    run = judge_in_batches(store, server)
    assert run.exit_code == 0
    assert again(store) == healthy
    assert sorted(server.created.values()) == [1] * 4 + [2] * 8


@pytest.mark.parametrize("fault", (HOSTILE | BAD_ANSWERS).values(), ids=HOSTILE | BAD_ANSWERS)
def test_lines_that_stay_wrong_are_missing_with_a_reason_and_never_a_score(
    healthy, store, batch_server, fault
):
    server = batch_server()
    server.lines = lambda batch, found: [part for line in found for part in fault(line)]
    run = judge_in_batches(store, server)
    assert run.exit_code == 3
    assert again(store) == {}
    assert len(run.failures) == COUNT
    assert all(reason for _, reason in run.failures)
    assert len(server.batches) == 3


GOOD = {
    "twice the same": lambda line: [line, line],
    "lines end as in Windows": lambda line: [json.dumps(line).encode() + b"\r"],
    "control characters in strings": lambda line: [line | {"id": "\x1b[2J"}],
    "an answer with a lone surrogate and a NUL beside it": lambda line: [
        changed(line, **completion("```json\n" + content_of(line) + "\n```\n\ud800\0"))
    ],
}


def content_of(line):
    return line["response"]["body"]["choices"][0]["message"]["content"]


@pytest.mark.parametrize("oddity", GOOD.values(), ids=GOOD)
def test_oddities_that_mean_no_harm_are_read(healthy, store, batch_server, oddity):
    server = batch_server()
    server.lines = lambda batch, found: [part for line in found for part in oddity(line)]
    assert judge_in_batches(store, server).exit_code == 0
    assert again(store) == healthy
    assert set(server.created.values()) == {1}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"id": 3}', b'{"id": "x", "status": null}', b'{"data": 3}', b"[" * 100_000],
)
def test_answers_that_are_no_batch_are_waited_out(healthy, store, batch_server, body):
    server = batch_server()
    carry_out, odd = server._carry_out, {"left": 3}

    def now_and_then(method, kind, *rest):
        status, content = carry_out(method, kind, *rest)
        if odd["left"] and kind in ("/batches", "/batches/ID"):
            odd["left"] -= 1
            return 200, body
        return status, content

    server._carry_out = now_and_then
    assert judge_in_batches(store, server).exit_code == 0
    assert again(store) == healthy
    assert set(server.created.values()) == {1}


def test_a_file_of_answers_that_is_gone_is_asked_for_again(healthy, store, batch_server):
    server = batch_server()
    server.before = lambda method, path, count: 404 if path.endswith("content") and count == 1 else None
    assert judge_in_batches(store, server).exit_code == 0
    assert again(store) == healthy
    assert set(server.created.values()) == {2}


def test_a_batch_that_the_server_does_not_know_is_waited_for_two_days(healthy, store, batch_server, capfd):
    server = batch_server()
    judge_in_batches(store, server, wait=False)
    server.batches.clear()
    with pytest.raises(XlitError, match="does not know the batch batch-0, in which 12 questions"):
        judge_in_batches(store, server)
    with store.begin() as connection:
        connection.exec_driver_sql("UPDATE judge_batch SET created_at = '2020-01-01 00:00:00' WHERE id = 2")
    server.inputs.clear()
    judge_in_batches(store, server)
    assert again(store) == healthy
    assert "it is asked again" in capfd.readouterr().err


def test_a_list_without_end_is_not_followed_for_ever(healthy, store, batch_server):
    server = batch_server()
    server.after = lambda method, path, count: (
        500 if (method, path) == ("POST", "/batches") and count < 3 else None
    )
    server._page = lambda query: {"data": [server.batches["batch-0"] | {"metadata": None}], "has_more": True}
    assert judge_in_batches(store, server).exit_code == 0
    assert again(store) == healthy


def test_a_large_file_of_answers_is_not_held_in_memory(tmp_path):
    endpoint = AdaptiveClient("judge", "http://127.0.0.1:1/v1")
    digests = {f"{number:064x}" for number in range(400)}
    with (tmp_path / "answers.jsonl").open("wb+") as file:
        for digest in sorted(digests):
            content = stars("") + " " * 100_000
            file.write(json.dumps(answer_line(digest, completion(content))).encode() + b"\n")
        assert file.tell() > 40_000_000
        tracemalloc.start()
        try:
            answers = BatchResults(file, digests, endpoint)
            assert all(answers.get(digest).reply for digest in digests)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert answers.replies == 400
    assert peak < 8_000_000

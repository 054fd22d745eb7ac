"""Whatever a server does wrong: an answer comes, or one sentence why there is none; and no key is shown."""

import socket
import threading

import pytest

from core.generate.engines.base import Failed
from core.generate.engines.openai import READY
from core.llm import limits
from store import XlitError
from tests.core.generate.engines.openai.asking import ask, opened, requests
from tests.core.llm.chat_server import Answer, error

pytestmark = pytest.mark.parts


# Each with what is said of it.
FAULTS = {
    "broken": (error(500), "status 500: out of order"),
    "overloaded": (Answer(status=503, body="<html>busy</html>"), "status 503: "),
    "too many requests": (error(429, "slow down"), "status 429: slow down"),
    "hangs": (Answer(delay=1), "no answer within 0.5 s"),
    "cut before the answer": (Answer(cut=0), "the connection was cut"),
    "cut within the answer": (Answer(cut=150), "the connection was cut"),
    "a body that ends too early": (Answer(body='{"choices": [{"mess'), "the server's answer is not JSON"),
    "HTML": (Answer(body="<html>Welcome to nginx!</html>"), "the server's answer is not JSON"),
    "nothing": (Answer(body=""), "the server's answer is not JSON"),
    "ten megabytes": (Answer("x" * 10_000_000), "the server's answer is longer than 1003000 bytes"),
    "deep": (Answer(body="[" * 50_000), "the server's answer is not JSON"),
    "a list": (Answer(body=[]), "the server answers, but not as a chat completion does"),
    "no choices": (Answer(body={"usage": {}}), "the server answers, but not as a chat completion does"),
    "empty choices": (Answer(body={"choices": []}), "the server answers, but not as a chat completion does"),
    "a choice of another type": (Answer(body={"choices": ["x"]}), "the server answers, but not as a chat"),
    "content of another type": (
        Answer(body={"choices": [{"message": {"content": {"text": "x"}}}]}),
        "the server's answer has a content that is no text",
    ),
}


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setattr(limits, "TRIES", 3)
    monkeypatch.setattr(limits, "PATIENCE", 0.3)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_costs_no_answer(serve, fault, monkeypatch):
    monkeypatch.setattr(limits, "TRIES", 20)  # a busy machine may need more than the three
    monkeypatch.setattr(limits, "PATIENCE", 60)
    wrong, _ = FAULTS[fault]
    assert ask(serve(wrong, wrong, Answer()), timeout=0.5).text == "Good."


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_is_one_sentence(serve, fault):
    wrong, said = FAULTS[fault]
    server = serve(wrong)
    answer = ask(server, timeout=0.5)
    assert isinstance(answer, Failed)
    assert answer.reason.startswith(said)
    assert "\n" not in answer.reason
    assert len(server.requests) >= 3


def test_among_faults_each_request_gets_its_own_answer(serve, monkeypatch):
    monkeypatch.setattr(limits, "TRIES", 20)
    monkeypatch.setattr(limits, "PATIENCE", 60)
    wrong = [fault for fault, _ in FAULTS.values()]
    lock, asked = threading.Lock(), {}

    def script(request, number):
        text = request["messages"][0]["content"]
        with lock:
            asked[text] = asked.get(text, 0) + 1
        return Answer(f"to {text}") if asked[text] > 2 else wrong[(number * 7) % len(wrong)]

    texts = [str(number) for number in range(40)]
    with opened(serve(script), timeout=0.5, concurrency=8) as engine:
        answers = dict(engine.stream(requests(*texts)))
    assert {key: answer.text for key, answer in answers.items()} == {text: f"to {text}" for text in texts}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (error(401, "bad key"), "refused the key"),
        (error(403, "not yours"), "refused the key"),
        (error(404, "no such model"), "has no model 'm'"),
        (error(429, "pay first", "insufficient_quota"), "the quota of this key is spent"),
    ],
)
def test_what_no_other_request_would_change_ends_it_with_the_first(serve, wrong, said):
    server = serve(wrong)
    with opened(server, concurrency=8) as engine, pytest.raises(XlitError, match=said):
        list(engine.stream(requests(*map(str, range(50)))))
    assert len(server.requests) == 1


def test_ten_that_fail_in_a_row_end_it_and_what_was_answered_comes_first(serve):
    def script(request, _):
        return Answer() if request["messages"][0]["content"] < "b" else error(500)

    got = []
    with opened(serve(script), concurrency=4) as engine, pytest.raises(XlitError, match="10 times in a row"):
        got.extend(engine.stream(requests("a1", "a2", "a3", *(f"b{number}" for number in range(100)))))
    # `extend` keeps what came before the error
    assert {key for key, answer in got if not isinstance(answer, Failed)} == {"a1", "a2", "a3"}
    assert len(got) <= 3 + 9


def test_a_key_that_is_refused_later_ends_it_after_what_was_answered(serve):
    server = serve(lambda request, number: Answer() if number < 5 else error(401))
    got, rest = [], requests(*map(str, range(100)))
    with opened(server, concurrency=2) as engine, pytest.raises(XlitError, match="refused the key"):
        got.extend(engine.stream(rest))
    assert len(got) == 5
    assert len(list(rest)) >= 100 - 5 - 2 - READY
    assert len(server.requests) <= 8


def test_a_server_that_is_not_there_is_said_before_anything_is_asked():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    class Nowhere:
        url = f"http://127.0.0.1:{port}/v1"

    with pytest.raises(XlitError, match="can't be reached"):
        ask(Nowhere())


def test_a_server_that_is_still_loading_is_waited_for(serve):
    loading = iter([error(503, "Loading model")] * 2)
    server = serve(Answer())

    class Pages(dict):
        def get(self, path, default):
            return next(loading, Answer(body={"data": []})) if path == "/v1/models" else default

    server.pages = Pages()
    assert ask(server).text == "Good."
    assert next(loading, None) is None


def test_a_server_that_stays_out_of_order_is_said_so(serve):
    server = serve(Answer(), pages={"/v1/models": error(503, "Loading model")})
    with pytest.raises(XlitError, match=r"is out of order: status 503: Loading model\. Try again later\."):
        ask(server)


def test_waits_that_a_server_asks_for_hold_back_all(serve, monkeypatch):
    monkeypatch.setattr(limits, "PATIENCE", 20)
    busy = Answer(status=429, body={}, headers={"retry-after-ms": "300"})
    server = serve(Answer(), busy, Answer())
    with opened(server, concurrency=2) as engine:
        assert len(list(engine.stream(requests(*map(str, range(6)))))) == 6
    assert len(server.requests) == 7


def test_a_key_is_in_no_answer_and_no_reason(serve, monkeypatch, capfd):
    secret = "sk-secret-1234"
    monkeypatch.setenv("XLIT_API_KEY", secret)
    server = serve(
        Answer(f"say {secret}"), error(400, f"no: {secret}"), error(500, f"no: {secret}"),
        pages={"/v1/models": Answer(body={"data": [{"id": f"m {secret}", "owned_by": "vllm"}]})},
    )  # fmt: skip
    with opened(server, concurrency=1) as engine:
        found = [*engine.stream(requests("a", "b", "c")), engine.describe_server()]
    assert secret not in repr(found)
    assert "[key]" in found[0][1].text
    assert all(headers["authorization"] == f"Bearer {secret}" for headers in server.headers)
    assert secret not in "".join(capfd.readouterr())

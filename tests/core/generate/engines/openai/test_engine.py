"""The openai engine: what is asked of a server, how much at a time, and what comes back."""

import hashlib
import json
import threading
import time
from collections.abc import Callable

import pytest

from core.generate.decoding import Decoding
from core.generate.engines import openai as openai_engine
from core.generate.engines.base import Failed, Request
from core.generate.engines.openai import TimeShare
from store import UsageError, XlitError
from tests.core.generate.engines.openai.asking import GREEDY, ask, chat, opened, requests
from tests.core.llm.chat_server import Answer, error

pytestmark = pytest.mark.parts


def echo(request, _) -> Answer:
    return Answer(f"to {request['messages'][0]['content']}")


def until(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to that")


def test_each_answer_stands_under_its_key_with_its_counts(serve):
    with opened(serve(echo)) as engine:
        answers = dict(engine.stream(requests("a", "б", "")))
    assert {key: answer.text for key, answer in answers.items()} == {"a": "to a", "б": "to б", "": "to "}
    assert {(a.tokens_in, a.tokens_out, a.finish_reason) for a in answers.values()} == {(100, 20, "stop")}
    prompt = '[{"content":"б","role":"user"}]'
    assert answers["б"].prompt_digest == hashlib.sha256(prompt.encode()).hexdigest()


def test_what_a_server_does_not_tell_is_unknown(serve):
    body = {"choices": [{"message": {"content": "Yes"}}]}
    with opened(serve(Answer(body=body))) as engine:
        [(_, answer)] = engine.stream(requests("a"))
        assert (answer.text, answer.tokens_in, answer.tokens_out, answer.finish_reason) == (
            "Yes",
            *[None] * 3,
        )
        assert engine.context_length == 2**31
        assert engine.count_tokens(chat("a")) == 1


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(""), ""),
        (Answer(None), ""),
        (Answer(" \n"), " \n"),
        (Answer(None, refusal="I would rather not."), "I would rather not."),
        (Answer('a\ud800b\x00c "😀"'), 'a�b�c "😀"'),
    ],
)
def test_silence_and_refusals_are_answers(serve, answer, text):
    assert ask(serve(answer)).text == text


def test_an_answer_that_a_filter_held_back_is_none(serve):
    assert ask(serve(Answer("Half of", finish="content_filter"))) == Failed(
        "the server's content filter held the answer back"
    )


def test_greedy_decoding_is_asked_for_plainly(serve):
    server = serve(Answer())
    ask(server)
    [request] = server.requests
    messages = [{"role": "user", "content": "Hi"}]
    assert request == {"model": "m", "messages": messages, "temperature": 0, "max_tokens": 30}


def test_sampling_is_asked_for_with_each_requests_own_seed(serve):
    server = serve(Answer())
    with opened(
        server, Decoding(max_new_tokens=30, repetition_penalty=1.0, temperature=0.7, top_p=0.9)
    ) as engine:
        list(engine.stream([(0, Request(chat("Hi"), seed=2**62 + 5)), (1, Request(chat("Hi"), seed=6))]))
    asked = [(r["temperature"], r["top_p"], r["max_tokens"], r["seed"]) for r in server.requests]
    assert sorted(asked) == [(0.7, 0.9, 30, 5), (0.7, 0.9, 30, 6)]


def test_a_limit_by_its_other_name_is_found_out_once(serve):
    def reasoning(request, _):
        told = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return error(400, told) if "max_tokens" in request else Answer()

    server = serve(reasoning)
    with opened(server) as engine:
        assert [answer.text for _, answer in engine.stream(requests(*"abc"))] == ["Good."] * 3
    assert ["max_tokens" in request for request in server.requests] == [True, False, False, False]
    assert all(request["max_completion_tokens"] == 30 for request in server.requests[1:])


def test_a_server_that_takes_no_temperature_is_not_asked_without(serve):
    server = serve(error(400, "Unsupported value: 'temperature' does not support 0.0"))
    with pytest.raises(XlitError, match=r"does not take the decoding \(temperature\)"):
        ask(server)
    assert len(server.requests) == 1


def test_a_prompt_that_is_refused_fails_alone(serve):
    def script(request, _):
        long = request["messages"][0]["content"] == "long"
        return error(400, "max_tokens is too large: maximum context length is 8") if long else Answer()

    with opened(serve(script)) as engine:
        answers = dict(engine.stream(requests("long", "a", "b")))
    reason = "the server refused the request: max_tokens is too large: maximum context length is 8"
    assert answers.pop("long") == Failed(reason)
    assert {answer.text for answer in answers.values()} == {"Good."}


def test_a_word_of_the_decoding_in_a_later_refusal_ends_nothing(serve):
    server = serve(Answer(), error(400, "the temperature of this prompt is too high"), Answer())
    with opened(server, concurrency=1) as engine:
        answers = [answer for _, answer in engine.stream(requests(*"abc"))]
    assert [isinstance(answer, Failed) for answer in answers] == [False, True, False]


def test_so_many_at_a_time_and_no_more(serve):
    server = serve(Answer(delay=0.05))
    with opened(server, concurrency=5) as engine:
        assert len(list(engine.stream(requests(*map(str, range(40)))))) == 40
    assert server.most_at_a_time == 5


def test_requests_are_taken_here_and_not_long_before_they_are_sent(serve):
    taken = []

    def coming():
        for number in range(100):
            assert threading.current_thread() is threading.main_thread()
            taken.append(number)
            yield number, Request(chat(str(number)))

    with opened(serve(Answer()), concurrency=2) as engine:
        for fetched, _ in enumerate(engine.stream(coming())):
            time.sleep(0.001)
            assert len(taken) <= fetched + 2 + openai_engine.READY
    assert len(taken) == 100


def test_closed_early_it_hangs_up(serve):
    def script(_, number):
        return Answer(delay=0 if number == 0 else 0.3)

    server = serve(script)
    with opened(server, concurrency=4) as engine:
        answers = engine.stream(requests(*map(str, range(50))))
        next(answers)
        until(lambda: len(server.requests) == 5)
        answers.close()
        until(lambda: server.gone == 4)
        asked = len(server.requests)
        server.script = lambda *_: Answer("again")
        assert [answer.text for _, answer in engine.stream(requests("a", "b"))] == ["again", "again"]
    assert len(server.requests) == asked + 2


def test_a_source_of_requests_that_breaks_ends_it(serve):
    def coming():
        yield "a", Request(chat("a"))
        raise LookupError("the store is gone")

    with opened(serve(Answer())) as engine, pytest.raises(LookupError, match="the store is gone"):
        list(engine.stream(coming()))


def test_the_seconds_of_all_are_never_more_than_the_time_that_passed(serve):
    with opened(serve(Answer(delay=0.05)), concurrency=8) as engine:
        start = time.monotonic()
        answers = [answer for _, answer in engine.stream(requests(*map(str, range(40))))]
        passed = time.monotonic() - start
    assert all(answer.seconds > 0 for answer in answers)
    assert sum(answer.seconds for answer in answers) <= passed


def test_time_is_divided_by_the_requests_on_their_way(monkeypatch):
    clock = iter([0, 1, 3, 7, 10, 100, 102])  # made, begun at 1 and 3, ended at 7 and 10, begun, ended
    monkeypatch.setattr("core.generate.engines.openai.time.monotonic", lambda: next(clock))
    shares = TimeShare()
    first = shares.begin()
    second = shares.begin()
    assert shares.end(first) == 2 + 4 / 2
    assert shares.end(second) == 4 / 2 + 3
    third = shares.begin()
    assert shares.end(third) == 2


def test_nothing_is_asked_with_settings_that_make_no_sense(serve):
    server = serve(Answer())
    for wrong in ({"concurrency": 0}, {"timeout": 0}, {"timeout": float("nan")}):
        with pytest.raises(UsageError):
            openai_engine.OpenAiEngine("m", GREEDY, base_url=server.url, **wrong)


def test_a_closed_engine_leaves_no_thread_and_may_be_closed_again(serve):
    with opened(serve(Answer())) as engine:
        assert "requests" in {thread.name for thread in threading.enumerate()}
    engine.close()
    assert "requests" not in {thread.name for thread in threading.enumerate()}


def test_a_description_is_plain_data(serve):
    server = serve(Answer())
    with opened(server) as engine:
        assert json.loads(json.dumps(engine.describe_server())) == {"address": server.url}

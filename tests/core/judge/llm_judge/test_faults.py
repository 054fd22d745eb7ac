"""Whatever a server does wrong: no fault becomes a score, and none costs one."""

import hashlib
import json
import threading
import time

import pytest
from sqlalchemy import text

from store import UsageError
from tests.core.judge.chat_server import GOOD, Answer, error
from tests.core.judge.judged import judge, ratings

pytestmark = pytest.mark.parts


NAMES = ("language", "fluency", "helpfulness", "accuracy", "logic", "harmlessness")


def stars(prompt: str) -> dict[str, int]:
    """What a judge says of a response: other stars for each, always the same."""
    digest = hashlib.sha256(prompt.partition("=== RESPONSE")[2].partition("=== END")[0].encode()).digest()
    return {name: digest[place] % 3 + 1 for place, name in enumerate(NAMES)}


def chat(content: object, **more: object) -> Answer:
    return Answer(body={"choices": [{"message": {"content": content}, "finish_reason": "stop", **more}]})


FAULTS = {
    "too many requests": lambda good: error(429, "slow down"),
    "too many requests, with a date": lambda good: Answer(
        status=429, body={}, headers={"Retry-After": "Wed, 01 Jan 2020 00:00:00 GMT"}
    ),
    "too many requests, with seconds": lambda good: Answer(
        status=429, body={}, headers={"Retry-After": "0.05"}
    ),
    "too many requests, and no word when to come": lambda good: Answer(status=429, body={}),
    "broken": lambda good: error(500),
    "overloaded": lambda good: Answer(status=503, body="<html>busy</html>"),
    "hangs": lambda good: Answer(delay=1.5),
    "cut before the answer": lambda good: Answer(good, cut=0),
    "cut within the answer": lambda good: Answer(good, cut=150),
    "a body that ends too early": lambda good: Answer(body='{"choices": [{"message": {"content": "'),
    "no JSON": lambda good: Answer(body="upstream connect error"),
    "nothing": lambda good: Answer(body=" "),
    "ten megabytes": lambda good: Answer(good + " " * 10_000_000),
    "ten megabytes of JSON": lambda good: Answer(body={"padding": "x" * 10_000_000}),
    "a list": lambda good: Answer(body=[good]),
    "choices of another type": lambda good: Answer(body={"choices": {"message": {"content": good}}}),
    "a message of another type": lambda good: Answer(body={"choices": [{"message": good}]}),
    "content of another type": lambda good: chat({"text": good}),
    "no content": lambda good: chat(None),
    "cut at the limit": lambda good: Answer(good, finish="length"),
    "filtered": lambda good: Answer(good, finish="content_filter"),
    "refused": lambda good: Answer(None, refusal="I would rather not."),
    "refused in words": lambda good: Answer("I'm sorry, I can't."),
    "cut JSON": lambda good: Answer(good[:-5]),
    "keys twice": lambda good: Answer('{"language": 1, ' + good[1:]),
    "keys twice in the body": lambda good: Answer(
        body=f'{{"choices": [], "choices": [{{"message": {{"content": {json.dumps(good[:-1])}}}}}]}}'
    ),
    "not a number": lambda good: Answer(good.replace('"language": ', '"language": NaN, "x": ')),
    "without end": lambda good: Answer(good.replace('"language": ', '"language": Infinity, "x": ')),
    "huge": lambda good: Answer(good.replace('"language": ', '"language": 1e999, "x": ')),
    "below": lambda good: Answer(good.replace('"language": ', '"language": 0, "x": ')),
    "true": lambda good: Answer(good.replace('"language": ', '"language": true, "x": ')),
    "a list of stars": lambda good: Answer(good.replace('"language": ', '"language": [3], "x": ')),
    "a key is missing": lambda good: Answer(good.replace('"language"', '"lang"')),
    "an answer in prose": lambda good: Answer("language: 3, fluency: 3"),
    "deep": lambda good: Answer("[" * 50_000),
    "deep body": lambda good: Answer(body='{"choices":' * 50_000),
}


class Faulty:
    """Gives every question each of `faults` first, in an order of its own, and then the right answer."""

    def __init__(self, faults, at_a_time: int) -> None:
        self.faults, self.at_a_time = list(faults), at_a_time
        self.asked: dict[str, int] = {}
        self.lock = threading.Lock()

    def __call__(self, request, _) -> Answer:
        prompt = request["messages"][0]["content"]
        good = json.dumps(stars(prompt))
        key = prompt.partition("=== END OF RESPONSE")[0]
        with self.lock:
            times = self.asked[key] = self.asked.get(key, 0) + 1
            place = list(self.asked).index(key)
        if times > self.at_a_time:
            return Answer(good)
        fault = self.faults[(place * self.at_a_time + times) % len(self.faults)]
        return FAULTS[fault](good)


def rows(count: int):
    return [("ru", "Кто ты?", f"Ответ {number}") for number in range(count)]


def test_a_server_with_every_fault_gives_the_same_rows_as_a_healthy_one(answered, serve):
    count = len(FAULTS)
    engine = answered(*rows(count))
    faulty = Faulty(FAULTS, at_a_time=2)
    run = judge(engine, serve(faulty), timeout=1.5, attempts=4, concurrency=8)
    assert run.failures == []
    healthy = {
        place + 1: {name: found - 1 for name, found in stars(prompt).items()}
        for place, prompt in enumerate(_prompts(engine))
    }
    assert ratings(engine) == healthy
    assert set(faulty.asked.values()) == {3}
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM entry")).scalar() == count
        assert connection.execute(text("SELECT count(*) FROM judge_answer")).scalar() == count


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_is_never_a_score(answered, serve, fault, monkeypatch):
    monkeypatch.setattr("core.llm.limits.TRIES", 2)
    monkeypatch.setattr("core.llm.limits.PATIENCE", 0.3)
    engine = answered(*rows(2))
    run = judge(engine, serve(Faulty([fault], at_a_time=10**9)), timeout=0.3, attempts=2, concurrency=2)
    assert ratings(engine) == {}
    assert len(run.failures) == 2
    assert all(reason and "\n" not in reason for _, reason in run.failures)


def test_waits_that_a_server_asks_for_are_kept(answered, serve):
    busy = Answer(status=429, body={}, headers={"retry-after-ms": "700"})
    server = serve(Answer(), busy, Answer())
    seen = []
    script = server.script
    server.script = lambda request, number: seen.append(time.monotonic()) or script(request, number)
    assert judge(answered(*rows(4)), server, concurrency=1).counts["rated"] == 4
    assert seen[2] - seen[1] >= 0.7


def test_a_wait_that_is_too_long_ends_the_question_and_not_the_run(answered, serve):
    busy = Answer(status=429, body={}, headers={"Retry-After": "90000"})
    engine = answered(*rows(2))
    run = judge(engine, serve(busy, Answer()), concurrency=1)
    assert len(run.failures) == 1
    assert len(ratings(engine)) == 1


def test_limits_told_in_headers_are_kept(answered, serve):
    """Three requests at once are allowed, and one more every 0.1 s: a fourth and fifth have to wait."""
    left = [3.0]
    refused = []

    def limited(_, number):
        clock = time.monotonic()
        left[0] = min(3.0, left[0] + (clock - limited.at) * 10) if number else 3.0
        limited.at = clock
        if left[0] < 1:
            refused.append(number)
            return Answer(status=429, body={})
        left[0] -= 1
        told = {
            "x-ratelimit-limit-requests": "3",
            "x-ratelimit-remaining-requests": str(int(left[0])),
            "x-ratelimit-reset-requests": f"{int((3 - left[0]) * 100)}ms",
        }
        return Answer(headers=told)

    limited.at = 0.0
    engine = answered(*rows(30))
    assert judge(engine, serve(limited), concurrency=10).counts["rated"] == 30
    assert len(refused) <= 2  # without the headers about ten times as many


def test_a_json_schema_that_breaks_a_server_is_left_out(answered, serve):
    def llama_cpp(request, _):
        form = request.get("response_format", {})
        return error(500, "unsupported") if form.get("type") == "json_schema" else Answer(GOOD)

    server = serve(llama_cpp)
    engine = answered(*rows(3))
    assert judge(engine, server).counts["rated"] == 3
    forms = [request["response_format"] for request in server.requests]
    assert forms[0]["type"] == "json_schema"
    assert forms[1]["type"] == "json_object"
    assert forms[1]["schema"]["required"]
    assert len(forms) == 4


def test_a_broken_setting_is_refused_before_anything_is_asked(answered, serve):
    server = serve(Answer())
    for wrong in ({"concurrency": 0}, {"attempts": 0}, {"timeout": 0}, {"temperature": 3}, {"max_cost": -1}):
        with pytest.raises(UsageError):
            judge(answered(*rows(1)), server, **wrong)
    with pytest.raises(UsageError, match="repeats"):
        judge(answered(*rows(1)), server, repeats=0)
    assert server.requests == []


def _prompts(engine) -> list[str]:
    from core.judge.rubric.definition import load_rubric
    from core.judge.rubric.prompt import load_prompt

    wording = load_prompt(load_rubric())
    statement = (
        "SELECT i.text, r.text FROM response r JOIN instruction i ON i.id = r.instruction_id ORDER BY r.id"
    )
    with engine.connect() as connection:
        return [wording.render(*row) for row in connection.execute(text(statement))]


def test_an_answer_with_what_no_store_can_hold_is_kept_without_it(answered, serve):
    odd = GOOD[:-1] + ', "why": "a\\ud800b\\u0000c \\ud83d\\ude00"}'
    engine = answered(*rows(1))
    assert judge(engine, serve(Answer(odd))).failures == []
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT answer FROM judge_answer")).scalar_one()
    assert len(ratings(engine)[1]) == 6
    assert kept.encode()
    assert "\x00" not in kept


def test_an_error_with_what_no_store_can_hold_is_a_reason_without_it(answered, serve):
    body = '{"error": {"message": "a\\ud800b\\u0000c\\nd"}}'
    run = judge(answered(*rows(1)), serve(Answer(status=422, body=body)))
    [(_, reason)] = run.failures
    assert reason.encode()
    assert "\x00" not in reason
    assert "\n" not in reason

"""How fast questions go out, and how often: rate limits, backoff, retries."""

import asyncio
import time

import pytest

from core.llm import limits
from core.llm.answers import NotAChat, count_from_header, parse_completion, retry_after, seconds_from_header
from core.llm.limits import Allowance, RateLimiter


def headers(limit: int, remaining: int, reset: str, name: str = "requests") -> dict[str, str]:
    return {
        f"x-ratelimit-limit-{name}": str(limit),
        f"x-ratelimit-remaining-{name}": str(remaining),
        f"x-ratelimit-reset-{name}": reset,
    }


async def warm(most: int, told: dict[str, str] | None = None) -> RateLimiter:
    """A pace whose first request has succeeded."""
    pace = RateLimiter(most)
    pace.end(await pace.start(1))
    pace.succeeded(told or {})
    return pace


async def starts_within(pace: RateLimiter, seconds: float, tokens: int = 1) -> bool:
    try:
        await asyncio.wait_for(pace.start(tokens), seconds)
    except TimeoutError:
        return False
    return True


async def test_the_first_request_goes_alone_and_then_as_many_as_wanted():
    pace = RateLimiter(3)
    first = await pace.start(1)
    assert not await starts_within(pace, 0.05)
    pace.end(first)
    pace.succeeded({})
    for _ in range(3):
        assert await starts_within(pace, 1)
    assert not await starts_within(pace, 0.05)


async def test_what_is_left_of_a_limit_is_used_and_then_waited_for():
    pace = await warm(10, headers(100, 2, "98s"))  # one more each second
    for _ in range(2):
        assert await starts_within(pace, 0.5)
    assert not await starts_within(pace, 0.1)
    pace = await warm(10, headers(100, 0, "1s"))  # a hundred each second
    assert await starts_within(pace, 1)


async def test_tokens_count_too():
    pace = await warm(10, headers(1000, 0, "60s", "tokens"))
    assert not await starts_within(pace, 0.1, tokens=500)
    pace = await warm(10, headers(1000, 1000, "1ms", "tokens"))
    assert await starts_within(pace, 1, tokens=500)


async def test_a_request_larger_than_the_limit_is_not_waited_for_for_ever():
    assert Allowance(left=10, most=10, rate=1, at=0).wait(500, 0) == 0


async def test_what_runs_is_taken_off_what_the_server_says_is_left():
    pace = await warm(10)
    tickets = [await pace.start(1) for _ in range(3)]
    pace.end(tickets[0])
    pace.succeeded(headers(100, 2, "98s"))  # 2 left, and 2 others run that it may not have counted
    assert not await starts_within(pace, 0.1)


async def test_after_a_refusal_all_wait_and_half_as_many_run():
    pace = await warm(8)
    pace.slow_down(0.15)
    begin = time.monotonic()
    for _ in range(4):
        assert await starts_within(pace, 1)
    assert time.monotonic() - begin >= 0.15
    assert not await starts_within(pace, 0.05)


@pytest.mark.parametrize(
    "told",
    [
        {},
        headers(-1, -1, "0"),
        headers(0, 0, "1s"),
        headers(10, 20, "1s"),
        headers(10, 1, "soon"),
        headers(10, 1, "99999999s"),
        {"x-ratelimit-remaining-requests": "0"},
    ],
)
async def test_headers_that_can_not_be_true_hold_nothing_up(told):
    pace = await warm(2, told)
    assert await starts_within(pace, 1)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("1s", 1), ("6m0s", 360), ("20ms", 0.02), ("1h2m3.5s", 3723.5), ("8.64s", 8.64), ("12", 12),
        ("1.5", 1.5), ("1d", 86400), ("", None), (None, None), ("soon", None), ("-1s", None), ("nan", None),
        ("inf", None),
    ],
)  # fmt: skip
def test_durations(duration, seconds):
    assert seconds_from_header(duration) == (None if seconds is None else pytest.approx(seconds))


def test_how_long_a_server_wants_to_be_left_alone():
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after": "7", "retry-after-ms": "250"}) == 0.25
    assert retry_after({"retry-after": "Wed, 01 Jan 2020 00:00:00 GMT"}) == 0
    assert retry_after({"retry-after": "Wed, 01 Jan 2120 00:00:00 GMT"}) > 1e8
    for nonsense in ("soon", "-3", "nan", "1e5", "Wed, 99 Jan 2020"):
        assert retry_after({"retry-after": nonsense}) is None
    assert retry_after({}) is None


def test_counts():
    assert [count_from_header(text) for text in ("5", " 7 ", "-1", "x", "", None, "9" * 40)] == [
        5,
        7,
        *[None] * 5,
    ]


def test_a_completion_is_read_as_it_is_and_nothing_else_is_one():
    body = (
        b'{"choices": [{"message": {"content": "hi", "refusal": null}, "finish_reason": "stop"}],'
        b' "usage": {"prompt_tokens": 3, "completion_tokens": true}}'
    )
    reply = parse_completion(body)
    assert (reply.text, reply.finish_reason, reply.tokens_in, reply.tokens_out) == ("hi", "stop", 3, None)
    for wrong in (
        b"",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [1]}',
        b'{"choices": [{"message": 1}]}',
    ):
        with pytest.raises(NotAChat):
            parse_completion(wrong)


def test_waits_grow_differ_and_end(monkeypatch):
    monkeypatch.setattr(limits, "FIRST_WAIT", 0.5)
    for tries, most in ((1, 0.5), (2, 1), (3, 2), (20, 30)):
        waits = [limits.backoff(tries) for _ in range(200)]
        assert most / 2 <= min(waits)
        assert max(waits) <= most
        assert len(set(waits)) > 100

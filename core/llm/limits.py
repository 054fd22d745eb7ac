"""How fast requests go out, and how often: rate limits, backoff, retries."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from core.llm.answers import RequestFailed, ServerBusy, count_from_header, seconds_from_header
from store import XlitError


def backoff_with_jitter(tries: int, first: float, longest: float) -> float:
    """The seconds to wait after so many tries: `first`, doubled for each further one up to `longest`, and by
    chance up to a half less, so that all who wait don't come back at once."""
    return min(longest, first * 2 ** min(tries - 1, 30)) * random.uniform(0.5, 1)


_LIMITED = ("requests", "tokens")


@dataclass
class Allowance:
    """What is left of a rate limit: `left` units at the time `at` (seconds), refilled by `rate` a second up
    to `most`."""

    left: float
    most: float
    rate: float
    at: float

    def now(self, clock: float) -> float:
        return min(self.most, self.left + self.rate * (clock - self.at))

    def wait(self, units: float, clock: float) -> float:
        """Seconds until there are so many units (or all that there can ever be)."""
        missing = min(units, self.most) - self.now(clock)
        return max(0.0, missing / self.rate) if self.rate else 0.0

    def take(self, units: float, clock: float) -> None:
        self.left, self.at = self.now(clock) - units, clock


class RateLimiter:
    """Lets requests start.

    * At most `most` at a time, and one alone until the first has succeeded: what is wrong with a key or a
      server is found out once.
    * Rate limits: `x-ratelimit-limit-*`, `-remaining-*` and `-reset-*` of `requests` and `tokens`, as OpenAI
      and others send them, are kept, and requests wait for what they would go beyond. What runs meanwhile is
      taken off, for the server may not have counted it yet.
    * After a refusal for going too fast all wait as long as the server says, and half as many run at a time;
      each success lets a little more run again.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._at_a_time = 1.0
        self._running: dict[int, int] = {}
        self._next = 0
        self._not_before = 0.0
        self._allowances: dict[str, Allowance] = {}
        self._changed = asyncio.Event()

    async def start(self, tokens: int) -> int:
        """Wait until a request of about so many tokens may start; returns its ticket for `end`."""
        while True:
            if len(self._running) < int(self._at_a_time):
                wait = self._wait(tokens)
                if wait <= 0:
                    break
                await asyncio.sleep(wait)
            else:
                self._changed.clear()
                await self._changed.wait()
        clock = time.monotonic()
        for name, units in zip(_LIMITED, (1, tokens), strict=True):
            if name in self._allowances:
                self._allowances[name].take(units, clock)
        self._next += 1
        self._running[self._next] = tokens
        return self._next

    def end(self, ticket: int) -> None:
        """A request has ended, one way or another."""
        self._running.pop(ticket, None)
        self._changed.set()

    def succeeded(self, headers: Mapping[str, str]) -> None:
        """A request, ended already, was answered with these headers."""
        if self._at_a_time < 2:
            self._at_a_time = float(self._most)
        self._at_a_time = min(self._most, self._at_a_time + 1 / self._at_a_time)
        clock = time.monotonic()
        running = (len(self._running), sum(self._running.values()))
        for name, used in zip(_LIMITED, running, strict=True):
            allowance = _allowance(headers, name, clock)
            if allowance is not None:
                allowance.left -= used
                self._allowances[name] = allowance
        self._changed.set()

    def slow_down(self, seconds: float) -> None:
        """The server refused a request for going too fast: nothing starts for so many seconds."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)
        self._at_a_time = max(2.0, self._at_a_time / 2) if self._at_a_time >= 2 else 1.0

    def _wait(self, tokens: int) -> float:
        clock = time.monotonic()
        waits = [self._not_before - clock]
        for name, units in zip(_LIMITED, (1, tokens), strict=True):
            if name in self._allowances:
                waits.append(self._allowances[name].wait(units, clock))
        return max(waits)


def _allowance(headers: Mapping[str, str], name: str, clock: float) -> Allowance | None:
    """The rate limit in the headers; None when they hold none, or one that can't be true."""
    most = count_from_header(headers.get(f"x-ratelimit-limit-{name}"))
    left = count_from_header(headers.get(f"x-ratelimit-remaining-{name}"))
    reset = seconds_from_header(headers.get(f"x-ratelimit-reset-{name}"))
    if not most or left is None or left > most or not reset or reset > 86_400:
        return None
    # `reset` is how long it takes until all is there again.
    return Allowance(left, most, (most - left) / reset, clock)


# How often a request is sent in all when the server breaks on it.
TRIES = 6

# Seconds before the second try; doubled for each further one, and made up to a half shorter by chance, so
# that all who wait don't come back at once.
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0

# How long a server that says that it is busy is waited for while it answers nobody.
PATIENCE = 600.0

# Requests in a row for which the server was busy or broken, after all tries, before no more is asked.
GIVE_UP_AFTER = 10

T = TypeVar("T")


class RetryingSender:
    """Sends requests to one server, `at_a_time` at once.

    Server errors, time-outs, connections that are cut and answers that are none are asked again, up to
    `TRIES` times in all, with a wait that doubles and has jitter, or that the server asks for. Where it says
    that there are too many requests, all wait, and that counts as no try, until it has answered nobody for
    `PATIENCE` seconds.
    """

    def __init__(self, at_a_time: int) -> None:
        self._rate_limiter = RateLimiter(at_a_time)
        self.start()

    def start(self) -> None:
        """The time of waiting for a server that answers nobody begins now."""
        self._last_success = time.monotonic()

    async def ask(self, request: Callable[[], Awaitable[tuple[T, Mapping[str, str]]]], tokens: int) -> T:
        """The answer to a request of about so many tokens: `request` returns it with the headers, or raises
        `ServerBusy`, and is then called again.

        Raises `RequestFailed` when it was busy too often or for too long, and whatever else `request` raises.
        """
        tries = waits = 0
        while True:
            try:
                return await self._once(request, tokens)
            except ServerBusy as error:
                if error.limited:
                    waits += 1
                    wait = error.wait if error.wait is not None else backoff(waits)
                    waited = time.monotonic() - self._last_success
                    if waited + wait > PATIENCE:
                        raise RequestFailed(str(error), busy=True) from None
                    self._rate_limiter.slow_down(wait)
                    continue
                tries += 1
                if tries >= TRIES:
                    raise RequestFailed(str(error), busy=True) from None
            await asyncio.sleep(backoff(tries))

    async def _once(self, request: Callable[[], Awaitable[tuple[T, Mapping[str, str]]]], tokens: int) -> T:
        ticket = await self._rate_limiter.start(tokens)
        try:
            answer, headers = await request()
        finally:
            self._rate_limiter.end(ticket)
        self._last_success = time.monotonic()
        self._rate_limiter.succeeded(headers)
        return answer


class FailureStreak:
    """Counts the requests in a row for which the server at `address` was busy or broken."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._in_a_row = 0

    def answered(self) -> None:
        self._in_a_row = 0

    def failed(self, error: RequestFailed) -> None:
        """Raises `XlitError` when too many have failed in a row."""
        self._in_a_row = self._in_a_row + 1 if error.busy else 0
        if self._in_a_row >= GIVE_UP_AFTER:
            raise XlitError(
                f"{self._address} failed {GIVE_UP_AFTER} times in a row, at last with: {error}. "
                "Run the same command again later; what was answered stays."
            )


def backoff(tries: int) -> float:
    """The seconds to wait after so many tries."""
    return backoff_with_jitter(tries, FIRST_WAIT, LONGEST_WAIT)

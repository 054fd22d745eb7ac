"""How fast questions go out: as many at a time as wanted, and as few as the server's headers ask for."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from core.endpoint.wire import count_of, seconds_of

_NAMES = ("requests", "tokens")


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


class Pace:
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
        for name, units in zip(_NAMES, (1, tokens), strict=True):
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
        for name, used in zip(_NAMES, running, strict=True):
            found = _allowance(headers, name, clock)
            if found is not None:
                found.left -= used
                self._allowances[name] = found
        self._changed.set()

    def slow_down(self, seconds: float) -> None:
        """The server refused a request for going too fast: nothing starts for so many seconds."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)
        self._at_a_time = max(2.0, self._at_a_time / 2) if self._at_a_time >= 2 else 1.0

    def _wait(self, tokens: int) -> float:
        clock = time.monotonic()
        waits = [self._not_before - clock]
        for name, units in zip(_NAMES, (1, tokens), strict=True):
            if name in self._allowances:
                waits.append(self._allowances[name].wait(units, clock))
        return max(waits)


def _allowance(headers: Mapping[str, str], name: str, clock: float) -> Allowance | None:
    """The rate limit that headers tell; None when they tell none, or none that can be true."""
    most = count_of(headers.get(f"x-ratelimit-limit-{name}"))
    left = count_of(headers.get(f"x-ratelimit-remaining-{name}"))
    reset = seconds_of(headers.get(f"x-ratelimit-reset-{name}"))
    if not most or left is None or left > most or not reset or reset > 86_400:
        return None
    # `reset` is how long it takes until all is there again.
    return Allowance(left, most, (most - left) / reset, clock)

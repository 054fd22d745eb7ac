"""Asking a server until it answers: how many requests at a time, how often, and how long it is waited for."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from core.endpoint.pace import Pace
from core.endpoint.reply import AskFailed, Busy
from core.endpoint.waits import jittered
from store import XlitError

# A request that the server breaks on is sent so often in all.
TRIES = 6

# Seconds before the second try; doubled for each further one, and made up to a half shorter by chance, so
# that all who wait don't come back at once.
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0

# How long a server that says that it is busy is waited for while it answers nobody.
PATIENCE = 600.0

# Requests in a row for which the server was busy or broken, after all tries, before no more is asked.
GIVE_UP_AFTER = 10

T = TypeVar("T")


class Retrying:
    """Sends requests to one server, `at_a_time` at once.

    Server errors, time-outs, connections that are cut and answers that are none are asked again, up to
    `TRIES` times in all, with a wait that doubles and has jitter, or that the server asks for. Where it says
    that there are too many requests, all wait, and that counts as no try, until it has answered nobody for
    `PATIENCE` seconds.
    """

    def __init__(self, at_a_time: int) -> None:
        self._pace = Pace(at_a_time)
        self.start()

    def start(self) -> None:
        """Patience begins now."""
        self._last_success = time.monotonic()

    async def ask(self, request: Callable[[], Awaitable[tuple[T, Mapping[str, str]]]], tokens: int) -> T:
        """What `request` comes to, of about so many tokens: it returns that with the headers of the answer,
        or raises `Busy`, and is then called again.

        Raises `AskFailed` when it was busy too often or for too long, and whatever else `request` raises.
        """
        tries = waits = 0
        while True:
            try:
                return await self._once(request, tokens)
            except Busy as error:
                if error.limited:
                    waits += 1
                    wait = error.wait if error.wait is not None else backoff(waits)
                    waited = time.monotonic() - self._last_success
                    if waited + wait > PATIENCE:
                        raise AskFailed(str(error), busy=True) from None
                    self._pace.slow_down(wait)
                    continue
                tries += 1
                if tries >= TRIES:
                    raise AskFailed(str(error), busy=True) from None
            await asyncio.sleep(backoff(tries))

    async def _once(self, request: Callable[[], Awaitable[tuple[T, Mapping[str, str]]]], tokens: int) -> T:
        ticket = await self._pace.start(tokens)
        try:
            answer, headers = await request()
        finally:
            self._pace.end(ticket)
        self._last_success = time.monotonic()
        self._pace.succeeded(headers)
        return answer


class GivingUp:
    """Counts the requests in a row for which a server (`shown`) was busy or broken."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._in_a_row = 0

    def answered(self) -> None:
        self._in_a_row = 0

    def failed(self, error: AskFailed) -> None:
        """Raises `XlitError` when that was the last to be sent."""
        self._in_a_row = self._in_a_row + 1 if error.busy else 0
        if self._in_a_row >= GIVE_UP_AFTER:
            raise XlitError(
                f"{self._shown} failed {GIVE_UP_AFTER} times in a row, at last with: {error}. "
                "Run the same command again later; what was answered stays."
            )


def backoff(tries: int) -> float:
    """The seconds to wait after so many tries."""
    return jittered(tries, FIRST_WAIT, LONGEST_WAIT)

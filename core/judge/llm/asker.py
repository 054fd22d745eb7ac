"""Asking until there is an answer: retries, pace and budget around one endpoint."""

import asyncio
import time
from types import TracebackType
from typing import Protocol, Self

from core.judge.llm.budget import Budget
from core.judge.llm.endpoint import LIBRARIES, Busy, Endpoint
from core.judge.llm.options import MAX_TOKENS
from core.judge.llm.pace import Pace
from core.judge.llm.reply import AskFailed, Prompt, Reply
from core.judge.llm.tokens import about_tokens
from core.judge.llm.waits import jittered

# A question that the server breaks on is asked so often in all.
TRIES = 6

# Seconds before the second try; doubled for each further one, and made up to a half shorter by chance, so
# that all who wait don't come back at once.
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0

# How long a server that says that it is busy is waited for while it answers nobody.
PATIENCE = 600.0


class Asker(Protocol):
    """A model that can be asked. `model` and `shown` name it and where it is; `at_a_time`: how many questions
    it takes at once; `libraries`: the distributions that decide what it answers."""

    model: str
    shown: str
    at_a_time: int
    libraries: tuple[str, ...]
    budget: Budget

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def ask(self, prompt: Prompt) -> Reply:
        """The answer to a prompt.

        Raises `AskFailed` when this question failed, `BudgetSpent`, and `XlitError` when no other question
        would do better.
        """
        ...


class EndpointAsker:
    """Asks one endpoint, `at_a_time` questions at once.

    Server errors, time-outs, connections that are cut and answers that are none are asked again, up to
    `TRIES` times in all, with a wait that doubles and has jitter, or that the server asks for. Where it says
    that there are too many requests, all wait, and that counts as no try, until it has answered nobody for
    `PATIENCE` seconds.
    """

    libraries: tuple[str, ...] = LIBRARIES

    def __init__(self, endpoint: Endpoint, budget: Budget, at_a_time: int) -> None:
        self.endpoint, self.budget, self.at_a_time = endpoint, budget, at_a_time
        self.model, self.shown = endpoint.model, endpoint.shown
        self._pace = Pace(at_a_time)
        self._last_success = time.monotonic()

    async def __aenter__(self) -> Self:
        self._last_success = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.endpoint.__aexit__(kind, error, trace)

    async def ask(self, prompt: Prompt) -> Reply:
        """See `Asker`."""
        tries = waits = 0
        while True:
            try:
                return await self._once(prompt)
            except Busy as error:
                if error.limited:
                    waits += 1
                    wait = error.wait if error.wait is not None else _backoff(waits)
                    waited = time.monotonic() - self._last_success
                    if waited + wait > PATIENCE:
                        raise AskFailed(str(error), busy=True) from None
                    self._pace.slow_down(wait)
                    continue
                tries += 1
                if tries >= TRIES:
                    raise AskFailed(str(error), busy=True) from None
            await asyncio.sleep(_backoff(tries))

    async def _once(self, prompt: Prompt) -> Reply:
        ticket = await self._pace.start(about_tokens(prompt.text) + MAX_TOKENS)
        held = 0.0
        reply, charged = None, False
        try:
            bounded = self.budget.most is not None
            if bounded:
                held = await self.budget.hold(*self.endpoint.most_tokens(prompt))
            reply, headers = await self.endpoint.ask(prompt, bounded=bounded)
        except Busy as error:
            charged = error.charged
            raise
        finally:
            self._pace.end(ticket)
            self.budget.settle(held, reply, charged=charged)
        self._last_success = time.monotonic()
        self._pace.succeeded(headers)
        return reply


def _backoff(tries: int) -> float:
    """The seconds to wait after so many tries."""
    return jittered(tries, FIRST_WAIT, LONGEST_WAIT)

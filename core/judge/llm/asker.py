"""Asking until there is an answer: retries and budget around one endpoint."""

from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from core.endpoint.client import LIBRARIES
from core.endpoint.reply import Busy, Reply
from core.endpoint.retrying import Retrying
from core.endpoint.tokens import about_tokens
from core.judge.llm.budget import Budget
from core.judge.llm.endpoint import Endpoint
from core.judge.llm.options import MAX_TOKENS
from core.judge.llm.reply import Prompt


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
    """Asks one endpoint, `at_a_time` questions at once, as `core.endpoint.retrying` does, within a budget."""

    libraries: tuple[str, ...] = LIBRARIES

    def __init__(self, endpoint: Endpoint, budget: Budget, at_a_time: int) -> None:
        self.endpoint, self.budget, self.at_a_time = endpoint, budget, at_a_time
        self.model, self.shown = endpoint.model, endpoint.shown
        self._retrying = Retrying(at_a_time)

    async def __aenter__(self) -> Self:
        self._retrying.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.endpoint.__aexit__(kind, error, trace)

    async def ask(self, prompt: Prompt) -> Reply:
        """See `Asker`."""
        return await self._retrying.ask(partial(self._once, prompt), about_tokens(prompt.text) + MAX_TOKENS)

    async def _once(self, prompt: Prompt) -> tuple[Reply, Mapping[str, str]]:
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
            self.budget.settle(held, reply, charged=charged)
        return reply, headers

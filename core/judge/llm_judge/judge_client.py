"""One question to a judge: the options that its server takes, retries, and the budget."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

from core.llm.answers import Prompt, Reply, RequestRefused, ServerBusy
from core.llm.client import LIBRARIES, TOKEN_LIMIT_OPTIONS, Client
from core.llm.limits import RetryingSender
from core.llm.prices import Budget, about_tokens
from store import XlitError

# Enough for six numbers and for a judge that explains itself; a local server would else write without end.
MAX_TOKENS = 1_000

_LIMIT_OPTIONS = (*TOKEN_LIMIT_OPTIONS, None)


@dataclass(frozen=True)
class AcceptedOptions:
    """Which options a server takes, as far as is known. `form` is a rung of the ladder, 0 to 3; `limit` one
    of the names of the limit of new tokens, or none; `temperature`: whether it takes one."""

    form: int = 0
    limit: int = 0
    temperature: bool = True

    @property
    def bounded(self) -> bool:
        """Whether the server takes a limit of new tokens."""
        return _LIMIT_OPTIONS[self.limit] is not None

    def options(self, prompt: Prompt, temperature: float) -> dict[str, Any]:
        """The options to ask `prompt` with."""
        options: dict[str, Any] = {"temperature": temperature} if self.temperature else {}
        limit = _LIMIT_OPTIONS[self.limit]
        if limit is not None:
            options[limit] = MAX_TOKENS
        form = self._form(prompt)
        if form is not None:
            options["response_format"] = form
        return options

    def without(self, message: str, prompt: Prompt, *, named: bool = False) -> "AcceptedOptions | None":
        """What is left when the server has refused the options (status 400 or 422): what `message` names is
        left out, else the next form is taken, unless it must be `named`; None when nothing is left to leave
        out."""
        limit = _LIMIT_OPTIONS[self.limit]
        if limit is not None and limit in message:
            return replace(self, limit=self.limit + 1)
        if self.temperature and "temperature" in message:
            return replace(self, temperature=False)
        if named and "response_format" not in message and "json" not in message.lower():
            return None
        return self.down(prompt)

    def down(self, prompt: Prompt) -> "AcceptedOptions | None":
        """The next form that is another one for this prompt."""
        form = self._form(prompt)
        for rung in range(self.form + 1, 4):
            lower = replace(self, form=rung)
            if lower._form(prompt) != form:
                return lower
        return None

    def _form(self, prompt: Prompt) -> dict[str, Any] | None:
        if prompt.schema is not None and self.form == 0:
            described = {"name": "answer", "strict": True, "schema": prompt.schema}
            return {"type": "json_schema", "json_schema": described}
        if prompt.schema is not None and self.form == 1:
            return {"type": "json_object", "schema": prompt.schema}
        if prompt.json and self.form <= 2:
            return {"type": "json_object"}
        return None


# Roles and separators that a chat template puts around one message, in tokens, generously.
_TEMPLATE_TOKENS = 64


class AdaptiveClient(Client):
    """A client that finds out which options its server takes: the first request asks for all of them, and
    what the server refuses is left out from then on."""

    def __init__(
        self, model: str, base_url: str | None = None, *, timeout: float = 60, temperature: float = 0
    ) -> None:
        """Arguments and errors as `Client`."""
        super().__init__(model, base_url, timeout=timeout)
        self.temperature = temperature
        self._taken = AcceptedOptions()
        self._proven = False

    async def ask(self, prompt: Prompt, *, bounded: bool = False) -> tuple[Reply, Mapping[str, str]]:
        """The answer to a prompt, and the headers it came with. `bounded`: only with a limit of new tokens.

        Errors as `Client.post`; `XlitError` also when the server takes no limit.
        """
        messages = [{"role": "user", "content": prompt.text}]
        taken = self._taken
        while True:
            if bounded and not taken.bounded:
                raise XlitError(
                    f"{self.address} takes no limit of new tokens: leave out --max-cost, it can't be held."
                )
            try:
                reply = await self.post(messages, taken.options(prompt, self.temperature))
            except RequestRefused as error:
                # Of options that worked before, only one that is named can be what the server refuses now.
                left = taken.without(error.details, prompt, named=self._proven)
                if left is None:
                    raise
                taken = left
            except ServerBusy as error:
                # Some servers break (status 500) on a form of the answer that they don't know.
                tried = self._proven or not error.broken or prompt.schema is None
                left = None if tried else taken.down(prompt)
                if left is None:
                    raise
                taken = left
            else:
                if not self._proven:
                    self._taken, self._proven = taken, True
                return reply

    def most_tokens(self, prompt: Prompt) -> tuple[int, int]:
        """How many tokens (in, out) a bounded request can be charged for at most: no tokenizer that reads
        bytes makes more tokens than there are bytes."""
        sent = prompt.text if prompt.schema is None else f"{prompt.text}{prompt.schema}"
        return len(sent.encode()) + _TEMPLATE_TOKENS, MAX_TOKENS


class JudgeClient(Protocol):
    """A model that can be asked: `model` is its name, `address` where it is, as it may be printed;
    `at_a_time`: how many questions it takes at once; `libraries`: the distributions that decide what it
    answers."""

    model: str
    address: str
    at_a_time: int
    libraries: tuple[str, ...]
    budget: Budget

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def ask(self, prompt: Prompt) -> Reply:
        """The answer to a prompt.

        Raises `RequestFailed` when this question failed, `BudgetSpent` when it could cost too much, and
        `XlitError` when no other question would do better.
        """
        ...


class ServerJudge:
    """Asks one endpoint, `at_a_time` questions at once, as `core.llm.limits` does, within a budget."""

    libraries: tuple[str, ...] = LIBRARIES

    def __init__(self, endpoint: AdaptiveClient, budget: Budget, at_a_time: int) -> None:
        self.endpoint, self.budget, self.at_a_time = endpoint, budget, at_a_time
        self.model, self.address = endpoint.model, endpoint.address
        self._retrying = RetryingSender(at_a_time)

    async def __aenter__(self) -> Self:
        self._retrying.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.endpoint.__aexit__(kind, error, trace)

    async def ask(self, prompt: Prompt) -> Reply:
        """See `JudgeClient`."""
        return await self._retrying.ask(partial(self._once, prompt), about_tokens(prompt.text) + MAX_TOKENS)

    async def _once(self, prompt: Prompt) -> tuple[Reply, Mapping[str, str]]:
        held = 0.0
        reply, charged = None, False
        try:
            bounded = self.budget.most is not None
            if bounded:
                held = await self.budget.hold(*self.endpoint.most_tokens(prompt))
            reply, headers = await self.endpoint.ask(prompt, bounded=bounded)
        except ServerBusy as error:
            charged = error.charged
            raise
        finally:
            self.budget.settle(held, reply, charged=charged)
        return reply, headers

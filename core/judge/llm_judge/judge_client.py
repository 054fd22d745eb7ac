"""One question to a judge: the options that its server takes, retries, and the budget."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

from core.llm.answers import Reply, RequestRefused, ServerBusy
from core.llm.client import LIBRARIES, TOKEN_LIMIT_OPTIONS, Client
from core.llm.limits import RetryingSender
from core.llm.prices import Budget, about_tokens
from core.llm.prompt_template import Prompt
from store import XlitError

# Enough for six numbers and for a judge that explains itself; a local server would else write without end.
MAX_TOKENS = 1_000

_LIMIT_OPTIONS = (*TOKEN_LIMIT_OPTIONS, None)


@dataclass(frozen=True)
class AcceptedOptions:
    """Which options a server takes, as far as is known.

    `form`: how the form of the answer is asked for, from the strictest to none: 0 the JSON schema as OpenAI
    takes it (`json_schema`), 1 as llama.cpp's servers do (`json_object` with a `schema`), 2 `json_object`
    alone, 3 nothing. `limit`: the index of the name that the limit of new tokens has: most servers call it
    `max_tokens`, OpenAI `max_completion_tokens` for its reasoning models, and some take none. `temperature`:
    whether the server takes one.
    """

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
        for lower in range(self.form + 1, 4):
            options = replace(self, form=lower)
            if options._form(prompt) != form:
                return options
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
        self._accepted = AcceptedOptions()
        self._proven = False

    async def ask(self, prompt: Prompt, *, bounded: bool = False) -> tuple[Reply, Mapping[str, str]]:
        """The answer to a prompt, and the headers it came with. `bounded`: only with a limit of new tokens.

        Errors as `Client.post`; `XlitError` also when the server takes no limit.
        """
        messages = [{"role": "user", "content": prompt.text}]
        accepted = self._accepted
        while True:
            if bounded and not accepted.bounded:
                raise XlitError(
                    f"{self.address} takes no limit of new tokens: leave out --max-cost, it can't be held."
                )
            try:
                reply = await self.post(messages, accepted.options(prompt, self.temperature))
            except RequestRefused as error:
                # Of options that worked before, only one that is named can be what the server refuses now.
                fewer = accepted.without(error.details, prompt, named=self._proven)
                if fewer is None:
                    raise
                accepted = fewer
            except ServerBusy as error:
                # Some servers break (status 500) on a form of the answer that they don't know.
                tried = self._proven or not error.broken or prompt.schema is None
                fewer = None if tried else accepted.down(prompt)
                if fewer is None:
                    raise
                accepted = fewer
            else:
                if not self._proven:
                    self._accepted, self._proven = accepted, True
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
    """Asks one server, `at_a_time` questions at once, within a budget, again as `core.llm.limits` says."""

    libraries: tuple[str, ...] = LIBRARIES

    def __init__(self, client: AdaptiveClient, budget: Budget, at_a_time: int) -> None:
        self.client, self.budget, self.at_a_time = client, budget, at_a_time
        self.model, self.address = client.model, client.address
        self._sender = RetryingSender(at_a_time)

    async def __aenter__(self) -> Self:
        self._sender.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.__aexit__(kind, error, trace)

    async def ask(self, prompt: Prompt) -> Reply:
        """See `JudgeClient`."""
        return await self._sender.ask(partial(self._once, prompt), about_tokens(prompt.text) + MAX_TOKENS)

    async def _once(self, prompt: Prompt) -> tuple[Reply, Mapping[str, str]]:
        held = 0.0
        reply, charged = None, False
        try:
            bounded = self.budget.most is not None
            if bounded:
                held = await self.budget.hold(*self.client.most_tokens(prompt))
            reply, headers = await self.client.ask(prompt, bounded=bounded)
        except ServerBusy as error:
            charged = error.charged
            raise
        finally:
            self.budget.settle(held, reply, charged=charged)
        return reply, headers

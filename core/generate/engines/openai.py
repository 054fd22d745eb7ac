"""The openai engine: a model behind any OpenAI-compatible server (vLLM, llama-server, OpenAI itself, ...).

Requests run in an event loop in a thread of its own; each is asked until it is answered or has failed for
good.
"""

import asyncio
import json
import re
import time
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import Future
from itertools import islice
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from core.generate.decoding import Decoding
from core.generate.engines.base import Chat, Failed, Generation, Key, Request
from core.generate.engines.openai_server import Server, check_decoding, decoding_options, identify_server
from core.llm.answers import MOST_BYTES, Reply, RequestFailed, RequestRefused
from core.llm.client import LIBRARIES as LIBRARIES
from core.llm.client import TOKEN_LIMIT_OPTIONS, Client
from core.llm.limits import FailureStreak, RetryingSender
from core.llm.prices import about_tokens
from store import UsageError, XlitError
from store.queries.responses import text_digest

T = TypeVar("T")


class LoopThread:
    """Runs coroutines of one caller. What they hold on to (connections, events) lives in this one loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="requests", daemon=True)
        self._thread.start()

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine; to cancel the future cancels it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns or raises."""
        future = self.start(coroutine)
        try:
            return future.result()
        finally:
            future.cancel()

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Cancel what runs, run a `last` coroutine, and end the thread."""
        if self._loop.is_closed():
            last.close()
            return
        self.run(_cancel_others())
        self.run(last)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class TimeShare:
    """While `n` requests are on their way, each is given 1/n of the wall-clock time, so that all shares add
    up to it."""

    def __init__(self) -> None:
        self._each = 0.0  # seconds that a request on its way from the start would have been given
        self._since = time.monotonic()
        self._running = 0

    def begin(self) -> float:
        """A request sets out; returns its ticket for `end`."""
        self._pass()
        self._running += 1
        return self._each

    def end(self, ticket: float) -> float:
        """A request has ended; returns its share in seconds."""
        self._pass()
        self._running -= 1
        return self._each - ticket

    def _pass(self) -> None:
        now = time.monotonic()
        if self._running:
            self._each += (now - self._since) / self._running
        self._since = now


class Requests:
    """The requests of one engine, `concurrency` at a time; all in one event loop."""

    def __init__(self, client: Client, decoding: Decoding, server: Server, concurrency: int) -> None:
        self._client, self._decoding, self._server = client, decoding, server
        self._retrying, self._giving_up = RetryingSender(concurrency), FailureStreak(client.address)
        self._shares = TimeShare()
        # vLLM refuses to write more than the context holds; all others cut it there.
        self._most = min(decoding.max_new_tokens, (server.context_length or 2**31) - 1)
        self._limit = 0
        self._proven = False
        self._over: XlitError | None = None

    def start(self) -> None:
        """Patience with a busy server begins now."""
        self._retrying.start()
        self._over = None

    async def answer(self, request: Request) -> Generation | Failed:
        """What the server answers. Raises `XlitError` when no other request would do better; none is sent
        then that was to be."""
        try:
            return await self._answer(request)
        except XlitError as error:
            self._over = error
            raise

    async def _answer(self, request: Request) -> Generation | Failed:
        ticket: float | None = None
        seconds = 0.0

        async def send() -> tuple[Reply, Mapping[str, str]]:
            nonlocal ticket
            if self._over is not None:
                raise self._over
            if ticket is None:
                ticket = self._shares.begin()
            return await self._send(request)

        tokens = about_tokens(_canonical(request.chat)) + self._most
        try:
            reply = await self._retrying.ask(send, tokens)
        except RequestFailed as error:
            self._giving_up.failed(error)
            return Failed(str(error))
        finally:
            if ticket is not None:
                seconds = self._shares.end(ticket)
        self._giving_up.answered()
        if reply.finish_reason == "content_filter":
            return Failed("the server's content filter held the answer back")
        return Generation(
            text=reply.text or reply.refusal or "",
            finish_reason=reply.finish_reason,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            seconds=seconds,
            prompt_digest=text_digest(_canonical(request.chat)),
        )

    async def _send(self, request: Request) -> tuple[Reply, Mapping[str, str]]:
        decoded = decoding_options(self._decoding, self._server, request.seed)
        limit = self._limit
        while True:
            try:
                body_options = decoded | {TOKEN_LIMIT_OPTIONS[limit]: self._most}
                reply = await self._client.post(request.chat, body_options)
            except RequestRefused as error:
                if self._proven:
                    raise
                if TOKEN_LIMIT_OPTIONS[limit] in error.details and limit + 1 < len(TOKEN_LIMIT_OPTIONS):
                    limit += 1
                    continue
                if option := _option_named_in(decoded, error.details):
                    address = self._client.address
                    raise XlitError(f"{address} does not take the decoding ({option}): {error}.") from None
                raise
            self._limit, self._proven = limit, True
            return reply


def _option_named_in(decoded: dict[str, Any], message: str) -> str | None:
    """The option that a server says something of."""
    return next((name for name in decoded if re.search(rf"\b{name}\b", message)), None)


def _canonical(chat: Chat) -> str:
    """The messages as JSON, always the same for the same messages."""
    return json.dumps(chat, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


NAME = "openai"

# Requests beyond those on their way: taken already, so that one starts the moment another has ended, or
# answered and not yet fetched.
READY = 8

# A token of an answer in bytes of JSON, generously.
_BYTES_OF_A_TOKEN = 100


class OpenAiEngine:
    """A model behind a server. What is paid for and not yet handed over is never more than `concurrency` and
    `READY` answers."""

    def __init__(
        self,
        model: str,
        decoding: Decoding,
        *,
        base_url: str | None = None,
        concurrency: int = 16,
        timeout: float = 600,
    ) -> None:
        """`model` as the server calls it; `base_url` as for `core.llm.client.Client`; `concurrency`:
        requests at a time; `timeout`: seconds for one.

        Asks the server what it is. Raises `UsageError` for a decoding that it would not follow, and without a
        key where one is needed; `XlitError` when it can't be reached or refuses the key.
        """
        if concurrency < 1 or not timeout > 0:
            raise UsageError("The concurrency must be at least 1, and the time-out above 0 seconds.")
        self.decoding, self._places = decoding, concurrency + READY
        most_bytes = MOST_BYTES + _BYTES_OF_A_TOKEN * decoding.max_new_tokens
        self._client = Client(
            model, base_url, timeout=timeout, most_bytes=most_bytes, purpose="The openai engine"
        )
        self._loop = LoopThread()
        try:
            self._server = self._loop.run(identify_server(self._client))
            check_decoding(decoding, self._server)
        except BaseException:
            self.close()
            raise
        self._requests = Requests(self._client, decoding, self._server, concurrency)
        self.context_length = self._server.context_length or 2**31

    def describe_server(self) -> dict[str, Any]:
        """What the server says of itself, for provenance: `address`, and where it tells them `kind`,
        `version`, `model`, `weights` (their number format) and `context_length` (tokens)."""
        return self._server.description()

    def count_tokens(self, chat: Chat) -> int:
        """Always 1: how long a prompt is, only the server knows, and it says so when it is too long."""
        return 1

    def stream(self, requests: Iterable[tuple[Key, Request]]) -> Iterator[tuple[Key, Generation | Failed]]:
        """See `TextEngine`. Requests are taken in the thread of the caller; closed early, it cancels what is
        on its way. Of requests that can't be answered any more, those that were are yielded first."""
        rest = iter(requests)
        running: dict[Future[Generation | Failed], Key] = {}
        done: SimpleQueue[Future[Generation | Failed]] = SimpleQueue()
        failure: BaseException | None = None

        def fill() -> None:
            for key, request in islice(rest, self._places - len(running)):
                future = self._loop.start(self._requests.answer(request))
                running[future] = key
                future.add_done_callback(done.put)

        self._requests.start()
        try:
            fill()
            while running:
                future = done.get()
                key = running.pop(future)
                if future.cancelled():
                    continue
                error = future.exception()
                if error is None:
                    yield key, future.result()
                elif failure is None:
                    failure = error
                    _cancel(running)
                if failure is None:
                    fill()
        finally:
            _cancel(running)
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Cancel what is on its way and give up the connections; the engine is of no use afterwards."""
        self._loop.close(self._client.client.close())


def _cancel(futures: Iterable[Future[Any]]) -> None:
    for future in list(futures):
        future.cancel()

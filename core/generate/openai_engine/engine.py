"""The openai engine: a model behind any OpenAI-compatible server (vLLM, llama-server, OpenAI itself, ...)."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from queue import SimpleQueue
from typing import Any

from core.generate.decoding import Decoding
from core.generate.engine import Chat, Failed, Generation, Key, Request
from core.generate.openai_engine.loop import LoopThread
from core.generate.openai_engine.options import check
from core.generate.openai_engine.requests import Requests
from core.generate.openai_engine.server import find_out
from core.llm.answers import MOST_BYTES
from core.llm.client import LIBRARIES as LIBRARIES
from core.llm.client import Client
from store import UsageError

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
            self._server = self._loop.run(find_out(self._client))
            check(decoding, self._server)
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

"""The Batch API of a server: files and batches (platform.openai.com/docs/api-reference/batch)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import IO, Any, TypeVar

from core.endpoint.client import of_the_wire
from core.endpoint.reply import AskFailed, Busy
from core.endpoint.waits import jittered
from core.judge.llm.batch.remote import TAG, NotABatch, Remote, read_file_id, read_page, read_remote
from core.judge.llm.endpoint import Endpoint
from store import XlitError

# Seconds before a server that is out of order is asked again; doubled each time, and a little shorter by
# chance. After `PATIENCE` seconds of nothing else the run ends; the batches go on.
FIRST_WAIT, LONGEST_WAIT, PATIENCE = 1.0, 300.0, 6 * 3600.0

# Seconds for a request that brings or takes a whole file.
FILE_TIMEOUT = 600.0

# Far more than the answers of the largest batch.
MOST_DOWNLOAD = 4_000_000_000

_NOT_THERE = (404, 405, 501)

T = TypeVar("T")


class BatchApi:
    """Files and batches of one endpoint. Where the server is out of order or the connection is cut, all
    methods but `create` wait and try again, for hours if need be.

    They raise `XlitError` when that doesn't help: the key is refused, the server was never reached.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        import openai

        self._openai, self._endpoint, self._client = openai, endpoint, endpoint.client
        self.shown = endpoint.shown
        self._reached = False

    async def upload(self, file: IO[bytes], name: str) -> str:
        """Upload a file of requests from its start; returns its id. `XlitError` without a Batch API."""

        async def once() -> str:
            file.seek(0)
            upload = (name, file, "application/jsonl")
            files = self._client.files.with_raw_response
            return read_file_id(
                (await files.create(file=upload, purpose="batch", timeout=FILE_TIMEOUT)).content
            )

        try:
            return await self._patiently(once)
        except _Missing as error:
            raise XlitError(
                f"{self.shown} has no Batch API (status {error.status}): leave out --batch."
            ) from None

    async def create(self, file_id: str, tag: str) -> Remote:
        """Make a batch of an uploaded file, once. Raises `Busy` when it may or may not have been made."""

        async def once() -> Remote:
            made = await self._client.batches.with_raw_response.create(
                input_file_id=file_id, endpoint="/v1/chat/completions", completion_window="24h",
                metadata={TAG: tag},
            )  # fmt: skip
            return read_remote(made.content)

        try:
            return await self._once(once)
        except _Missing as error:
            raise XlitError(f"{self.shown} can't make a batch: status {error.status}.") from None

    async def retrieve(self, remote_id: str) -> Remote | None:
        """How far a batch is; None when the server knows none of that id."""

        async def once() -> Remote:
            return read_remote((await self._client.batches.with_raw_response.retrieve(remote_id)).content)

        try:
            return await self._patiently(once)
        except _Missing:
            return None

    async def find(self, tags: Collection[str]) -> dict[str, Remote]:
        """Those of the server's batches that have one of these tags, by tag."""
        found: dict[str, Remote] = {}
        pages: set[str] = set()
        after: str | None = None
        more = True

        async def once() -> tuple[list[Remote], bool]:
            options: dict[str, Any] = {"limit": 100} if after is None else {"limit": 100, "after": after}
            return read_page((await self._client.batches.with_raw_response.list(**options)).content)

        while more:
            try:
                batches, more = await self._patiently(once)
            except _Missing:
                break
            for batch in batches:
                # One that was not taken gives way to one that was.
                tag = batch.tag
                if tag in tags and tag is not None and (tag not in found or found[tag].status == "failed"):
                    found[tag] = batch
            after = batches[-1].id if batches else None
            if after is None or after in pages:
                break
            pages.add(after)
        return found

    async def cancel(self, remote_id: str) -> None:
        """Have a batch ended early."""

        async def once() -> None:
            await self._client.batches.with_raw_response.cancel(remote_id)

        try:
            await self._patiently(once)
        except _Missing:
            return

    async def download(self, file_id: str, into: IO[bytes]) -> bool:
        """Append a file's content to another, piece by piece; False when the server has no such file."""
        start = into.tell()

        async def once() -> None:
            into.seek(start)
            into.truncate()
            files = self._client.files.with_streaming_response
            async with files.content(file_id, timeout=FILE_TIMEOUT) as response:
                async for piece in response.iter_bytes():
                    into.write(piece)
                    if into.tell() - start > MOST_DOWNLOAD:
                        raise XlitError(f"{self.shown} sends answers without end in the file {file_id}.")

        try:
            await self._patiently(once)
        except _Missing:
            return False
        return True

    async def delete(self, file_id: str) -> None:
        """Delete a file that is needed no more; if that fails, it stays."""

        async def once() -> None:
            await self._client.files.with_raw_response.delete(file_id)

        try:
            await self._once(once)
        except (Busy, _Missing, XlitError):
            return

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        since, tries = time.monotonic(), 0
        while True:
            try:
                return await self._once(call)
            except Busy as error:
                tries += 1
                wait = backoff(tries) if error.wait is None else min(error.wait, LONGEST_WAIT)
                if time.monotonic() - since + wait > PATIENCE:
                    raise XlitError(
                        f"{self.shown} has been out of order for long, at last: {error}. Batches that were "
                        "sent go on: run the same command later."
                    ) from None
            await asyncio.sleep(wait)

    async def _once(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            found = await call()
        except NotABatch:
            self._reached = True
            raise Busy("the server's answer is not what its Batch API should send", charged=True) from None
        except self._openai.OpenAIError as error:
            raise self._failure(error) from None
        except XlitError:
            raise
        except Exception as error:
            if not of_the_wire(error):
                raise
            raise Busy("the connection was cut", charged=True) from None
        self._reached = True
        return found

    def _failure(self, error: Any) -> Exception:
        if isinstance(error, self._openai.APIStatusError):
            self._reached = True
            if error.status_code in _NOT_THERE:
                return _Missing(error.status_code)
        elif isinstance(error, self._openai.APIConnectionError) and (
            self._reached or not type(error.__cause__).__name__.startswith("Connect")
        ):
            return Busy("the connection was cut, or no answer came in time", charged=True)
        failure = self._endpoint.failure(error)
        if isinstance(failure, AskFailed):
            return XlitError(f"{self.shown} refused the batch: {failure}.")
        return failure


def backoff(tries: int) -> float:
    """The seconds to wait after so many tries."""
    return jittered(tries, FIRST_WAIT, LONGEST_WAIT)


class _Missing(Exception):
    """The server has nothing at that address."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

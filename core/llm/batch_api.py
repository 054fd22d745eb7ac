"""The Batch API of a server: files and batches (platform.openai.com/docs/api-reference/batch)."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import IO, Any, TypeVar

from core.llm.answers import RequestFailed, ServerBusy, count_in
from core.llm.client import Client, is_http_error
from core.llm.limits import backoff_with_jitter
from store import XlitError

# Metadata of a batch under which its tag is kept at the server.
TAG = "xlit"

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})

# Status of a batch that the server still checks, and the error code of one that it has no room for.
VALIDATING = "validating"
NO_ROOM = "token_limit_exceeded"


class NotABatch(Exception):
    """The body says nothing about batches."""


@dataclass(frozen=True)
class BatchError:
    """Why a batch was not taken; `line` of its file, from 1."""

    code: str
    message: str
    line: int | None


@dataclass(frozen=True)
class RemoteBatch:
    """A batch at the server: its `status` in the server's words, how many requests are `completed` and how
    many `failed`, and the ids of its files."""

    id: str
    status: str
    tag: str | None = None
    completed: int = 0
    failed: int = 0
    input_file: str | None = None
    output_file: str | None = None
    error_file: str | None = None
    errors: tuple[BatchError, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in ENDED

    @property
    def no_room(self) -> bool:
        """Whether it was not taken because too many tokens are waiting at the server."""
        return self.status == "failed" and any(error.code == NO_ROOM for error in self.errors)


def parse_batch(body: bytes) -> RemoteBatch:
    """The batch in the body of an answer. Raises `NotABatch`."""
    return _remote(_json(body))


def parse_batch_page(body: bytes) -> tuple[list[RemoteBatch], bool]:
    """The batches of one page of a list, and whether there are more. Raises `NotABatch`."""
    content = _json(body)
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, list):
        raise NotABatch
    return [_remote(item) for item in data], content.get("has_more") is True


def parse_file_id(body: bytes) -> str:
    """The id of an uploaded file. Raises `NotABatch`."""
    content = _json(body)
    file_id = _text(content.get("id")) if isinstance(content, dict) else None
    if not file_id:
        raise NotABatch
    return file_id


def _remote(content: Any) -> RemoteBatch:
    if not isinstance(content, dict):
        raise NotABatch
    name, status = _text(content.get("id")), _text(content.get("status"))
    if not name or not status:
        raise NotABatch
    counts, metadata = content.get("request_counts"), content.get("metadata")
    errors = content.get("errors")
    listed = errors.get("data") if isinstance(errors, dict) else None
    return RemoteBatch(
        id=name,
        status=status,
        tag=_text(metadata.get(TAG)) if isinstance(metadata, dict) else None,
        completed=count_in(counts, "completed") or 0,
        failed=count_in(counts, "failed") or 0,
        input_file=_text(content.get("input_file_id")),
        output_file=_text(content.get("output_file_id")),
        error_file=_text(content.get("error_file_id")),
        errors=tuple(
            BatchError(str(item.get("code") or ""), str(item.get("message") or ""), count_in(item, "line"))
            for item in (listed if isinstance(listed, list) else [])
            if isinstance(item, dict)
        ),
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NotABatch from None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.isprintable() else None


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
    """Files and batches of one server. Where the server is out of order or the connection is cut, all
    methods but `create` wait and try again, for hours if need be.

    They raise `XlitError` when that doesn't help: the key is refused, the server was never reached.
    """

    def __init__(self, client: Client) -> None:
        import openai

        self._openai, self._client, self._api = openai, client, client.client
        self.address = client.address
        self._reached = False

    async def upload(self, file: IO[bytes], name: str) -> str:
        """Upload a file of requests from its start; returns its id. `XlitError` without a Batch API."""

        async def once() -> str:
            file.seek(0)
            upload = (name, file, "application/jsonl")
            files = self._api.files.with_raw_response
            return parse_file_id(
                (await files.create(file=upload, purpose="batch", timeout=FILE_TIMEOUT)).content
            )

        try:
            return await self._patiently(once)
        except _NotFound as error:
            raise XlitError(
                f"{self.address} has no Batch API (status {error.status}): leave out --batch."
            ) from None

    async def create(self, file_id: str, tag: str) -> RemoteBatch:
        """Make a batch of an uploaded file, once. Raises `ServerBusy` when it may have been made or not."""

        async def once() -> RemoteBatch:
            made = await self._api.batches.with_raw_response.create(
                input_file_id=file_id, endpoint="/v1/chat/completions", completion_window="24h",
                metadata={TAG: tag},
            )  # fmt: skip
            return parse_batch(made.content)

        try:
            return await self._once(once)
        except _NotFound as error:
            raise XlitError(f"{self.address} can't make a batch: status {error.status}.") from None

    async def retrieve(self, remote_id: str) -> RemoteBatch | None:
        """How far a batch is; None when the server knows none of that id."""

        async def once() -> RemoteBatch:
            return parse_batch((await self._api.batches.with_raw_response.retrieve(remote_id)).content)

        try:
            return await self._patiently(once)
        except _NotFound:
            return None

    async def find(self, tags: Collection[str]) -> dict[str, RemoteBatch]:
        """Those of the server's batches that have one of these tags, by tag."""
        by_tag: dict[str, RemoteBatch] = {}
        pages: set[str] = set()
        after: str | None = None
        more = True

        async def once() -> tuple[list[RemoteBatch], bool]:
            options: dict[str, Any] = {"limit": 100} if after is None else {"limit": 100, "after": after}
            return parse_batch_page((await self._api.batches.with_raw_response.list(**options)).content)

        while more:
            try:
                batches, more = await self._patiently(once)
            except _NotFound:
                break
            for batch in batches:
                # One that was not taken gives way to one that was.
                tag = batch.tag
                if tag in tags and tag is not None and (tag not in by_tag or by_tag[tag].status == "failed"):
                    by_tag[tag] = batch
            after = batches[-1].id if batches else None
            if after is None or after in pages:
                break
            pages.add(after)
        return by_tag

    async def cancel(self, remote_id: str) -> None:
        """Have a batch ended early."""

        async def once() -> None:
            await self._api.batches.with_raw_response.cancel(remote_id)

        try:
            await self._patiently(once)
        except _NotFound:
            return

    async def download(self, file_id: str, into: IO[bytes]) -> bool:
        """Append a file's content to another, piece by piece; False when the server has no such file."""
        start = into.tell()

        async def once() -> None:
            into.seek(start)
            into.truncate()
            files = self._api.files.with_streaming_response
            async with files.content(file_id, timeout=FILE_TIMEOUT) as response:
                async for piece in response.iter_bytes():
                    into.write(piece)
                    if into.tell() - start > MOST_DOWNLOAD:
                        raise XlitError(f"{self.address} sends answers without end in the file {file_id}.")

        try:
            await self._patiently(once)
        except _NotFound:
            return False
        return True

    async def delete(self, file_id: str) -> None:
        """Delete a file that is needed no more; if that fails, it stays."""

        async def once() -> None:
            await self._api.files.with_raw_response.delete(file_id)

        try:
            await self._once(once)
        except (ServerBusy, _NotFound, XlitError):
            return

    # tenacity needs a wait function, a stop and a callback for this loop: more lines than it has.
    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        since, tries = time.monotonic(), 0
        while True:
            try:
                return await self._once(call)
            except ServerBusy as error:
                tries += 1
                wait = backoff(tries) if error.wait is None else min(error.wait, LONGEST_WAIT)
                if time.monotonic() - since + wait > PATIENCE:
                    raise XlitError(
                        f"{self.address} has been out of order for long, at last: {error}. Batches that were "
                        "sent go on: run the same command later."
                    ) from None
            await asyncio.sleep(wait)

    async def _once(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            result = await call()
        except NotABatch:
            self._reached = True
            raise ServerBusy(
                "the server's answer is not what its Batch API should send", charged=True
            ) from None
        except self._openai.OpenAIError as error:
            raise self._failure(error) from None
        except XlitError:
            raise
        except Exception as error:
            if not is_http_error(error):
                raise
            raise ServerBusy("the connection was cut", charged=True) from None
        self._reached = True
        return result

    def _failure(self, error: Any) -> Exception:
        if isinstance(error, self._openai.APIStatusError):
            self._reached = True
            if error.status_code in _NOT_THERE:
                return _NotFound(error.status_code)
        elif isinstance(error, self._openai.APIConnectionError) and (
            self._reached or not type(error.__cause__).__name__.startswith("Connect")
        ):
            return ServerBusy("the connection was cut, or no answer came in time", charged=True)
        failure = self._client.failure(error)
        if isinstance(failure, RequestFailed):
            return XlitError(f"{self.address} refused the batch: {failure}.")
        return failure


def backoff(tries: int) -> float:
    """The seconds to wait after so many tries."""
    return backoff_with_jitter(tries, FIRST_WAIT, LONGEST_WAIT)


class _NotFound(Exception):
    """The server has nothing at that address."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

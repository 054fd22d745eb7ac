"""Requests to one model behind one OpenAI-compatible server: its address, its key, its errors."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from core.extras import needs_extra
from core.llm.answers import (
    MOST_BYTES,
    NotAChat,
    NotOnServer,
    Reply,
    RequestFailed,
    RequestRefused,
    ServerBusy,
    parse_completion,
    parse_json,
    retry_after,
)
from core.llm.keys import (
    KEY_VARIABLES,
    KEYRING_SERVICE,
    OPENAI_HOST,
    default_address,
    find_key,
    host_of,
    is_openai,
    why_withheld,
)
from store import UsageError, XlitError
from store.storable import storable


def check_address(base_url: str) -> None:
    """Raises `UsageError` for what is no address, or one that holds a secret: addresses are written into logs
    and the store, by us and by libraries."""
    try:
        parts = urlsplit(base_url)
        _ = parts.port
    except ValueError:
        raise UsageError(
            "The address of the server is none: its port is no number, or its host is cut."
        ) from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError("The address of the server begins with http:// or https://.")
    if "@" in parts.netloc or parts.query:
        raise UsageError("The address of the server holds a secret: give the key by XLIT_API_KEY instead.")


def without_secrets(url: str) -> str:
    """An address without user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")


LIBRARIES = ("openai",)

# The names of the limit of new tokens: most servers', and OpenAI's for its reasoning models.
TOKEN_LIMIT_OPTIONS = ("max_tokens", "max_completion_tokens")

# A list of models is longer than an answer, with some who sell hundreds.
_MOST_OF_A_LIST = 10_000_000

# Seconds in which a server that is there has taken the connection.
_CONNECT = 30.0

_NO_KEY = "no-key"


class Client:
    """One model behind one address. Use it as an async context manager, in one event loop.

    `address` is the address as it may be printed, `host` its host; `client` is the openai package's.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        timeout: float = 60,
        most_bytes: int = MOST_BYTES,
        purpose: str = "An LLM judge",
    ) -> None:
        """`base_url` as the server gives it, ending in `/v1` for most; default OpenAI's (or OPENAI_BASE_URL).

        The key is found by `find_key`; a server named by `base_url` may need none. `timeout`:
        seconds for one request, from the first byte sent to the last received. `most_bytes`: of an answer;
        one that is longer is none. `purpose` begins the sentence about a missing package. Raises `UsageError`
        when there is no key or the URL is none, `XlitError` when the extra is missing.
        """
        with needs_extra("judge", purpose):
            import openai
        url = base_url or default_address()
        check_address(url)
        self._openai, self._timeout, self._most_bytes = openai, timeout, most_bytes
        self._http = openai.DefaultAsyncHttpxClient(
            timeout=openai.Timeout(timeout, connect=min(timeout, _CONNECT)),
            # Prompts and keys go to the server that was named and to no other.
            follow_redirects=False,
        )
        self.client = openai.AsyncOpenAI(api_key=_NO_KEY, base_url=url, max_retries=0, http_client=self._http)
        self.model = model
        self.address = without_secrets(str(self.client.base_url))
        self.host = host_of(url)
        if not is_openai(self.host):  # the package has taken them from the environment
            self.client.organization = self.client.project = None
        self._key = find_key(url)
        if self._key is not None:
            self.client.api_key = self._key.text
        elif base_url is None and self.host == OPENAI_HOST:
            raise UsageError(
                f"No key for {model}: set OPENAI_API_KEY (or XLIT_API_KEY), put one into the keyring "
                f"(keyring set {KEYRING_SERVICE} {self.host}), or name a local server with --base-url."
            )
        self._reached = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.close()

    async def post(
        self, messages: list[dict[str, str]], options: Mapping[str, Any]
    ) -> tuple[Reply, Mapping[str, str]]:
        """The answer to a chat, and the headers it came with. `options` go into the request as they are.

        Raises `ServerBusy` when it may be asked again, `RequestRefused` when the server would not take it,
        `RequestFailed` when this request failed for good otherwise, and `XlitError` when no other would do
        better: the key is refused, the quota is spent, the model is not there, the server was never reached.
        """
        # All of it as `extra_body`, for the package looks through what it knows of, message by message.
        asked = self.client.chat.completions.with_streaming_response.create(
            model=self.model, messages=[], extra_body={"messages": messages, **options}
        )
        body, headers = await self._read(asked, self._most_bytes)
        try:
            return self.safe(parse_completion(body)), headers
        except NotAChat as error:
            raise ServerBusy(str(error), charged=True) from None

    async def models(self) -> tuple[Any, Mapping[str, str]]:
        """What the server says of its models: the JSON value of `GET models`, and the headers it came with;
        None when it is not JSON. Errors as `post`; `NotOnServer` when the server has no such list."""
        asked = self.client.models.with_streaming_response.list()
        body, headers = await self._read(asked, _MOST_OF_A_LIST)
        return parse_json(body), headers

    async def page(self, path: str) -> Any:
        """The JSON value that the server has at a path beside `/v1`; None when it has none, for whatever
        reason."""
        url = f"{self.address.removesuffix('/v1')}{path}"
        key = {"Authorization": f"Bearer {self._key.text}"} if self._key else {}
        try:
            async with asyncio.timeout(self._timeout), self._http.stream("GET", url, headers=key) as response:
                if response.status_code != 200:
                    return None
                return parse_json(await self._body(response.aiter_bytes(), self._most_bytes))
        except (ServerBusy, TimeoutError):
            return None
        except Exception as error:
            if not is_http_error(error):
                raise
            return None

    async def _read(self, asked: Any, most: int) -> tuple[bytes, Mapping[str, str]]:
        """The body of an answer, and its headers. Errors as `post`."""
        try:
            async with asyncio.timeout(self._timeout), asked as response:
                self._reached = True
                return await self._body(response.iter_bytes(), most), response.headers
        except TimeoutError:
            raise self._too_slow() from None
        except (self._openai.BadRequestError, self._openai.UnprocessableEntityError) as error:
            self._reached = True
            raise RequestRefused(
                f"the server refused the request: {self.message(error)}", str(error)
            ) from None
        except self._openai.OpenAIError as error:
            raise self.failure(error) from None

    async def _body(self, pieces: AsyncIterator[bytes], most: int) -> bytes:
        """The body of an answer, read by pieces, so that one without end is not kept whole."""
        body = bytearray()
        try:
            async for piece in pieces:
                body += piece
                if len(body) > most:
                    raise ServerBusy(f"the server's answer is longer than {most} bytes", charged=True)
        except ServerBusy:
            raise
        except Exception as error:
            if not is_http_error(error):
                raise
            if "Timeout" in type(error).__name__:
                raise self._too_slow() from None
            raise ServerBusy("the connection was cut", charged=True) from None
        return bytes(body)

    def _too_slow(self) -> ServerBusy:
        return ServerBusy(f"no answer within {self._timeout:g} s", charged=True)

    def failure(self, error: Exception) -> Exception:
        """What an error of the openai package means to us: `ServerBusy`, `RequestFailed` or `XlitError`."""
        api = self._openai
        if isinstance(error, api.APIConnectionError):
            if isinstance(error, api.APITimeoutError) and (
                self._reached or type(error.__cause__).__name__ != "ConnectTimeout"
            ):
                return self._too_slow()
            if self._reached:
                return ServerBusy("the connection was cut", charged=True)
            return XlitError(
                f"{self.address} can't be reached. Is the server running, and is the address right?"
            )
        if isinstance(error, api.APIStatusError):
            self._reached = True
            return self._failed_status(error)
        return RequestFailed(self.message(error))

    def _failed_status(self, error: Any) -> Exception:
        api, status = self._openai, error.status_code
        if isinstance(error, api.AuthenticationError | api.PermissionDeniedError):
            if self._key is None:
                advice = why_withheld(self.address) or f"Set {' or '.join(KEY_VARIABLES)}."
                return XlitError(
                    f"{self.address} refused the key (status {status}), as none was sent. {advice}"
                )
            return XlitError(f"{self.address} refused the key (status {status}). Check {self._key.source}.")
        if isinstance(error, api.NotFoundError):
            return NotOnServer(
                f"{self.address} has no model {self.model!r} (status 404): {self.message(error)}"
            )
        if 300 <= status < 400:
            target = without_secrets(error.response.headers.get("location", "elsewhere"))
            return XlitError(
                f"{self.address} sends requests on to {target} (status {status}), which is not followed. "
                "Name that address if it is the right one."
            )
        if status == 429 and error.code == "insufficient_quota":
            return XlitError(f"{self.address}: the quota of this key is spent.")
        reason = f"status {status}: {self.message(error)}"
        if status in (408, 409, 425, 429) or status >= 500:
            wait = retry_after(error.response.headers)
            limited = status == 429 or wait is not None
            return ServerBusy(reason, wait=wait, limited=limited, broken=status >= 500)
        return RequestFailed(reason)

    def message(self, error: Exception) -> str:
        """What an error says, in one line without the key and without what steers a terminal."""
        body = getattr(error, "body", None)
        message = body.get("message") if isinstance(body, dict) else None
        line = self._redact(" ".join(storable(str(message or error)).split()))[:200]
        return "".join(sign if sign.isprintable() else "�" for sign in line)

    def safe(self, reply: Reply) -> Reply:
        """The reply without the key, should the model have got hold of it."""
        text, refusal = (value and self._redact(value) for value in (reply.text, reply.refusal))
        return replace(reply, text=text, refusal=refusal)

    def _redact(self, text: str) -> str:
        return text.replace(self._key.text, "[key]") if self._key else text


def is_http_error(error: Exception) -> bool:
    """Whether an error is one of the HTTP library that the openai package stands on, whichever that is: the
    package hands on what it raises while a body is read."""
    return type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2")

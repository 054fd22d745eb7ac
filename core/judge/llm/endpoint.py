"""One request to an OpenAI-compatible chat endpoint; the key stays in here."""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from core.extras import needs_extra
from core.judge.llm.options import MAX_TOKENS, Taken
from core.judge.llm.reply import AskFailed, Prompt, Reply
from core.judge.llm.wire import MOST_BYTES, NotAChat, read_completion, storable, wait_asked_for
from store import UsageError, XlitError

LIBRARIES = ("openai",)

KEY_NAMES = ("XLIT_API_KEY", "OPENAI_API_KEY")

# Roles and separators that a chat template puts around one message, in tokens, generously.
_AROUND = 64

_NO_KEY = "no-key"


class Busy(Exception):
    """The server could not answer now; the same question may be asked again.

    `wait`: seconds that the server asks for; `limited`: because of its rate limit; `charged`: the server may
    have done the work, and be paid for it, all the same.
    """

    def __init__(
        self, message: str, *, wait: float | None = None, limited: bool = False, charged: bool = False
    ) -> None:
        super().__init__(message)
        self.wait, self.limited, self.charged = wait, limited, charged


class Endpoint:
    """One model behind one endpoint. Use it as an async context manager.

    The first request asks for everything of `core.judge.llm.options`; what the server refuses of it is left
    out from then on. `shown` is the address as it may be printed.
    """

    def __init__(
        self, model: str, base_url: str | None = None, *, timeout: float = 60, temperature: float = 0
    ) -> None:
        """`base_url` as the server gives it, ending in `/v1` for most; default OpenAI's (or OPENAI_BASE_URL).

        The key is XLIT_API_KEY's or OPENAI_API_KEY's; a server named by `base_url` may need none. `timeout`:
        seconds for one request. Raises `UsageError` when there is no key or the URL is none, `XlitError` when
        the extra is missing.
        """
        with needs_extra("judge", "An LLM judge"):
            import openai
        base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
        _check_address(base_url)
        self._key = _key_from_environment()
        if self._key is None and base_url is None:
            raise UsageError(
                f"No key for {model}: set OPENAI_API_KEY (or XLIT_API_KEY), "
                "or name a local server with --base-url."
            )
        self._openai = openai
        self._timeout = timeout
        self.client = openai.AsyncOpenAI(
            api_key=self._key or _NO_KEY, base_url=base_url, timeout=timeout, max_retries=0
        )
        self.model = model
        self.shown = _without_secrets(str(self.client.base_url))
        self.host = self.client.base_url.host
        self.temperature = temperature
        self._taken = Taken()
        self._proven = self._reached = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.close()

    async def ask(self, prompt: Prompt, *, bounded: bool = False) -> tuple[Reply, Mapping[str, str]]:
        """The answer to a prompt, and the headers it came with. `bounded`: only with a limit of new tokens.

        Raises `Busy` when it may be asked again, `AskFailed` when this question failed for good, and
        `XlitError` when no other would do better: the key is refused, the quota is spent, the model is not
        there, the server was never reached or takes no limit.
        """
        taken = self._taken
        while True:
            if bounded and not taken.bounded:
                raise XlitError(
                    f"{self.shown} takes no limit of new tokens: leave out --max-cost, it can't be held."
                )
            try:
                reply = await self._ask(prompt, taken.options(prompt, self.temperature))
            except (self._openai.BadRequestError, self._openai.UnprocessableEntityError) as error:
                self._reached = True
                # Of options that worked before, only one that is named can be what the server refuses now.
                left = taken.without(str(error), prompt, named=self._proven)
                if left is None:
                    raise AskFailed(f"the server refused the request: {self.message(error)}") from None
                taken = left
            except self._openai.InternalServerError as error:
                # Some servers break (status 500) on a form of the answer that they don't know.
                left = None if self._proven else taken.down(prompt)
                if left is None or prompt.schema is None:
                    raise self.failure(error) from None
                taken = left
            except self._openai.OpenAIError as error:
                raise self.failure(error) from None
            else:
                if not self._proven:
                    self._taken, self._proven = taken, True
                return reply

    def most_tokens(self, prompt: Prompt) -> tuple[int, int]:
        """How many tokens (in, out) a bounded request can be charged for at most: no tokenizer that reads
        bytes makes more tokens than there are bytes."""
        sent = prompt.text if prompt.schema is None else f"{prompt.text}{prompt.schema}"
        return len(sent.encode()) + _AROUND, MAX_TOKENS

    async def _ask(self, prompt: Prompt, options: dict[str, Any]) -> tuple[Reply, Mapping[str, str]]:
        # As `extra_body`, for the package looks through all parameters that it knows, key by key.
        asked = self.client.chat.completions.with_streaming_response.create(
            model=self.model, messages=[{"role": "user", "content": prompt.text}], extra_body=options
        )
        async with asked as response:
            self._reached = True
            try:
                reply = read_completion(await self._body(response))
            except NotAChat as error:
                raise Busy(str(error), charged=True) from None
            return self.safe(reply), response.headers

    async def _body(self, response: Any) -> bytes:
        """The body of an answer, read by pieces, so that one without end is not kept whole."""
        body = bytearray()
        try:
            async for piece in response.iter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    raise Busy(f"the server's answer is longer than {MOST_BYTES} bytes", charged=True)
        except Busy:
            raise
        except Exception as error:  # of httpx or httpx2, whichever the openai package stands on
            if "Timeout" in type(error).__name__:
                raise self._too_slow() from None
            raise Busy("the connection was cut", charged=True) from None
        return bytes(body)

    def _too_slow(self) -> Busy:
        return Busy(f"no answer within {self._timeout:g} s", charged=True)

    def failure(self, error: Exception) -> Exception:
        """What an error of the openai package means to us: `Busy`, `AskFailed` or `XlitError`."""
        api = self._openai
        if isinstance(error, api.APITimeoutError):
            return self._too_slow()
        if isinstance(error, api.APIConnectionError):
            if self._reached:
                return Busy("the connection was cut", charged=True)
            return XlitError(
                f"{self.shown} can't be reached. Is the server running, and is the address right?"
            )
        if isinstance(error, api.APIStatusError):
            self._reached = True
            return self._failed_status(error)
        return AskFailed(self.message(error))

    def _failed_status(self, error: Any) -> Exception:
        api, status = self._openai, error.status_code
        if isinstance(error, api.AuthenticationError | api.PermissionDeniedError):
            names = " or ".join(KEY_NAMES)
            return XlitError(f"{self.shown} refused the key (status {status}). Check {names}.")
        if isinstance(error, api.NotFoundError):
            return XlitError(f"{self.shown} has no model {self.model!r} (status 404): {self.message(error)}")
        if status == 429 and error.code == "insufficient_quota":
            return XlitError(f"{self.shown}: the quota of this key is spent.")
        reason = f"status {status}: {self.message(error)}"
        if status in (408, 409, 425, 429) or status >= 500:
            wait = wait_asked_for(error.response.headers)
            return Busy(reason, wait=wait, limited=status == 429 or wait is not None)
        return AskFailed(reason)

    def message(self, error: Exception) -> str:
        """What an error says, in one line without the key."""
        body = getattr(error, "body", None)
        message = body.get("message") if isinstance(body, dict) else None
        return self._redact(" ".join(storable(str(message or error)).split()))[:200]

    def safe(self, reply: Reply) -> Reply:
        """The reply without the key, should the model have got hold of it."""
        if self._key is None or reply.text is None or self._key not in reply.text:
            return reply
        return Reply(**{**reply.__dict__, "text": self._redact(reply.text)})

    def _redact(self, text: str) -> str:
        return text.replace(self._key, "[key]") if self._key else text


def _key_from_environment() -> str | None:
    for name in KEY_NAMES:
        key = os.environ.get(name, "").strip()
        if not key:
            continue
        if not key.isascii() or not key.isprintable() or " " in key:
            # Sent in a header, it would come back in an error's text.
            raise UsageError(f"{name} holds characters that no key has. Set it again.")
        return key
    return None


def _check_address(base_url: str | None) -> None:
    if base_url is None:
        return
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError("The address of the server begins with http:// or https://.")
    if "@" in parts.netloc or parts.query:
        # Addresses are written into logs and the store, by us and by libraries.
        raise UsageError("The address of the server holds a secret: give the key by XLIT_API_KEY instead.")


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")

"""Asking an OpenAI-compatible chat endpoint; the key stays in here."""

import os
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from core.extras import needs_extra
from store import UsageError, XlitError

LIBRARIES = ("openai",)

KEY_NAMES = ("XLIT_API_KEY", "OPENAI_API_KEY")

# Rate limits, server errors and timeouts are asked again this often by the openai package, which waits as the
# server says or else 0.5 s to 8 s with jitter.
RETRIES = 5

# Enough for six numbers and for a judge that explains itself; a local server would else write without end.
MAX_TOKENS = 1_000

_NO_KEY = "no-key"


@dataclass(frozen=True)
class Reply:
    """What the endpoint answered, and the tokens that it counted."""

    text: str | None
    finish_reason: str | None = None
    refusal: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


class AskFailed(Exception):
    """This question got no answer, others may; the message is one line without the key.

    `busy`: because the server was busy or broken, and not for what was asked.
    """

    def __init__(self, message: str, *, busy: bool = False) -> None:
        super().__init__(message)
        self.busy = busy


class Endpoint:
    """One model behind one endpoint. Use it as an async context manager.

    The first request asks for a JSON object, temperature 0 and at most `MAX_TOKENS`; what the server refuses
    of these (status 400) is left out from then on.
    """

    def __init__(self, model: str, base_url: str | None = None, *, timeout: float = 60) -> None:
        """`base_url` as the server gives it, ending in `/v1` for most; default OpenAI's (or OPENAI_BASE_URL).

        The key is XLIT_API_KEY's or OPENAI_API_KEY's; a server named by `base_url` may need none. Raises
        `UsageError` when there is no key or the URL is none, `XlitError` when the extra is missing.
        """
        with needs_extra("judge", "The rubric judge"):
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
        self._client = openai.AsyncOpenAI(
            api_key=self._key or _NO_KEY, base_url=base_url, timeout=timeout, max_retries=RETRIES
        )
        self.model = model
        self.shown = _without_secrets(str(self._client.base_url))
        self._options: dict[str, Any] = {
            "response_format": {"type": "json_object"},
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def ask(self, prompt: str) -> Reply:
        """The answer to one user message.

        Raises `AskFailed` when this question failed, and `XlitError` when no other would do better: the key
        is refused, the quota is spent, the model is not there, the server can't be reached.
        """
        options = dict(self._options)
        while True:
            try:
                completion = await self._client.chat.completions.create(
                    model=self.model, messages=[{"role": "user", "content": prompt}], **options
                )
            except (self._openai.BadRequestError, self._openai.UnprocessableEntityError) as error:
                dropped = _option_refused(str(error), options)
                if dropped is None:
                    raise AskFailed(f"the server refused the request: {self._message(error)}") from None
                del options[dropped]
                continue
            except self._openai.OpenAIError as error:
                raise self._failure(error) from None
            except ValueError:
                raise AskFailed("the server's answer is not JSON") from None
            self._options = {name: value for name, value in self._options.items() if name in options}
            return self._reply(completion)

    def _reply(self, completion: Any) -> Reply:
        choices = getattr(completion, "choices", None)
        if not choices or getattr(choices[0], "message", None) is None:
            raise AskFailed(
                f"{self.shown} answers, but not as a chat completion does: is it the right address?"
            )
        message, usage = choices[0].message, getattr(completion, "usage", None)
        return Reply(
            text=self._redact(message.content) if isinstance(message.content, str) else None,
            finish_reason=choices[0].finish_reason,
            refusal=getattr(message, "refusal", None),
            tokens_in=getattr(usage, "prompt_tokens", None),
            tokens_out=getattr(usage, "completion_tokens", None),
        )

    def _failure(self, error: Exception) -> Exception:
        """What an error of the openai package means to us: `AskFailed` for this question, or `XlitError`."""
        api = self._openai
        if isinstance(error, api.APITimeoutError):
            return AskFailed(f"no answer within {self._timeout:g} s", busy=True)
        if isinstance(error, api.APIConnectionError):
            return XlitError(
                f"{self.shown} can't be reached. Is the server running, and is the address right?"
            )
        if isinstance(error, api.AuthenticationError | api.PermissionDeniedError):
            names = " or ".join(KEY_NAMES)
            return XlitError(f"{self.shown} refused the key (status {error.status_code}). Check {names}.")
        if isinstance(error, api.NotFoundError):
            return XlitError(f"{self.shown} has no model {self.model!r} (status 404): {self._message(error)}")
        if isinstance(error, api.RateLimitError) and error.code == "insufficient_quota":
            return XlitError(f"{self.shown}: the quota of this key is spent.")
        if isinstance(error, api.APIStatusError):
            busy = error.status_code == 429 or error.status_code >= 500
            return AskFailed(f"status {error.status_code}: {self._message(error)}", busy=busy)
        return AskFailed(self._message(error))

    def _message(self, error: Exception) -> str:
        body = getattr(error, "body", None)
        message = body.get("message") if isinstance(body, dict) else None
        return self._redact(" ".join(str(message or error).split()))[:200]

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


def _option_refused(message: str, options: dict[str, Any]) -> str | None:
    """Which option to leave out after status 400: the one that the server names, else the JSON format."""
    named = next((name for name in options if name in message), None)
    return named or ("response_format" if "response_format" in options else None)

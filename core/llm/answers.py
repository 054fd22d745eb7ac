"""What a server answers: replies and errors, and how bodies, headers and texts are read."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from store import XlitError
from store.storable import storable


@dataclass(frozen=True)
class Reply:
    """What a model answered, and the tokens that were counted; `finish_reason` as OpenAI names them."""

    text: str | None
    finish_reason: str | None = None
    refusal: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


class ServerBusy(Exception):
    """The server could not answer now; the same request may be sent again.

    `wait`: seconds that the server asks for; `limited`: because of its rate limit; `broken`: it answered with
    an error of its own (status 500 and above); `charged`: the server may have done the work, and be paid for
    it, all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        wait: float | None = None,
        limited: bool = False,
        broken: bool = False,
        charged: bool = False,
    ) -> None:
        super().__init__(message)
        self.wait, self.limited, self.broken, self.charged = wait, limited, broken, charged


class RequestFailed(Exception):
    """This request got no answer, others may; the message is one line without the key.

    `busy`: because the server was busy or broken, and not for what was asked.
    """

    def __init__(self, message: str, *, busy: bool = False) -> None:
        super().__init__(message)
        self.busy = busy


class NotOnServer(XlitError):
    """The server has no such address or model (status 404)."""


class RequestRefused(RequestFailed):
    """The server would not take the request (status 400 or 422); `details` is the server's whole message,
    which may hold the key: it is for finding an option's name in, and not for printing."""

    def __init__(self, message: str, details: str) -> None:
        super().__init__(message)
        self.details = details


# Longer than any answer of a few hundred tokens. What a server sends beyond it is not read.
MOST_BYTES = 1_000_000

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)


class NotAChat(Exception):
    """The body is no chat completion; the message says what it is."""


def parse_completion(body: bytes) -> Reply:
    """The first choice of a chat completion (platform.openai.com/docs/api-reference/chat).

    Raises `NotAChat` for any other body.
    """
    content = parse_json(body)
    if content is None:
        raise NotAChat("the server's answer is not JSON")
    choices = content.get("choices") if isinstance(content, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise NotAChat("the server answers, but not as a chat completion does: is it the right address?")
    if not isinstance(message.get("content"), str | None):
        raise NotAChat("the server's answer has a content that is no text")
    usage = content.get("usage")
    return Reply(
        text=_text(message.get("content")),
        finish_reason=_text(choice.get("finish_reason")),
        refusal=_text(message.get("refusal")),
        tokens_in=count_in(usage, "prompt_tokens"),
        tokens_out=count_in(usage, "completion_tokens"),
    )


def parse_json(body: bytes) -> Any:
    """The JSON value of a body; None for any other body."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds after which a server wants to be asked again, from `retry-after-ms` or `Retry-After`
    (RFC 9110, section 10.2.3: seconds or a date); None when it says nothing that can be read."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    after = headers.get("retry-after")
    seconds = _number(after)
    if seconds is not None or after is None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(after).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def seconds_from_header(duration: str | None) -> float | None:
    """A duration such as `1s`, `6m0s`, `20ms` or `1.5` (seconds), in seconds; None for anything else."""
    number = _number(duration)
    if number is not None or not duration:
        return number
    match = _DURATION.fullmatch(duration.strip())
    if match is None or not any(match.groups()):
        return None
    return sum(float(part or 0) * unit for part, unit in zip(match.groups(), _UNITS, strict=True))


def count_from_header(header: str | None) -> int | None:
    """A whole number of at least 0 from a header; None for anything else."""
    return int(header) if header and re.fullmatch(r"\d{1,15}", header.strip()) else None


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d{1,12}(?:\.\d{1,9})?", text.strip()) else None


def _text(value: Any) -> str | None:
    return storable(value) if isinstance(value, str) else None


def count_in(content: Any, name: str) -> int | None:
    """The whole number of at least 0 under a key of an object; None for anything else."""
    value = content.get(name) if isinstance(content, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None


class BadAnswer(Exception):
    """The answer can't be used, another might be; the message is the reason, one line."""


def usable_text(reply: Reply) -> str:
    """The text of an answer, without white space around it.

    Raises `BadAnswer` when the model refused, was cut off, or said nothing.
    """
    if reply.refusal or reply.finish_reason == "content_filter":
        raise BadAnswer("refusal: the judge would not answer")
    if reply.finish_reason == "length":
        raise BadAnswer("truncated: the judge's answer was cut off")
    if reply.text is None or not reply.text.strip():
        raise BadAnswer("empty answer")
    return reply.text.strip()


_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_REFUSAL = re.compile(
    r"\W*(?:I['’]?m (?:very )?sorry|sorry\b|I apologi[sz]e|I can(?:['’]t|not)|I won['’]t"
    r"|I(?: am|['’]m) (?:unable|not able)|As an AI)",
    re.IGNORECASE,
)


def parse_json_object(text: str) -> list[tuple[str, Any]]:
    """The (key, value) pairs of the JSON object that an answer is, by itself or as the only one in a code
    fence. Raises `BadAnswer`: refusal, or not JSON."""
    fenced = _FENCED.findall(text)
    candidate = fenced[0] if len(fenced) == 1 else text
    try:
        # Lists of pairs, for a dict would hide a key that is there twice; not strict, for local servers let
        # control characters stand in strings.
        pairs = json.loads(candidate, strict=False, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        if _REFUSAL.match(text):
            raise BadAnswer("refusal: the judge would not answer") from None
        raise BadAnswer("not JSON") from None
    if not isinstance(pairs, _Pairs):
        raise BadAnswer("not JSON: no object")
    return pairs


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as its (key, value) pairs."""

"""Reading what a chat endpoint sends: the body of an answer, and how long its headers ask us to wait."""

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from core.endpoint.reply import Reply

# Longer than any answer of a few hundred tokens. What a server sends beyond it is not read.
MOST_BYTES = 1_000_000

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)


class NotAChat(Exception):
    """The body is no chat completion; the message says what it is."""


def read_completion(body: bytes) -> Reply:
    """The first choice of a chat completion (platform.openai.com/docs/api-reference/chat).

    Raises `NotAChat` for any other body.
    """
    content = read_json(body)
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


def read_json(body: bytes) -> Any:
    """The JSON value of a body; None for any other body."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def wait_asked_for(headers: Mapping[str, str]) -> float | None:
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


def seconds_of(duration: str | None) -> float | None:
    """A duration such as `1s`, `6m0s`, `20ms` or `1.5` (seconds), in seconds; None for anything else."""
    number = _number(duration)
    if number is not None or not duration:
        return number
    match = _DURATION.fullmatch(duration.strip())
    if match is None or not any(match.groups()):
        return None
    return sum(float(part or 0) * unit for part, unit in zip(match.groups(), _UNITS, strict=True))


def count_of(header: str | None) -> int | None:
    """A whole number of at least 0 from a header; None for anything else."""
    return int(header) if header and re.fullmatch(r"\d{1,15}", header.strip()) else None


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d{1,12}(?:\.\d{1,9})?", text.strip()) else None


def storable(text: str) -> str:
    """A text as every store can hold it: lone surrogates and NUL, which JSON can escape, become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")


def _text(value: Any) -> str | None:
    return storable(value) if isinstance(value, str) else None


def count_in(content: Any, name: str) -> int | None:
    """The whole number of at least 0 under a key of an object; None for anything else."""
    value = content.get(name) if isinstance(content, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None

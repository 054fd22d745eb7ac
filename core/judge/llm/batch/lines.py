"""One line of a batch's output or error file."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from core.endpoint.reply import Reply
from core.endpoint.wire import NotAChat, read_completion


@dataclass(frozen=True)
class Line:
    """What a line says of the question with this digest: a `reply`, or the `reason` why there is none, and
    whether it may be asked `again`; `charged`: such an answer may have cost something all the same."""

    digest: str
    reply: Reply | None = None
    reason: str = ""
    again: bool = True
    charged: bool = False


def read_line(raw: bytes, message: Callable[[Exception], str]) -> Line | None:
    """Read a line (platform.openai.com/docs/api-reference/batch/request-output); None when it is none.

    `message` makes one line without the key of an error.
    """
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    digest = content.get("custom_id") if isinstance(content, dict) else None
    if not isinstance(digest, str):
        return None
    response, error = content.get("response"), content.get("error")
    status = response.get("status_code") if isinstance(response, dict) else None
    if not isinstance(response, dict) or isinstance(status, bool) or not isinstance(status, int):
        return Line(digest, reason=message(Exception(_said(error) or "the server did not answer")))
    body = response.get("body")
    if status == 200:
        try:
            return Line(digest, _storable(read_completion(json.dumps(body).encode())))
        except (NotAChat, RecursionError):
            return Line(digest, reason="the server's answer is no chat completion", charged=True)
    said = _said(body.get("error") if isinstance(body, dict) else None) or _said(error)
    again = status in (408, 409, 425, 429) or status >= 500
    reason = f"status {status}: {said}" if again else f"the server refused the request: {said}"
    return Line(digest, reason=message(Exception(reason)), again=again)


def _said(error: Any) -> str:
    if not isinstance(error, dict):
        return ""
    return ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))


def _storable(reply: Reply) -> Reply:
    """The reply with signs that a database can keep: no lone surrogates, no NUL."""
    if reply.text is None:
        return reply
    return replace(reply, text=reply.text.encode("utf-8", "replace").decode().replace("\0", "\ufffd"))

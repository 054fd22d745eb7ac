"""What a server says of a batch (platform.openai.com/docs/api-reference/batch/object), read strictly."""

import json
from dataclasses import dataclass
from typing import Any

from core.endpoint.wire import count_in

# Metadata of a batch under which its tag is kept at the server.
TAG = "xlit"

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})

# A batch that the server checks before it takes it, and the word for one that it has no room for.
VALIDATING = "validating"
NO_ROOM = "token_limit_exceeded"


class NotABatch(Exception):
    """The body says nothing about batches."""


@dataclass(frozen=True)
class RemoteError:
    """Why a batch was not taken; `line` of its file, from 1."""

    code: str
    message: str
    line: int | None


@dataclass(frozen=True)
class Remote:
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
    errors: tuple[RemoteError, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in ENDED

    @property
    def no_room(self) -> bool:
        """Whether it was not taken because too many tokens are waiting at the server."""
        return self.status == "failed" and any(error.code == NO_ROOM for error in self.errors)


def read_remote(body: bytes) -> Remote:
    """The batch in the body of an answer. Raises `NotABatch`."""
    return _remote(_json(body))


def read_page(body: bytes) -> tuple[list[Remote], bool]:
    """The batches of one page of a list, and whether there are more. Raises `NotABatch`."""
    content = _json(body)
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, list):
        raise NotABatch
    return [_remote(found) for found in data], content.get("has_more") is True


def read_file_id(body: bytes) -> str:
    """The id of an uploaded file. Raises `NotABatch`."""
    content = _json(body)
    found = _text(content.get("id")) if isinstance(content, dict) else None
    if not found:
        raise NotABatch
    return found


def _remote(content: Any) -> Remote:
    if not isinstance(content, dict):
        raise NotABatch
    name, status = _text(content.get("id")), _text(content.get("status"))
    if not name or not status:
        raise NotABatch
    counts, metadata = content.get("request_counts"), content.get("metadata")
    errors = content.get("errors")
    listed = errors.get("data") if isinstance(errors, dict) else None
    return Remote(
        id=name,
        status=status,
        tag=_text(metadata.get(TAG)) if isinstance(metadata, dict) else None,
        completed=count_in(counts, "completed") or 0,
        failed=count_in(counts, "failed") or 0,
        input_file=_text(content.get("input_file_id")),
        output_file=_text(content.get("output_file_id")),
        error_file=_text(content.get("error_file_id")),
        errors=tuple(
            RemoteError(str(one.get("code") or ""), str(one.get("message") or ""), count_in(one, "line"))
            for one in (listed if isinstance(listed, list) else [])
            if isinstance(one, dict)
        ),
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NotABatch from None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.isprintable() else None

"""The result files of a batch, read line by line: they may be hundreds of megabytes."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import IO, Any

from core.llm.answers import MOST_BYTES, NotAChat, Reply, parse_completion
from core.llm.client import Client


@dataclass(frozen=True)
class ResultLine:
    """What a line says of the question with this digest: a `reply`, or the `reason` why there is none, and
    whether it may be asked `again`; `charged`: such an answer may have cost something all the same."""

    digest: str
    reply: Reply | None = None
    reason: str = ""
    again: bool = True
    charged: bool = False


def parse_result_line(raw: bytes, message: Callable[[Exception], str]) -> ResultLine | None:
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
        return ResultLine(
            digest, reason=message(Exception(_error_text(error) or "the server did not answer"))
        )
    body = response.get("body")
    if status == 200:
        try:
            return ResultLine(digest, parse_completion(json.dumps(body).encode()))
        except (NotAChat, RecursionError):
            return ResultLine(digest, reason="the server's answer is no chat completion", charged=True)
    text = _error_text(body.get("error") if isinstance(body, dict) else None) or _error_text(error)
    again = status in (408, 409, 425, 429) or status >= 500
    reason = f"status {status}: {text}" if again else f"the server refused the request: {text}"
    return ResultLine(digest, reason=message(Exception(reason)), again=again)


def _error_text(error: Any) -> str:
    if not isinstance(error, dict):
        return ""
    return ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))


class BatchResults:
    """What the lines of a file of answers say of the questions with these `digests`.

    Lines that can't be read, and those about other questions, are passed over. Two different lines about the
    same question are no answer. `answered`: how many questions have an answer; `replies`, `tokens_in` and
    `tokens_out`: what the server counted; `counted`: whether every line that may have cost something has its
    number of tokens.
    """

    def __init__(self, file: IO[bytes], digests: Collection[str], client: Client) -> None:
        """`file` is read from its start, and must stay open while this is in use."""
        self._file, self._client = file, client
        self._positions: dict[str, tuple[int, int]] = {}
        self._twice: set[str] = set()
        self.answered = self.replies = self.tokens_in = self.tokens_out = 0
        self.counted = True
        position = 0
        file.seek(0)
        while raw := file.readline(MOST_BYTES):
            whole = raw.endswith(b"\n") or len(raw) < MOST_BYTES
            length = len(raw)
            while not whole:  # far too long: passed over
                rest = file.readline(MOST_BYTES)
                length += len(rest)
                whole = rest.endswith(b"\n") or len(rest) < MOST_BYTES
                raw = b""
            if raw.strip() or not raw:
                self._note(raw, position, digests)
                file.seek(position + length)
            position += length

    @property
    def lines(self) -> int:
        """How many of the questions have a line."""
        return len(self._positions)

    def get(self, digest: str) -> ResultLine | None:
        """The line about a question; None when there is none."""
        if digest in self._twice:
            return ResultLine(digest, reason="the server gave two answers that are not alike")
        if digest not in self._positions:
            return None
        position, length = self._positions[digest]
        self._file.seek(position)
        line = parse_result_line(self._file.read(length), self._client.message)
        if line is None or line.reply is None:
            return line
        return ResultLine(digest, self._client.safe(line.reply))

    def _note(self, raw: bytes, position: int, digests: Collection[str]) -> None:
        line = parse_result_line(raw, self._client.message)
        if line is None:
            self.counted = False
            return
        if line.digest not in digests:
            return
        if line.digest in self._positions:
            before = self.get(line.digest)
            if before is not None and (before.reply, before.reason) != (self._safe(line.reply), line.reason):
                if line.digest not in self._twice and before.reply is not None:
                    self.answered -= 1
                self._twice.add(line.digest)
                self.counted = False
            return
        self._positions[line.digest] = (position, len(raw))
        if line.reply is None:
            self.counted = self.counted and not line.charged
            return
        self.replies += 1
        self.answered += 1
        if line.reply.tokens_in is None or line.reply.tokens_out is None:
            self.counted = False
        self.tokens_in += line.reply.tokens_in or 0
        self.tokens_out += line.reply.tokens_out or 0

    def _safe(self, reply: Reply | None) -> Reply | None:
        return None if reply is None else self._client.safe(reply)

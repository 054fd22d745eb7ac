"""The answers of a batch, on the disk: the files may be hundreds of megabytes."""

from collections.abc import Collection
from typing import IO

from core.endpoint.reply import Reply
from core.endpoint.wire import MOST_BYTES
from core.judge.llm.batch.lines import Line, read_line
from core.judge.llm.endpoint import Endpoint


class Answers:
    """What the lines of a file of answers say of the questions with these `digests`.

    Lines that can't be read, and those about other questions, say nothing. Two about the same question that
    don't say the same are no answer. `answered` questions have one. `replies`, `tokens_in` and `tokens_out`
    are what the server counted; `counted`: whether every line that may have cost something has told its
    tokens.
    """

    def __init__(self, file: IO[bytes], digests: Collection[str], endpoint: Endpoint) -> None:
        """`file` is read from its start, and must stay open while this is in use."""
        self._file, self._endpoint = file, endpoint
        self._places: dict[str, tuple[int, int]] = {}
        self._twice: set[str] = set()
        self.answered = self.replies = self.tokens_in = self.tokens_out = 0
        self.counted = True
        place = 0
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
                self._note(raw, place, digests)
                file.seek(place + length)
            place += length

    @property
    def lines(self) -> int:
        """How many of the questions something is said of."""
        return len(self._places)

    def get(self, digest: str) -> Line | None:
        """What is said of a question; None when nothing is."""
        if digest in self._twice:
            return Line(digest, reason="the server gave two answers that are not alike")
        if digest not in self._places:
            return None
        place, length = self._places[digest]
        self._file.seek(place)
        line = read_line(self._file.read(length), self._endpoint.message)
        if line is None or line.reply is None:
            return line
        return Line(digest, self._endpoint.safe(line.reply))

    def _note(self, raw: bytes, place: int, digests: Collection[str]) -> None:
        line = read_line(raw, self._endpoint.message)
        if line is None:
            self.counted = False
            return
        if line.digest not in digests:
            return
        if line.digest in self._places:
            before = self.get(line.digest)
            if before is not None and (before.reply, before.reason) != (self._safe(line.reply), line.reason):
                if line.digest not in self._twice and before.reply is not None:
                    self.answered -= 1
                self._twice.add(line.digest)
                self.counted = False
            return
        self._places[line.digest] = (place, len(raw))
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
        return None if reply is None else self._endpoint.safe(reply)

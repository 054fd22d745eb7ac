"""Counting what comes in, per model and language, for progress and the summary."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.generate.engines.base import Failed, Generation


@dataclass
class AnswerCounter:
    """Counts the answers of one model in one language. `there`: those that were answered before this run."""

    model: str
    language: str
    total: int
    there: int = 0
    answered: int = 0
    failed: int = 0
    stop: int = 0
    length: int = 0
    empty: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    began: float | None = None
    last: float | None = None

    @property
    def left(self) -> int:
        return self.total - self.there - self.answered - self.failed

    @property
    def seconds(self) -> float:
        """From the first request to the last answer."""
        return (self.last - self.began) if self.began is not None and self.last is not None else 0.0

    @property
    def speed(self) -> float | None:
        """Tokens of answers a second; None while there are none."""
        return self.tokens_out / self.seconds if self.seconds > 0 and self.tokens_out else None

    def start(self) -> None:
        """Note the time of the first request."""
        if self.began is None:
            self.began = time.monotonic()

    def add(self, outcome: Generation | Failed) -> None:
        """Count one outcome."""
        self.last = time.monotonic()
        if isinstance(outcome, Failed):
            self.failed += 1
            return
        self.answered += 1
        self.stop += outcome.finish_reason == "stop"
        self.length += outcome.finish_reason == "length"
        self.empty += not outcome.text.strip()
        self.tokens_in += outcome.tokens_in or 0
        self.tokens_out += outcome.tokens_out or 0

    def as_dict(self) -> dict[str, Any]:
        """Its counts as plain data, for `--json`; `tokens_per_second` is None where nothing was counted."""
        names = "model", "language", "total", "there", "answered", "failed", "stop", "length", "empty"
        speed = self.speed
        return {
            **{name: getattr(self, name) for name in names},
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "tokens_per_second": round(speed, 1) if speed else None,
        }


class Throughput:
    """How fast answers come: the rate over the last half minute, so that a slow start is forgotten."""

    WINDOW = 30.0

    def __init__(self) -> None:
        self._marks: list[tuple[float, int, int]] = [(time.monotonic(), 0, 0)]

    def mark(self, counters: Sequence[AnswerCounter]) -> None:
        """Note the counts and the time."""
        now = time.monotonic()
        done = sum(counter.answered + counter.failed for counter in counters)
        self._marks.append((now, done, sum(counter.tokens_out for counter in counters)))
        while len(self._marks) > 2 and self._marks[1][0] < now - self.WINDOW:
            del self._marks[0]

    @property
    def answers(self) -> float:
        """Answers a second."""
        return self._rate(1)

    @property
    def tokens(self) -> float:
        """Tokens of answers a second."""
        return self._rate(2)

    def seconds_left(self, counters: Sequence[AnswerCounter]) -> float | None:
        """How long the rest takes at this rate; None before the first answer."""
        return sum(counter.left for counter in counters) / self.answers if self.answers else None

    def _rate(self, column: int) -> float:
        first, last = self._marks[0], self._marks[-1]
        elapsed = last[0] - first[0]
        return (last[column] - first[column]) / elapsed if elapsed > 0 else 0.0

"""What a person sees while answers come: a bar, a table of models and languages, or plain lines."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.generate.counters import AnswerCounter, Throughput
from core.progress import Progress, progress, say

REFRESH = 0.5
SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def show_progress(
    description: str, tallies: Sequence[AnswerCounter], *, watch: bool = False
) -> Iterator[None]:
    """Show the tallies on stderr while the block lasts: with `watch` a table on a terminal, else a bar;
    plain lines where stderr is no terminal."""
    there = sum(tally.there for tally in tallies)
    total = sum(tally.total for tally in tallies)
    if not sys.stderr.isatty():
        with _every(SECONDS_BETWEEN_LINES, _Lines(tallies).tell):
            yield
    elif watch:
        from rich.live import Live

        pace = Throughput()
        with (
            Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live,
            _every(REFRESH, lambda: live.update(_watched(tallies, pace), refresh=True)),
        ):
            yield
    else:
        with progress(description, total, done=there) as bar, _every(REFRESH, _Bar(bar, tallies).tell):
            yield


def summary_table(tallies: Sequence[AnswerCounter]) -> Table:
    """What came out, per model and language: how answers ended, and how many are empty."""
    table = Table(title="Answers", title_justify="left")
    table.add_column("model", overflow="fold")
    table.add_column("language")
    for heading in ("new", "there", "end token", "length", "empty", "failed", "tokens", "tokens/s"):
        table.add_column(heading, justify="right")
    for tally in tallies:
        counts = (tally.answered, tally.there, tally.stop, tally.length, tally.empty, tally.failed)
        table.add_row(
            Text(tally.model), tally.language, *(str(count or "") for count in counts),
            str(tally.tokens_out or ""), f"{tally.speed:.0f}" if tally.speed else "",
        )  # fmt: skip
    return table


def summary(tallies: Sequence[AnswerCounter]) -> list[dict[str, Any]]:
    """The same as plain data."""
    return [tally.as_dict() for tally in tallies]


class _Bar:
    def __init__(self, bar: Progress, tallies: Sequence[AnswerCounter]) -> None:
        self._bar, self._tallies, self._pace = bar, tallies, Throughput()
        self._done = _done(tallies)

    def tell(self) -> None:
        self._pace.mark(self._tallies)
        done = _done(self._tallies)
        speed = f"{self._pace.tokens:.0f} tok/s" if self._pace.tokens else ""
        now = next((tally for tally in self._tallies if tally.left and tally.began is not None), None)
        note = ", ".join(filter(None, (now.language if now else "", speed)))
        self._bar.advance(done - self._done, note)
        self._done = done


class _Lines:
    """A line for each language of a model that goes on or has come to its end since the last."""

    def __init__(self, tallies: Sequence[AnswerCounter]) -> None:
        self._tallies, self._pace = tallies, Throughput()
        self._told = [_done([tally]) for tally in tallies]

    def tell(self) -> None:
        self._pace.mark(self._tallies)
        left = self._pace.seconds_left(self._tallies)
        for place, tally in enumerate(self._tallies):
            done = _done([tally])
            if done == self._told[place]:
                continue
            self._told[place] = done
            speed = f"{tally.speed:.0f} tok/s" if tally.speed else ""
            failed = f"{tally.failed} failed" if tally.failed else ""
            note = ", ".join(filter(None, (speed, failed)))
            say(
                f"{tally.model}, {tally.language}: {done}/{tally.total}"
                + (f" ({note})" if note else "")
                + (f", {_clock(left)} left in all" if left else "")
            )


def _watched(tallies: Sequence[AnswerCounter], pace: Throughput) -> Table:
    pace.mark(tallies)
    left = pace.seconds_left(tallies)
    done, total = _done(tallies), sum(tally.total for tally in tallies)
    caption = f"{done}/{total} · {pace.tokens:.0f} tok/s" + (f" · {_clock(left)} left" if left else "")
    table = Table(caption=caption, caption_justify="left")
    table.add_column("model", overflow="fold")
    table.add_column("language")
    for heading in ("answers", "of", "tok/s", "left", "end token", "length", "empty", "failed"):
        table.add_column(heading, justify="right")
    for tally in tallies:
        style = "" if tally.left else "dim"
        rate = (tally.answered + tally.failed) / tally.seconds if tally.seconds else 0
        table.add_row(
            Text(tally.model), tally.language, str(_done([tally])), str(tally.total),
            f"{tally.speed:.0f}" if tally.speed else "",
            _clock(tally.left / rate) if rate and tally.left else "",
            *(str(count or "") for count in (tally.stop, tally.length, tally.empty, tally.failed)),
            style=style,
        )  # fmt: skip
    return table


def _done(tallies: Sequence[AnswerCounter]) -> int:
    return sum(tally.total - tally.left for tally in tallies)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def _every(seconds: float, tell: Any) -> Iterator[None]:
    """Call `tell` now and then from a thread of its own, and once at the end."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(seconds):
            tell()

    thread = threading.Thread(target=work, name="display", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        tell()

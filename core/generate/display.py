"""What a person sees while answers come: a bar, a table of models and languages, or plain lines."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.table import Table

from core.generate.counters import AnswerCounter, Throughput
from core.progress import Progress, progress, say
from core.text.terminal import TerminalConsole

REFRESH = 0.5
SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def show_progress(
    description: str, counters: Sequence[AnswerCounter], *, watch: bool = False
) -> Iterator[None]:
    """Show the counters on stderr while the block lasts: with `watch` a table on a terminal, else a bar;
    plain lines where stderr is no terminal."""
    there = sum(counter.there for counter in counters)
    total = sum(counter.total for counter in counters)
    if not sys.stderr.isatty():
        with _every(SECONDS_BETWEEN_LINES, _Lines(counters).update):
            yield
    elif watch:
        from rich.live import Live

        throughput = Throughput()
        with (
            Live(console=TerminalConsole(stderr=True), auto_refresh=False, transient=True) as live,
            _every(REFRESH, lambda: live.update(_watched(counters, throughput), refresh=True)),
        ):
            yield
    else:
        with progress(description, total, done=there) as bar, _every(REFRESH, _Bar(bar, counters).update):
            yield


def summary_table(counters: Sequence[AnswerCounter]) -> Table:
    """What came out, per model and language: how answers ended, and how many are empty."""
    table = Table(title="Answers", title_justify="left")
    table.add_column("model", overflow="fold")
    table.add_column("language")
    for heading in ("new", "there", "end token", "length", "empty", "failed", "tokens", "tokens/s"):
        table.add_column(heading, justify="right")
    for counter in counters:
        counts = (
            counter.answered,
            counter.there,
            counter.stop,
            counter.length,
            counter.empty,
            counter.failed,
        )
        table.add_row(
            counter.model, counter.language, *(str(count or "") for count in counts),
            str(counter.tokens_out or ""), f"{counter.speed:.0f}" if counter.speed else "",
        )  # fmt: skip
    return table


def summary(counters: Sequence[AnswerCounter]) -> list[dict[str, Any]]:
    """The same as plain data."""
    return [counter.as_dict() for counter in counters]


class _Bar:
    def __init__(self, bar: Progress, counters: Sequence[AnswerCounter]) -> None:
        self._bar, self._counters, self._throughput = bar, counters, Throughput()
        self._done = _done(counters)

    def update(self) -> None:
        self._throughput.mark(self._counters)
        done = _done(self._counters)
        speed = f"{self._throughput.tokens:.0f} tok/s" if self._throughput.tokens else ""
        now = next(
            (counter for counter in self._counters if counter.left and counter.began is not None), None
        )
        note = ", ".join(filter(None, (now.language if now else "", speed)))
        self._bar.advance(done - self._done, note)
        self._done = done


class _Lines:
    """Prints a line for each model and language whose count has changed since the last time."""

    def __init__(self, counters: Sequence[AnswerCounter]) -> None:
        self._counters, self._throughput = counters, Throughput()
        self._last = [_done([counter]) for counter in counters]

    def update(self) -> None:
        self._throughput.mark(self._counters)
        left = self._throughput.seconds_left(self._counters)
        for index, counter in enumerate(self._counters):
            done = _done([counter])
            if done == self._last[index]:
                continue
            self._last[index] = done
            speed = f"{counter.speed:.0f} tok/s" if counter.speed else ""
            failed = f"{counter.failed} failed" if counter.failed else ""
            note = ", ".join(filter(None, (speed, failed)))
            say(
                f"{counter.model}, {counter.language}: {done}/{counter.total}"
                + (f" ({note})" if note else "")
                + (f", {_clock(left)} left in all" if left else "")
            )


def _watched(counters: Sequence[AnswerCounter], throughput: Throughput) -> Table:
    throughput.mark(counters)
    left = throughput.seconds_left(counters)
    done, total = _done(counters), sum(counter.total for counter in counters)
    caption = f"{done}/{total} · {throughput.tokens:.0f} tok/s" + (f" · {_clock(left)} left" if left else "")
    table = Table(caption=caption, caption_justify="left")
    table.add_column("model", overflow="fold")
    table.add_column("language")
    for heading in ("answers", "of", "tok/s", "left", "end token", "length", "empty", "failed"):
        table.add_column(heading, justify="right")
    for counter in counters:
        style = "" if counter.left else "dim"
        rate = (counter.answered + counter.failed) / counter.seconds if counter.seconds else 0
        table.add_row(
            counter.model, counter.language, str(_done([counter])), str(counter.total),
            f"{counter.speed:.0f}" if counter.speed else "",
            _clock(counter.left / rate) if rate and counter.left else "",
            *(str(count or "") for count in (counter.stop, counter.length, counter.empty, counter.failed)),
            style=style,
        )  # fmt: skip
    return table


def _done(counters: Sequence[AnswerCounter]) -> int:
    return sum(counter.total - counter.left for counter in counters)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def _every(seconds: float, update: Any) -> Iterator[None]:
    """Call `update` every so many seconds in a thread while the block lasts, and once at its end."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(seconds):
            update()

    thread = threading.Thread(target=work, name="display", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        update()

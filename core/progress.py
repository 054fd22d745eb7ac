"""Progress of long work: a bar on a terminal, now and then a plain line elsewhere; always on stderr."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from core.text.terminal import TerminalConsole, write_line
from store.secrets import without_secrets

SECONDS_BETWEEN_LINES = 10.0


class Progress(Protocol):
    """What a long loop tells as it goes: `amount` units done, and a short `note` such as `310 tok/s`."""

    def advance(self, amount: int = 1, note: str = "") -> None: ...


@contextmanager
def progress(description: str, total: int, *, done: int = 0) -> Iterator[Progress]:
    """Show the progress of `total` units of work, of which `done` were there already."""
    if sys.stderr.isatty():
        with _bar(description, total, done) as bar:
            yield bar
    else:
        lines = _Lines(description, total, done)
        yield lines
        lines.close()


def say(message: str) -> None:
    """A line about what the program is doing, on stderr, so that stdout stays for results."""
    write_line(without_secrets(message), sys.stderr)


def say_missing(failures: Sequence[tuple[str, str]], most: int = 20) -> None:
    """Name the units that came to nothing, `most` of them, each with its reason."""
    for unit, reason in failures[:most]:
        say(f"missing: {unit}: {reason}")
    if len(failures) > most:
        say(f"... and {len(failures) - most} more; `xlit-core status --json` has all.")


@contextmanager
def _bar(description: str, total: int, done: int) -> Iterator[Progress]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with RichProgress(*columns, console=TerminalConsole(stderr=True)) as bar:
        task = bar.add_task(description, total=total, completed=done, note="")

        class Bar:
            def advance(self, amount: int = 1, note: str = "") -> None:
                bar.update(task, advance=amount, note=note)

        yield Bar()


class _Lines:
    def __init__(self, description: str, total: int, done: int) -> None:
        self.description, self.total, self.done, self.note = description, total, done, ""
        self.before = done
        self.started = self.said = time.monotonic()

    def advance(self, amount: int = 1, note: str = "") -> None:
        self.done += amount
        self.note = note
        now = time.monotonic()
        if now - self.said >= SECONDS_BETWEEN_LINES and self.done < self.total:
            self.said = now
            rate = (self.done - self.before) / (now - self.started)
            left = f", {(self.total - self.done) / rate:.0f} s left" if rate else ""
            self._say(left)

    def close(self) -> None:
        self._say(f" in {time.monotonic() - self.started:.1f} s")

    def _say(self, tail: str) -> None:
        note = f" ({self.note})" if self.note else ""
        say(f"{self.description}: {self.done}/{self.total}{note}{tail}")

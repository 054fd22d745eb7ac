"""Measuring in several processes at once.

The processes are started as programs of their own, and not by `multiprocessing`: that would import the
program's main module into each of them, which takes longer than all that a process here needs, and asks
scripts for a guard. Nor are they forked, which is not safe with threads about. They are in a session of their
own, so that Ctrl-C reaches only this process; they end when their input does, however this process ends.

Such a program is this module: `python -m core.judge.surface.processes`. It reads pickles from its standard
input: first the `Tools`, then one `Chunk` after another, and answers each with its rows, or with the error
that the user can mend.
"""

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack

from core.judge.surface.measure import Chunk, Measurer, Row, Tools
from store import XlitError

# Chunks that lie ready for a process, so that it need not wait while rows are written.
AHEAD = 2

# Gives the next chunk for a process by its number, or None.
NextChunk = Callable[[int], Chunk | None]


def measured_by_processes(tools: Tools, next_chunk: NextChunk, processes: int) -> Iterator[list[Row]]:
    """The rows of one chunk after another, in the order in which they come; chunks are asked for in this
    thread. Raises `XlitError` when a process ends of itself, or when a tool can't be loaded."""
    with ExitStack() as stack:
        workers = [stack.enter_context(_Worker(tools)) for _ in range(processes)]
        running: dict[Future[list[Row]], int] = {}

        def start(number: int) -> None:
            chunk = next_chunk(number)
            if chunk is not None:
                running[workers[number].measure(chunk)] = number

        for number in range(processes):
            start(number)
        for _ in range(1, AHEAD):
            for number in range(processes):
                start(number)
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                start(running.pop(future))
                yield future.result()


class _Worker:
    """A process, and the thread that talks to it; leaving the context ends both at once."""

    def __init__(self, tools: Tools) -> None:
        command = [sys.executable, "-m", "core.judge.surface.processes"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            start_new_session=True,
        )
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._first = self._thread.submit(self._send, tools)

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._thread.shutdown(cancel_futures=True)
        self._process.communicate()

    def measure(self, chunk: Chunk) -> Future[list[Row]]:
        """Have a chunk measured after those that were given before."""
        return self._thread.submit(self._measured, chunk)

    def _measured(self, chunk: Chunk) -> list[Row]:
        self._first.result()
        self._send(chunk)
        try:
            answer = pickle.load(self._process.stdout)  # type: ignore[arg-type]
        except (EOFError, pickle.UnpicklingError):
            raise XlitError(self._how_it_ended()) from None
        if isinstance(answer, XlitError):
            raise answer
        return answer

    def _send(self, value: Tools | Chunk) -> None:
        assert self._process.stdin is not None
        try:
            pickle.dump(value, self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise XlitError(self._how_it_ended()) from None

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        how = f"was killed (signal {-code})" if code < 0 else f"ended (code {code})"
        return (
            f"A process that measured responses {how}; when memory runs out, that is how it shows. What was "
            "measured is kept: run the same command again, with --processes 1 if need be."
        )


def main() -> None:
    """Measure until the input ends."""
    incoming = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    with contextlib.suppress(EOFError, BrokenPipeError):
        measurer = Measurer(pickle.load(incoming))
        while True:
            chunk = pickle.load(incoming)
            try:
                answer: object = measurer.measure(chunk)
            except XlitError as error:
                answer = error
            pickle.dump(answer, answers)
            answers.flush()


if __name__ == "__main__":
    main()

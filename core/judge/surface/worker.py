"""A process that measures for another one: `python -m core.judge.surface.worker`, see `surface.processes`.

It reads pickles from its standard input: first the `Tools`, then one `Task` after another, and answers each
with its rows, or with the error that the user can mend. It ends with its input, so also when the process at
the other end was killed.
"""

import contextlib
import os
import pickle
import sys

from core.judge.surface.measure import Measurer
from store import XlitError


def main() -> None:
    """Measure until the input ends."""
    incoming = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    with contextlib.suppress(EOFError, BrokenPipeError):
        measurer = Measurer(pickle.load(incoming))
        while True:
            task = pickle.load(incoming)
            try:
                answer: object = measurer.measure(task)
            except XlitError as error:
                answer = error
            pickle.dump(answer, answers)
            answers.flush()


if __name__ == "__main__":
    main()

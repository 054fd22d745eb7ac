"""A program on a pseudo-terminal, timed by what it sends: an emulator would take time itself."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT = 200, 50

# Synchronized output (https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036): the program
# asks whether the terminal knows it, and from the answer on puts each frame between two marks.
SYNC_QUERY, SYNC_ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
FRAME_START, FRAME_END = b"\x1b[?2026h", b"\x1b[?2026l"

# Control sequences, and strings such as the title, by ECMA-48 (5th edition, 5.4 and 5.6).
_CONTROL = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[PX^_\]].*?(?:\x07|\x1b\\)|[ -/]*[0-~])", re.DOTALL)

XLIT_TUI = ("-c", "import sys; sys.argv[0] = 'xlit-tui'; from tui.cli import main; main()")


class Terminal:
    """`python ARGUMENTS` in the checkout's folder on a pseudo-terminal of 200x50.

    `started` is the time just before the process was made, in seconds of `time.perf_counter`.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        environment = {**os.environ, "TERM": "xterm-256color"}
        for name in ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES"):
            environment.pop(name, None)
        self.received = b""
        self.started = self._received_at = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
            os.execve(sys.executable, [sys.executable, *arguments], environment)

    @property
    def text(self) -> str:
        """What the terminal shows or has shown, without control sequences; a frame that it is told to hold
        back counts when it has come as a whole."""
        start, end = self.received.rfind(FRAME_START), self.received.rfind(FRAME_END)
        seen = self.received[:start] if start > end else self.received
        return _CONTROL.sub(b"", seen).decode(errors="replace")

    def shown(self, text: str) -> float:
        """Seconds from the start of the process until this text is shown.

        Raises `RuntimeError`, with what came last, when it does not come.
        """
        return self._when(lambda: text in self.text) - self.started

    def press(self, key: str) -> float:
        """Seconds from sending a key until the first frame after it has come as a whole.

        Raises `RuntimeError` when none comes.
        """
        self.received = b""
        start = time.perf_counter()
        self.send(key)
        return self._when(lambda: FRAME_END in self.received) - start

    def send(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def settle(self, quiet: float) -> None:
        """Read until nothing has come for `quiet` seconds."""
        while self._receive(quiet):
            pass

    def end(self) -> None:
        """Ask the program to leave, as a dropped line does, and wait until it has."""
        os.kill(self.pid, signal.SIGTERM)
        self.settle(quiet=30)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def _when(self, condition: Callable[[], bool], limit: float = 30.0) -> float:
        end = time.perf_counter() + limit
        while not condition():
            if not self._receive(end - time.perf_counter()):
                raise RuntimeError(
                    f"what was waited for did not come; the last that came: {self.text[-800:]!r}"
                )
        return self._received_at

    def _receive(self, limit: float) -> bool:
        """Take in what comes within `limit` seconds; False: nothing came, or the program has ended."""
        if not select.select([self.fd], [], [], max(limit, 0))[0]:
            return False
        try:
            new = os.read(self.fd, 65536)
        except OSError:
            return False
        if SYNC_QUERY in new:
            os.write(self.fd, SYNC_ANSWER)
        self._received_at = time.perf_counter()
        self.received += new
        return bool(new)

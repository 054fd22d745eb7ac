"""A real pseudo-terminal with the review room in it, and a terminal emulator that reads what it draws."""

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
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyte

# What pyte does not know: the kitty keyboard protocol and other private sequences.
_UNKNOWN = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1bP[^\x1b]*\x1b\\\\")
SYNC_QUERY, SYNC_ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
# A synchronized update: a terminal shows it as a whole, when its end has come.
FRAME, FRAME_END = b"\x1b[?2026h", b"\x1b[?2026l"
_BEGUN = re.compile(rb"\x1b[^a-zA-Z]*\Z")


class Cost(NamedTuple):
    """What the room sent: bytes, and synchronized updates."""

    size: int
    frames: int


class Terminal:
    """`xlit-tui ARGUMENTS` on a pseudo-terminal; `preamble` is Python to run before it."""

    def __init__(
        self,
        arguments: list[str],
        width: int,
        height: int,
        *,
        environment: dict[str, str] | None = None,
        preamble: str = "",
    ) -> None:
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._held = b""
        settings = {**os.environ, "TERM": "xterm-256color", **(environment or {})}
        for name in ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES"):
            if environment is None or name not in environment:
                settings.pop(name, None)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(Path(__file__).parents[2])
            size = struct.pack("HHHH", height, width, 0, 0)
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            code = preamble + "import sys; from tui.cli import main; sys.argv[0] = 'xlit-tui'; main()"
            os.execve(sys.executable, [sys.executable, "-c", code, *arguments], settings)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    # Reading

    def read(self, quiet: float = 0.25, limit: float = 10.0) -> bytes:
        """What comes until nothing has come for `quiet` seconds and the process waits for something: on a
        busy machine it may be about to draw and not get its turn."""
        got, end = b"", time.monotonic() + limit
        while time.monotonic() < end:
            ready, _, _ = select.select([self.fd], [], [], quiet)
            if not ready:
                if quiet and self._at_work():
                    continue
                break
            try:
                new = os.read(self.fd, 65536)
            except OSError:
                break
            if not new:
                break
            if SYNC_QUERY in new:
                os.write(self.fd, SYNC_ANSWER)
            got += new
        self.raw += got
        self._show(got)
        return got

    def _at_work(self) -> bool:
        """Whether a thread of the process runs, is about to, or waits for a disk (only Linux tells)."""
        for stat in Path(f"/proc/{self.pid}/task").glob("*/stat"):
            try:
                state = stat.read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state in "RD":
                return True
        return False

    def _show(self, got: bytes) -> None:
        """Give the emulator what is complete, as a terminal that knows synchronized updates shows it."""
        waiting = self._held + got
        start, begun = waiting.rfind(FRAME), _BEGUN.search(waiting)
        end = begun.start() if begun else len(waiting)
        if start > waiting.rfind(FRAME_END):
            end = min(end, start)
        self.stream.feed(_UNKNOWN.sub(b"", waiting[:end]))
        self._held = waiting[end:]

    def wait_for(self, text: str, limit: float = 20.0) -> None:
        """Read until the text stands on the screen."""
        self.settle(lambda: text in self.text, limit)
        assert text in self.text, f"{text!r} did not come:\n{self.text}"

    def settle(self, shown: Callable[[], bool], limit: float = 20.0) -> None:
        """Read until what is on the screen is `shown`, or the time is over."""
        end = time.monotonic() + limit
        while not shown() and time.monotonic() < end:
            self.read(quiet=0.05, limit=0.5)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    # Typing

    def press(self, keys: str, quiet: float = 0.25) -> bytes:
        """Send keys; returns what they made the room send."""
        os.write(self.fd, keys.encode())
        return self.read(quiet)

    def cost(self, keys: str, limit: float = 10.0, quiet: float = 0.25) -> Cost:
        """Send keys; what they cost until the first update has come whole and nothing follows it for `quiet`
        seconds, or nothing has come for `limit` seconds."""
        os.write(self.fd, keys.encode())
        got, end = b"", time.monotonic() + limit
        while FRAME_END not in got and time.monotonic() < end:
            got += self.read(quiet=0.005, limit=0.5)
        got += self.read(quiet)
        return Cost(len(got), got.count(FRAME))

    # Ending

    def end(self, number: int = signal.SIGKILL) -> int:
        """End the process with a signal; returns its wait status."""
        os.kill(self.pid, number)
        return self.wait()

    def hang_up(self, limit: float = 20.0) -> int:
        """Drop the line, as a closed window or a lost connection does; returns the wait status."""
        os.close(self.fd)
        end = time.monotonic() + limit
        while True:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.pid = 0
                return status
            assert time.monotonic() < end, "the room goes on without its terminal"
            time.sleep(0.01)

    def wait(self) -> int:
        """The wait status of the process, when it has ended."""
        self.read(quiet=20, limit=20)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        self.pid = 0
        return status

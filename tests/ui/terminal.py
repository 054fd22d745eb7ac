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
from pathlib import Path

import pyte

# What pyte does not know: the kitty keyboard protocol and other private sequences.
_UNKNOWN = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1bP[^\x1b]*\x1b\\\\")
SYNC_QUERY, SYNC_ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"


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

    def read(self, quiet: float = 0.25, limit: float = 10.0) -> bytes:
        """What comes until nothing has come for `quiet` seconds."""
        got, end = b"", time.monotonic() + limit
        while time.monotonic() < end:
            ready, _, _ = select.select([self.fd], [], [], quiet)
            if not ready:
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
        self.stream.feed(_UNKNOWN.sub(b"", got))
        return got

    def wait_for(self, text: str, limit: float = 20.0) -> None:
        """Read until the text stands on the screen."""
        end = time.monotonic() + limit
        while text not in self.text:
            assert time.monotonic() < end, f"{text!r} did not come:\n{self.text}"
            self.read(quiet=0.05, limit=0.5)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, keys: str, quiet: float = 0.25) -> bytes:
        """Send keys; returns what they made the room send."""
        os.write(self.fd, keys.encode())
        return self.read(quiet)

    def end(self, number: int = signal.SIGKILL) -> int:
        """End the process with a signal; returns its wait status."""
        os.kill(self.pid, number)
        return self.wait()

    def wait(self) -> int:
        """The wait status of the process, when it has ended."""
        self.read(quiet=20, limit=20)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return status

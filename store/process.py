"""Which process holds something, and whether it is surely gone."""

import os
import platform
from pathlib import Path

PROC = Path("/proc")


def this_process() -> str:
    """This process as others can tell it: the machine (and what separates its processes from others'), the
    process id, and when it began, since ids are used again."""
    pid = os.getpid()
    return f"{_place()} {pid} {_began(pid)}"


def is_gone(process: str) -> bool:
    """Whether a process has surely ended; of another machine's that can't be told, so it is not."""
    place, _, rest = process.rpartition(" ")[0].rpartition(" ")
    began = process.rpartition(" ")[2]
    if place != _place() or not rest.isdecimal():
        return False
    pid = int(rest)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is there, and somebody else's
        return False
    return _began(pid) != began


def _place() -> str:
    try:
        namespace = os.readlink(PROC / "self/ns/pid")
    except OSError:
        namespace = ""
    return f"{platform.node().replace(' ', '_')}{namespace}"


def _began(pid: int) -> str:
    """When a process began, in ticks since the machine did; `-` where that can't be told, or it has ended
    and only its parent has not noticed."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "-"
    return "-" if fields[0] in ("Z", "X") else fields[19]

"""The process that holds a claim: how it is named, and whether it has surely ended."""

import os
import platform
from pathlib import Path

PROC = Path("/proc")


def this_process() -> str:
    """This process as others can recognise it, such as `boxpid:[4026531836] 4711 88231`: the machine with the
    namespace of its processes, the process id, and when it began, since ids are used again."""
    pid = os.getpid()
    return f"{_machine()} {pid} {_start_time(pid)}"


def is_gone(process: str) -> bool:
    """Whether a process has surely ended. One on another machine counts as alive, as nobody can know."""
    machine, _, rest = process.rpartition(" ")[0].rpartition(" ")
    start_time = process.rpartition(" ")[2]
    if machine != _machine() or not rest.isdecimal():
        return False
    pid = int(rest)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is there, and somebody else's
        return False
    return _start_time(pid) != start_time


def _machine() -> str:
    try:
        namespace = os.readlink(PROC / "self/ns/pid")
    except OSError:
        namespace = ""
    return f"{platform.node().replace(' ', '_')}{namespace}"


def _start_time(pid: int) -> str:
    """When a process began, in ticks since the machine did; `-` where that can't be told, or it has ended
    and only its parent has not noticed."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "-"
    return "-" if fields[0] in ("Z", "X") else fields[19]

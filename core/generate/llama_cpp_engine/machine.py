"""What of this machine is ours to use: cores and memory."""

import os
from pathlib import Path

CPUS = Path("/sys/devices/system/cpu")
QUOTA = Path("/sys/fs/cgroup/cpu.max")
MEMORY = Path("/proc/meminfo")


def threads() -> int:
    """How many threads to compute with: `OMP_NUM_THREADS`, as torch does, or the physical cores given to us,
    by affinity and the quota of a container: in these sums two threads of a core wait for each other."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    affinity = getattr(os, "sched_getaffinity", None)
    given = affinity(0) if affinity else range(os.cpu_count() or 1)
    cores = {_first_line(CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list") or cpu for cpu in given}
    quota, _, period = _first_line(QUOTA).partition(" ")
    if quota.isdecimal() and period.isdecimal():
        return max(1, min(len(cores), int(quota) // int(period)))
    return len(cores)


def available_memory() -> int | None:
    """Bytes that can be taken without pushing another program out; None where the system does not tell."""
    try:
        lines = MEMORY.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return None


def _first_line(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""

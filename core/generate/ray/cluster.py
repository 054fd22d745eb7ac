"""Joining a Ray cluster, or starting one on this machine, and what of it an actor gets."""

import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.extras import needs_extra
from core.generate.settings import RaySettings
from store import XlitError

SECONDS_TO_ANSWER = 10.0

# With no block begun or ended for so long the run is given up.
SECONDS_FOR_BLOCK = 6 * 3600.0

# Rows are short texts; by default Ray takes a third of the memory for them, which the models need.
BYTES_FOR_ROWS = 256 * 2**20

# What Ray writes to the terminal, what it tells its makers, and that its workers yield to all else, unless
# the user's environment asks for it.
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",  # lines that match are not shown: it tells of dead workers on stdout
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",
}


@dataclass(frozen=True)
class Share:
    """How many actors there are, and the CPUs and GPUs that each of them has to itself."""

    actors: int
    cpus: float
    gpus: float


@contextmanager
def joined(address: str | None) -> Iterator[None]:
    """A cluster for the length of the block: the one at `address` (`auto`, `host:port`), which is left at the
    end, or one of our own on this machine, which ends with the block.

    A process that has joined a cluster already uses that one, and stays in it. Raises `XlitError` when Ray is
    missing, or when nothing answers at the address.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with needs_extra("ray", "Spreading over a cluster"):
        import ray
        import ray.data
    _settle(ray.data.DataContext.get_current())
    if ray.is_initialized():
        yield
        return
    _check_answers(address)
    own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": BYTES_FOR_ROWS}
    try:
        with _no_stderr():
            ray.init(
                address or "local",
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                **({} if address else own),
            )
    except Exception as error:  # Ray raises ConnectionError, RuntimeError, ValueError and its own
        which = f"The Ray cluster at {address}" if address else "Ray on this machine"
        raise XlitError(f"{which} can't be used: {_first_line(error)}") from error
    try:
        yield
    finally:
        ray.shutdown()


def share_out(nodes: Sequence[Mapping[str, float]], settings: RaySettings) -> Share:
    """What an actor gets on nodes with these resources (`CPU`, `GPU`, as Ray counts them).

    Where there are GPUs, an actor has one, and there are as many actors as fit. Where there are none there is
    one actor on each node, as an engine computes with all cores and a second one would hold the model's
    memory twice for nothing; nodes with less than half the CPUs of the largest are left alone. The CPUs of a
    node are shared equally by the actors on it. Raises `XlitError` when no node has what an actor needs.
    """
    gpus = settings.gpus
    if gpus is None:
        gpus = 1.0 if any(node.get("GPU") for node in nodes) else 0.0
    largest = max((node.get("CPU", 0.0) for node in nodes), default=0.0)
    places = [
        (node.get("CPU", 0.0), int(node.get("GPU", 0.0) / gpus) if gpus else 1)
        for node in nodes
        if gpus or node.get("CPU", 0.0) >= max(largest / 2, 1.0)
    ]
    room = sum(count for _, count in places)
    if not room:
        needed = f"{gpus:g} GPUs" if gpus else "CPUs"
        raise XlitError(f"No node of the Ray cluster has {needed} for an actor.")
    actors = settings.actors or room
    crowd = -(-actors // len(places))
    cpus = min(cpu / (count if gpus else crowd) for cpu, count in places if count)
    return Share(actors, float(int(cpus)) if cpus >= 1 else cpus, gpus)


def _settle(context: Any) -> None:
    """Ray Data says nothing, and waits longer than its half an hour for a block or for room on the cluster."""
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_no_progress_timeout_s = SECONDS_FOR_BLOCK


@contextmanager
def _no_stderr() -> Iterator[None]:
    """Nothing that a library writes to the descriptor itself reaches the terminal: Ray tells there that it
    has been told to be quiet."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _check_answers(address: str | None) -> None:
    """Ray itself waits for minutes, or ends the process, where nothing answers."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as error:
        raise XlitError(f"No Ray cluster answers at {address}: {error}.") from None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__

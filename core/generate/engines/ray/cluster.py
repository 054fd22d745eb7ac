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
from store import UsageError, XlitError

SECONDS_TO_ANSWER = 10.0

# With no block begun or ended for so long the run is given up.
SECONDS_FOR_BLOCK = 6 * 3600.0

# Rows are short texts; by default Ray takes a third of the memory for them, which the models need.
BYTES_FOR_ROWS = 256 * 2**20

# Ray's port is gRPC's, whose server answers a greeting with a frame of settings (RFC 9113, 3.4 and 4.1).
HTTP2_SETTINGS = b"\x04"
HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + HTTP2_SETTINGS + bytes(5)

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
    missing, or when nothing answers at the address, and `UsageError` for an address of Ray Client.
    """
    if address and address.startswith("ray://"):
        raise UsageError(
            f"{address} is for Ray Client, which can't carry Ray Data. Run the command on a node of the "
            "cluster, with the address auto."
        )
    if address:
        _check_answers(address)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with needs_extra("ray", "Spreading over a cluster"):
        import ray
        import ray.data
    _settle(ray.data.DataContext.get_current())
    if ray.is_initialized():
        yield
        return
    _join(address)
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
    nodes_with_room = [
        (node.get("CPU", 0.0), int(node.get("GPU", 0.0) / gpus) if gpus else 1)
        for node in nodes
        if gpus or node.get("CPU", 0.0) >= max(largest / 2, 1.0)
    ]
    room = sum(count for _, count in nodes_with_room)
    if not room:
        needed = f"{gpus:g} GPUs" if gpus else "CPUs"
        raise XlitError(f"No node of the Ray cluster has {needed} for an actor.")
    actors = settings.actors or room
    crowd = -(-actors // len(nodes_with_room))
    cpus = min(cpu / (count if gpus else crowd) for cpu, count in nodes_with_room if count)
    return Share(actors, float(int(cpus)) if cpus >= 1 else cpus, gpus)


def _join(address: str | None) -> None:
    import ray

    own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": BYTES_FOR_ROWS}
    try:
        with _no_stderr():
            ray.init(
                address or "local",
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                **({} if address else own),
            )
    except ConnectionError:
        raise XlitError(
            f"No Ray cluster is found at {address}. Start one (ray start --head), or give its host:port."
        ) from None
    except Exception as error:  # of other versions, of authentication, of Ray that does not start
        which = f"The Ray cluster at {address}" if address else "Ray on this machine"
        raise XlitError(f"{which} can't be used: {_one_line(error)}") from error


def _settle(context: Any) -> None:
    """Ray Data says nothing, and waits longer than half an hour for a block, or for room on the cluster."""
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


def _check_answers(address: str) -> None:
    """Where nothing answers, or something that is not Ray, Ray itself would wait for ever."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        return
    server_address = host.strip("[]"), int(port)
    try:
        with socket.create_connection(server_address, timeout=SECONDS_TO_ANSWER) as server:
            if os.environ.get("RAY_USE_TLS", "0") != "0":
                return
            server.sendall(HTTP2_GREETING)
            with server.makefile("rb") as heard:
                greeted = heard.read(9)[3:4] == HTTP2_SETTINGS
    except (OSError, OverflowError) as error:
        raise XlitError(f"No Ray cluster answers at {address}: {error}.") from None
    if not greeted:
        raise XlitError(f"What answers at {address} is no Ray cluster.")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__

"""How many tokens of keys and values memory holds, and what being out of memory looks like."""

import os
from typing import TYPE_CHECKING

from core.generate.transformers_engine.row import Row

if TYPE_CHECKING:
    import torch

GPU_SHARE = 0.8
CPU_SHARE = 0.5
"""Shares of the free memory that the cells may take; the rest is for the passes and for other programs."""


def free_bytes(device: "torch.device") -> int | None:
    """The memory that can still be taken on a device; None where the system does not tell."""
    import torch

    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0] + unused)
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):  # not every system has this name
        return None


def token_budget(device: "torch.device", bytes_per_token: int | None) -> int | None:
    """The tokens whose keys and values may be in memory at a time; None for no limit known."""
    free = free_bytes(device)
    if free is None or not bytes_per_token:
        return None
    return int(free * (GPU_SHARE if device.type == "cuda" else CPU_SHARE) / bytes_per_token)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device or the CPU's allocator could not give what was asked for."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def release(device: "torch.device") -> None:
    """Hand memory that nothing uses any more back, so that other sizes fit."""
    import torch

    if device.type == "cuda":
        torch.cuda.empty_cache()


class Room:
    """How many rows may be answered together: `batch_size`, and as many as come to no more than `tokens` if
    all got as long as the longest of them can get. One row always may."""

    def __init__(self, batch_size: int, tokens: int | None) -> None:
        self.batch_size, self.tokens = batch_size, tokens

    def holds(self, rows: list[Row]) -> bool:
        return len(rows) == 1 or self.tokens is None or _most_tokens(rows) <= self.tokens

    def halve(self, rows: list[Row]) -> None:
        """From now on let half of these rows, which were too many, be answered together."""
        self.tokens = _most_tokens(rows) // 2


def _most_tokens(rows: list[Row]) -> int:
    return len(rows) * max(row.longest for row in rows)

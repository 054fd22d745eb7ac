"""Several processes that train one model: weights, gradients and optimizer states are sharded over them
(FSDP).

`torchrun` and `accelerate launch` start the processes and say by environment variables which is which
(https://docs.pytorch.org/docs/stable/elastic/run.html). PyTorch's own `fully_shard` does the sharding, on
GPUs over NCCL and on CPUs over Gloo; the Trainer of transformers turns FSDP into plain data parallelism on a
CPU without a word, so that a test of it there would test something else.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from store import UsageError


@dataclass(frozen=True)
class World:
    """This process among `size`: its number from 0, and the device that it computes on."""

    rank: int
    size: int
    device: Any

    @property
    def first(self) -> bool:
        """Whether this is the process that prints and writes files for all."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until all processes have come to this call."""
        if self.size > 1:
            import torch.distributed

            torch.distributed.barrier()

    def total(self, values: Any) -> Any:
        """The sum of a tensor over all processes."""
        if self.size > 1:
            import torch.distributed

            torch.distributed.all_reduce(values)
        return values


def process_number() -> int:
    """The number of this process as its launcher gave it; 0 when there is one alone."""
    return int(os.environ.get("RANK", "0"))


@contextmanager
def joined_world() -> Iterator[World]:
    """Join the processes that were launched together; alone, there is nothing to join."""
    import torch

    size = int(os.environ.get("WORLD_SIZE", "1"))
    cuda = torch.cuda.is_available()
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if cuda and local >= torch.cuda.device_count():
        raise UsageError(
            f"Process {local} has no GPU: there are {torch.cuda.device_count()}. "
            "Launch as many processes as GPUs."
        )
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    if size == 1:
        yield World(0, 1, device)
        return
    torch.distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        yield World(process_number(), size, device)
    finally:
        torch.distributed.destroy_process_group()


def shard(model: Any, world: World, *, compute: Any) -> None:
    """Shard a model's weights over all processes, a layer at a time; `compute` is the type that they are
    gathered in for computing (gradients are summed in float32)."""
    import torch
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    mesh = init_device_mesh(world.device.type, (world.size,))
    policy = MixedPrecisionPolicy(param_dtype=compute, reduce_dtype=torch.float32)
    layers = set(getattr(model, "_no_split_modules", None) or ())
    for module in list(model.modules()):
        if type(module).__name__ in layers:
            fully_shard(module, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)


def local_part(tensor: Any) -> Any:
    """This process's part of a tensor that may be sharded."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def full_tensor(tensor: Any) -> Any:
    """All of a tensor that may be sharded; every process must ask for it."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor

"""Checkpoints of a run in progress: whole or not there, and enough to go on as if nothing had happened.

A folder `checkpoint-STEP` holds a safetensors file for each process (its part of the tuned weights and of the
optimizer's averages, and its random generator's state) and `state.json`. It is written under another name and
renamed when all of it is on the disk, so that a folder of that name is never torn. Nothing in it is pickled.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.disk import is_write_error
from core.errors import reason_of
from core.train.optimizer import moments, set_step_count, tuned_weights
from core.train.parallel import World, local_part
from store import XlitError

STATE = "state.json"
WRITING = ".writing"


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint in a folder."""
    return max(_checkpoints(folder), key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """How many updates a checkpoint has seen."""
    return int(checkpoint.name.rpartition("-")[2])


def save_checkpoint(folder: Path, step: int, model: Any, optimizer: Any, world: World, *, keep: int) -> Path:
    """Write `checkpoint-STEP`, then remove all but the `keep` newest.

    Raises `XlitError` when the disk is full; the checkpoints before stay, and nothing half-written does.
    """
    from safetensors.torch import save_file

    done = folder / f"checkpoint-{step}"
    writing = folder / (done.name + WRITING)
    tensors = {
        **{f"weight.{name}": local_part(weight).detach() for name, weight in tuned_weights(model)},
        **{name: local_part(moment) for name, moment in moments(model, optimizer)},
        **dict(_random_states(world)),
    }
    tensors = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    try:
        if world.first:
            shutil.rmtree(writing, ignore_errors=True)
            writing.mkdir()
            _check_free_space(folder, sum(tensor.nbytes for tensor in tensors.values()) * world.size)
        world.wait()
        path = writing / _process_file(world)
        save_file(tensors, path)
        _sync(path)
        world.wait()
        if world.first:
            (writing / STATE).write_text(json.dumps({"step": step, "processes": world.size}))
            _sync(writing / STATE)
            _sync(writing)
            writing.rename(done)
            _sync(folder)
            for old in sorted(_checkpoints(folder), key=step_of)[:-keep]:
                shutil.rmtree(old)
    except Exception as error:
        if not is_write_error(error):
            raise
        shutil.rmtree(writing, ignore_errors=True)
        raise XlitError(_cannot_write(folder, step, error)) from None
    world.wait()
    return done


def load_checkpoint(checkpoint: Path, model: Any, optimizer: Any, world: World) -> int:
    """Put a checkpoint's state back; returns the number of updates that it has seen.

    Raises `XlitError` when it was written by another number of processes.
    """
    import torch
    from safetensors import safe_open

    state = json.loads((checkpoint / STATE).read_text())
    if state["processes"] != world.size:
        raise XlitError(
            f"{checkpoint} was written by {state['processes']} processes, and this run has {world.size}. "
            f"Go on with {state['processes']}, or remove {checkpoint.parent} to start afresh."
        )
    with safe_open(str(checkpoint / _process_file(world)), framework="pt") as saved, torch.no_grad():
        for name, weight in tuned_weights(model):
            local_part(weight).copy_(saved.get_tensor(f"weight.{name}"))
        for name, moment in moments(model, optimizer):
            local_part(moment).copy_(saved.get_tensor(name))
        set_step_count(model, optimizer, state["step"])
        _set_random_states(
            world,
            {name: saved.get_tensor(name) for name in saved.offset_keys() if name.startswith("random.")},
        )
    return int(state["step"])


def _random_states(world: World) -> Iterator[tuple[str, Any]]:
    """The states of the random generators that dropout draws from, as tensors of bytes."""
    import torch

    yield "random.cpu", torch.get_rng_state()
    if world.device.type == "cuda":
        yield "random.cuda", torch.cuda.get_rng_state(world.device)


def _set_random_states(world: World, states: dict[str, Any]) -> None:
    """Put the random generators back into the states that `_random_states` gave."""
    import torch

    torch.set_rng_state(states["random.cpu"])
    if world.device.type == "cuda":
        torch.cuda.set_rng_state(states["random.cuda"], world.device)


def _checkpoints(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.glob("checkpoint-*")
        if path.name.rpartition("-")[2].isdigit() and (path / STATE).is_file()
    ]


def _process_file(world: World) -> str:
    return f"process-{world.rank}-of-{world.size}.safetensors"


def _check_free_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"{needed / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are free")


def _cannot_write(folder: Path, step: int, error: Exception) -> str:
    last = last_checkpoint(folder)
    kept = f"{last.name} stays" if last else "there is no checkpoint before it"
    return (
        f"The checkpoint of step {step} can't be written to {folder}: {reason_of(error)}; {kept}. "
        "Make room (or lower --keep-last) and run the same command again."
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""What a generation is asked to do: which models answer, and how their engines work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from store import UsageError


@dataclass(frozen=True)
class EngineOptions:
    """How an engine works; which answers it gives does not depend on it, but for `dtype` (the number format
    of the weights, a part of the response's identity).

    `batch_size`: requests decoded together. `dtype`: `f32`, `bf16` or `f16` (transformers; None: bf16 on a
    GPU, f32 without). `threads`, `gpu_layers`: of llama.cpp (None: the cores given to us, and all layers that
    its build can offload). `concurrency`, `timeout` (seconds for one answer): of a server.
    """

    batch_size: int = 32
    dtype: str | None = None
    threads: int | None = None
    gpu_layers: int | None = None
    concurrency: int = 16
    timeout: float = 600.0

    def __post_init__(self) -> None:
        for name in ("batch_size", "threads", "concurrency"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, not {value}.")
        if self.gpu_layers is not None and self.gpu_layers < 0:
            raise UsageError(f"gpu_layers must be at least 0, not {self.gpu_layers}.")
        if not self.timeout > 0:
            raise UsageError(f"The time-out must be above 0 s, not {self.timeout}.")


@dataclass(frozen=True)
class ModelSource:
    """A model configuration, and where its answers come from.

    `name`: in the store. `checkpoint`: a folder with a model or an adapter, a GGUF file, the name of a model
    on the hub, or the name that a server knows it by. `engine`: one of `engines.registry.ENGINES` (None:
    told by the checkpoint). `base_url`: the address of a server. `description`: base, data, adaptation,
    learning_rate and checkpoint of a new model (columns of `store.tables.Model`).
    """

    name: str
    checkpoint: str
    engine: str | None = None
    base_url: str | None = None
    description: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RaySettings:
    """A Ray cluster: its `address` (None: one of our own on this machine), `actors` that hold an engine each
    (None: as many as its GPUs, or as its CPUs allow), and `gpus` for each of them."""

    address: str | None = None
    actors: int | None = None
    gpus: float | None = None

    def __post_init__(self) -> None:
        if self.actors is not None and self.actors < 1:
            raise UsageError(f"At least one actor is needed, not {self.actors}.")
        if self.gpus is not None and self.gpus < 0:
            raise UsageError(f"The GPUs of an actor must be at least 0, not {self.gpus}.")

"""What a generation is asked to do: which models answer, and how their engines work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from core.options import CheckedSettings, Settings
from store import UsageError
from store.names import trimmed

Quantization = Literal["f32", "f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0", "q3_k_m", "q2_k"]
"""The number formats of GGUF files that are made here, as llama.cpp names its file types."""


class BatchOptions(Settings):
    """How many requests are decoded together."""

    batch_size: int = Field(default=32, ge=1, description="Answers in the making together.")


class EngineOptions(BatchOptions, CheckedSettings):
    """How an engine works; which answers it gives does not depend on it, but for `dtype` (the number format
    of the weights, a part of the response's identity). Raises `UsageError` for a number out of bounds."""

    sentences: ClassVar = {
        "batch_size": "batch_size must be at least 1, not {value}.",
        "threads": "threads must be at least 1, not {value}.",
        "gpu_layers": "gpu_layers must be at least 0, not {value}.",
        "concurrency": "concurrency must be at least 1, not {value}.",
        "timeout": "The time-out must be above 0 s, not {value}.",
    }

    dtype: str | None = Field(
        default=None, description="f32, bf16 or f16 (default: bf16 on a GPU, f32 without)."
    )
    threads: int | None = Field(
        default=None, ge=1, description="Of llama.cpp (default: the cores given to us)."
    )
    gpu_layers: int | None = Field(
        default=None, ge=0, description="Layers on the GPU in llama.cpp (default: all that it can)."
    )
    concurrency: int = Field(default=16, ge=1, description="Requests to a server at a time.")
    timeout: float = Field(default=600.0, gt=0, description="Seconds for one answer of a server.")


@dataclass(frozen=True)
class ModelSource:
    """A model configuration, and where its answers come from.

    `name`: in the store. `checkpoint`: a folder with a model or an adapter, a GGUF file, the name of a model
    on the hub, or the name that a server knows it by. `engine`: one of `engines.registry.ENGINES` (None:
    told by the checkpoint). `base_url`: the address of a server. `description`: what made the model (columns
    of `store.tables.Model`). `origin`: the checkpoint that a GGUF file was made from, where that is known.
    """

    name: str
    checkpoint: str
    engine: str | None = None
    base_url: str | None = None
    description: Mapping[str, Any] = field(default_factory=dict)
    origin: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", trimmed(self.name))
        if not self.name:
            raise UsageError("A model needs a name that can be seen: give one with --model.")


class RaySettings(CheckedSettings):
    """A Ray cluster: its `address` (None: one of our own on this machine), `actors` that hold an engine each
    (None: as many as its GPUs, or as its CPUs allow), and `gpus` for each of them."""

    sentences: ClassVar = {
        "actors": "At least one actor is needed, not {value}.",
        "gpus": "The GPUs of an actor must be at least 0, not {value}.",
    }

    address: str | None = None
    actors: int | None = Field(default=None, ge=1)
    gpus: float | None = Field(default=None, ge=0)

"""What a fine-tuning run is given, and its identity."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from store import UsageError

SAMPLED_BYTES = 2**20

Adaptation = Literal["full", "lora"]
Schedule = Literal["constant", "linear", "linear_to_tenth", "cosine", "inverse_sqrt"]


def known_schedule(name: str) -> Schedule:
    """The schedule of this name; raises `UsageError` that lists what there is."""
    if name not in get_args(Schedule):
        raise UsageError(f"No schedule {name!r}. There are: {', '.join(get_args(Schedule))}.")
    return cast(Schedule, name)


@dataclass(frozen=True)
class TrainSettings:
    """Settings of one fine-tuning run. Learning rate, steps and tokens are those of the optimiser:

    one step is an update of the weights, made of `accumulate` batches of at most `batch_tokens` tokens each
    (padding included). `timescale` is the number of steps after which the inverse-square-root schedule has
    fallen to 1/sqrt(2) of the learning rate. The paper's values are in its section 3 and appendix A.
    """

    base: str
    data: Path
    learning_rate: float
    adaptation: Adaptation = "full"
    steps: int = 1000
    batch_tokens: int = 4000
    accumulate: int = 4
    max_length: int = 2048
    schedule: Schedule = "inverse_sqrt"
    timescale: int = 100
    warmup_steps: int = 0
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.95)
    clip_norm: float = 1.0
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.0
    save_every: int = 100
    seed: int = 1

    def __post_init__(self) -> None:
        for name in (
            "steps",
            "batch_tokens",
            "accumulate",
            "max_length",
            "lora_rank",
            "save_every",
            "timescale",
        ):
            if getattr(self, name) < 1:
                raise UsageError(f"`{name}` is {getattr(self, name)}; it must be at least 1.")
        if not self.data.is_file():
            raise UsageError(f"No instruction data at {self.data}. Give a chat JSONL file.")
        if not self.learning_rate > 0:
            raise UsageError(f"`learning_rate` is {self.learning_rate}; it must be above 0.")
        if self.max_length > self.batch_tokens:
            raise UsageError(
                f"`max_length` ({self.max_length}) is larger than `batch_tokens` ({self.batch_tokens}): "
                "the longest example would not fit a batch. Lower the one or raise the other."
            )

    def digest(self) -> str:
        """The SHA-256 (hex) of everything that decides the weights: what base and data hold, not where they
        lie. How often checkpoints are saved does not belong to it.
        """
        identity = asdict(self) | {
            "data": hashlib.sha256(self.data.read_bytes()).hexdigest(),
            "base": base_fingerprint(self.base),
        }
        del identity["save_every"]
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def base_fingerprint(base: str) -> str:
    """What tells one base from another: for a folder the SHA-256 (hex) of its JSON files and weight files,
    by size, first and last megabyte (all of 26 GB would take minutes); else the name on the hub.
    """
    folder = Path(base)
    if not folder.is_dir():
        return base
    found = hashlib.sha256()
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.safetensors")]):
        size = path.stat().st_size
        found.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            found.update(file.read(SAMPLED_BYTES))
            file.seek(max(0, size - SAMPLED_BYTES))
            found.update(file.read(SAMPLED_BYTES))
    return found.hexdigest()

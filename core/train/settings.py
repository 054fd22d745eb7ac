"""What a fine-tuning run is given, its identity, and published settings under a name.

The presets are those of the paper's text and of its released configurations: Chirkova & Nikoulina 2024 (arXiv
2402.14778), section 3 and appendix A. Where its text is silent, and for the learning rate of LoRA, the
released configurations speak. They differ: the text has batches of 4000 tokens, 4 to an update, and an
inverse-square-root schedule; the release 8192 tokens, 10 to an update (4 with LoRA), weight decay, and a
linear fall to a tenth.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from core.train.data.loading import OnBad
from core.train.data.sampling import Mix
from core.train.data.sources import DataSource, source_files
from core.train.schedules import Schedule, known_schedule
from store import UsageError

SAMPLED_BYTES = 2**20

Adaptation = Literal["full", "lora"]
Precision = Literal["auto", "fp32", "bf16"]

AT_LEAST_ONE = (
    "steps", "batch_tokens", "accumulate", "max_length", "lora_rank", "lora_alpha", "save_every", "timescale",
    "eval_every", "keep_last",
)  # fmt: skip
# What does not change the weights that come out.
NOT_IDENTITY = ("save_every", "keep_last", "eval_every", "activation_checkpointing", "allow_pickle")


@dataclass(frozen=True)
class TrainSettings:
    """Settings of one fine-tuning run. Learning rate, steps and tokens are those of the optimiser:

    one step is an update of the weights, made of `accumulate` batches of at most `batch_tokens` tokens each;
    its loss is the mean over all answer tokens of the update. `timescale` is the number of steps after which
    the inverse-square-root schedule has fallen to 1/sqrt(2) of the learning rate. `data`, `mix`, `size` and
    `on_bad`: see `core.train.data.loading.load_data`. `template`: the name or file of a chat template, None
    for the tokenizer's own. `precision`: what matrices are multiplied in (`auto`: bfloat16 on a GPU that can,
    else float32). `eval_examples`: conversations of each language that are held out, and evaluated every
    `eval_every` steps. `packed` false: padded batches even where a model can do without. The paper's values:
    see `core.train.settings`.
    """

    base: str
    data: tuple[DataSource, ...]
    learning_rate: float
    adaptation: Adaptation = "full"
    mix: Mix = "concat"
    size: int | None = None
    on_bad: OnBad = "refuse"
    template: str | None = None
    steps: int = 1000
    batch_tokens: int = 4000
    accumulate: int = 4
    max_length: int = 2048
    packed: bool = True
    schedule: Schedule = "inverse_sqrt"
    timescale: int = 100
    warmup_steps: int = 0
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.95)
    epsilon: float = 1e-8
    clip_norm: float = 1.0
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.0
    lora_targets: tuple[str, ...] = ("all-linear",)
    precision: Precision = "auto"
    activation_checkpointing: bool = False
    eval_examples: int = 0
    eval_every: int = 100
    save_every: int = 100
    keep_last: int = 2
    allow_pickle: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        for name in AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise UsageError(f"`{name}` is {getattr(self, name)}; it must be at least 1.")
        if self.eval_examples < 0 or self.warmup_steps < 0:
            raise UsageError("`eval_examples` and `warmup_steps` can't be below 0.")
        if not self.data:
            raise UsageError("There is no instruction data to train on. Give a file or a data set.")
        if self.size is not None and self.size < 1:
            raise UsageError(f"`size` is {self.size}; it must be at least 1.")
        if not self.learning_rate > 0:
            raise UsageError(f"`learning_rate` is {self.learning_rate}; it must be above 0.")
        if not self.clip_norm > 0:
            raise UsageError(
                f"`clip_norm` is {self.clip_norm}; it must be above 0 (a large one never clips)."
            )
        known_schedule(self.schedule)
        if self.max_length > self.batch_tokens:
            raise UsageError(
                f"`max_length` ({self.max_length}) is larger than `batch_tokens` ({self.batch_tokens}): "
                "the longest example would not fit a batch. Lower the one or raise the other."
            )

    def digest(self) -> str:
        """The SHA-256 (hex) of everything that decides the weights: what base and data hold, not where they
        lie. How often checkpoints are saved does not belong to it. Base and data are read once.
        """
        return self._digest

    @cached_property
    def _digest(self) -> str:
        identity = asdict(self) | {
            "data": [_source_fingerprint(source) for source in self.data],
            "base": base_fingerprint(self.base),
            "template": _content(self.template),
        }
        for name in NOT_IDENTITY:
            del identity[name]
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainSettings":
        """The settings that `as_dict` wrote, also after a way through JSON."""
        data = tuple(DataSource(**source) for source in values["data"])
        tuples = {name: tuple(values[name]) for name in ("betas", "lora_targets")}
        return cls(**{**values, **tuples, "data": data})


def _source_fingerprint(source: DataSource) -> list[str | None]:
    digests = []
    for path in source_files(source):
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return [source.format, source.language, *digests]


def _content(template: str | None) -> str | None:
    """What a template says when it is a file, else its name."""
    path = Path(template) if template else None
    return path.read_text(encoding="utf-8") if path and path.is_file() else template


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


_BOTH: dict[str, Any] = {
    "steps": 1000,
    "warmup_steps": 0,
    "max_length": 2048,
    "lora_rank": 16,
    "template": "llama-2",
}
_PAPER = {
    **_BOTH,
    "batch_tokens": 4000,
    "accumulate": 4,
    "schedule": "inverse_sqrt",
    "betas": (0.9, 0.999),  # "Adam", so its own
    "weight_decay": 0.0,
}
_RELEASE = {
    **_BOTH,
    "batch_tokens": 8192,
    "accumulate": 10,
    "schedule": "linear_to_tenth",
    "betas": (0.9, 0.95),
    "weight_decay": 0.1,
    "activation_checkpointing": True,
}
PRESETS = {"paper": _PAPER, "release": _RELEASE}
LEARNING_RATES = {"full": 1e-5, "lora": 1e-4}


def preset(name: str, adaptation: Adaptation) -> dict[str, Any]:
    """The fields of `TrainSettings` that a preset sets, the best learning rate among them.

    Raises `UsageError` for a name that there is not.
    """
    if name not in PRESETS:
        raise UsageError(f"No preset {name!r}. There are: {', '.join(PRESETS)}.")
    found = {**PRESETS[name], "learning_rate": LEARNING_RATES[adaptation]}
    if name == "release" and adaptation == "lora":
        found["accumulate"] = 4
    return found

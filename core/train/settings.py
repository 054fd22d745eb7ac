"""What a fine-tuning run is given, its identity, and published settings under a name.

Every setting is defined here once, with its type, default, bounds and help. `xlit-core train` makes its
options of them, the study file has them under `[training]` and `[[models]]`, and `core.train.recipe` takes
them as `TrainSettings`.

The presets are those of the paper's text and of its released configurations: Chirkova & Nikoulina 2024 (arXiv
2402.14778), section 3 and appendix A. Where its text is silent, and for the learning rate of LoRA, the
released configurations speak. They differ: the text has batches of 4000 tokens, 4 to an update, and an
inverse-square-root schedule; the release 8192 tokens, 10 to an update (4 with LoRA), weight decay, and a
linear fall to a tenth.
"""

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.options import CheckedSettings, Option, Settings
from core.train.data.loading import OnBad
from core.train.data.sampling import Mix
from core.train.data.sources import DataSource, source_files
from store import UsageError

SAMPLED_BYTES = 2**20

Adaptation = Literal["full", "lora"]
Precision = Literal["auto", "fp32", "bf16"]
Schedule = Literal["constant", "linear", "linear_to_tenth", "cosine", "inverse_sqrt"]

# What does not change the weights that come out.
NOT_IDENTITY = ("save_every", "keep_last", "eval_every", "activation_checkpointing", "allow_pickle")

LearningRate = Annotated[float, Field(gt=0)]
LEARNING_RATES = {"full": 1e-5, "lora": 1e-4}


class TunedModel(Settings):
    """What is tuned, on what, and how fast."""

    base: str
    data: tuple[DataSource, ...] = Field(min_length=1)
    learning_rate: Annotated[LearningRate, Option("--lr")] = Field(
        default=LEARNING_RATES["full"], description="Peak learning rate ({default})."
    )
    adaptation: Annotated[Adaptation, Option("--lora", sets="lora")] = Field(
        default="full", description="Train a LoRA adapter instead of all weights."
    )


class UpdateOptions(Settings):
    """What an update of the weights is. One step is one update, made of `accumulate` batches of at most
    `batch_tokens` tokens each; its loss is the mean over all answer tokens of the update.

    `timescale`: the number of steps after which the inverse-square-root schedule has fallen to 1/sqrt(2) of
    the learning rate. `precision`: what matrices are multiplied in (`auto`: bfloat16 on a GPU that can, else
    float32). `packed` false: padded batches even where a model can do without.
    """

    lora_rank: int = Field(default=16, ge=1, description="Rank of the adapter ({default}).")
    lora_alpha: int = Field(default=32, ge=1, description="Its scale, times the rank ({default}).")
    lora_dropout: float = Field(default=0.0, ge=0, lt=1, description="Dropout before it ({default}).")
    lora_targets: Annotated[tuple[str, ...], Option("--lora-target")] = Field(
        default=("all-linear",), description="Layers that get one (all linear layers)."
    )
    steps: int = Field(default=1000, ge=1, description="Updates of the weights ({default}).")
    batch_tokens: int = Field(default=4000, ge=1, description="Most tokens in a batch ({default}).")
    accumulate: int = Field(default=4, ge=1, description="Batches in an update ({default}).")
    max_length: int = Field(
        default=2048, ge=1, description="Longest example, in tokens; longer ones are cut ({default})."
    )
    schedule: Schedule = Field(
        default="inverse_sqrt",
        description="constant, linear, linear_to_tenth, cosine or inverse_sqrt (the default).",
    )
    timescale: int = Field(
        default=100, ge=1, description="Steps after which inverse_sqrt is at 0.71 of the rate ({default})."
    )
    warmup_steps: int = Field(default=0, ge=0, description="Steps of a linear rise ({default}).")
    weight_decay: float = Field(default=0.0, ge=0, description="Of AdamW, on matrices ({default}).")
    clip_norm: float = Field(default=1.0, gt=0, description="Largest norm of a gradient ({default}).")
    precision: Precision = Field(
        default="auto", description="fp32, bf16 (float32 weights), or auto: bf16 on a GPU that can."
    )
    activation_checkpointing: Annotated[
        bool, Option("--activation-checkpointing/--no-activation-checkpointing")
    ] = Field(default=False, description="Compute activations again instead of keeping them.")
    packed: Annotated[bool, Option("--packed/--padded")] = Field(
        default=True, description="Examples in one row without padding, where a model can."
    )


class DataOptions(Settings):
    """Which conversations are drawn from the data: see `core.train.data.loading.load_data`."""

    mix: Mix = Field(default="concat", description="concat (all), or uniform: every language equally often.")
    size: int | None = Field(default=None, ge=1, description="Only so many conversations, drawn by the seed.")


class RunOptions(Settings):
    """How a run goes. `template`: the name or file of a chat template, None for the tokenizer's own.
    `eval_examples`: conversations of each language that are held out, and evaluated every `eval_every`
    steps."""

    on_bad: Annotated[OnBad, Option("--skip-bad", sets="skip")] = Field(
        default="refuse", description="Leave bad rows out, and list them, instead of refusing."
    )
    template: str | None = Field(
        default=None, description="Chat template by name or file (the tokenizer's own, else llama-2)."
    )
    eval_examples: int = Field(
        default=0, ge=0, description="Conversations of each language held out to evaluate on ({default})."
    )
    eval_every: int = Field(default=100, ge=1, description="Steps between evaluations ({default}).")
    save_every: int = Field(default=100, ge=1, description="Steps between checkpoints ({default}).")
    keep_last: int = Field(default=2, ge=1, description="Checkpoints that are kept ({default}).")
    allow_pickle: Annotated[bool, Option("--allow-pickle", sets=True)] = Field(
        default=False, description="Open pickled weights too: they can run code."
    )


class TrainSettings(RunOptions, DataOptions, UpdateOptions, TunedModel, CheckedSettings):
    """All settings of one fine-tuning run. The paper's values: see `preset`.

    Raises `UsageError` for a value that is out of bounds.
    """

    sentences: ClassVar = {
        "data": "There is no instruction data to train on. Give a file or a data set.",
        "eval_examples": "`eval_examples` and `warmup_steps` can't be below 0.",
        "warmup_steps": "`eval_examples` and `warmup_steps` can't be below 0.",
        "clip_norm": "`clip_norm` is {value}; it must be above 0 (a large one never clips).",
    }

    betas: tuple[float, float] = (0.9, 0.95)
    epsilon: float = 1e-8
    seed: int = Field(default=1, description="Seed of everything random ({default}).")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
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
        identity = self.as_dict() | {
            "data": [_source_fingerprint(source) for source in self.data],
            "base": base_fingerprint(self.base),
            "template": _content(self.template),
        }
        for name in NOT_IDENTITY:
            del identity[name]
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain data; `TrainSettings(**values)` makes them again, also after a way through
        JSON."""
        return self.model_dump()


def _source_fingerprint(source: DataSource) -> list[str | None]:
    digests = []
    for path in source_files(source):
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    named = [json.dumps([dict(source.columns), source.drop])] if source.columns or source.drop else []
    return [source.format, source.language, *named, *digests]


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
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.safetensors")]):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            digest.update(file.read(SAMPLED_BYTES))
            file.seek(max(0, size - SAMPLED_BYTES))
            digest.update(file.read(SAMPLED_BYTES))
    return digest.hexdigest()


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


def preset(name: str, adaptation: Adaptation) -> dict[str, Any]:
    """The fields of `TrainSettings` that a preset sets, the best learning rate among them.

    Raises `UsageError` for a name that there is not.
    """
    if name not in PRESETS:
        raise UsageError(f"No preset {name!r}. There are: {', '.join(PRESETS)}.")
    fields = {**PRESETS[name], "learning_rate": LEARNING_RATES[adaptation]}
    if name == "release" and adaptation == "lora":
        fields["accumulate"] = 4
    return fields

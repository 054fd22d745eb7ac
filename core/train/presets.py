"""Published settings under a name: those of the paper's text, and those of its released configurations.

The paper: Chirkova & Nikoulina 2024 (arXiv 2402.14778), section 3 and appendix A. Where its text is silent,
and for the learning rate of LoRA, the released configurations speak. They differ: the text has batches of
4000 tokens, 4 to an update, and an inverse-square-root schedule; the release 8192 tokens, 10 to an update (4
with LoRA), weight decay, and a linear fall to a tenth.
"""

from typing import Any

from core.train.settings import Adaptation
from store import UsageError

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

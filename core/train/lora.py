"""LoRA adapters (Hu et al. 2021, arXiv 2106.09685): put on a base to be tuned. `core.models.merging` merges
them."""

import warnings
from typing import Any

from core.train.settings import TrainSettings
from store import UsageError


def add_adapter(model: Any, settings: TrainSettings) -> Any:
    """The model frozen, with an adapter on its linear layers, or on those that are called `lora_targets`.

    Raises `UsageError` for layers that there are not.
    """
    import peft
    import transformers

    transformers.set_seed(settings.seed)
    targets = settings.lora_targets
    lora = peft.LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules="all-linear" if targets == ("all-linear",) else list(targets),
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by a name that will go
        try:
            return peft.get_peft_model(model, lora)
        except ValueError as error:
            names = sorted(
                {name.rpartition(".")[2] for name, module in model.named_modules() if _is_linear(module)}
            )
            raise UsageError(
                f"LoRA can't be put on {', '.join(targets)}: {str(error).splitlines()[0]} "
                f"The linear layers are: {', '.join(names)}."
            ) from None


def _is_linear(module: Any) -> bool:
    import torch

    return isinstance(module, torch.nn.Linear)

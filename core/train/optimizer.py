"""AdamW over the weights that are tuned, its state by the names of the weights, and learning-rate schedules.

A step's number alone decides its learning rate, so that a resumed run has exactly the same one.
"""

import math
from collections.abc import Iterator
from typing import Any

from core.train.parallel import full_tensor
from core.train.settings import Schedule, TrainSettings

MOMENTS = ("exp_avg", "exp_avg_sq")


def tuned_weights(model: Any) -> Iterator[tuple[str, Any]]:
    """The weights that are tuned, by name."""
    return ((name, weight) for name, weight in model.named_parameters() if weight.requires_grad)


def make_optimizer(model: Any, settings: TrainSettings) -> Any:
    """AdamW (https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html), one fused pass over the
    weights. Matrices decay; biases and the scales of norms do not, as in the Trainer of transformers."""
    import torch

    weights = [weight for _, weight in tuned_weights(model)]
    groups = [
        {"params": [weight for weight in weights if weight.dim() > 1], "weight_decay": settings.weight_decay},
        {"params": [weight for weight in weights if weight.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=settings.learning_rate,
        betas=settings.betas,
        eps=settings.epsilon,
        fused=True,
    )


def moments(model: Any, optimizer: Any) -> Iterator[tuple[str, Any]]:
    """The running averages of AdamW as `exp_avg.NAME`, `exp_avg_sq.NAME`; zeros before the first update."""
    import torch

    for name, weight in tuned_weights(model):
        state = optimizer.state[weight]
        for moment in MOMENTS:
            if moment not in state:
                state[moment] = torch.zeros_like(weight)
            yield f"{moment}.{name}", state[moment]


def set_step_count(model: Any, optimizer: Any, steps: int) -> None:
    """Set how many updates the running averages have seen."""
    import torch

    for _, weight in tuned_weights(model):
        optimizer.state[weight]["step"] = torch.tensor(float(steps), device=weight.device)


def clip_gradients(model: Any, max_norm: float) -> float:
    """Scale all gradients down to the norm `max_norm` when theirs is larger; returns the norm they had."""
    import torch

    weights = [weight for _, weight in tuned_weights(model)]
    return float(full_tensor(torch.nn.utils.clip_grad_norm_(weights, max_norm)))


def learning_rate_factor(
    schedule: Schedule, step: int, *, steps: int, warmup: int = 0, timescale: int = 100
) -> float:
    """The share of the peak learning rate for update `step`, counted from 0, of `steps`.

    The rate rises linearly over `warmup` updates. After that: `constant`; `linear` to 0, `linear_to_tenth` to
    a tenth, `cosine` to 0, each at the end of the run; `inverse_sqrt` is 1/sqrt(1 + t/timescale) after t
    updates, so that it has fallen to 1/sqrt(2) after `timescale` of them.
    """
    if step < warmup:
        return step / warmup
    done = step - warmup
    share = done / max(1, steps - warmup)
    if schedule == "linear":
        return 1 - share
    if schedule == "linear_to_tenth":
        return 1 - 0.9 * share
    if schedule == "cosine":
        return (1 + math.cos(math.pi * share)) / 2
    if schedule == "inverse_sqrt":
        return 1 / math.sqrt(1 + done / timescale)
    return 1.0


def set_learning_rate(optimizer: Any, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate

"""AdamW over what is tuned, and its state by the names of the weights."""

from collections.abc import Iterator
from typing import Any

from core.train.parallel import World, full_tensor
from core.train.settings import TrainSettings

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
        {"params": [one for one in weights if one.dim() > 1], "weight_decay": settings.weight_decay},
        {"params": [one for one in weights if one.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=settings.learning_rate,
        betas=settings.betas,
        eps=settings.epsilon,
        fused=True,
    )


def moments(model: Any, optimiser: Any) -> Iterator[tuple[str, Any]]:
    """The running averages of AdamW as `exp_avg.NAME`, `exp_avg_sq.NAME`; zeros before the first update."""
    import torch

    for name, weight in tuned_weights(model):
        state = optimiser.state[weight]
        for moment in MOMENTS:
            if moment not in state:
                state[moment] = torch.zeros_like(weight)
            yield f"{moment}.{name}", state[moment]


def set_step_count(model: Any, optimiser: Any, updates: int) -> None:
    """Say how many updates the running averages have seen."""
    import torch

    for _, weight in tuned_weights(model):
        optimiser.state[weight]["step"] = torch.tensor(float(updates), device=weight.device)


def clip_gradients(model: Any, most: float) -> float:
    """Scale all gradients down to the norm `most` when theirs is larger; returns theirs."""
    import torch

    weights = [weight for _, weight in tuned_weights(model)]
    return float(full_tensor(torch.nn.utils.clip_grad_norm_(weights, most)))


def set_learning_rate(optimiser: Any, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def random_states(world: World) -> Iterator[tuple[str, Any]]:
    """The states of the random generators that dropout draws from, as tensors of bytes."""
    import torch

    yield "random.cpu", torch.get_rng_state()
    if world.device.type == "cuda":
        yield "random.cuda", torch.cuda.get_rng_state(world.device)


def set_random_states(world: World, states: dict[str, Any]) -> None:
    import torch

    torch.set_rng_state(states["random.cpu"])
    if world.device.type == "cuda":
        torch.cuda.set_rng_state(states["random.cuda"], world.device)

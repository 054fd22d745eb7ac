"""The next token of many rows at once: the penalty and the drawing of `core.generate.decoding`, in torch."""

from typing import TYPE_CHECKING

from core.generate.decoding import Decoding

if TYPE_CHECKING:
    import torch


def punish(logits: "torch.Tensor", seen: "torch.Tensor", penalty: float) -> "torch.Tensor":
    """Logits (rows, vocabulary) with the repetition penalty on what `seen`, of the same shape, marks."""
    import torch

    return torch.where(seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits)


def likeliest(logits: "torch.Tensor") -> "torch.Tensor":
    """The greedy choice (rows,) of logits (rows, vocabulary): of equal ones that with the lowest id."""
    return logits.argmax(-1)


def draw(logits: "torch.Tensor", uniforms: list[float], decoding: Decoding) -> "torch.Tensor":
    """The ids (rows,) that one number each draws from punished logits (rows, vocabulary), by the rule of
    `core.generate.sampling.draw`."""
    import torch

    ordered, ids = torch.sort(logits, dim=-1, descending=True, stable=True)
    if decoding.top_k:
        ordered = ordered[:, : decoding.top_k]
    scaled = ordered.double() / decoding.temperature
    sums = (scaled - scaled[:, :1]).exp().cumsum(-1)
    last = torch.full_like(ids[:, :1], sums.shape[1] - 1)
    if decoding.top_p < 1:
        last = torch.searchsorted(sums, decoding.top_p * sums[:, -1:]).clamp(max=last)
    drawn = torch.tensor(uniforms, dtype=sums.dtype, device=sums.device)[:, None]
    places = torch.searchsorted(sums, drawn * sums.gather(1, last), right=True).minimum(last)
    return ids.gather(1, places)[:, 0]

"""Micro-batches as tensors, and the loss on their answer tokens."""

from collections.abc import Sequence
from typing import Any

from core.train.attention import sequence_boundaries
from core.train.examples import IGNORED, Example

# Rows of logits whose float32 copies and probabilities are held at a time when they are computed in 16 bits.
CHUNK = 2048


def packed_inputs(examples: Sequence[Example], device: Any) -> tuple[dict[str, Any], Any]:
    """Examples in one row: the arguments of a model's forward, and the tokens that it must predict.

    Only the logits that predict an answer token are asked for (`logits_to_keep`): the head is a good part of
    a small model's work, and its output most of a large vocabulary's memory.
    """
    import torch

    ids: list[int] = []
    positions: list[int] = []
    kept, targets = [], []
    for example in examples:
        start = len(ids)
        ids += example.input_ids
        positions += range(len(example))
        for index in range(1, len(example)):  # nothing predicts the first token
            if example.labels[index] != IGNORED:
                kept.append(start + index - 1)
                targets.append(example.labels[index])
    inputs = {
        "input_ids": torch.tensor([ids], device=device),
        "position_ids": torch.tensor([positions], device=device),
        "logits_to_keep": torch.tensor(kept, device=device),
        **sequence_boundaries([len(example) for example in examples], device),
    }
    return inputs, torch.tensor(targets, device=device)


def padded_inputs(examples: Sequence[Example], device: Any) -> tuple[dict[str, Any], Any]:
    """Examples one a row, padded at their ends: the arguments of a model's forward, and the tokens to predict
    (rows x positions, `IGNORED` where there is none)."""
    import torch

    width = max(len(example) for example in examples)
    ids = torch.zeros(len(examples), width, dtype=torch.long)
    mask, targets = torch.zeros_like(ids), torch.full_like(ids, IGNORED)
    for row, example in enumerate(examples):
        length = len(example)
        ids[row, :length] = torch.tensor(example.input_ids)
        mask[row, :length] = 1
        targets[row, : length - 1] = torch.tensor(example.labels[1:])
    return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}, targets.to(device)


def answer_loss(model: Any, examples: Sequence[Example], device: Any, *, padded: bool) -> Any:
    """The cross entropy, in nats, summed over the answer tokens of a micro-batch."""
    make = padded_inputs if padded else packed_inputs
    inputs, targets = make(examples, device)
    logits = model(**inputs, use_cache=False).logits
    if padded:
        kept = targets != IGNORED
        return _cross_entropy(logits[kept], targets[kept])
    return _cross_entropy(logits[0], targets)


def _cross_entropy(logits: Any, targets: Any) -> Any:
    import torch
    from torch.nn.functional import cross_entropy
    from torch.utils.checkpoint import checkpoint

    def summed(chunk: Any, labels: Any) -> Any:
        return cross_entropy(chunk.float(), labels, reduction="sum")

    if logits.dtype == torch.float32 or len(targets) <= CHUNK:
        return summed(logits, targets)
    chunks = zip(logits.split(CHUNK), targets.split(CHUNK), strict=True)
    sums = [checkpoint(summed, chunk, labels, use_reentrant=False) for chunk, labels in chunks]
    return torch.stack(sums).sum()

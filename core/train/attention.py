"""Attention over examples that are packed into one row: each token attends to its own example alone.

Nothing is computed for padding, and attention costs what it would cost for each example alone. Two kernels
give the same result: torch's variable-length attention (FlashAttention) for 16-bit numbers on CUDA, and
elsewhere scaled dot-product attention, an example at a time. transformers hands us queries, keys and values
through its `AttentionInterface` (https://huggingface.co/docs/transformers/attention_interface), and the
borders between examples by the names that its FlashAttention uses.
"""

from itertools import pairwise
from typing import Any

NAME = "xlit_packed"


def register() -> str:
    """Make the attention known to transformers; returns the name to load a model with."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(NAME, packed_attention)
    AttentionMaskInterface.register(NAME, _no_mask)
    return NAME


def sequence_boundaries(lengths: list[int], device: Any) -> dict[str, Any]:
    """The arguments that tell a model where examples of these lengths begin and end in the row."""
    import torch

    ends = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32).to(device)
    longest = max(lengths)
    return {"cu_seq_lens_q": ends, "cu_seq_lens_k": ends, "max_length_q": longest, "max_length_k": longest}


def packed_attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    *,
    cu_seq_lens_q: Any,
    max_length_q: int,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Any, None]:
    """Causal attention within each example. `query`: (1, heads, tokens, size); `key`, `value`: the same with
    as many heads or fewer. Returns (1, tokens, heads, size).

    Raises `NotImplementedError` for what changes the sum and is not done here: a soft cap, a window that is
    shorter than an example, dropout.
    """
    if softcap or dropout or (sliding_window and sliding_window < max_length_q):
        raise NotImplementedError("attention with a soft cap, a short window or dropout")
    if (kernel := _flash_kernel(query)) is not None:
        return _flash(kernel, query, key, value, cu_seq_lens_q, max_length_q, scaling), None
    return _per_example(query, key, value, cu_seq_lens_q.tolist(), scaling), None


def _flash_kernel(query: Any) -> Any:
    """torch's variable-length attention where it runs: since torch 2.10, on CUDA, for 16-bit numbers."""
    if not query.is_cuda or query.element_size() != 2 or query.shape[-1] > 256:
        return None
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return varlen_attn


def _flash(
    kernel: Any, query: Any, key: Any, value: Any, ends: Any, longest: int, scaling: float | None
) -> Any:
    rows = [tensor[0].transpose(0, 1) for tensor in (query, key, value)]
    attended = kernel(
        *rows,
        ends,
        ends,
        longest,
        longest,
        scale=scaling,
        window_size=(-1, 0),  # causal: as far back as it goes, nothing ahead
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return attended.unsqueeze(0)


def _per_example(query: Any, key: Any, value: Any, ends: list[int], scaling: float | None) -> Any:
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    grouped = query.shape[1] != key.shape[1]
    # Split, not sliced: the gradient of a slice is as long as the row.
    lengths = [end - start for start, end in pairwise(ends)]
    parts = [
        scaled_dot_product_attention(q, k, v, is_causal=True, scale=scaling, enable_gqa=grouped)
        for q, k, v in zip(*(tensor.split(lengths, dim=2) for tensor in (query, key, value)), strict=True)
    ]
    return torch.cat(parts, dim=2).transpose(1, 2)


def _no_mask(*_: Any, **__: Any) -> None:
    """The borders say all that a mask would."""

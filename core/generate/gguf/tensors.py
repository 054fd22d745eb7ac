"""Writing the weights of a model as llama.cpp wants them, one after another."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from core.generate.gguf.architectures import NAMES, rope_factors
from core.generate.gguf.weights import Weights
from store import XlitError

if TYPE_CHECKING:
    import numpy as np
    import torch

ROPE_FACTORS = "rope_freqs.weight"


@dataclass(frozen=True)
class Tensor:
    """One to be written: its name in llama.cpp, its shape, and its number format in the file."""

    name: str
    shape: tuple[int, ...]
    dtype: "torch.dtype"
    read: Callable[[], "torch.Tensor"]


def write_tensors(writer: Any, tensors: Sequence[Tensor]) -> None:
    """Write the head of the file that a `gguf.GGUFWriter` has gathered, and then the tensors.

    Raises `XlitError` for a weight that is too large for float16.
    """
    import gguf
    import torch

    raw = {torch.bfloat16: gguf.GGMLQuantizationType.BF16}
    for tensor in tensors:
        numbers = _array(torch.empty(0, dtype=tensor.dtype)).dtype
        size = math.prod(tensor.shape) * numbers.itemsize
        writer.add_tensor_info(tensor.name, tensor.shape, numbers, size, raw.get(tensor.dtype))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in tensors:
        read = tensor.read()
        converted = read.to(tensor.dtype)
        if tensor.dtype == torch.float16 and read.dtype != torch.float16 and not converted.isfinite().all():
            raise XlitError(f"{tensor.name} has weights that are too large for f16. Convert to bf16 instead.")
        writer.write_tensor_data(_array(converted))


def tensors_of(weights: Weights, wanted: "torch.dtype | None") -> Iterator[Tensor]:
    """The weights of a model: matrices in the format `wanted` (float32, float16 or bfloat16; None: each in
    its own), vectors in float32."""
    import gguf
    import torch

    config = weights.config
    architecture = NAMES[config.model_type]
    kind = next(found for found, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    names = gguf.get_tensor_name_map(kind, config.num_hidden_layers)
    turned = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    if (factors := rope_factors(config)) is not None:
        yield Tensor(ROPE_FACTORS, tuple(factors.shape), torch.float32, lambda: factors)
    for name in weights.names:
        target = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if target is None:
            raise XlitError(f"{weights.folder} can't be converted: llama.cpp has no name for {name}.")
        shape = weights.shape(name)
        dtype = torch.float32 if len(shape) == 1 else wanted or weights.dtype(name)
        heads = turned.get(target.split(".")[-2]) if architecture == "llama" else None
        yield Tensor(target, shape, dtype, partial(_read, weights, name, heads))


def _read(weights: Weights, name: str, heads: int | None) -> "torch.Tensor":
    """A weight. With `heads`, the rows of a query or key projection (heads x head size) are put into another
    order: transformers rotates the first half of a head against the second, llama.cpp's `llama` neighbouring
    rows (`permute` in its convert_hf_to_gguf.py)."""
    found = weights.read(name)
    if heads is None:
        return found
    return found.reshape(heads, 2, found.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(found.shape)


def _array(tensor: "torch.Tensor") -> "np.ndarray[Any, Any]":
    """The numbers as NumPy takes them: bfloat16, which it has not, as its bits."""
    import torch

    bits = tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor
    return bits.contiguous().numpy()

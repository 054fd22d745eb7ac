"""The embedding matrices of adapters that were trained after tokens had been added or cut.

Axolotl, LLaMA-Factory and unsloth resize a base's embeddings to the tokenizer before they train; the adapter
then brings matrices of other sizes than its base has.
"""

import json
import re
import struct
from pathlib import Path
from typing import Any

from core.generate.checkpoint import ADAPTER_WEIGHTS
from store import XlitError

# The names of the two matrices in the architectures of transformers.
_INPUT = "embed_tokens|wte|word_embeddings|embed_in|embeddings|tok_embeddings"
_OUTPUT = "lm_head|embed_out|output|output_layer"

# (names in an adapter's file, the dimension that counts tokens)
_ROWS = (
    (re.compile(rf"(^|\.)({_INPUT}|{_OUTPUT})\.((base_layer|original_module|modules_to_save)\.)?weight$"), 0),
    (re.compile(rf"(^|\.)({_INPUT})\.lora_embedding_A(\.weight)?$"), 1),
    (re.compile(rf"(^|\.)({_OUTPUT})\.lora_B\.weight$"), 0),
)


def adapter_rows(folder: Path) -> int | None:
    """The number of tokens that the embeddings in an adapter's folder are for; None when it has none.

    Reads the head of the safetensors file alone. Raises `XlitError` when matrices of several sizes are in it.
    """
    sizes = {
        name: shape[axis]
        for name, shape in _shapes(folder / ADAPTER_WEIGHTS).items()
        for pattern, axis in _ROWS
        if pattern.search(name) and len(shape) == 2
    }
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} {rows}" for name, rows in sorted(sizes.items()))
        raise XlitError(f"The adapter {folder} has embeddings for several numbers of tokens: {listed}.")
    return next(iter(sizes.values()), None)


def _shapes(file: Path) -> dict[str, list[int]]:
    """The shapes in a safetensors file (https://huggingface.co/docs/safetensors: eight bytes with the length
    of the head, then the head as JSON); none of a torn one, of which loading says what is wrong."""
    try:
        with file.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            if length > file.stat().st_size:
                return {}
            head = json.loads(opened.read(length))
        return {name: entry["shape"] for name, entry in head.items() if name != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error):
        return {}


def resize_embeddings(model: Any, rows: int) -> None:
    """Give a model's embeddings (and its output matrix) `rows` rows. What is cut is gone; rows that are added
    are not a number until an adapter fills them (`unfilled_embedding`)."""
    import torch

    own = int(model.get_input_embeddings().weight.shape[0])
    if rows == own:
        return
    model.resize_token_embeddings(rows, mean_resizing=False)
    with torch.no_grad():
        for matrix in (model.get_input_embeddings(), model.get_output_embeddings()):
            if matrix is not None and rows > own:
                matrix.weight[own:] = torch.nan
                if getattr(matrix, "bias", None) is not None:
                    matrix.bias[own:] = torch.nan


def unfilled_embedding(model: Any) -> str | None:
    """The name of an embedding or output matrix with rows that nobody has filled, as it is with the adapter
    that is active on a `peft.PeftModel`."""
    from core.models.merging import locate

    base = model.get_base_model()
    for module in (base.get_input_embeddings(), base.get_output_embeddings()):
        path = next((path for path, other in base.named_modules() if other is module), None)
        if path is None:
            continue
        weight, _ = locate(base, f"{path}.weight")
        if weight is not None and weight[-1].isnan().any():
            return f"{path}.weight"
    return None

"""The model architectures that are converted, and their hyperparameters as llama.cpp reads them."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store import XlitError

if TYPE_CHECKING:
    import torch

ARCHITECTURES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
"""llama.cpp's name of an architecture by the `model_type` of transformers."""


def check_architecture(config: Any, folder: Path) -> None:
    """Raises `XlitError` for a model (`config`: of transformers) that llama.cpp would not compute the same
    way."""
    if reason := _refusal(config):
        raise XlitError(
            f"{folder} can't be converted: {reason}. Generate with the engine `transformers` instead."
        )


def write_hyperparameters(writer: Any, config: Any) -> None:
    """Write what llama.cpp needs to build the model to a `gguf.GGUFWriter`."""
    import gguf

    size = head_size(config)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(context_length(config))
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_rope_dimension_count(size)
    writer.add_rope_freq_base(float(config.rope_parameters["rope_theta"]))
    if _rope_type(config) == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(float(config.rope_parameters["factor"]))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def head_size(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def context_length(config: Any) -> int:
    """The tokens of prompt and answer together. Of a model whose layers look back over a sliding window only
    as many as the window holds: llama.cpp has no window for these architectures, and within it there is no
    difference."""
    longest = int(config.max_position_embeddings)
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None)
    if window is None or (kinds is not None and "sliding_attention" not in kinds):
        return longest
    return min(longest, int(window))


def rope_factors(config: Any) -> "torch.Tensor | None":
    """What each frequency of the rotary embedding is divided by (head size / 2,) under Llama 3's scaling;
    None under any other.

    The formula is that of `_compute_llama3_parameters` in transformers.modeling_rope_utils.
    """
    import torch

    if _rope_type(config) != "llama3":
        return None
    rope = config.rope_parameters
    factor, low, high = rope["factor"], rope["low_freq_factor"], rope["high_freq_factor"]
    trained = rope["original_max_position_embeddings"]
    size = head_size(config)
    lengths = 2 * math.pi * rope["rope_theta"] ** (torch.arange(0, size, 2, dtype=torch.float64) / size)
    smooth = ((trained / lengths - low) / (high - low)).clamp(0, 1)
    return (1 / ((1 - smooth) / factor + smooth)).float()


def _refusal(config: Any) -> str | None:
    """Why a model can't be converted, or None."""
    kind = config.model_type
    if kind not in ARCHITECTURES:
        return f"its architecture is {kind}, and only {', '.join(ARCHITECTURES)} are written"
    if getattr(config, "quantization_config", None):
        return "its weights are quantised already"
    if config.hidden_act != "silu":
        return f"its activation is {config.hidden_act}, not silu"
    if _rope_type(config) not in ("default", "linear", "llama3"):
        return f"its rotary embedding is scaled ({_rope_type(config)})"
    if _rope_type(config) == "llama3" and ARCHITECTURES[kind] != "llama":
        return f"its rotary embedding is scaled (llama3), which llama.cpp does not know of {kind}"
    if config.rope_parameters.get("partial_rotary_factor", 1) != 1:
        return "its rotary embedding covers a part of each head"
    if kind == "qwen2" and head_size(config) * config.num_attention_heads != config.hidden_size:
        return "its heads are not a share of the hidden size"
    if kind == "qwen3" and config.attention_bias:
        return "its attention has biases"
    return None


def _rope_type(config: Any) -> str:
    return str(config.rope_parameters.get("rope_type", "default"))

"""The tensors and hyperparameters of a Llama model as llama.cpp wants them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from store import XlitError

if TYPE_CHECKING:
    import numpy as np

NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
BLOCK_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def check_architecture(config: Any, folder: Path) -> None:
    """Raises `XlitError` for a model that is not a plain Llama (`config`: of transformers)."""
    reason = None
    if config.model_type != "llama":
        reason = f"its architecture is {config.model_type}, only llama is written"
    elif config.attention_bias or config.mlp_bias:
        reason = "its linear layers have biases"
    elif config.hidden_act != "silu":
        reason = f"its activation is {config.hidden_act}, not silu"
    elif (rope := config.rope_parameters.get("rope_type", "default")) != "default":
        reason = f"its rotary embedding is scaled ({rope})"
    if reason:
        raise XlitError(
            f"{folder} can't be converted: {reason}. Generate with the engine `transformers` instead."
        )


def write_hyperparameters(writer: Any, config: Any) -> None:
    """Write what llama.cpp needs to build the model to a `gguf.GGUFWriter`."""
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(float(config.rope_parameters["rope_theta"]))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def write_tensors(writer: Any, model: Any, *, half: bool) -> None:
    """Write the weights in float32, or the matrices in float16 with `half`."""
    import numpy as np

    config = model.config
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        target = _name(name)
        weights = tensor.float().numpy()
        if (count := heads.get(target.split(".")[-2])) is not None:
            weights = _interleave(weights, count)
        wide = weights.astype(np.float16) if half and weights.ndim == 2 else weights
        writer.add_tensor(target, np.ascontiguousarray(wide))


def _name(name: str) -> str:
    if name in NAMES:
        return NAMES[name]
    _, _, block, rest = name.split(".", 3)
    return f"blk.{block}.{BLOCK_NAMES[rest.removesuffix('.weight')]}.weight"


def _interleave(weights: "np.ndarray[Any, Any]", heads: int) -> "np.ndarray[Any, Any]":
    """Reorder the rows (heads x head size) of a query or key projection: transformers rotates the first half
    of a head against the second, llama.cpp neighbouring rows (`permute` in its convert_hf_to_gguf.py)."""
    rows = weights.shape[0]
    return weights.reshape(heads, 2, rows // heads // 2, -1).swapaxes(1, 2).reshape(weights.shape)

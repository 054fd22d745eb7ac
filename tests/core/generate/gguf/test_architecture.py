"""Every architecture that is converted gives the logits that transformers gives, and others are refused."""

from pathlib import Path

import numpy as np
import pytest

from core.generate.engines.llama_cpp.library import GgufModel
from core.generate.gguf.convert import convert
from store import XlitError
from tests.checkpoints import make_tokenizer
from tests.core.generate.gguf.made import llama_cpp_logits, random_model, transformers_logits

LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
LINEAR_ROPE = {"rope_type": "linear", "rope_theta": 5000.0, "factor": 4.0}
YARN_ROPE = {
    "rope_type": "yarn",
    "rope_theta": 10000.0,
    "factor": 2.0,
    "original_max_position_embeddings": 128,
}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("llama", {"tie_word_embeddings": True}),
        ("llama", {"head_dim": 32}),
        ("llama", {"rope_parameters": LINEAR_ROPE}),
        ("llama", {"rope_parameters": LLAMA3_ROPE}),
        ("llama", {"attention_bias": True, "mlp_bias": True}),
        ("mistral", {"sliding_window": None}),
        ("qwen2", {}),
        ("qwen2", {"tie_word_embeddings": True, "rope_parameters": LINEAR_ROPE}),
        ("qwen3", {"head_dim": 32}),
    ],
)
def test_the_logits_are_those_of_transformers(tmp_path: Path, kind: str, settings: dict):
    make_tokenizer(tmp_path / "m")
    model = random_model(kind, tmp_path / "m", 408, **settings)
    ids = [(place * 37) % 397 for place in range(60)]
    expected = transformers_logits(model, ids)
    found = llama_cpp_logits(convert(tmp_path / "m", tmp_path / "out.gguf", "f32"), ids)
    assert np.abs(found - expected).max() < 1e-4 < expected.std() / 100


def test_a_model_with_a_sliding_window_is_used_no_further_than_that(tmp_path: Path):
    make_tokenizer(tmp_path / "m")
    model = random_model("mistral", tmp_path / "m", 408, sliding_window=40)
    out = convert(tmp_path / "m", tmp_path / "out.gguf", "f32")
    opened = GgufModel(out)
    assert opened.context_length == 40
    opened.close()
    inside, beyond = ([(place * 37) % 397 for place in range(length)] for length in (40, 60))
    assert np.abs(llama_cpp_logits(out, inside) - transformers_logits(model, inside)).max() < 1e-4
    assert np.abs(llama_cpp_logits(out, beyond) - transformers_logits(model, beyond)).max() > 1e-2


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("gpt2", {}, "architecture is gpt2, and only llama, mistral, qwen2, qwen3"),
        ("qwen2", {"rope_parameters": YARN_ROPE}, r"scaled \(yarn\)"),
        ("qwen2", {"rope_parameters": LLAMA3_ROPE}, "llama3.*llama.cpp does not know of qwen2"),
        ("llama", {"hidden_act": "gelu"}, "activation is gelu"),
        ("qwen3", {"attention_bias": True}, "attention has biases"),
    ],
)
def test_what_llama_cpp_would_compute_otherwise_is_refused(tmp_path: Path, kind, settings, message):
    make_tokenizer(tmp_path / "m")
    random_model(kind, tmp_path / "m", 408, **settings)
    with pytest.raises(XlitError, match=f"{message}.*`transformers` instead"):
        convert(tmp_path / "m", tmp_path / "out.gguf", "f16")
    assert [file.name for file in tmp_path.iterdir()] == ["m"]

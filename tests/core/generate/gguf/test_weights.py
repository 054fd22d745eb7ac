"""Weights come out of the checkpoint's files as they stand, and adapters are merged exactly."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.gguf.convert import convert
from core.generate.gguf.weights import Weights, model_config
from store import XlitError
from tests.checkpoints import make_tokenizer
from tests.core.generate.gguf.made import (
    IDS,
    llama_cpp_logits,
    random_adapter,
    random_base,
    transformers_logits,
)


def gguf_tensors(file: Path) -> dict[str, Any]:
    import gguf

    return {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(
    "settings",
    [
        {"target_modules": ["q_proj", "k_proj", "down_proj"]},
        {"target_modules": ["lm_head"]},
        {"target_modules": ["q_proj"], "use_dora": True},
        {"target_modules": "all-linear", "use_rslora": True, "bias": "all"},
        {"target_modules": ["v_proj"], "modules_to_save": ["embed_tokens"]},
        {"target_modules": ["v_proj"], "modules_to_save": ["lm_head"]},
        {"target_modules": ["embed_tokens", "o_proj"]},
    ],
)
def test_a_merged_adapter_answers_as_the_adapter_on_its_base(tmp_path: Path, tied: bool, settings: dict):
    base = random_base(tmp_path / "base", tie_word_embeddings=tied, attention_bias=True)
    adapted = random_adapter(tmp_path / "adapter", base, **settings)
    expected = transformers_logits(adapted, IDS)
    found = llama_cpp_logits(convert(tmp_path / "adapter", tmp_path / "out.gguf", "f32"), IDS)
    assert np.abs(found - expected).max() < 1e-4
    with adapted.disable_adapter():
        assert np.abs(found - transformers_logits(adapted, IDS)).max() > 1e-3


def test_an_adapter_is_merged_in_float32_though_its_base_is_bfloat16(tmp_path: Path):
    base = random_base(tmp_path / "base", dtype="bfloat16")
    adapted = random_adapter(tmp_path / "adapter", base, target_modules=["q_proj"])
    found = llama_cpp_logits(convert(tmp_path / "adapter", tmp_path / "out.gguf", "f32"), IDS)
    assert np.abs(found - transformers_logits(adapted, IDS)).max() < 1e-4


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_matrices_are_read_in_the_format_of_the_checkpoint(tmp_path: Path, dtype: str):
    source = inspect_checkpoint(random_base(tmp_path / "m", dtype=dtype))
    weights = Weights(source, *model_config(source))
    assert {str(weights.dtype(name)).removeprefix("torch.") for name in weights.names} == {dtype}
    assert all(weights.read(name).dtype == weights.dtype(name) for name in weights.names)


def test_bfloat16_comes_out_bit_by_bit_and_vectors_in_float32(tmp_path: Path):
    import torch
    from safetensors.torch import load_file

    base = random_base(tmp_path / "m", dtype="bfloat16")
    tensors = gguf_tensors(convert(base, tmp_path / "out.gguf", "bf16"))
    stored = load_file(base / "model.safetensors")
    down = tensors["blk.1.ffn_down.weight"]
    assert down.tensor_type.name == "BF16"
    expected = stored["model.layers.1.mlp.down_proj.weight"].view(torch.uint16).numpy()
    assert (down.data.view(np.uint16).reshape(expected.shape) == expected).all()
    assert tensors["output_norm.weight"].tensor_type.name == "F32"


def test_weights_too_large_for_f16_are_refused(tmp_path: Path):
    from safetensors.torch import load_file, save_file

    base = random_base(tmp_path / "m", dtype="bfloat16")
    stored = load_file(base / "model.safetensors")
    stored["model.layers.0.mlp.up_proj.weight"][3, 3] = 1e5
    save_file(stored, base / "model.safetensors", {"format": "pt"})
    with pytest.raises(XlitError, match=r"ffn_up.*too large for f16.*bf16"):
        convert(base, tmp_path / "out.gguf", "f16")
    assert [file.name for file in tmp_path.iterdir()] == ["m"]
    assert convert(base, tmp_path / "out.gguf", "bf16").is_file()


def test_a_checkpoint_of_several_files_is_read_whole(tmp_path: Path):
    from transformers import AutoModelForCausalLM

    base = random_base(tmp_path / "m")
    model = AutoModelForCausalLM.from_pretrained(base)
    shutil.rmtree(base)
    make_tokenizer(base)
    model.save_pretrained(base, max_shard_size="100KB")
    assert len(list(base.glob("*.safetensors"))) > 2
    file = convert(base, tmp_path / "out.gguf", "f32")
    assert np.abs(llama_cpp_logits(file, IDS) - transformers_logits(model.eval(), IDS)).max() < 1e-4


def break_it(folder: Path, how: str) -> None:
    from safetensors.torch import load_file, save_file

    file = folder / "model.safetensors"
    stored = load_file(file)
    if how == "missing":
        del stored["model.layers.1.mlp.up_proj.weight"]
        save_file(stored, file, {"format": "pt"})
    elif how == "shape":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 96}))
    elif how == "float64":
        save_file({name: weight.double() for name, weight in stored.items()}, file, {"format": "pt"})
    else:
        file.write_bytes(file.read_bytes()[:-1000])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", "1 weights are missing, model.layers.1.mlp.up_proj.weight"),
        ("shape", r"does not fit its config.json: .* \(128, 64\), not \(96, 64\)"),
        ("float64", "F64.*not F32, F16 or BF16"),
        ("torn", "Copy or save it again"),
    ],
)
def test_a_checkpoint_that_is_not_whole_is_refused(tmp_path: Path, how: str, message: str):
    break_it(random_base(tmp_path / "m"), how)
    with pytest.raises(XlitError, match=message):
        convert(tmp_path / "m", tmp_path / "out.gguf", "f16")
    assert [file.name for file in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target_modules": ["q_proj"], "trainable_token_indices": [1, 2]}, "trains single tokens"),
        (
            {"target_modules": ["q_proj"], "modules_to_save": ["embed_tokens"], "ensure_weight_tying": True},
            "ties the weights",
        ),
    ],
)
def test_an_adapter_that_can_not_be_merged_is_refused(tmp_path: Path, settings: dict, message: str):
    base = random_base(tmp_path / "base", tie_word_embeddings=True)
    random_adapter(tmp_path / "adapter", base, **settings)
    with pytest.raises(XlitError, match=message):
        convert(tmp_path / "adapter", tmp_path / "out.gguf", "f16")

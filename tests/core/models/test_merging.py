"""A merged adapter is the adapter on its base, whatever it changes and whatever is tied."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.models.merging import merge_into_base
from store import UsageError, XlitError
from tests.core.generate.gguf.made import IDS, random_adapter, random_base, transformers_logits

pytestmark = pytest.mark.whole


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(
    "settings",
    [
        {"target_modules": ["q_proj", "down_proj"]},
        {"target_modules": ["lm_head"]},
        {"target_modules": ["embed_tokens", "o_proj"]},
        {"target_modules": ["lm_head", "embed_tokens"]},
        {"target_modules": "all-linear", "use_dora": True},
        {"target_modules": "all-linear", "use_rslora": True, "bias": "all"},
        {"target_modules": ["v_proj"], "modules_to_save": ["embed_tokens"]},
        {"target_modules": ["v_proj"], "modules_to_save": ["lm_head", "embed_tokens"]},
        {"target_modules": ["q_proj"], "trainable_token_indices": [0, 37, 74]},
        {"target_modules": ["q_proj"], "modules_to_save": ["lm_head"], "ensure_weight_tying": True},
        {"target_modules": ["q_proj", "embed_tokens"], "ensure_weight_tying": True},
    ],
)
def test_plain_transformers_answers_with_it_as_with_adapter_and_base(tmp_path: Path, tied: bool, settings):
    from transformers import AutoModelForCausalLM

    base = random_base(tmp_path / "base", tie_word_embeddings=tied, attention_bias=True)
    adapted = random_adapter(tmp_path / "adapter", base, **json.loads(json.dumps(settings)))
    expected = transformers_logits(adapted, IDS)
    merge_into_base(str(tmp_path / "adapter"), tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()
    assert np.abs(transformers_logits(merged, IDS) - expected).max() < 1e-4
    plain = AutoModelForCausalLM.from_pretrained(base).eval()
    assert np.abs(transformers_logits(plain, IDS) - expected).max() > 1e-3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "base", "merged"]


@pytest.mark.parametrize(("dtype", "expected"), [(None, "bfloat16"), ("f32", "float32"), ("f16", "float16")])
def test_sums_are_made_in_float32_and_rounded_once(tmp_path: Path, dtype, expected):
    import torch
    from safetensors.torch import load_file

    base = random_base(tmp_path / "base", dtype="bfloat16")
    random_adapter(tmp_path / "adapter", base, target_modules=["q_proj"])
    merge_into_base(str(tmp_path / "adapter"), tmp_path / "merged", dtype=dtype)
    name = "model.layers.1.self_attn.q_proj"
    old = load_file(base / "model.safetensors")[f"{name}.weight"].double()
    adapter = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    a, b = (adapter[f"base_model.model.{name}.lora_{letter}.weight"].double() for letter in "AB")
    wanted = (old + b @ a * (8 / 4)).to(getattr(torch, expected))
    merged = load_file(tmp_path / "merged" / "model.safetensors")
    assert merged[f"{name}.weight"].dtype == getattr(torch, expected)
    if dtype == "f32":
        assert (merged[f"{name}.weight"] - wanted).abs().max() < 1e-6
    else:  # all but those that a float32 sum leaves on the border between two
        assert (merged[f"{name}.weight"] == wanted).float().mean() > 0.999
    untouched = load_file(base / "model.safetensors")["model.layers.1.self_attn.k_proj.weight"]
    assert (merged["model.layers.1.self_attn.k_proj.weight"] == untouched.to(wanted.dtype)).all()


def test_what_can_not_be_merged_is_a_sentence_and_leaves_nothing(tmp_path: Path):
    import peft
    from transformers import AutoModelForCausalLM

    base = random_base(tmp_path / "base")
    prompt = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), prompt).save_pretrained(
        str(tmp_path / "prompt")
    )
    with pytest.raises(XlitError, match="changes no weights of the model"):
        merge_into_base(str(tmp_path / "prompt"), tmp_path / "merged")
    with pytest.raises(UsageError, match="No number format 'int3'"):
        merge_into_base(str(tmp_path / "prompt"), tmp_path / "merged", dtype="int3")
    with pytest.raises(XlitError, match="here a folder with an adapter is needed"):
        merge_into_base(str(base), tmp_path / "merged")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "prompt"]

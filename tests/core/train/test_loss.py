"""The loss of examples in one row is that of each example alone, for the kinds of models that are packed."""

import random

import pytest

from core.train.examples import IGNORED, Example
from core.train.loss import answer_loss
from core.train.model import can_pack

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SIZES = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
}
PACKED = {
    "llama": (transformers.LlamaConfig, {"num_key_value_heads": 2}),
    "mistral": (transformers.MistralConfig, {"num_key_value_heads": 2, "sliding_window": 64}),
    "qwen3": (transformers.Qwen3Config, {"num_key_value_heads": 2, "head_dim": 8}),
    "gemma": (transformers.GemmaConfig, {"num_key_value_heads": 1, "head_dim": 8}),
    "olmo2": (transformers.Olmo2Config, {}),
}
PADDED = {
    "short window": (transformers.MistralConfig, {"num_key_value_heads": 2, "sliding_window": 8}),
    "soft cap": (transformers.Gemma2Config, {"num_key_value_heads": 2, "head_dim": 8}),
    "state": (transformers.MambaConfig, {}),
}


def examples() -> list[Example]:
    chance = random.Random(3)
    made = []
    for length in (7, 23, 1, 40):
        ids = [chance.randrange(3, 97) for _ in range(length + 4)]
        made.append(Example(ids, [IGNORED] * 4 + ids[4:]))
    return made


def make(config, settings, tmp_path, **loading):
    torch.manual_seed(0)
    made = transformers.AutoModelForCausalLM.from_config(config)
    made.save_pretrained(tmp_path)
    return settings(base=str(tmp_path), max_length=48), loading


@pytest.mark.parametrize("kind", PACKED)
def test_packed_examples_have_the_loss_and_the_gradients_of_each_alone(kind, settings, tmp_path):
    from core.train import attention

    configuration, more = PACKED[kind]
    chosen, _ = make(configuration(**{**SIZES, **more}), settings, tmp_path)
    assert can_pack(chosen)
    load = transformers.AutoModelForCausalLM.from_pretrained
    packed = load(tmp_path, attn_implementation=attention.register(), dtype=torch.float32)
    plain = load(tmp_path, dtype=torch.float32)
    together = answer_loss(packed, examples(), "cpu", padded=False)
    together.backward()
    apart = 0.0
    for example in examples():
        labels = torch.tensor([example.labels])
        loss = plain(torch.tensor([example.input_ids]), labels=labels).loss * example.answer_tokens
        loss.backward()
        apart += float(loss)
    assert float(together) == pytest.approx(apart, rel=1e-5)
    for (name, in_one_row), (_, padded_weight) in zip(
        packed.named_parameters(), plain.named_parameters(), strict=True
    ):
        assert torch.allclose(in_one_row.grad, padded_weight.grad, atol=2e-5, rtol=1e-3), name


def test_padded_examples_have_the_same_loss(settings, tmp_path):
    configuration, more = PACKED["llama"]
    make(configuration(**{**SIZES, **more}), settings, tmp_path)
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    apart = sum(float(answer_loss(model, [example], "cpu", padded=True)) for example in examples())
    assert float(answer_loss(model, examples(), "cpu", padded=True)) == pytest.approx(apart, rel=1e-5)


@pytest.mark.parametrize("kind", PADDED)
def test_models_that_would_see_other_examples_are_not_packed(kind, settings, tmp_path):
    configuration, more = PADDED[kind]
    configuration(**{**SIZES, **more}).save_pretrained(tmp_path)
    assert not can_pack(settings(base=str(tmp_path), max_length=48))

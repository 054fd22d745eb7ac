"""Every kind of model answers in a batch what it answers alone, continuously or, if it must, padded."""

import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import answer_all
from core.generate.engines.transformers.engine import TransformersEngine, cache_bytes_per_token

BATCHING = {
    "Llama": "continuous",
    "Mistral": "continuous",
    "Qwen2": "continuous",
    "Gemma3Text": "continuous",
    "GPT2": "continuous",
    "Bloom": "continuous",
    "Mamba": "padded",
}


@pytest.mark.parametrize(
    ("name", "batching", "penalty"),
    [
        ("Llama", "continuous", 1.0),
        ("Mistral", "continuous", 1.0),
        *((*way, 1.3) for way in BATCHING.items()),
    ],
)
def test_answers_are_those_of_transformers_unbatched(
    architecture, mixed_chats, transformers_answer, name: str, batching: str, penalty: float
):
    engine = TransformersEngine(
        inspect_checkpoint(architecture(name)),
        Decoding(max_new_tokens=18, repetition_penalty=penalty),
        batch_size=3,
    )
    assert engine.batching == batching
    engine.stop = list(range(0, 400, 9))  # so that answers end at different times
    answers = answer_all(engine, mixed_chats)
    expected = [transformers_answer(engine, chat) for chat in mixed_chats]
    assert [answer.tokens_out for answer in answers] == [len(ids) for ids in expected]
    decoded = [engine.tokenizer.decode(ids, skip_special_tokens=True) for ids in expected]
    assert [answer.text for answer in answers] == [text.replace("\0", "�") for text in decoded]
    assert len({len(ids) for ids in expected}) > 2


def test_a_model_that_gets_positions_wrong_with_a_cache_is_found_out(architecture):
    model = TransformersEngine(inspect_checkpoint(architecture("GPT2")), Decoding()).model
    right, forward = cache_bytes_per_token(model), model.forward

    def without_positions(*args, position_ids=None, cache=None, **kwargs):
        return forward(*args, cache=cache, **kwargs)

    model.forward = without_positions
    assert right == 3 * 2 * 32 * 4  # layers, keys and values, hidden size, bytes of a float32
    assert cache_bytes_per_token(model) is None


def test_a_model_that_padding_disturbs_answers_one_by_one(architecture, mixed_chats, monkeypatch):
    from transformers import MambaForCausalLM

    forward = MambaForCausalLM.forward

    def without_mask(self, *args, attention_mask=None, **kwargs):
        return forward(self, *args, **kwargs)

    before = answer_all(
        TransformersEngine(inspect_checkpoint(architecture("Mamba")), Decoding(max_new_tokens=8)),
        mixed_chats[:4],
    )
    monkeypatch.setattr(MambaForCausalLM, "forward", without_mask)
    engine = TransformersEngine(inspect_checkpoint(architecture("Mamba")), Decoding(max_new_tokens=8))
    assert engine.batching == "single"
    assert [a.text for a in answer_all(engine, mixed_chats[:4])] == [a.text for a in before]

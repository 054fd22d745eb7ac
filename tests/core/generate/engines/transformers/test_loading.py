"""Checkpoints that can't answer are refused with a sentence, and number formats are what they are called."""

import shutil
from pathlib import Path

import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import answer_all
from core.generate.engines.transformers.engine import TransformersEngine, number_format
from store import UsageError, XlitError
from tests.checkpoints import make_tokenizer


def test_a_tokenizer_with_more_tokens_than_the_model_has_embeddings_is_refused(checkpoint: Path, tmp_path):
    mixed = Path(shutil.copytree(checkpoint, tmp_path / "mixed"))
    tokenizer = make_tokenizer(mixed)
    tokenizer.add_tokens(["<|system|>"])
    tokenizer.save_pretrained(mixed)
    with pytest.raises(XlitError, match=r"does not fit its model: '<\|system\|>' is token 400.* for 400"):
        TransformersEngine(inspect_checkpoint(mixed), Decoding())


def test_a_padding_token_that_was_added_to_the_tokenizer_alone_is_no_harm(checkpoint: Path, chats, tmp_path):
    padded = Path(shutil.copytree(checkpoint, tmp_path / "padded"))
    tokenizer = make_tokenizer(padded)
    tokenizer.add_special_tokens({"pad_token": "<pad>"})
    tokenizer.save_pretrained(padded)
    engine = TransformersEngine(inspect_checkpoint(padded), Decoding(max_new_tokens=10))
    plain = TransformersEngine(inspect_checkpoint(checkpoint), Decoding(max_new_tokens=10))
    assert [a.text for a in answer_all(engine, chats)] == [a.text for a in answer_all(plain, chats)]
    written = dict(engine.stream([(0, _request("<pad>")), (1, _request("Hi"))]))
    assert "embeddings for 400" in written[0].reason
    assert written[1].tokens_out > 0


def _request(text: str):
    from core.generate.engines.base import Request

    return Request([{"role": "user", "content": text}])


def test_weights_of_another_shape_are_refused(checkpoint: Path, tmp_path):
    from safetensors.torch import load_file, save_file

    wrong = Path(shutil.copytree(checkpoint, tmp_path / "wrong"))
    weights = load_file(wrong / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"][:10].clone()
    save_file(weights, wrong / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(XlitError, match="wrong can't be loaded"):
        TransformersEngine(inspect_checkpoint(wrong), Decoding())


@pytest.mark.parametrize("dtype", ["f32", "bf16", "f16"])
def test_weights_are_computed_in_the_format_that_is_asked_for(checkpoint: Path, chats, dtype):
    engine = TransformersEngine(inspect_checkpoint(checkpoint), Decoding(max_new_tokens=10), dtype=dtype)
    assert number_format(dtype) == dtype
    names = {"f32": "torch.float32", "bf16": "torch.bfloat16", "f16": "torch.float16"}
    assert {str(weights.dtype) for weights in engine.model.parameters()} == {names[dtype]}
    assert engine.batching == "continuous"
    assert all(answer.tokens_out for answer in answer_all(engine, chats))


def test_an_unknown_format_is_refused(checkpoint: Path):
    with pytest.raises(UsageError, match=r"No number format 'int3'\. There are: f32, bf16, f16"):
        TransformersEngine(inspect_checkpoint(checkpoint), Decoding(), dtype="int3")

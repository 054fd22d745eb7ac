"""The engines: the same answer whatever shares the batch, one rule of the penalty, the same tokens."""

import shutil
from pathlib import Path

import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import answer_all
from core.generate.engines.llama_cpp.engine import LlamaCppEngine
from core.generate.engines.transformers.engine import TransformersEngine
from core.generate.gguf.convert import convert
from store import UsageError, XlitError
from tests.checkpoints import make_checkpoint

DECODING = Decoding(max_new_tokens=40)


def texts(answers) -> list[str]:
    return [answer.text for answer in answers]


def content(answers) -> list[tuple]:
    """Everything of the answers but the time they took."""
    return [(a.text, a.finish_reason, a.tokens_in, a.tokens_out, a.prompt_digest) for a in answers]


# 4.0 is strong enough to show a penalty on the padding, which is the end token here.
@pytest.mark.parametrize("penalty", [1.0, 1.1, 4.0])
def test_a_batch_answers_like_its_prompts_alone(checkpoint: Path, chats, penalty: float):
    engine = TransformersEngine(
        inspect_checkpoint(checkpoint), Decoding(max_new_tokens=12, repetition_penalty=penalty)
    )
    together = answer_all(engine, chats)
    alone = [answer_all(engine, [chat])[0] for chat in chats]
    assert content(together) == content(alone)
    assert {answer.finish_reason for answer in together} == {"stop", "length"}


def test_the_penalty_is_that_of_transformers(checkpoint: Path, chats):
    import torch

    for penalty in (1.1, 1.8):
        engine = TransformersEngine(
            inspect_checkpoint(checkpoint), Decoding(max_new_tokens=40, repetition_penalty=penalty)
        )
        for chat, answer in zip(chats, answer_all(engine, chats), strict=True):
            ids = torch.tensor([engine.encode(engine.prompt(chat))])
            peer = engine.model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                repetition_penalty=penalty,
                max_new_tokens=40,
                eos_token_id=engine.stop,
                pad_token_id=0,
            )[0, ids.shape[1] :]
            assert answer.tokens_out == len(peer)
            assert answer.text == engine.tokenizer.decode(peer, skip_special_tokens=True).replace("\0", "�")


def test_the_penalty_changes_answers(checkpoint: Path, chats):
    free, fined = (
        answer_all(
            TransformersEngine(
                inspect_checkpoint(checkpoint), Decoding(max_new_tokens=40, repetition_penalty=p)
            ),
            chats,
        )
        for p in (1.0, 1.8)
    )
    assert texts(free) != texts(fined)


@pytest.mark.parametrize("penalty", [1.0, 1.1, 1.8])
def test_llama_cpp_answers_like_transformers_in_float32(
    checkpoint: Path, gguf_file: Path, chats, penalty: float
):
    decoding = Decoding(max_new_tokens=40, repetition_penalty=penalty)
    reference, engine = (
        TransformersEngine(inspect_checkpoint(checkpoint), decoding),
        LlamaCppEngine(gguf_file, decoding),
    )
    for chat in chats:
        assert engine.prompt(chat) == reference.prompt(chat)
        assert engine.encode(engine.prompt(chat)) == reference.encode(reference.prompt(chat))
    assert content(answer_all(engine, chats)) == content(answer_all(reference, chats))


def test_an_answer_is_cut_where_the_context_ends(babbler: Path, babbler_gguf: Path):
    long = [[{"role": "user", "content": "Count from one to five. " + "five, " * times}] for times in (4, 55)]
    by_transformers = answer_all(
        TransformersEngine(inspect_checkpoint(babbler), Decoding(max_new_tokens=1000)), long
    )
    by_llama_cpp = answer_all(LlamaCppEngine(babbler_gguf, Decoding(max_new_tokens=1000)), long)
    assert [answer.tokens_in + answer.tokens_out for answer in by_transformers] == [128, 128]
    assert {answer.finish_reason for answer in by_transformers} == {"length"}
    assert content(by_llama_cpp) == content(by_transformers)


def test_an_adapter_answers_like_the_merged_model_in_both_engines(
    adapter: Path, checkpoint: Path, chats, tmp_path
):
    adapted = answer_all(TransformersEngine(inspect_checkpoint(adapter), DECODING), chats)
    merged = answer_all(LlamaCppEngine(convert(adapter, tmp_path / "merged.gguf", "f32"), DECODING), chats)
    assert content(adapted) == content(merged)
    assert texts(adapted) != texts(
        answer_all(TransformersEngine(inspect_checkpoint(checkpoint), DECODING), chats)
    )


def test_no_chat_template_is_a_sentence(tmp_path: Path):
    bare = make_checkpoint(tmp_path / "bare", steps=0, chat_template=None)
    with pytest.raises(XlitError, match="has no chat template"):
        TransformersEngine(inspect_checkpoint(bare), DECODING)
    with pytest.raises(XlitError, match="has no chat template"):
        LlamaCppEngine(convert(bare, tmp_path / "bare.gguf", "f16"), DECODING)


def test_missing_weights_are_refused_and_not_drawn_at_random(checkpoint: Path, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    torn = Path(shutil.copytree(checkpoint, tmp_path / "torn"))
    weights = load_file(torn / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, torn / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(XlitError, match=r"not whole: 1 weights are missing, model\.layers\.1\.mlp\.up_proj"):
        TransformersEngine(inspect_checkpoint(torn), DECODING)


@pytest.mark.parametrize(
    "values", [{"max_new_tokens": 0}, {"repetition_penalty": 0}, {"repetition_penalty": float("nan")}]
)
def test_decoding_without_sense_is_refused(values: dict):
    with pytest.raises(UsageError):
        Decoding(**values)

"""llama.cpp cuts text as the checkpoint's tokenizer does, or the checkpoint is refused."""

from pathlib import Path
from typing import Any

import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import answer_all
from core.generate.engines.llama_cpp.engine import LlamaCppEngine
from core.generate.engines.llama_cpp.library import GgufModel
from core.generate.engines.transformers.engine import TransformersEngine
from core.generate.gguf.check import normalized
from core.generate.gguf.convert import convert
from core.generate.gguf.file import read_head
from core.generate.gguf.tokenizer import LLAMA3, QWEN2
from store import XlitError
from tests.core.generate.gguf.made import (
    byte_level_tokenizer,
    lines,
    random_model,
    sentencepiece_tokenizer,
)


def converted(tokenizer: Any, folder: Path, quantization: str = "f16") -> Path:
    tokenizer.save_pretrained(folder / "m")
    random_model("llama", folder / "m", len(tokenizer) + 3, num_hidden_layers=1)
    return convert(folder / "m", folder / "out.gguf", quantization)


def differing(file: Path, tokenizer: Any, texts: list[str]) -> list[str]:
    """The texts that llama.cpp cuts otherwise."""
    form = read_head(file).normalization
    model = GgufModel(file, vocab_only=True)
    found = [
        text
        for text in texts
        if model.tokenize(normalized(text, form)) != tokenizer(text, add_special_tokens=False)["input_ids"]
    ]
    model.close()
    return found


def prompts(tokenizer: Any) -> list[str]:
    chats = [[{"role": "user", "content": line}] for line in lines()[::6]]
    return [tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in chats]


@pytest.mark.parametrize("scheme", ["legacy", "first", "always", "never"])
def test_tokenizers_of_sentencepiece_are_cut_alike(tmp_path: Path, scheme: str):
    tokenizer = sentencepiece_tokenizer(scheme)
    file = converted(tokenizer, tmp_path)
    assert len(prompts(tokenizer)) > 300
    assert not differing(file, tokenizer, prompts(tokenizer))
    if scheme in ("legacy", "never"):
        texts = list(lines()[1::6])
        texts += [
            "  two",
            " ",
            "",
            "ελληνικά 中文 😀",
            "</s> after</s></s> <s>",
            "a\n\n b\t",
            "▁▁x",
            "é\u0301",
        ]
        assert not differing(file, tokenizer, texts)


@pytest.mark.parametrize("scheme", ["first"])
def test_chat_markup_of_special_tokens_is_cut_alike(tmp_path: Path, scheme: str):
    tokenizer = sentencepiece_tokenizer(scheme, special=("<|im_start|>", "<|im_end|>"))
    assert not differing(converted(tokenizer, tmp_path), tokenizer, prompts(tokenizer))


@pytest.mark.parametrize("scheme", ["legacy", "never"])
def test_the_text_of_an_answer_is_the_same(tmp_path: Path, scheme: str):
    tokenizer = sentencepiece_tokenizer(scheme)
    file = converted(tokenizer, tmp_path)
    model = GgufModel(file, vocab_only=True)
    for answer in ("Paris.", "Столица — Москва 😀", "  deux", "a\nb"):
        ids = tokenizer("<s>" + answer, add_special_tokens=False)["input_ids"][1:]
        text = b"".join(model.piece(token) for token in ids).decode()
        if read_head(file).drops_first_space:
            text = text.removeprefix(" ")
        assert text == tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert model.piece(0) == b""
    model.close()


@pytest.mark.parametrize(
    ("expression", "ignore_merges", "nfc"),
    [(None, False, False), (LLAMA3, True, False), (LLAMA3, False, False), (QWEN2, False, True)],
)
def test_byte_level_tokenizers_are_cut_alike(tmp_path: Path, expression, ignore_merges, nfc):
    tokenizer = byte_level_tokenizer(expression, ignore_merges=ignore_merges, nfc=nfc)
    file = converted(tokenizer, tmp_path)
    texts = [*prompts(tokenizer), *lines()[1::6], "e\u0301 WE'LL 12345", "<|im_start|>x<|im_end|>\n"]
    assert not differing(file, tokenizer, texts)
    assert read_head(file).normalization == ("NFC" if nfc else None)


REFUSED = {
    "no bytes": lambda: without_bytes(sentencepiece_tokenizer("legacy")),
    "which SentencePiece would": lambda: sentencepiece_tokenizer("legacy", drop=50),
    "tokens of several words": lambda: sentencepiece_tokenizer("first", split=True),
    "splits text in another way": lambda: byte_level_tokenizer(QWEN2, ignore_merges=True),
    "another way than those": lambda: byte_level_tokenizer(r"\p{L}+|[^\p{L}]+"),
}


def without_bytes(tokenizer: Any) -> Any:
    tokenizer.backend_tokenizer.model.byte_fallback = False
    return tokenizer


@pytest.mark.parametrize("message", REFUSED)
def test_what_would_be_cut_otherwise_is_refused(tmp_path: Path, message: str):
    with pytest.raises(XlitError, match=f"{message}.*`transformers` instead"):
        converted(REFUSED[message](), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["m"]


def test_a_template_that_puts_a_space_where_llama_cpp_puts_another_is_refused(tmp_path: Path):
    tokenizer = sentencepiece_tokenizer("always")
    tokenizer.chat_template = "<s>{{ messages[0]['content'] }}"
    with pytest.raises(XlitError, match="cuts '<s>  two"):
        converted(tokenizer, tmp_path)


def test_more_tokens_than_embeddings_are_refused(tmp_path: Path):
    tokenizer = sentencepiece_tokenizer("legacy")
    tokenizer.save_pretrained(tmp_path / "m")
    random_model("llama", tmp_path / "m", len(tokenizer) - 1)
    with pytest.raises(XlitError, match="does not fit its model"):
        convert(tmp_path / "m", tmp_path / "out.gguf", "f16")


@pytest.mark.parametrize("scheme", ["legacy", "first"])
def test_both_engines_give_the_same_answers(tmp_path: Path, scheme: str):
    file = converted(sentencepiece_tokenizer(scheme), tmp_path, "f32")
    chats = [[{"role": "user", "content": line}] for line in (*lines()[5:300:60], "  ελληνικά 中文")]
    checkpoint, decoding = (
        inspect_checkpoint(tmp_path / "m"),
        Decoding(max_new_tokens=20, repetition_penalty=1.1),
    )
    ours, theirs = LlamaCppEngine(file, decoding), TransformersEngine(checkpoint, decoding, dtype="f32")
    for mine, expected in zip(answer_all(ours, chats), answer_all(theirs, chats), strict=True):
        assert (mine.text, mine.tokens_in) == (expected.text, expected.tokens_in)
    ours.close()
    theirs.close()

"""Comparing llama.cpp's tokens with those of the tokenizer that a GGUF file was made from."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.generate.engines.llama_cpp.library import GgufModel
from core.generate.gguf.tokenizer import SAMPLES, TokenizerSpec, sample_prompts
from store import XlitError

END = "</s>"


def check_vocabulary(file: Path, tokenizer: Any, cutting: TokenizerSpec, folder: Path) -> None:
    """Raises `XlitError` when llama.cpp cuts one of some texts into other tokens: prompts as the chat
    template writes them, and texts by themselves where the cutting agrees on any.

    Special tokens within an instruction are tried where the cutting agrees on any text; `</s>` is not tried
    where it is a token but no special one (Qwen2): llama.cpp always takes it for special.
    """
    special = tokenizer.all_special_tokens
    untried = [] if cutting.plain else [added.content for added in tokenizer.added_tokens_decoder.values()]
    if END in tokenizer.get_vocab() and END not in special:
        untried.append(END)
    samples = [_without(sample, untried) for sample in SAMPLES]
    texts = sample_prompts(tokenizer, samples)
    if cutting.plain:
        texts += [*samples, "".join(special), *("".join(special) + sample for sample in samples)]
    elif not texts:
        texts = ["".join(special[:1]) + sample.lstrip() for sample in samples]
    model = GgufModel(file, vocab_only=True)
    try:
        for text in texts:
            expected = list(tokenizer(text, add_special_tokens=False)["input_ids"])
            if model.tokenize(normalized(text, cutting.normalization)) != expected:
                raise XlitError(
                    f"{folder} can't be converted: llama.cpp cuts {text!r} into other tokens than its "
                    "tokenizer does. Generate with the engine `transformers` instead."
                )
    finally:
        model.close()


def normalized(text: str, form: str | None) -> str:
    """The text in the Unicode form that a GGUF file asks for (`GgufHead.normalization`)."""
    return unicodedata.normalize(form, text) if form else text  # type: ignore[arg-type]


def _without(text: str, marks: Sequence[str]) -> str:
    for mark in marks:
        text = text.replace(mark, "")
    return text

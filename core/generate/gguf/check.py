"""Comparing a GGUF file with the checkpoint that it was made from: tokens, and greedy answers.

Both are compared whoever made the file (`core.generate.gguf.convert`).
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.generate.checkpoint import Checkpoint
from core.generate.engines.llama_cpp.context import Context, TokenSpan
from core.generate.engines.llama_cpp.library import GgufModel, available_memory, default_threads
from core.generate.engines.transformers.loading import Adapters
from core.generate.gguf.head import GgufFile
from core.generate.gguf.tokenizer import SAMPLES, TokenizerSpec, sample_prompts
from store import XlitError

if TYPE_CHECKING:
    import numpy as np
    import torch

END = "</s>"

# The prompts whose answers are compared (by their index among the samples), and how long both are.
COMPARED = (0, 2, 4)
PROMPT_TOKENS, ANSWER_TOKENS = 64, 8

# How much less likely than the likeliest token of transformers that of llama.cpp may be, in standard
# deviations of the logits.
ROUNDING = 1e-2


def check_vocabulary(file: Path, tokenizer: Any, spec: TokenizerSpec, folder: Path) -> None:
    """Raises `XlitError` when llama.cpp cuts one of some texts into other tokens: prompts as the chat
    template writes them, and texts by themselves where the tokenizer agrees on any.

    Special tokens within an instruction are tried where the tokenizer agrees on any text; `</s>` is not tried
    where it is a token but no special one (Qwen2): llama.cpp always takes it for special.
    """
    special = tokenizer.all_special_tokens
    untried = [] if spec.plain else [added.content for added in tokenizer.added_tokens_decoder.values()]
    if END in tokenizer.get_vocab() and END not in special:
        untried.append(END)
    samples = [_without(sample, untried) for sample in SAMPLES]
    texts = sample_prompts(tokenizer, samples)
    if spec.plain:
        texts += [*samples, "".join(special), *("".join(special) + sample for sample in samples)]
    elif not texts:
        texts = ["".join(special[:1]) + sample.lstrip() for sample in samples]
    model = GgufModel(file, vocab_only=True)
    try:
        for text in texts:
            expected = list(tokenizer(text, add_special_tokens=False)["input_ids"])
            if model.tokenize(normalized(text, spec.normalization)) != expected:
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


def check_answers(file: Path, source: Checkpoint, tokenizer: Any) -> bool:
    """Compare llama.cpp's greedy tokens with those of transformers in float32, after the beginnings of some
    prompts and of transformers' answers to them.

    A token that is another because two are about as likely is no difference: by `ROUNDING`, or, where the
    file has weights in 16 bits, by what rounding to bfloat16 does to the logits of transformers. Returns
    False, and compares nothing, when memory does not hold the model. Raises `XlitError` when llama.cpp
    answers otherwise.
    """
    import gguf
    import torch

    with GgufFile(file) as head:
        tensors = head.tensors
    kinds = {tensor.kind for tensor in tensors}
    exact = kinds == {gguf.GGMLQuantizationType.F32}
    bytes_per_weight = 4 if exact else 4 + 2
    needed = bytes_per_weight * sum(tensor.elements for tensor in tensors)
    available = available_memory()
    if available is not None and needed > 0.8 * available:
        return False
    reference = _Reference(source, None if exact else torch.bfloat16)
    model = GgufModel(file, gpu_layers=0)
    try:
        for ids in _compared_prompts(tokenizer, model.context_length):
            _compare_answer(reference, model, ids, source.path)
    finally:
        model.close()
    return True


class _Reference:
    """The model in transformers, in float32, and in bfloat16 from when it is first asked for."""

    def __init__(self, source: Checkpoint, rounded: "torch.dtype | None") -> None:
        """`rounded`: in which rounding is tried out; None where the file that is compared is in float32."""
        self._source, self._rounded = source, rounded
        self._models: dict[torch.dtype, Any] = {}

    def logits(self, ids: list[int], dtype: "torch.dtype | None" = None) -> "np.ndarray[Any, Any]":
        """The logits (vocabulary,) after some ids, computed in `dtype` (None: float32)."""
        import torch

        dtype = dtype or torch.float32
        if dtype not in self._models:
            self._models[dtype] = Adapters(self._source, dtype, torch.device("cpu")).switch(self._source)
        with torch.inference_mode():
            output = self._models[dtype](input_ids=torch.tensor([ids]), use_cache=False)
        return output.logits[0, -1].float().numpy()

    def chooses(self, ids: list[int], expected: "np.ndarray[Any, Any]", token: int) -> bool:
        """Whether a token is the likeliest by the `expected` logits (vocabulary,) after some ids, or about
        as likely."""
        if token >= len(expected):
            return False
        missing = expected.max() - expected[token]
        if missing <= ROUNDING * expected.std():
            return True
        if self._rounded is None:
            return False
        noise = abs(self.logits(ids, self._rounded) - expected).max()
        return bool(missing <= 2 * noise)


def _compared_prompts(tokenizer: Any, context_length: int) -> list[list[int]]:
    samples = [SAMPLES[index] for index in COMPARED]
    prompts = sample_prompts(tokenizer, samples) or samples
    longest = min(PROMPT_TOKENS, context_length - ANSWER_TOKENS)
    every = [tokenizer(prompt, add_special_tokens=False)["input_ids"][:longest] for prompt in prompts]
    return [list(ids) for ids in every if ids]


def _compare_answer(reference: _Reference, model: GgufModel, ids: list[int], folder: Path) -> None:
    """Let both continue `ids` token by token, always by the token of transformers."""
    import numpy as np

    context = Context(model, 1, len(ids) + ANSWER_TOKENS, exact=True, threads=default_threads())
    try:
        fed = 0
        for _ in range(ANSWER_TOKENS):
            expected = reference.logits(ids)
            (logits,) = context.feed([TokenSpan(0, fed, np.array(ids[fed:], dtype=np.int32))])
            if not reference.chooses(ids, expected, int(logits.argmax())):
                raise XlitError(
                    f"{folder} can't be converted: llama.cpp continues a prompt with another token than "
                    "transformers. Generate with the engine `transformers` instead."
                )
            fed = len(ids)
            ids = [*ids, int(expected.argmax())]
    finally:
        context.close()

"""The vocabulary of a GGUF file, from a byte-level BPE tokenizer; anything else is refused.

llama.cpp has its own tokenizers, chosen by name. A tokenizer that it does not know would convert without a
word and then cut every text wrongly, so that what is not known to agree is refused, and what was written
is compared with the tokenizer it came from.
"""

import json
from pathlib import Path
from typing import Any

from core.generate.gguf.file import SPECIAL_TOKENS
from core.generate.llama_cpp_engine.api import GgufModel
from store import XlitError

PRE_TOKENIZER = "gpt-2"
SAMPLES = (
    "Hello, world! It's 3.14 o'clock, we'll see 12345 of them.",
    "  two  spaces,\ttabs\n\n\nand lines   \n ends ",
    "Привет, мир! Ёлка — 2024 год; «кавычки» и т. д.",
    "L’été à Noël, où ça ? São Paulo às 10h30, coração.",
    "日本語のテキストと中文，한국어 문장입니다. العربية ١٢٣ हिन्दी ภาษาไทย",
    "naïve e\u0301 combining, emoji 👩‍👩‍👧 🇫🇷, NBSP\u00a0here, zero\u200bwidth, \x00 nul, \ufffd",
    "def f(x):\n    return x**2  # code <b>html</b> [INST] </s> <|user|>",
)


def write_vocabulary(writer: Any, tokenizer: Any, size: int, folder: Path) -> None:
    """Write the vocabulary to a `gguf.GGUFWriter`, filled up to `size` rows of the embedding matrix.

    Raises `XlitError` for a tokenizer that llama.cpp's `gpt-2` is not known to agree with.
    """
    import gguf

    if not getattr(tokenizer, "is_fast", False):
        raise XlitError(f"{folder} can't be converted: it has no tokenizer.json.")
    description = json.loads(tokenizer.backend_tokenizer.to_str())
    if reason := _refusal(description):
        raise XlitError(
            f"{folder} can't be converted: {reason}. Only byte-level BPE as in GPT-2 converts right; "
            "generate with the engine `transformers` instead."
        )
    vocabulary = tokenizer.get_vocab()
    if len(vocabulary) > size or max(vocabulary.values()) >= size:
        raise XlitError(f"{folder} can't be converted: more tokens ({len(vocabulary)}) than embeddings.")
    tokens = [f"[UNUSED{place}]" for place in range(size)]
    types = [int(gguf.TokenType.UNUSED)] * size
    for token, place in vocabulary.items():
        tokens[place], types[place] = token, int(gguf.TokenType.NORMAL)
    for place, added in tokenizer.added_tokens_decoder.items():
        kind = gguf.TokenType.CONTROL if added.special else gguf.TokenType.USER_DEFINED
        tokens[place], types[place] = added.content, int(kind)
    merges = description["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE_TOKENIZER)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([found if isinstance(found, str) else " ".join(found) for found in merges])
    for name in SPECIAL_TOKENS:
        if (place := getattr(tokenizer, f"{name}_token_id")) is not None:
            getattr(writer, f"add_{name}_token_id")(place)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.get_chat_template())


def check_vocabulary(file: Path, tokenizer: Any, folder: Path) -> None:
    """Compare llama.cpp's tokens of some texts with the tokenizer's; `XlitError` when they differ."""
    model = GgufModel(file, vocab_only=True)
    try:
        special = "".join(tokenizer.all_special_tokens)
        for text in (*SAMPLES, special, *(special + sample for sample in SAMPLES)):
            expected = list(tokenizer(text, add_special_tokens=False)["input_ids"])
            if model.tokenize(text) != expected:
                raise XlitError(
                    f"{folder} can't be converted: llama.cpp cuts {text!r} into other tokens than its "
                    "tokenizer does. Generate with the engine `transformers` instead."
                )
    finally:
        model.close()


def _refusal(description: dict[str, Any]) -> str | None:
    """Why a tokenizer (the content of tokenizer.json) can't be written, or None."""
    model, steps = description["model"], _flat(description["pre_tokenizer"])
    if model["type"] != "BPE" or model.get("byte_fallback"):
        return (
            "its tokenizer is of SentencePiece's kind"
            if model.get("byte_fallback")
            else (f"its tokenizer is {model['type']}, not BPE")
        )
    if len(steps) != 1 or steps[0]["type"] != "ByteLevel":
        return f"its tokenizer splits text by {', '.join(step['type'] for step in steps) or 'nothing'}"
    if steps[0].get("add_prefix_space") or not steps[0].get("use_regex", True):
        return "its tokenizer splits text in another way than GPT-2's"
    if description["normalizer"] is not None:
        return "its tokenizer normalises text"
    if any(model.get(name) for name in ("continuing_subword_prefix", "end_of_word_suffix", "ignore_merges")):
        return "its tokenizer merges in another way than GPT-2's"
    if any(
        token["lstrip"] or token["rstrip"] or token["single_word"] for token in description["added_tokens"]
    ):
        return "its added tokens swallow spaces"
    return None


def _flat(step: dict[str, Any] | None) -> list[dict[str, Any]]:
    if step is None:
        return []
    if step["type"] == "Sequence":
        return [found for part in step["pretokenizers"] for found in _flat(part)]
    return [step]

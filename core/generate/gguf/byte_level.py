"""Byte-level BPE, as GPT-2, Llama 3 and Qwen2 have it: which of llama.cpp's pre-tokenizers splits alike."""

from typing import Any

from core.generate.gguf.cutting import Cutting, UnlikeError, merges_of, steps

GPT2 = "GPT-2"

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = _CONTRACTIONS + r"\p{N}{1,3}" + _REST
QWEN2 = _CONTRACTIONS + r"\p{N}" + _REST

# By the expression that splits text, and whether a word that is a token stays whole whatever the merges say
# (`ignore_merges`): llama.cpp ties the two together.
PRE_TOKENIZERS = {
    (GPT2, False): "gpt-2",
    (LLAMA3, True): "llama-bpe",
    (LLAMA3, False): "smaug-bpe",
    (QWEN2, False): "qwen2",
}


def byte_level_cutting(description: dict[str, Any]) -> Cutting:
    """How llama.cpp cuts as the byte-level BPE of a tokenizer.json does.

    Raises `UnlikeError` for one that it can't cut like.
    """
    model = description["model"]
    if any(model.get(name) for name in ("continuing_subword_prefix", "end_of_word_suffix", "dropout")):
        raise UnlikeError("its tokenizer merges in another way than GPT-2's")
    split = _split(steps(description["pre_tokenizer"], "pretokenizers"))
    pre = PRE_TOKENIZERS.get((split, bool(model.get("ignore_merges"))))
    if pre is None:
        raise UnlikeError("its tokenizer splits text in another way than those of GPT-2, Llama 3 and Qwen2")
    normalizers = [step["type"] for step in steps(description["normalizer"], "normalizers")]
    if normalizers not in ([], ["NFC"]):
        raise UnlikeError(f"its tokenizer normalises text ({', '.join(normalizers)})")
    return Cutting(
        "gpt2",
        pre=pre,
        merges=tuple(" ".join(pair) for pair in merges_of(description)),
        normalization=normalizers[0] if normalizers else None,
    )


def _split(pre_tokenizers: list[dict[str, Any]]) -> str:
    """The expression by which text is split into words."""
    kinds = [step["type"] for step in pre_tokenizers]
    last = pre_tokenizers[-1] if pre_tokenizers else {}
    if kinds not in (["ByteLevel"], ["Split", "ByteLevel"]) or last.get("add_prefix_space"):
        raise UnlikeError(f"its tokenizer splits text by {', '.join(kinds) or 'nothing'}")
    by_itself = last.get("use_regex", True)
    if len(kinds) == 1:
        return GPT2 if by_itself else ""
    first = pre_tokenizers[0]
    plain = first["behavior"] == "Isolated" and not first["invert"] and not by_itself
    return str(first["pattern"].get("Regex", "")) if plain else ""

"""Tokenizers made from SentencePiece's BPE (LLaMA-2, TowerBase, Mistral v0.1), from their tokenizer.json.

SentencePiece merges the two neighbours that together make the token with the best score, whatever the two
are. tokenizer.json has pairs in an order instead. They agree when every two tokens that make a third are
among the pairs, and the pairs that make a token stand together; the place of the first one is its score then.
"""

from typing import Any

from core.generate.gguf.cutting import Cutting, UnlikeError, merges_of, steps

SPACE = "▁"
BYTES = tuple(f"<0x{value:02X}>" for value in range(256))


def is_sentencepiece(description: dict[str, Any]) -> bool:
    """Whether a tokenizer.json writes spaces as SentencePiece does."""
    normalizers = steps(description["normalizer"], "normalizers")
    pre_tokenizers = steps(description["pre_tokenizer"], "pretokenizers")
    replaced = any(step["type"] == "Replace" and step["content"] == SPACE for step in normalizers)
    return replaced or any(step["type"] == "Metaspace" for step in pre_tokenizers)


def sentencepiece_cutting(description: dict[str, Any], *, begins_special: bool) -> Cutting:
    """How llama.cpp cuts as a tokenizer.json from SentencePiece does.

    `begins_special`: whether every prompt begins with a special token. Where only the beginning of a text
    gets a space (`prepend_scheme` "first"), a prompt then has none: llama.cpp gives one to each text between
    special tokens or to none. Raises `UnlikeError` for a tokenizer that it can't cut like.
    """
    model, vocabulary = description["model"], description["model"]["vocab"]
    if not model.get("byte_fallback") or not all(token in vocabulary for token in BYTES):
        raise UnlikeError("its tokenizer has no bytes to fall back on")
    if any(model.get(name) for name in ("continuing_subword_prefix", "end_of_word_suffix", "dropout")):
        raise UnlikeError("its tokenizer merges in another way than SentencePiece")
    added = {token["content"] for token in description["added_tokens"]}
    tokens = {token for token in vocabulary if token not in added and token not in BYTES}
    scheme, split = _space(description)
    if split and any(SPACE in token[1:] for token in tokens):
        raise UnlikeError("its tokenizer splits text at spaces, but has tokens of several words")
    return Cutting(
        "llama",
        scores=_scores(merges_of(description), tokens),
        space=scheme in ("each", "always") or (scheme == "first" and not begins_special),
        plain=scheme in ("each", "never"),
    )


def _space(description: dict[str, Any]) -> tuple[str, bool]:
    """Where a space is put before text, and whether text is split at spaces. "each": before every text
    between special tokens, "always": unless it has one, "first": only at the beginning, "never"."""
    normalizers = steps(description["normalizer"], "normalizers")
    pre_tokenizers = steps(description["pre_tokenizer"], "pretokenizers")
    kinds = [step["type"] for step in (*normalizers, *pre_tokenizers)]
    if kinds == ["Metaspace"]:
        (only,) = pre_tokenizers
        if only["replacement"] == SPACE:
            return only.get("prepend_scheme", "always"), only.get("split", True)
    if kinds in (["Prepend", "Replace"], ["Replace"]):
        replaced = normalizers[-1]["pattern"] == {"String": " "} and normalizers[-1]["content"] == SPACE
        if replaced and normalizers[0].get("prepend", SPACE) == SPACE:
            return ("each" if len(kinds) == 2 else "never"), False
    raise UnlikeError(f"its tokenizer prepares text by {', '.join(kinds)}, in another way than LLaMA-2's")


def _scores(merges: list[tuple[str, str]], tokens: set[str]) -> dict[str, float]:
    """The score of every token that is merged from two others: minus the place of its first pair."""
    known = set(merges)
    ranks: dict[str, int] = {}
    last = ""
    for place, (left, right) in enumerate(merges):
        token = left + right
        if (
            token != last and token in ranks and token.strip(SPACE)
        ):  # runs of spaces have one score for several
            raise UnlikeError("its tokenizer merges in another order than SentencePiece")
        ranks.setdefault(token, place)
        last = token
    for token in tokens:
        for cut in range(1, len(token)):
            left, right = token[:cut], token[cut:]
            if (left, right) in known:
                continue
            if (cut == 1 or left in tokens) and (cut == len(token) - 1 or right in tokens):
                raise UnlikeError(
                    f"its tokenizer does not merge {left!r} and {right!r}, which SentencePiece would"
                )
    return {token: -float(place) for token, place in ranks.items()}

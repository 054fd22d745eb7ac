"""The vocabulary of a GGUF file, from the tokenizer of a checkpoint.

llama.cpp has its own tokenizers, chosen by name. A tokenizer that it does not know would convert without a
word and then cut every text wrongly, so that what is not known to agree is refused, and what was written
is compared with the tokenizer it came from (`core.generate.gguf.vocabulary_check`).
"""

import json
from pathlib import Path
from typing import Any

from core.generate.gguf.byte_level import byte_level_cutting
from core.generate.gguf.cutting import Cutting, UnlikeError
from core.generate.gguf.file import DROPS_FIRST_SPACE, NORMALIZATION, SPECIAL_TOKENS
from core.generate.gguf.prompts import sample_prompts
from core.generate.gguf.sentencepiece import BYTES, SPACE, is_sentencepiece, sentencepiece_cutting
from store import XlitError


def cutting_of(tokenizer: Any, folder: Path) -> Cutting:
    """How llama.cpp is to cut as this tokenizer does. Raises `XlitError` when it can't."""
    reason = "it has no tokenizer.json" if not getattr(tokenizer, "is_fast", False) else None
    if reason is None:
        try:
            return _cutting(tokenizer, json.loads(tokenizer.backend_tokenizer.to_str()))
        except UnlikeError as error:
            reason = str(error)
    raise XlitError(
        f"{folder} can't be converted: {reason}. Generate with the engine `transformers` instead."
    )


def write_vocabulary(writer: Any, tokenizer: Any, cutting: Cutting, size: int, folder: Path) -> None:
    """Write the vocabulary to a `gguf.GGUFWriter`, filled up to `size` rows of the embedding matrix.

    Raises `XlitError` when there are more tokens than rows, or two with the same text.
    """
    import gguf

    vocabulary = tokenizer.get_vocab()
    if len(vocabulary) > size or max(vocabulary.values()) >= size:
        raise XlitError(f"{folder} can't be converted: more tokens ({len(vocabulary)}) than embeddings.")
    tokens = [f"[UNUSED{place}]" for place in range(size)]
    kinds = [gguf.TokenType.UNUSED] * size
    for token, place in vocabulary.items():
        tokens[place], kinds[place] = token, gguf.TokenType.NORMAL
        if cutting.model == "llama" and token in BYTES:
            kinds[place] = gguf.TokenType.BYTE
    for place, added in tokenizer.added_tokens_decoder.items():
        tokens[place] = added.content
        kinds[place] = gguf.TokenType.CONTROL if added.special else gguf.TokenType.USER_DEFINED
    if len(set(tokens)) < size or any(not token or "\0" in token for token in tokens):
        raise XlitError(
            f"{folder} can't be converted: two of its tokens have the same text, or one has none."
        )
    if cutting.model == "llama" and tokenizer.unk_token_id is not None:
        kinds[tokenizer.unk_token_id] = gguf.TokenType.UNKNOWN
    writer.add_tokenizer_model(cutting.model)
    writer.add_tokenizer_pre(cutting.pre)
    writer.add_token_list(tokens)
    writer.add_token_types([int(kind) for kind in kinds])
    if cutting.model == "llama":
        writer.add_token_scores([cutting.scores.get(token, 0.0) for token in tokens])
        writer.add_add_space_prefix(cutting.space)
        writer.add_bool(DROPS_FIRST_SPACE, tokenizer.decode([vocabulary[SPACE]]) != " ")
    else:
        writer.add_token_merges(list(cutting.merges))
    if cutting.normalization:
        writer.add_string(NORMALIZATION, cutting.normalization)
    for name in SPECIAL_TOKENS:
        if (place := getattr(tokenizer, f"{name}_token_id")) is not None:
            getattr(writer, f"add_{name}_token_id")(place)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.get_chat_template())


def _cutting(tokenizer: Any, description: dict[str, Any]) -> Cutting:
    model = description["model"]
    if model["type"] != "BPE":
        raise UnlikeError(f"its tokenizer is {model['type']}, not BPE")
    if any(
        token[mark] for token in description["added_tokens"] for mark in ("lstrip", "rstrip", "single_word")
    ):
        raise UnlikeError("its added tokens swallow spaces, or are found only as words of their own")
    if not is_sentencepiece(description):
        return byte_level_cutting(description)
    special = tuple(token["content"] for token in description["added_tokens"])
    prompts = sample_prompts(tokenizer)
    begins_special = all(prompt.startswith(special) for prompt in prompts) if special else False
    return sentencepiece_cutting(description, begins_special=begins_special)

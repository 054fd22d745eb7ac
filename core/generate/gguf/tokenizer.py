"""The tokenizer of a GGUF file, from that of a checkpoint.

llama.cpp has its own tokenizers, chosen by name. A tokenizer that it does not know would convert without a
word and then cut every text wrongly, so that what is not known to agree is refused, and what was written
is compared with the tokenizer it came from (`core.generate.gguf.check`).

Two families are known. Byte-level BPE, as GPT-2, Llama 3 and Qwen2 have it: one of llama.cpp's pre-tokenizers
must split text alike. And tokenizers made from SentencePiece's BPE (LLaMA-2, TowerBase, Mistral v0.1), from
their tokenizer.json: SentencePiece merges the two neighbours that together make the token with the best
score, whatever the two are. tokenizer.json has pairs in an order instead. They agree when every two tokens
that make a third are among the pairs, and the pairs that make a token stand together; the index of the first
one is its score then.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from core.generate.gguf.file import DROPS_FIRST_SPACE, NORMALIZATION, SPECIAL_TOKENS
from store import XlitError


class UnsupportedTokenizerError(Exception):
    """A tokenizer that none of llama.cpp's agrees with; says why."""


@dataclass(frozen=True)
class TokenizerSpec:
    """One of llama.cpp's tokenizers with its settings, that agrees with the tokenizer of a checkpoint.

    `model`: `gpt2` (byte-level BPE, with the `pre` tokenizer that splits text into words, and `merges`) or
    `llama` (that of SentencePiece, with a score for each token: the highest is merged first). `space`:
    whether one is put before the text and after each special token. `normalization`: the Unicode form that
    text is brought into beforehand, which llama.cpp leaves to its caller. `plain`: it agrees on any text, not
    only on those that a chat template writes.
    """

    model: Literal["gpt2", "llama"]
    pre: str = "default"
    merges: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    space: bool = False
    normalization: str | None = None
    plain: bool = True


def steps_of(step: dict[str, Any] | None, parts: str) -> list[dict[str, Any]]:
    """The steps of a normalizer (`parts`: "normalizers") or a pre-tokenizer ("pretokenizers") of
    tokenizer.json, sequences unfolded."""
    if step is None:
        return []
    if step["type"] == "Sequence":
        return [inner for part in step[parts] for inner in steps_of(part, parts)]
    return [step]


def merges_of(description: dict[str, Any]) -> list[tuple[str, str]]:
    """The pairs that are merged, the first before all others (`description`: content of tokenizer.json)."""
    pairs = [pair.split(" ", 1) if isinstance(pair, str) else pair for pair in description["model"]["merges"]]
    return [(left, right) for left, right in pairs]


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


def byte_level_spec(description: dict[str, Any]) -> TokenizerSpec:
    """How llama.cpp cuts as the byte-level BPE of a tokenizer.json does.

    Raises `UnlikeError` for one that it can't cut like.
    """
    model = description["model"]
    if any(model.get(name) for name in ("continuing_subword_prefix", "end_of_word_suffix", "dropout")):
        raise UnsupportedTokenizerError("its tokenizer merges in another way than GPT-2's")
    split = _split(steps_of(description["pre_tokenizer"], "pretokenizers"))
    pre = PRE_TOKENIZERS.get((split, bool(model.get("ignore_merges"))))
    if pre is None:
        raise UnsupportedTokenizerError(
            "its tokenizer splits text in another way than those of GPT-2, Llama 3 and Qwen2"
        )
    normalizers = [step["type"] for step in steps_of(description["normalizer"], "normalizers")]
    if normalizers not in ([], ["NFC"]):
        raise UnsupportedTokenizerError(f"its tokenizer normalises text ({', '.join(normalizers)})")
    return TokenizerSpec(
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
        raise UnsupportedTokenizerError(f"its tokenizer splits text by {', '.join(kinds) or 'nothing'}")
    by_itself = last.get("use_regex", True)
    if len(kinds) == 1:
        return GPT2 if by_itself else ""
    first = pre_tokenizers[0]
    plain = first["behavior"] == "Isolated" and not first["invert"] and not by_itself
    return str(first["pattern"].get("Regex", "")) if plain else ""


SPACE = "▁"
BYTES = tuple(f"<0x{value:02X}>" for value in range(256))


def is_sentencepiece(description: dict[str, Any]) -> bool:
    """Whether a tokenizer.json writes spaces as SentencePiece does."""
    normalizers = steps_of(description["normalizer"], "normalizers")
    pre_tokenizers = steps_of(description["pre_tokenizer"], "pretokenizers")
    replaced = any(step["type"] == "Replace" and step["content"] == SPACE for step in normalizers)
    return replaced or any(step["type"] == "Metaspace" for step in pre_tokenizers)


def sentencepiece_spec(description: dict[str, Any], *, begins_special: bool) -> TokenizerSpec:
    """How llama.cpp cuts as a tokenizer.json from SentencePiece does.

    `begins_special`: whether every prompt begins with a special token. Where only the beginning of a text
    gets a space (`prepend_scheme` "first"), a prompt then has none: llama.cpp gives one to each text between
    special tokens or to none. Raises `UnlikeError` for a tokenizer that it can't cut like.
    """
    model, vocabulary = description["model"], description["model"]["vocab"]
    if not model.get("byte_fallback") or not all(token in vocabulary for token in BYTES):
        raise UnsupportedTokenizerError("its tokenizer has no bytes to fall back on")
    if any(model.get(name) for name in ("continuing_subword_prefix", "end_of_word_suffix", "dropout")):
        raise UnsupportedTokenizerError("its tokenizer merges in another way than SentencePiece")
    added = {token["content"] for token in description["added_tokens"]}
    tokens = {token for token in vocabulary if token not in added and token not in BYTES}
    scheme, split = _space(description)
    if split and any(SPACE in token[1:] for token in tokens):
        raise UnsupportedTokenizerError(
            "its tokenizer splits text at spaces, but has tokens of several words"
        )
    return TokenizerSpec(
        "llama",
        scores=_scores(merges_of(description), tokens),
        space=scheme in ("each", "always") or (scheme == "first" and not begins_special),
        plain=scheme in ("each", "never"),
    )


def _space(description: dict[str, Any]) -> tuple[str, bool]:
    """Where a space is put before text, and whether text is split at spaces. "each": before every text
    between special tokens, "always": unless it has one, "first": only at the beginning, "never"."""
    normalizers = steps_of(description["normalizer"], "normalizers")
    pre_tokenizers = steps_of(description["pre_tokenizer"], "pretokenizers")
    kinds = [step["type"] for step in (*normalizers, *pre_tokenizers)]
    if kinds == ["Metaspace"]:
        (only,) = pre_tokenizers
        if only["replacement"] == SPACE:
            return only.get("prepend_scheme", "always"), only.get("split", True)
    if kinds in (["Prepend", "Replace"], ["Replace"]):
        replaced = normalizers[-1]["pattern"] == {"String": " "} and normalizers[-1]["content"] == SPACE
        if replaced and normalizers[0].get("prepend", SPACE) == SPACE:
            return ("each" if len(kinds) == 2 else "never"), False
    raise UnsupportedTokenizerError(
        f"its tokenizer prepares text by {', '.join(kinds)}, in another way than LLaMA-2's"
    )


def _scores(merges: list[tuple[str, str]], tokens: set[str]) -> dict[str, float]:
    """The score of every token that is merged from two others: minus the index of its first pair."""
    known = set(merges)
    ranks: dict[str, int] = {}
    last = ""
    for index, (left, right) in enumerate(merges):
        token = left + right
        if (
            token != last and token in ranks and token.strip(SPACE)
        ):  # runs of spaces have one score for several
            raise UnsupportedTokenizerError("its tokenizer merges in another order than SentencePiece")
        ranks.setdefault(token, index)
        last = token
    for token in tokens:
        for cut in range(1, len(token)):
            left, right = token[:cut], token[cut:]
            if (left, right) in known:
                continue
            if (cut == 1 or left in tokens) and (cut == len(token) - 1 or right in tokens):
                raise UnsupportedTokenizerError(
                    f"its tokenizer does not merge {left!r} and {right!r}, which SentencePiece would"
                )
    return {token: -float(index) for token, index in ranks.items()}


SAMPLES = (
    "Hello, world! It's 3.14 o'clock, WE'LL see 12345 of them (2024-11-27), 1,000,000.00 or ½.",
    "  two  spaces,\ttabs\t\t\n\n\nand lines   \n ends \r\n\r\n   \n",
    "Привет, мир! Ёлка — 2024 год; «кавычки» и т. д. Українська мова, български език.",
    "L’été à Noël, où ça ? São Paulo às 10h30, coração. Übergrößenträger, straße, ŁÓDŹ, naïve.",
    "日本語のテキストと中文，ひらがな。한국어 문장입니다. 繁體中文「引號」！",
    "العربية ١٢٣، עברית, हिन्दी में १२३, বাংলা, தமிழ், ภาษาไทย, ქართული, Հայերեն, አማርኛ, Ελληνικά.",
    "e\u0301 combining, emoji 👩‍👩‍👧 🇫🇷 👍🏽, NBSP\u00a0here, zero\u200bwidth, \u3000wide",
    "\ufeffBOM, \ufffd, 𝒳 𠀀",
    "a \x00 nul \x1b[31m escape \x7f \u202e bidi \u2028 line",
    'def f(x):\n    return x**2  # code <b>html</b> {"a": [1, 2]} https://example.org/?q=a%20b\n\n\n\n\treturn',
    "[INST] <<SYS>> </s> <s> <unk> <|user|> <|im_start|> <0x0A> ▁under ▁▁ [/INST]",
    "aaaaaaaaa =======\n--------- ........ ____ !!!???      ",
    " ".join("x" + " " * number for number in range(1, 40)),
    "- one\n- two\n  1. three\n\n| a | b |\n|---|---|\n**bold** _it_ `x` $\\alpha^2$",
)


def sample_prompts(tokenizer: Any, samples: Sequence[str] = SAMPLES) -> list[str]:
    """The prompts of the samples as the chat template writes them; none without a chat template, or of a
    sample that the template refuses."""
    if not tokenizer.chat_template:
        return []
    prompts = []
    for sample in samples:
        chat = [{"role": "user", "content": sample}]
        try:
            prompts.append(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))
        except Exception:  # a template is a program of its author; it may raise what it likes
            continue
    return prompts


def tokenizer_spec(tokenizer: Any, folder: Path) -> TokenizerSpec:
    """How llama.cpp is to cut as this tokenizer does. Raises `XlitError` when it can't."""
    reason = "it has no tokenizer.json" if not getattr(tokenizer, "is_fast", False) else None
    if reason is None:
        try:
            return _spec(tokenizer, json.loads(tokenizer.backend_tokenizer.to_str()))
        except UnsupportedTokenizerError as error:
            reason = str(error)
    raise XlitError(
        f"{folder} can't be converted: {reason}. Generate with the engine `transformers` instead."
    )


def write_vocabulary(writer: Any, tokenizer: Any, cutting: TokenizerSpec, size: int, folder: Path) -> None:
    """Write the vocabulary to a `gguf.GGUFWriter`, filled up to `size` rows of the embedding matrix.

    Raises `XlitError` when there are more tokens than rows, or two with the same text.
    """
    import gguf

    vocabulary = tokenizer.get_vocab()
    if len(vocabulary) > size or max(vocabulary.values()) >= size:
        raise XlitError(f"{folder} can't be converted: more tokens ({len(vocabulary)}) than embeddings.")
    tokens = [f"[UNUSED{index}]" for index in range(size)]
    kinds = [gguf.TokenType.UNUSED] * size
    for token, index in vocabulary.items():
        tokens[index], kinds[index] = token, gguf.TokenType.NORMAL
        if cutting.model == "llama" and token in BYTES:
            kinds[index] = gguf.TokenType.BYTE
    for index, added in tokenizer.added_tokens_decoder.items():
        tokens[index] = added.content
        kinds[index] = gguf.TokenType.CONTROL if added.special else gguf.TokenType.USER_DEFINED
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
        if (index := getattr(tokenizer, f"{name}_token_id")) is not None:
            getattr(writer, f"add_{name}_token_id")(index)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.get_chat_template())


def _spec(tokenizer: Any, description: dict[str, Any]) -> TokenizerSpec:
    model = description["model"]
    if model["type"] != "BPE":
        raise UnsupportedTokenizerError(f"its tokenizer is {model['type']}, not BPE")
    if any(
        token[mark] for token in description["added_tokens"] for mark in ("lstrip", "rstrip", "single_word")
    ):
        raise UnsupportedTokenizerError(
            "its added tokens swallow spaces, or are found only as words of their own"
        )
    if not is_sentencepiece(description):
        return byte_level_spec(description)
    special = tuple(token["content"] for token in description["added_tokens"])
    prompts = sample_prompts(tokenizer)
    begins_special = all(prompt.startswith(special) for prompt in prompts) if special else False
    return sentencepiece_spec(description, begins_special=begins_special)

"""Tokenizers trained on the project's own texts in five languages, and tiny random models."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.checkpoints import make_tokenizer

TOKENS = 408
IDS = [(position * 37) % 397 for position in range(40)]
ROOT = Path(__file__).parents[4]
TEXTS = (
    "core/suites/miniature.jsonl",
    "tools/miniature/wordings/*.toml",
    "docs/*.md",
    "tests/core/judge/surface/words/*.right.txt",
)
INSTRUCT = "{{ bos_token }}{% for m in messages %}[INST] {{ m['content'].strip() }} [/INST]{% endfor %}"
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)


@cache
def lines() -> tuple[str, ...]:
    """Lines of text in English, French, German, Portuguese and Russian, and of Markdown and JSON."""
    files = [file for pattern in TEXTS for file in sorted(ROOT.glob(pattern))]
    return tuple(line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line)


@cache
def _sentencepiece_model() -> str:
    """The content of a tokenizer.json whose pairs are those that SentencePiece would merge: all that make a
    token. The alphabet has no Greek or Chinese, so that these fall back on bytes."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    special = ["<unk>", "<s>", "</s>", *(f"<0x{value:02X}>" for value in range(256))]
    bpe = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace(split=True)
    trainer = trainers.BpeTrainer(vocab_size=2500, special_tokens=special, show_progress=False)
    bpe.train_from_iterator(lines(), trainer)
    content = json.loads(bpe.to_str())
    vocabulary = content["model"]["vocab"]
    for run in range(2, 17):  # runs of spaces, as LLaMA-2 has them
        vocabulary["▁" * run] = len(vocabulary)
    content["model"]["merges"] = [
        [token[:cut], token[cut:]]
        for token in sorted(vocabulary, key=vocabulary.__getitem__)
        if token not in special
        for cut in range(1, len(token))
        if token[:cut] in vocabulary and token[cut:] in vocabulary
    ]
    content["added_tokens"] = content["added_tokens"][:3]
    return json.dumps(content)


def sentencepiece_tokenizer(
    scheme: str, *, split: bool = False, drop: int = 0, special: tuple[str, ...] = ()
) -> Any:
    """A tokenizer as transformers makes of LLaMA-2's. `scheme`: "legacy" (a normalizer puts a space before
    each text), or that of Metaspace. `drop`: leave out one in so many pairs."""
    from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    content = json.loads(_sentencepiece_model())
    if drop:
        del content["model"]["merges"][::drop]
    bpe = Tokenizer.from_str(json.dumps(content))
    if scheme == "legacy":
        bpe.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        bpe.pre_tokenizer = None  # type: ignore[assignment]
    else:
        bpe.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)
    strip = [] if scheme == "never" else [decoders.Strip(" ", 1, 0)]
    bpe.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip]
    )
    names = ("<unk>", "<s>", "</s>", *special)
    bpe.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in names])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    tokenizer.chat_template = CHATML if "<|im_start|>" in special else INSTRUCT
    return tokenizer


def byte_level_tokenizer(expression: str | None, *, ignore_merges: bool = False, nfc: bool = False) -> Any:
    """A byte-level BPE that splits text by an expression (None: GPT-2's)."""
    from tokenizers import (
        AddedToken,
        Regex,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        trainers,
    )
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if nfc:
        bpe.normalizer = normalizers.NFC()
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=expression is None)
    bpe.pre_tokenizer = (
        last
        if expression is None
        else pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(expression), "isolated"), last])
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1500, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    bpe.train_from_iterator(lines(), trainer)
    names = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    bpe.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in names])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = CHATML
    return tokenizer


def random_model(kind: str, folder: Path, tokens: int, dtype: str = "float32", **settings: Any) -> Any:
    """A model of an architecture (`model_type` of transformers) with random weights, and saved to the folder.
    They are large enough for what any of them does to show in the logits."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    shape = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": None,
        "tie_word_embeddings": False,
    }
    config = AutoConfig.for_model(kind, **{**shape, "vocab_size": tokens, **settings})
    model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            mean = 1.0 if name.endswith("norm.weight") else 0.0
            weight.copy_(torch.randn_like(weight) * 0.2 + mean)
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    return model


def random_base(folder: Path, **settings: Any) -> Path:
    """A random Llama with more embeddings than its tokenizer has tokens."""
    make_tokenizer(folder)
    random_model("llama", folder, TOKENS, **settings)
    return folder


def random_adapter(folder: Path, base: Path, **settings: Any) -> Any:
    """A random adapter saved to the folder; returns the adapted model in float32."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    adapted: Any = peft.get_peft_model(model, peft.LoraConfig(**{"r": 4, "lora_alpha": 8, **settings})).eval()
    with torch.no_grad():
        for weight in adapted.parameters():
            if weight.requires_grad:
                weight.add_(torch.randn_like(weight) * 0.1)
    adapted.save_pretrained(str(folder))
    return adapted


def llama_cpp_logits(file: Path, ids: list[int]) -> Any:
    """The logits (vocabulary,) of llama.cpp after some tokens, with keys and values in float32."""
    import numpy as np

    from core.generate.engines.llama_cpp import library

    llama: Any = library.llama_cpp_library()
    model = library.GgufModel(file)
    settings = llama.llama_context_default_params()
    settings.n_ctx = settings.n_batch = settings.n_ubatch = 256
    settings.type_k = settings.type_v = llama.GGML_TYPE_F32
    settings.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_DISABLED
    settings.n_threads = settings.n_threads_batch = 1
    context = llama.llama_init_from_model(model.model, settings)
    tokens = (llama.llama_token * len(ids))(*ids)  # read by the C side while it decodes
    assert llama.llama_decode(context, llama.llama_batch_get_one(tokens, len(ids))) == 0
    found = np.ctypeslib.as_array(llama.llama_get_logits_ith(context, -1), shape=(model.size,)).copy()
    llama.llama_free(context)
    model.close()
    return found


def transformers_logits(model: Any, ids: list[int]) -> Any:
    """The same of a model of transformers."""
    import torch

    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0, -1].float().numpy()

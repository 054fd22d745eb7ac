"""Make the base checkpoint of the miniature: a byte-level BPE and a tiny Llama, pretrained on ``documents``.

``python -m tools.miniature.base --out DIR``. The checkpoint loads with the Auto classes and converts to GGUF:
its tokenizer is what llama.cpp calls ``gpt-2``, and every row length is a multiple of 256 (K-quants).
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.miniature.documents import ASSISTANT, BOS, CHAT_TEMPLATE, EOS, PAD, USER, documents

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

HIDDEN_SIZE = 256
INTERMEDIATE_SIZE = 768
LAYERS = 4
HEADS = 4
VOCABULARY = 4096
MAX_POSITIONS = 1024
ROW_TOKENS = 192
ROWS_PER_STEP = 16
STEPS = 2000
LEARNING_RATE = 2e-3
WARMUP_STEPS = 60
TOKENIZER_DOCUMENTS = 40_000
IGNORED = -100


def make_tokenizer(seed: int, documents_read: int = TOKENIZER_DOCUMENTS) -> "PreTrainedTokenizerFast":
    """Train the byte-level BPE on the first documents of ``seed``."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    bpe.decoder = decoders.ByteLevel()
    specials = [PAD, BOS, EOS, USER, ASSISTANT]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=specials,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )

    def plain_texts() -> Iterator[str]:
        for _, _, text in islice(documents(seed), documents_read):
            for mark in specials:
                text = text.replace(mark, "")
            yield text

    bpe.train_from_iterator(plain_texts(), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        extra_special_tokens=[USER, ASSISTANT],
        model_max_length=MAX_POSITIONS,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def make_model(
    vocabulary: int, tokenizer: "PreTrainedTokenizerFast", layers: int = LAYERS
) -> "LlamaForCausalLM":
    """A Llama with random weights (float32)."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=HIDDEN_SIZE,
            intermediate_size=INTERMEDIATE_SIZE,
            num_hidden_layers=layers,
            num_attention_heads=HEADS,
            num_key_value_heads=HEADS,
            max_position_embeddings=MAX_POSITIONS,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def batches(
    tokenizer: "PreTrainedTokenizerFast", seed: int, rows: int, row_tokens: int
) -> Iterator["torch.Tensor"]:
    """Endless ``(rows, row_tokens)`` token ids. A row holds whole documents: it begins as a prompt does."""
    import torch

    pad = tokenizer.pad_token_id
    stream = documents(seed)
    carried: list[int] = []
    while True:
        batch = torch.full((rows, row_tokens), pad)
        for row in range(rows):
            filled = 0
            while True:
                ids = carried or tokenizer.encode(next(stream)[2], add_special_tokens=False)[:row_tokens]
                carried = []
                if filled + len(ids) > row_tokens:
                    carried = ids
                    break
                batch[row, filled : filled + len(ids)] = torch.tensor(ids)
                filled += len(ids)
        yield batch


def learning_rate(step: int, steps: int, peak: float = LEARNING_RATE) -> float:
    """Linear warm-up, then a cosine down to a fiftieth of ``peak``."""
    warmup = min(WARMUP_STEPS, max(1, steps // 10))
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def make_base(
    out: Path,
    *,
    steps: int = STEPS,
    seed: int = 1,
    rows: int = ROWS_PER_STEP,
    row_tokens: int = ROW_TOKENS,
    layers: int = LAYERS,
    tokenizer_documents: int = TOKENIZER_DOCUMENTS,
    save_every: int = 100,
    compiled: bool = False,
    report: Callable[[str], object] = print,
) -> int:
    """Pretrain from random weights and save into ``out``; returns the number of tokens read.

    Weights are float32 with bfloat16 autocast in training (twice as fast where the CPU has avx512_bf16), and
    are saved as bfloat16. The state is kept in ``out``'s sibling ``NAME.partial`` every ``save_every`` steps;
    the same call picks it up after a crash.
    """
    import torch

    torch.manual_seed(seed)
    tokenizer = make_tokenizer(seed, tokenizer_documents)
    model = make_model(len(tokenizer), tokenizer, layers)
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95), weight_decay=0.05, fused=True)
    partial = out.with_name(out.name + ".partial")
    first, tokens = 0, 0
    if partial.exists():
        state = torch.load(partial, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first, tokens = state["step"], state["tokens"]
        report(f"picked up at step {first}")
    forward = torch.compile(model) if compiled else model
    model.train()
    started, tokens_before = time.monotonic(), tokens
    for step, ids in enumerate(islice(batches(tokenizer, seed, rows, row_tokens), steps)):
        if step < first:
            continue
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        labels = ids.masked_fill(ids == tokenizer.pad_token_id, IGNORED)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = forward(input_ids=ids, labels=labels, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        tokens += int((labels != IGNORED).sum())
        if (step + 1) % 20 == 0 or step + 1 == steps:
            rate = (tokens - tokens_before) / (time.monotonic() - started)
            report(
                f"step {step + 1}/{steps}  loss {loss.item():.3f}  {tokens:,} tokens  {rate:,.0f} tokens/s"
            )
        if (step + 1) % save_every == 0 and step + 1 < steps:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save({**state, "step": step + 1, "tokens": tokens}, partial)
    save(model, tokenizer, out)
    partial.unlink(missing_ok=True)
    return tokens


def save(model: "LlamaForCausalLM", tokenizer: "PreTrainedTokenizerFast", out: Path) -> None:
    """Write the bfloat16 checkpoint and the tokenizer with its chat template."""
    import torch

    out.mkdir(parents=True, exist_ok=True)
    model.generation_config.do_sample = False
    cast(Any, model).to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compile", action="store_true", help="torch.compile: faster, needs a C++ compiler")
    arguments = parser.parse_args()
    make_base(
        arguments.out,
        steps=arguments.steps,
        seed=arguments.seed,
        compiled=arguments.compile,
        report=lambda line: sys.stdout.write(line + "\n") and sys.stdout.flush(),
    )


if __name__ == "__main__":
    main()

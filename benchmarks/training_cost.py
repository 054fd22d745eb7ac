"""What an update costs, and how that grows: with the length of examples at the same number of tokens, and
with the size of the model; each as a ratio to what the arithmetic says (`core.train.throughput`). On a GPU
(`--gpu`), a 7B-shaped Llama of random weights instead, all weights and LoRA: tokens a second, MFU, and peak
memory against the least that weights, gradients and averages take.

Weights are random and so are the tokens; the loop is that of `xlit-core train`.
"""

# ruff: noqa: T201 - what is printed is the result

import argparse
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from core.train import attention
from core.train.examples import IGNORED, Example
from core.train.loss import answer_loss
from core.train.throughput import make_meter, peak_flops, peak_memory

VOCABULARY = 32_000
PROMPT = 0.2  # the share of an example that is its prompt


def model_of(hidden: int, layers: int, *, vocabulary: int, device: Any, lora: bool, bf16: bool) -> Any:
    """A Llama of random weights, ready to be tuned; with LoRA its own weights are frozen, in bfloat16 on a
    GPU."""
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=hidden * 43 // 16,  # 11008 at 4096
        num_hidden_layers=layers,
        num_attention_heads=max(1, hidden // 128 if hidden >= 2048 else hidden // 64),
        num_key_value_heads=max(1, hidden // 128 if hidden >= 2048 else hidden // 64),
        max_position_embeddings=8192,
    )
    config._attn_implementation = attention.register()
    with torch.device(device):
        model: Any = LlamaForCausalLM(config)
    if lora:
        import peft

        model = model.to(torch.bfloat16) if bf16 else model
        targets = peft.LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        model = peft.get_peft_model(model, targets)
    return model.train()


def examples_of(length: int, tokens: int, vocabulary: int) -> list[Example]:
    chance = random.Random(length)
    made = []
    for _ in range(max(1, tokens // length)):
        ids = [chance.randrange(3, vocabulary) for _ in range(length)]
        prompt = int(length * PROMPT)
        made.append(Example(ids, [IGNORED] * prompt + ids[prompt:]))
    return made


def cost(model: Any, examples: list[Example], *, rounds: int, bf16: bool) -> tuple[float, float, float]:
    """Seconds of an update (median; on a CPU of its time, which others do not disturb), its operations by the
    arithmetic, and the most memory held, in bytes."""
    device = next(model.parameters()).device
    tuned = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(tuned, lr=1e-5, fused=True)
    lengths = [len(example) for example in examples]
    meter = make_meter(model, device, 1)
    seconds = []
    for _ in range(rounds + 1):
        start = time.perf_counter() if device.type == "cuda" else time.process_time()
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            loss = answer_loss(model, examples, device, padded=False) / sum(
                example.answer_tokens for example in examples
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(tuned, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
        end = time.perf_counter() if device.type == "cuda" else time.process_time()
        seconds.append(end - start)
    operations = meter.flops_per_token * sum(lengths) + meter.attention_flops * sum(n * n for n in lengths)
    return statistics.median(seconds[1:]), operations, peak_memory(device)


def growth(options: argparse.Namespace) -> None:
    """Both tables of growth, on one of this machine's CPU cores."""
    torch.set_num_threads(1)  # threads that wait for each other spin, and that would count
    device = torch.device("cpu")
    print(f"one thread, float32, {options.tokens} tokens an update\n")
    print(f"{'length':>8}{'CPU seconds':>14}{'tokens/s':>12}{'times the first':>17}{'by arithmetic':>15}")
    model = model_of(256, 4, vocabulary=4096, device=device, lora=False, bf16=False)
    base: tuple[float, float] | None = None
    for length in options.lengths:
        examples = examples_of(length, options.tokens, 4096)
        seconds, operations, _ = cost(model, examples, rounds=options.rounds, bf16=False)
        base = base or (seconds, operations)
        print(
            f"{length:8}{seconds:14.2f}{options.tokens / seconds:12,.0f}{seconds / base[0]:17.2f}"
            f"{operations / base[1]:15.2f}"
        )
    print(f"\n{'weights':>10}{'CPU seconds':>14}{'tokens/s':>12}{'times the first':>17}{'by arithmetic':>15}")
    base = None
    for hidden, layers in options.sizes:
        model = model_of(hidden, layers, vocabulary=4096, device=device, lora=False, bf16=False)
        weights = sum(weight.numel() for weight in model.parameters())
        examples = examples_of(512, options.tokens, 4096)
        seconds, operations, _ = cost(model, examples, rounds=options.rounds, bf16=False)
        base = base or (seconds, operations)
        print(
            f"{weights / 1e6:9.1f}M{seconds:14.2f}{options.tokens / seconds:12,.0f}{seconds / base[0]:17.2f}"
            f"{operations / base[1]:15.2f}"
        )


def gpu(options: argparse.Namespace) -> None:
    """The table of the 7B-shaped model."""
    device = torch.device("cuda")
    peak = peak_flops(device)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {time.strftime('%Y-%m-%d')}")
    print(f"{'':12}{'tokens/s':>10}{'MFU':>7}{'peak GiB':>10}{'least GiB':>11}")
    for lora in (False, True):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        try:
            model = model_of(4096, 32, vocabulary=VOCABULARY, device=device, lora=lora, bf16=True)
            model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
            if lora:
                model.enable_input_require_grads()
            examples = examples_of(2048, options.tokens, VOCABULARY)
            seconds, operations, memory = cost(model, examples, rounds=options.rounds, bf16=True)
            # Weights, gradients and two averages of what is tuned; what is frozen once.
            least = sum(weight.nbytes * (4 if weight.requires_grad else 1) for weight in model.parameters())
            share = operations / seconds / peak if peak else float("nan")
            print(
                f"{'LoRA' if lora else 'all weights':12}{options.tokens / seconds:10,.0f}{share:7.1%}"
                f"{memory / 2**30:10.1f}{least / 2**30:11.1f}"
            )
        except torch.OutOfMemoryError:
            print(f"{'LoRA' if lora else 'all weights':12} does not fit this GPU")
        finally:
            model = None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lengths", type=int, nargs="+", default=[128, 256, 512, 1024, 2048, 4096])
    options = parser.parse_args()
    options.sizes = [(128, 2), (256, 4), (512, 4), (512, 8)]
    gpu(options) if options.gpu else growth(options)


if __name__ == "__main__":
    main()

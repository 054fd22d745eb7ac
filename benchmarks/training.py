"""Fine-tuning a tiny Llama on a LIMA file, ours against TRL's `SFTTrainer` (loss on answers only), on a CPU.

Every way trains the same random checkpoint with the same tokenizer and chat template, AdamW, learning rate
and about as many tokens in an update, until it has seen as many answer tokens; then the loss on the same
held-out conversations is measured by one function. Printed for each: answer tokens a second (without loading
and without the first updates), share of padding, peak memory, loss. TRL is tried without packing (batches of
`--rows`, with and without grouping by length) and with packing; the ratio is against its fastest.

TRL and datasets are not among the project's packages: pip install trl datasets (into an environment of its
own).

    python benchmarks/training.py LIMA.jsonl [--answer-tokens 200000] [--rounds 3]
"""

# ruff: noqa: T201 - what is printed is the result

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.train.data.loading import load_data
from core.train.data.sources import DataSource

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}<|user|>{{ message['content'] }}"
    "{% else %}<|assistant|>{% generation %}{{ message['content'] }}{{ eos_token }}{% endgeneration %}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
HELD_OUT = 40
FIRST = 1  # updates that warm up, and are not timed


def make_base(folder: Path, data: Path, options: argparse.Namespace) -> None:
    """A random Llama, and a byte-level BPE of its size trained on the data."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    chats = [conversation.messages for conversation in load_data([DataSource(str(data))]).conversations]
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=options.vocabulary,
        special_tokens=["<s>", "</s>", "<pad>", "<|user|>", "<|assistant|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator((message["content"] for chat in chats for message in chat), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=options.hidden,
            intermediate_size=options.hidden * 8 // 3,
            num_hidden_layers=options.layers,
            num_attention_heads=max(1, options.hidden // 64),
            num_key_value_heads=max(1, options.hidden // 64),
            max_position_embeddings=2048,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    ).save_pretrained(folder)


class Clock:
    """The moments at which updates began, by the clock and by the process's CPU time, with their answer
    tokens."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, float, int]] = []

    @property
    def seen(self) -> int:
        return sum(mark[2] for mark in self.marks)

    def mark(self, answers: int) -> None:
        self.marks.append((time.perf_counter(), time.process_time(), answers))

    def figures(self) -> dict[str, float]:
        """Answer tokens a second, and a second of CPU time, between the first timed update and the last."""
        timed = self.marks[FIRST:]
        answers = sum(mark[2] for mark in timed[:-1])
        return {
            "speed": answers / (timed[-1][0] - timed[0][0]),
            "cpu_speed": answers / (timed[-1][1] - timed[0][1]),
            "seen": self.seen,
            "updates": len(self.marks),
        }


def ours(folder: Path, data: Path, out: Path, options: argparse.Namespace, *, packed: bool) -> dict[str, Any]:
    """Train with `core.train`; returns the figures of `Clock`, and the share of padding."""
    from core.train import recipe
    from core.train.recipe import train
    from core.train.settings import TrainSettings

    settings = TrainSettings(
        base=str(folder),
        data=(DataSource(str(data)),),
        learning_rate=options.rate,
        steps=options.steps,
        batch_tokens=options.batch_tokens,
        accumulate=1,
        max_length=options.max_length,
        packed=packed,
        schedule="constant",
        betas=(0.9, 0.999),
        save_every=10**6,
    )
    clock = Clock()
    real = recipe.answer_loss

    def counted(model: Any, examples: Any, *rest: Any, **named: Any) -> Any:
        clock.mark(sum(example.answer_tokens for example in examples))
        return real(model, examples, *rest, **named)

    recipe.answer_loss = counted
    summary = train(settings, out)
    return {**clock.figures(), "padding": summary["padding_share"]}


def trl(
    folder: Path, data: Path, out: Path, options: argparse.Namespace, *, packing: bool, grouped: bool
) -> dict[str, Any]:
    """Train with TRL; the same figures."""
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    chats = [conversation.messages for conversation in load_data([DataSource(str(data))]).conversations]
    rows = max(1, options.batch_tokens // options.max_length) if packing else options.rows
    config = SFTConfig(
        output_dir=str(out),
        max_steps=10**6,
        per_device_train_batch_size=rows,
        learning_rate=options.rate,
        lr_scheduler_type="constant",
        weight_decay=0.0,
        adam_beta1=0.9,
        adam_beta2=0.999,
        max_grad_norm=1.0,
        assistant_only_loss=True,
        packing=packing,
        max_length=options.max_length,
        train_sampling_strategy="group_by_length" if grouped else "random",
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_steps=10,
        disable_tqdm=True,
        dataloader_pin_memory=False,
        model_init_kwargs={"dtype": "float32"},
        seed=1,
    )
    clock = Clock()
    full = total = 0

    class Counting(SFTTrainer):  # type: ignore[misc]
        def compute_loss(self, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
            nonlocal full, total
            labels, mask = inputs["labels"], inputs.get("attention_mask")
            full += int(mask.sum()) if mask is not None else labels.numel()
            total += labels.numel()
            clock.mark(int((labels[:, 1:] != -100).sum()))
            return super().compute_loss(model, inputs, *rest, **named)

    class Enough(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_training_stop = clock.seen >= options.answer_tokens

    trainer = Counting(
        model=str(folder),
        args=config,
        train_dataset=Dataset.from_list([{"messages": chat} for chat in chats]),
        callbacks=[Enough()],
    )
    trainer.train()
    trainer.save_model(str(out))
    trainer.processing_class.save_pretrained(str(out))
    return {**clock.figures(), "padding": 1 - full / total}


WAYS: dict[str, Any] = {
    "ours": lambda *given: ours(*given, packed=True),
    "ours, padded": lambda *given: ours(*given, packed=False),
    "TRL": lambda *given: trl(*given, packing=False, grouped=False),
    "TRL, by length": lambda *given: trl(*given, packing=False, grouped=True),
    "TRL, packing": lambda *given: trl(*given, packing=True, grouped=False),
}


def held_out_loss(folder: Path, data: Path, max_length: int) -> float:
    """The mean loss of an answer token of conversations that nobody trained on."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from core.train.evaluation import evaluate
    from core.train.examples import build_examples
    from core.train.parallel import World

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    built = build_examples(tokenizer, load_data([DataSource(str(data))]).conversations, max_length)
    world = World(0, 1, torch.device("cpu"))
    losses = evaluate(model, built.examples, world, batch_tokens=8192, padded=True)
    return next(iter(losses.values()))


def main() -> None:
    """Run every way in a process of its own, in turn, round after round, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--answer-tokens", type=int, default=200_000)
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--max-length", type=int, default=2048)
    parser.add_argument("--rows", type=int, default=8, help="rows of TRL's batches without packing")
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--vocabulary", type=int, default=4096)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--steps", type=int, default=10**6, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", nargs="*", default=list(WAYS))
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        _one_way(options)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train_file, test_file = _split(options.data, folder)
        make_base(folder / "base", train_file, options)
        options.steps = _our_steps(folder / "base", train_file, options)
        runs: dict[str, list[dict[str, Any]]] = {way: [] for way in options.ways}
        for number in range(options.rounds):
            for way in options.ways if number % 2 == 0 else reversed(options.ways):
                runs[way].append(_apart(way, folder, options))
                runs[way][-1]["loss"] = held_out_loss(folder / "out", test_file, options.max_length)
                print(way, json.dumps(runs[way][-1]), flush=True)
        _print_table(runs)


def _print_table(runs: dict[str, list[dict[str, Any]]]) -> None:
    def median(way: str, name: str) -> float:
        return statistics.median(figures[name] for figures in runs[way])

    heads = ("answer tok/s", "a CPU second", "padding", "peak MiB", "tokens", "updates", "loss")
    print("\n" + " " * 16 + "".join(f"{head:>13}" for head in heads))
    for way in runs:
        names = ("speed", "cpu_speed", "padding", "memory", "seen", "updates", "loss")
        speed, cpu, padding, memory, seen, updates, loss = (median(way, name) for name in names)
        print(
            f"{way:16}{speed:13,.0f}{cpu:13,.0f}{padding:13.1%}{memory:13,.0f}{seen:13,.0f}{updates:13,.0f}"
            f"{loss:13.3f}"
        )
    peers = [way for way in runs if way.startswith("TRL")]
    if not peers or "ours" not in runs:
        return
    for name, by in (("speed", "by the clock"), ("cpu_speed", "by CPU time")):
        best = max(peers, key=lambda way: median(way, name))
        ratios = [
            figures[name] / max(runs[way][number][name] for way in peers)
            for number, figures in enumerate(runs["ours"])
        ]
        print(
            f"ours / fastest of TRL ({best}), {by}: {statistics.median(ratios):.2f} times "
            f"({min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds)"
        )


def _split(data: Path, folder: Path) -> tuple[Path, Path]:
    """Conversations to train on and to measure on, the same for all."""
    lines = [line for line in data.read_text(encoding="utf-8").splitlines() if line.strip()]
    random.Random(1).shuffle(lines)
    train_file, test_file = folder / "train.jsonl", folder / "test.jsonl"
    test_file.write_text("\n".join(lines[:HELD_OUT]) + "\n", encoding="utf-8")
    train_file.write_text("\n".join(lines[HELD_OUT:]) + "\n", encoding="utf-8")
    return train_file, test_file


def _our_steps(base: Path, data: Path, options: argparse.Namespace) -> int:
    """The updates in which ours has seen the answer tokens that were asked for."""
    from transformers import AutoTokenizer

    from core.train.batches import BatchPlan
    from core.train.examples import build_examples

    conversations = load_data([DataSource(str(data))]).conversations
    built = build_examples(AutoTokenizer.from_pretrained(base), conversations, options.max_length)
    plan = BatchPlan([len(example) for example in built.examples], options.batch_tokens, 1, 1, padded=False)
    seen = 0
    for number, (batch,) in enumerate(plan.updates(), start=1):
        seen += sum(built.examples[index].answer_tokens for index in batch)
        if seen >= options.answer_tokens:
            return number
    raise AssertionError


def _apart(way: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    given = ["data", "answer_tokens", "batch_tokens", "max_length", "rows", "rate", "steps"]
    named = [f"--{name.replace('_', '-')}={getattr(options, name)}" for name in given[1:]]
    command = [sys.executable, __file__, str(options.data), *named, f"--way={way}", f"--folder={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{way} failed:\n{done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _one_way(options: argparse.Namespace) -> None:
    import shutil

    out = options.folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    figures = WAYS[options.way](options.folder / "base", options.folder / "train.jsonl", out, options)
    figures["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

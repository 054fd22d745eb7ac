"""Tokens a second of the transformers engine against what transformers offers: its text-generation pipeline
(batches of 8), and `model.generate` in the order of the requests, in batches of 8 and one at a time.

Two models: the miniature's base on its suite, whose answers end where they end; and a Llama of random
weights, whose answers all run to the same limit, on prompts of mixed lengths. All ways must give the same
answers.
"""

# ruff: noqa: T201 - what is printed is the result

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
import torch
import transformers

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import Chat, Request
from core.generate.engines.transformers.batch import BatchRow, Room, answer_continuously
from core.generate.engines.transformers.engine import TransformersEngine
from tests.checkpoints import PAIRS, make_checkpoint, make_tokenizer

ROOT = Path(__file__).resolve().parents[1]


class Contest:
    """One model, one set of chats, and the ways to answer them."""

    def __init__(self, folder: Path, chats: list[Chat], decoding: Decoding, rows: int) -> None:
        self.chats, self.decoding = chats, decoding
        self.engine = TransformersEngine(inspect_checkpoint(folder), decoding, batch_size=rows)
        self.tokenizer, self.model = self.engine.tokenizer, self.engine.model
        # The peers' penalty counts padding as said; the first token of every prompt is said anyway.
        self.tokenizer.pad_token = self.tokenizer.bos_token
        self.tokenizer.padding_side = "left"
        self.config = transformers.GenerationConfig(
            do_sample=False,
            max_new_tokens=decoding.max_new_tokens,
            repetition_penalty=decoding.repetition_penalty,
            eos_token_id=self.engine.stop,
            pad_token_id=self.tokenizer.pad_token_id,
        )
        self.pipeline = transformers.pipeline(
            "text-generation", model=self.model, tokenizer=self.tokenizer, batch_size=8
        )

    def ours(self) -> list[str]:
        answers = dict(self.engine.stream((n, Request(chat)) for n, chat in enumerate(self.chats)))
        self.tokens = sum(answer.tokens_out for answer in answers.values())
        return [answers[n].text for n in range(len(self.chats))]

    def by_pipeline(self) -> list[str]:
        out = self.pipeline(self.chats, generation_config=self.config, return_full_text=False)
        return [answer[0]["generated_text"] for answer in out]

    def by_generate(self, rows: int) -> list[str]:
        texts = []
        for first in range(0, len(self.chats), rows):
            prompts = [self.engine.prompt(chat) for chat in self.chats[first : first + rows]]
            given = self.tokenizer(prompts, add_special_tokens=False, return_tensors="pt", padding=True)
            given = {name: given[name].to(self.model.device) for name in ("input_ids", "attention_mask")}
            with torch.inference_mode():
                out = self.model.generate(**given, generation_config=self.config)
            texts += self.tokenizer.batch_decode(
                out[:, given["input_ids"].shape[1] :], skip_special_tokens=True
            )
        return texts

    def run(self, rounds: int, *, one_by_one: bool) -> None:
        ways: dict[str, Callable[[], list[str]]] = {
            "xlit": self.ours,
            "pipeline, batches of 8": self.by_pipeline,
            "generate, batches of 8": lambda: self.by_generate(8),
        }
        if one_by_one:
            ways["generate, one at a time"] = lambda: self.by_generate(1)
        expected = self.ours()
        times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for number in range(rounds):
            for way in list(ways) if number % 2 == 0 else list(reversed(ways)):
                clock, work = time.perf_counter(), time.process_time()
                texts = ways[way]()
                times[way].append((time.perf_counter() - clock, time.process_time() - work))
                if texts != expected:
                    different = sum(a != b for a, b in zip(texts, expected, strict=True))
                    raise SystemExit(f"{way}: {different} of {len(texts)} answers differ")
        print(
            "                            tokens/s    xlit is so many times as fast: by the clock, by CPU time"
        )
        for way, took in times.items():
            speed = self.tokens / statistics.median(clock for clock, _ in took)
            ratios = [
                [theirs[kind] / ours[kind] for theirs, ours in zip(took, times["xlit"], strict=True)]
                for kind in (0, 1)
            ]
            shown = "   ".join(f"{statistics.median(r):5.2f} ({min(r):.2f} to {max(r):.2f})" for r in ratios)
            print(f"  {way:24} {speed:9.0f}    {shown}")


def miniature(options: argparse.Namespace) -> None:
    suite = (ROOT / "core/suites/miniature.jsonl").read_text(encoding="utf-8").splitlines()
    chats = [[{"role": "user", "content": json.loads(line)["text"]}] for line in suite]
    random.Random(1).shuffle(chats)
    chats = chats[: options.instructions]
    contest = Contest(ROOT / "core/miniature/base", chats, Decoding(max_new_tokens=64), options.rows)
    print(f"the miniature's base, {len(contest.chats)} instructions, at most 64 tokens each")
    contest.run(options.rounds, one_by_one=True)


def random_llama(folder: Path, vocabulary: int, **shape: int) -> Path:
    """A folder with a Llama of random weights and the tokenizer of the tests."""
    make_tokenizer(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(vocab_size=vocabulary, bos_token_id=0, eos_token_id=1, **shape)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def mixed_chats(count: int, longest: int) -> list[Chat]:
    """Prompts of 1 to `longest` questions."""
    rng = random.Random(2)
    return [
        [{"role": "user", "content": " ".join(rng.choice(PAIRS)[0] for _ in range(rng.randint(1, longest)))}]
        for _ in range(count)
    ]


def larger(options: argparse.Namespace, folder: Path) -> None:
    shape = {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 12}
    random_llama(folder, 8000, **shape, num_attention_heads=12, num_key_value_heads=4)
    chats = mixed_chats(options.prompts, 8)
    contest = Contest(folder, chats, Decoding(max_new_tokens=options.new_tokens), options.rows)
    size = sum(weights.numel() for weights in contest.model.parameters())
    print(f"a random Llama of {size / 1e6:.0f}M, {len(chats)} prompts, {options.new_tokens} tokens each")
    contest.run(options.rounds, one_by_one=options.one_by_one)


def memory(options: argparse.Namespace, folder: Path) -> None:
    """The memory of this process after a tenth of the prompts and after all of them, in one stream."""
    engine = TransformersEngine(
        inspect_checkpoint(make_checkpoint(folder)), Decoding(max_new_tokens=8), batch_size=options.rows
    )
    chats = mixed_chats(100, 3)
    requests = ((n, Request(chats[n % len(chats)])) for n in range(options.memory))
    marks = {}
    for done, _ in enumerate(engine.stream(requests), start=1):
        if done in (options.memory // 10, options.memory):
            marks[done] = psutil.Process().memory_info().rss / 2**20
    print(", ".join(f"{size:.1f} MiB after {done} prompts" for done, size in marks.items()))


def gpu_table(options: argparse.Namespace, device: str, **shape: int) -> None:
    """Tokens a second of a Llama of random weights in bfloat16, by rows answered at a time, on twice as many
    prompts of 32 to 256 tokens. The most there can be is one step in the time it takes to read all weights
    once."""
    torch.manual_seed(0)
    with torch.device(device):
        config = transformers.LlamaConfig(**shape)
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).eval()
    weights = sum(part.nbytes for part in model.parameters())
    bandwidth = _bandwidth(device)
    print(
        f"weights {weights / 1e9:.1f} GB, memory {bandwidth / 1e9:.0f} GB/s, {options.new_tokens} tokens each"
    )
    print(" rows   xlit tokens/s   generate tokens/s   ratio   xlit of the most by bandwidth")
    rng = random.Random(3)
    for rows in (1, 8, 32, 64):
        prompts = [[rng.randrange(3, 1000) for _ in range(rng.randint(32, 256))] for _ in range(2 * rows)]
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(_timed(device, _ours, model, prompts, rows, options.new_tokens))
            theirs.append(_timed(device, _theirs, model, prompts, rows, options.new_tokens))
        tokens = len(prompts) * options.new_tokens
        fast, slow = (tokens / statistics.median(took) for took in (ours, theirs))
        share = fast / (rows * bandwidth / weights)
        print(f"{rows:5} {fast:15.0f} {slow:19.0f} {fast / slow:7.2f} {share:15.0%}")


def _ours(model: Any, prompts: list[list[int]], rows: int, limit: int) -> None:
    given = iter([BatchRow(n, prompt, limit) for n, prompt in enumerate(prompts)])
    for _ in answer_continuously(model, given, Decoding(max_new_tokens=limit), (), Room(rows, None)):
        pass


def _theirs(model: Any, prompts: list[list[int]], rows: int, limit: int) -> None:
    for first in range(0, len(prompts), rows):
        batch = prompts[first : first + rows]
        width = max(map(len, batch))
        ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in batch], device=model.device)
        config = transformers.GenerationConfig(
            do_sample=False, max_new_tokens=limit, repetition_penalty=1.1, pad_token_id=0
        )
        model.generate(input_ids=ids, attention_mask=(ids != 0).long(), generation_config=config)


def _timed(device: str, work: Callable[..., object], *given: object) -> float:
    start = time.perf_counter()
    work(*given)
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _bandwidth(device: str, size: int = 2**30) -> float:
    """Bytes a second that copying reads and writes."""
    cells = torch.ones(size, dtype=torch.uint8, device=device)
    cells.clone()
    times = [_timed(device, cells.clone) for _ in range(5)]
    return 2 * size / min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("miniature", "larger"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=32, help="answered at a time by xlit")
    parser.add_argument("--instructions", type=int, default=192, help="of the miniature's suite")
    parser.add_argument("--prompts", type=int, default=96, help="of the larger model")
    parser.add_argument("--new-tokens", type=int, default=48, help="of the larger model's answers")
    parser.add_argument("--one-by-one", action="store_true", help="the slowest peer for the larger model too")
    parser.add_argument(
        "--memory", type=int, metavar="PROMPTS", help="instead: memory of the process over so many prompts"
    )
    parser.add_argument("--gpu-table", action="store_true", help="instead: a 7B-shaped Llama on a GPU")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if options.gpu_table:
        if not torch.cuda.is_available():
            raise SystemExit("--gpu-table needs a CUDA GPU with 40 GB of memory, and none is here.")
        gpu_table(
            options,
            "cuda",
            vocab_size=32000,
            hidden_size=4096,
            intermediate_size=11008,
            num_hidden_layers=32,
            num_attention_heads=32,
            num_key_value_heads=32,
        )
        return
    with tempfile.TemporaryDirectory() as name:
        if options.memory:
            memory(options, Path(name))
            return
        if options.only != "larger":
            miniature(options)
        if options.only != "miniature":
            larger(options, Path(name))


if __name__ == "__main__":
    main()

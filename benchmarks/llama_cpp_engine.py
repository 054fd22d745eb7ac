"""Tokens a second of the llama.cpp engine against llama-cpp-python's `Llama.create_completion` one by one,
its own server, and llama.cpp's server with a slot for each request (through xllamacpp), the servers asked for
all answers at once.

Two models: a Llama of random weights on prompts of mixed lengths, whose answers run to the limit, and the
miniature's base on its suite, whose answers end where they end. Greedy, penalty 1.0, the same prompts and
threads. Wall-clock time is what a user waits; CPU time says the same where other programs take the cores.

`--shared N` compares the engine with itself without sharing, on prompts with N common characters; `--memory`
prints how its memory grows over many prompts.
"""

# ruff: noqa: T201 - what is printed is the result

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil

from benchmarks.figures import ratio
from core.generate.decoding import Decoding
from core.generate.engines.base import Request
from core.generate.engines.llama_cpp import decoder
from core.generate.engines.llama_cpp.engine import LlamaCppEngine
from core.generate.engines.llama_cpp.library import default_threads as default_threads
from core.generate.gguf.convert import convert

ROOT = Path(__file__).resolve().parents[1]
BASE = ROOT / "core" / "miniature" / "base"
SUITE = ROOT / "core" / "suites" / "miniature.jsonl"

WORD_SIZE, STRIDE = 0.22, 5003

Answer = tuple[str, int, int]
"""Text, tokens of the prompt, tokens of the answer."""
Way = tuple[Callable[[Sequence[str]], list[Answer]], psutil.Process]

XLLAMACPP = """
import sys, xllamacpp
path, port, slots, length, threads = sys.argv[1], *map(int, sys.argv[2:])
p = xllamacpp.CommonParams()
p.model.path, p.port, p.n_parallel, p.n_ctx, p.warmup = path, port, slots, slots * length, False
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = threads
server = xllamacpp.Server(p)
sys.stdin.read()
"""


def random_llama(folder: Path, layers: int) -> Path:
    """A Llama of random weights, 134 million of them with 12 layers, with the miniature's tokenizer and words
    that no text has up to a vocabulary of 32,000.

    A token mostly makes one other the likeliest, by a margin that rounding does not tip, so that all ways
    of computing give the same answers.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder.mkdir()
    tokenizer = json.loads((BASE / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    first = 1 + max(*vocabulary.values(), *(added["id"] for added in tokenizer["added_tokens"]))
    vocabulary |= {f"Ġw{number}": number for number in range(first, 32_000)}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    for name in ("tokenizer_config.json", "chat_template.jinja"):
        (folder / name).write_bytes((BASE / name).read_bytes())
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=32_000,
        hidden_size=768,
        intermediate_size=2048,
        num_hidden_layers=layers,
        num_attention_heads=12,
        num_key_value_heads=12,
        max_position_embeddings=2048,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        words = model.model.embed_tokens.weight.normal_(std=WORD_SIZE)
        model.lm_head.weight.copy_(words.roll(STRIDE, 0) / WORD_SIZE * config.initializer_range)
        model.lm_head.weight[:first] = 0  # bytes and end tokens are never the likeliest
    model.save_pretrained(folder)
    return folder


class Contest:
    """A file and the ways to answer texts with it, `count` at a time and none longer than `longest`."""

    def __init__(self, file: Path, count: int, longest: str, limit: int, options: argparse.Namespace) -> None:
        import llama_cpp

        self.limit = limit
        self.engine = LlamaCppEngine(
            file,
            Decoding(max_new_tokens=limit, repetition_penalty=1.0),
            batch_size=count,
            threads=options.threads,
        )
        length = -(-(self.engine.count_tokens(_chat(longest)) + limit) // 256) * 256
        me = psutil.Process()
        self.ways: dict[str, Way] = {"this engine": (self.ours, me)}
        self.servers: list[subprocess.Popen[bytes]] = []
        single = llama_cpp.Llama(
            str(file), n_ctx=length, n_threads=options.threads, n_threads_batch=options.threads, verbose=False
        )
        self.ways["create_completion"] = (
            lambda texts: [
                _answer(single.create_completion(self.prompt(text), **_settings(limit))) for text in texts
            ],
            me,
        )
        port = random.Random(str(file)).randrange(20_000, 30_000)
        own = ["-m", "llama_cpp.server", "--model", file, "--n_ctx", length, "--port", port]
        own += ["--n_threads", options.threads, "--n_threads_batch", options.threads, "--verbose", "False"]
        self.serve("llama_cpp.server", sys.executable, own, port, count)
        if subprocess.run(
            [options.xllamacpp, "-c", "import xllamacpp"], capture_output=True, check=False
        ).returncode:
            print(f"xllamacpp is not installed for {options.xllamacpp}, so it is left out (--xllamacpp).")
            return
        slots = ["-c", XLLAMACPP, file, port + 1, count, length, options.threads]
        self.serve("llama.cpp's server", options.xllamacpp, slots, port + 1, count)

    def serve(self, name: str, python: str, arguments: list[Any], port: int, count: int) -> None:
        """Start a server and add it to the ways, asked for `count` answers at once."""
        server = subprocess.Popen(
            [python, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.servers.append(server)

        def ask(text: str) -> Answer:
            body = json.dumps({"prompt": self.prompt(text), **_settings(self.limit)}).encode()
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/v1/completions", body, {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=3600) as response:
                return _answer(json.load(response))

        def all_at_once(texts: Sequence[str]) -> list[Answer]:
            with ThreadPoolExecutor(count) as pool:
                return list(pool.map(ask, texts))

        for _ in range(240):
            time.sleep(0.5)
            try:
                ask("a")
                break
            except OSError:
                if server.poll() is not None:
                    raise SystemExit(f"{name} ended with {server.returncode}") from None
        self.ways[name] = (all_at_once, psutil.Process(server.pid))

    def prompt(self, text: str) -> str:
        return self.engine.prompt(_chat(text))

    def ours(self, texts: Sequence[str]) -> list[Answer]:
        found = dict(self.engine.stream((place, Request(_chat(text))) for place, text in enumerate(texts)))
        answers = [found[place] for place in range(len(texts))]
        return [(answer.text, answer.tokens_in, answer.tokens_out) for answer in answers]

    def hold(self, rounds: Sequence[Sequence[str]]) -> None:
        """Every way in turn, round by round; prints medians, and ratios of our speed to theirs."""
        walls: dict[str, list[float]] = {name: [] for name in self.ways}
        loads: dict[str, list[float]] = {name: [] for name in self.ways}
        same = dict.fromkeys(self.ways, 0)
        for texts in rounds:
            answers: dict[str, list[Answer]] = {}
            for name, (way, process) in self.ways.items():
                before, start = _cpu(process), time.perf_counter()
                answers[name] = way(texts)
                tokens = sum(count for _, _, count in answers[name])
                walls[name].append(tokens / (time.perf_counter() - start))
                loads[name].append(tokens / (_cpu(process) - before))
                same[name] += sum(map(_same, answers[name], answers["this engine"]))
        total = sum(map(len, rounds))
        for name in self.ways:
            speeds = f"{median(walls[name]):7.0f} tok/s {median(loads[name]):7.0f} tok/CPU s"
            print(f"  {name:20} {speeds}  {same[name]}/{total} answers as ours", end="")
            if name != "this engine":
                print(f"; ours is {ratio(walls['this engine'], walls[name])} times as fast", end="")
                print(f", {ratio(loads['this engine'], loads[name])} by CPU time", end="")
            print(flush=True)

    def close(self) -> None:
        for server in self.servers:
            server.terminate()
            server.wait()
        self.engine.close()


def shared(file: Path, rounds: Sequence[Sequence[str]], limit: int, options: argparse.Namespace) -> None:
    """The engine with and without sharing, on texts with a common beginning."""
    beginning = ("Answer briefly and in the language of the question. " * 1000)[: options.shared]
    worth = decoder.WORTH_SHARING
    engines = {
        way: LlamaCppEngine(
            file,
            Decoding(max_new_tokens=limit, repetition_penalty=1.0),
            batch_size=options.prompts,
            threads=options.threads,
        )
        for way in (worth, 10**9)
    }
    times: dict[int, list[float]] = {way: [] for way in engines}
    same = 0
    for place, texts in enumerate(rounds):
        found = []
        for decoder.WORTH_SHARING, engine in engines.items():
            start = time.process_time()
            # The number keeps a round from sharing with the one before.
            requests = ((text, Request(_chat(f"{place} {beginning} {text}"))) for text in texts)
            answers = dict(engine.stream(requests))
            times[decoder.WORTH_SHARING].append(time.process_time() - start)
            found.append([answers[text].text for text in texts])
        same += sum(a == b for a, b in zip(*found, strict=True))
    decoder.WORTH_SHARING = worth
    tokens, total = engines[worth].count_tokens(_chat(beginning)), sum(map(len, rounds))
    print(f"{file.name}: {options.prompts} prompts with {tokens} tokens in common, {limit} tokens out")
    print(f"  CPU time without sharing / with: {ratio(times[10**9], times[worth])}; {same}/{total} the same")
    for engine in engines.values():
        engine.close()


def memory(file: Path, options: argparse.Namespace) -> None:
    engine = LlamaCppEngine(file, Decoding(max_new_tokens=8, repetition_penalty=1.1), threads=options.threads)
    texts = _suite()
    process = psutil.Process()
    requests = (
        (place, Request(_chat(f"{texts[place % len(texts)]} {place}"))) for place in range(options.memory)
    )
    for place, _ in enumerate(engine.stream(requests), 1):
        if place in (options.memory // 10, options.memory):
            print(f"after {place} prompts: {process.memory_info().rss / 1e6:.1f} MB")
    engine.close()


def _chat(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _suite() -> list[str]:
    return [json.loads(line)["text"] for line in SUITE.read_text().splitlines()]


def _settings(limit: int) -> dict[str, Any]:
    return {"max_tokens": limit, "temperature": 0.0, "repeat_penalty": 1.0}


def _answer(completion: Any) -> Answer:
    usage = completion["usage"]
    return completion["choices"][0]["text"], usage["prompt_tokens"], usage["completion_tokens"]


def _same(answer: Answer, ours: Answer) -> bool:
    """Same text and prompt; a peer may leave the end token out of its count."""
    return answer[:2] == ours[:2] and ours[2] - answer[2] in (0, 1)


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=64, help="the most in an answer")
    parser.add_argument("--layers", type=int, default=12, help="of the random model")
    parser.add_argument("--formats", nargs="*", default=["q8_0", "f16"], help="of the random model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--xllamacpp", default=sys.executable, help="a Python that has xllamacpp")
    parser.add_argument("--shared", type=int, default=0, help="characters that all prompts begin with")
    parser.add_argument("--memory", type=int, default=0, help="prompts to answer, for example 10000")
    options = parser.parse_args()
    drawn, suite = random.Random(0), _suite()
    alike = [drawn.sample(suite, options.prompts) for _ in range(options.rounds)]
    mixed = [[" ".join(drawn.sample(suite, drawn.randint(1, 5))) for _ in texts] for texts in alike]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = convert(BASE, folder / "miniature.gguf", "q8_0")
        if options.memory:
            return memory(small, options)
        files = [(small, alike)]
        if options.formats:
            big = random_llama(folder / "random", options.layers)
            files += [(convert(big, folder / f"random-{q}.gguf", q), mixed) for q in options.formats]
        print(f"{options.prompts} prompts, at most {options.tokens} tokens, {options.threads} threads")
        for file, rounds in files:
            if options.shared:
                shared(file, rounds, options.tokens, options)
                continue
            print(f"{file.name}:")
            longest = max((text for texts in rounds for text in texts), key=len)
            contest = Contest(file, options.prompts, longest, options.tokens, options)
            try:
                contest.hold(rounds)
            finally:
                contest.close()


if __name__ == "__main__":
    main()

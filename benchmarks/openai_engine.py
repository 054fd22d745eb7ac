"""How many answers a second the openai engine gets of a server that takes 200 ms for each, against the most
there can be (requests at a time / latency), and against plain loops over the openai package."""

# ruff: noqa: T201 - what is printed is the result

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from core.generate.decoding import Decoding
from core.generate.engines.base import Failed, Request
from core.generate.engines.openai import OpenAiEngine

TEXT = "Расскажи, как играют в бадминтон, и посоветуй, с чего начать. " * 4
GREEDY = Decoding(repetition_penalty=1.0)


def plain(url: str, count: int, concurrency: int) -> float:
    """Answers a second of as many loops as requests at a time, each with one request after another."""
    import openai

    async def ask(client: openai.AsyncOpenAI, places: Iterator[int]) -> None:
        for place in places:
            await client.chat.completions.create(
                model="slow",
                messages=[{"role": "user", "content": f"{place} {TEXT}"}],
                temperature=0,
                max_tokens=GREEDY.max_new_tokens,
            )

    async def all_of_them() -> float:
        places = iter(range(count))
        async with openai.AsyncOpenAI(api_key="none", base_url=url) as client:
            start = time.perf_counter()
            await asyncio.gather(*(ask(client, places) for _ in range(concurrency)))
            return count / (time.perf_counter() - start)

    return asyncio.run(all_of_them())


def rate(url: str, count: int, concurrency: int) -> float:
    """Answers a second of `count` requests."""
    requests = ((place, Request([{"role": "user", "content": f"{place} {TEXT}"}])) for place in range(count))
    with closing(OpenAiEngine("slow", GREEDY, base_url=url, concurrency=concurrency)) as engine:
        start = time.perf_counter()
        answers = list(engine.stream(requests))
        seconds = time.perf_counter() - start
    if any(isinstance(answer, Failed) for _, answer in answers) or len(answers) != count:
        raise SystemExit(f"{count} were asked, and not all were answered")
    return count / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--each", type=int, default=100, help="requests for each of those at a time")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    command = [sys.executable, str(Path(__file__).with_name("slow_judge.py"))]
    server = subprocess.Popen(
        [*command, "--latency", str(options.latency)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    url = server.stdout.readline().strip()
    print(f"{options.latency:g} s for each answer; goal: at least 95% of the most at 16 at a time")
    found: dict[int, list[tuple[float, float]]] = {places: [] for places in options.concurrency}
    for _ in range(options.rounds):
        for places, rates in found.items():
            count = places * options.each
            rates.append((rate(url, count, places), plain(url, count, places)))
    for places, rates in found.items():
        most = places / options.latency
        shares = [ours / most for ours, _ in rates]
        peer = statistics.median(theirs / most for _, theirs in rates)
        times = statistics.median(ours / theirs for ours, theirs in rates)
        print(
            f"{places:4} at a time: {statistics.median(shares):5.1%} of {most:5.1f}/s "
            f"({min(shares):.1%} to {max(shares):.1%} in {options.rounds} rounds), "
            f"{times:.2f} times the plain loops ({peer:.1%})"
        )
    server.communicate("")


if __name__ == "__main__":
    main()

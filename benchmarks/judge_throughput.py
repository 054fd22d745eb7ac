"""How many judgements a second come of a server that takes 200 ms for each, against the most there can be:
questions at a time / latency. Then how the time of a judgement grows with ten times the work."""

# ruff: noqa: T201 - what is printed is the result

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.judge.llm_judge.settings import JudgeSettings
from core.judge.rubric.judge import judge_rubric
from store import open_store
from store.queries import models, responses, suites
from store.session import writing

TEXT = "Бадминтон это игра с ракеткой и воланом, в которую играют вдвоём или вчетвером на корте. "


def store_of(path: Path, count: int):
    """A store with one Russian instruction and `count` different responses, of about 400 characters."""
    engine = open_store(path, create=True)
    with writing(engine) as session:
        new = [suites.NewInstruction(f"k{place}", "ru", f"Расскажи {place} раз.") for place in range(count)]
        suite, _ = suites.add_suite(session, "bench", "1", new)
        identity = {
            "model_id": models.model_id(session, "m"),
            "decoding_id": models.decoding_id(session, "imported", None, {}),
        }
        rows = [
            {**identity, "instruction_id": row.id, "text": f"{place} {TEXT * 4}"}
            for place, row in enumerate(suites.instructions_of(session, suite, "ru"))
        ]
        responses.add_responses(session, rows)
    return engine


def judged(folder: Path, url: str, count: int, concurrency: int) -> float:
    """The seconds that it takes to judge `count` responses."""
    engine = store_of(folder / f"{count}-{concurrency}.db", count)
    settings = JudgeSettings(model="slow-judge", base_url=url, concurrency=concurrency)
    start = time.perf_counter()
    record = judge_rubric(engine, settings)
    seconds = time.perf_counter() - start
    engine.dispose()
    if record.counts.get("rated") != count:
        raise SystemExit(f"{record.counts} instead of {count} rated")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgements", type=int, default=2000)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[4, 16])
    parser.add_argument(
        "--growth", type=int, default=10, help="times the work of the last line (1: leave out)"
    )
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
    print(f"{options.judgements} judgements, {options.latency:g} s each; goal: at least 95% of the most")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for concurrency in options.concurrency:
            count = min(options.judgements, round(concurrency * 60 / options.latency))
            seconds = judged(folder, url, count, concurrency)
            most = concurrency / options.latency
            print(
                f"{concurrency:4} at a time: {count} in {seconds:6.1f} s, {count / seconds:6.1f}/s of "
                f"{most:6.1f}/s: {count / seconds / most:5.1%}"
            )
        if options.growth > 1:
            concurrency = options.concurrency[-1]
            small = judged(folder, url, options.judgements // options.growth, concurrency)
            ratio = (seconds / count) / (small / (options.judgements // options.growth))
            print(f"a judgement among {count} takes {ratio:.2f} times that among {count // options.growth}")
    server.communicate("")


if __name__ == "__main__":
    main()

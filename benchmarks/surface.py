"""The surface metrics of a store against a plain loop of fastText and Hunspell calls over its responses."""

# ruff: noqa: T201 - what is printed is the result
import argparse
import contextlib
import io
import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import surface_corpus
import surface_peer
from figures import ratio

from core.exchange.importing import run_import
from core.judge.surface.foreign import foreign_stretches
from core.judge.surface.language import LanguageIdentifier, prepared_line
from core.judge.surface.metrics import judge_surface
from core.judge.surface.spelling import Speller, find_dictionary
from core.text.prose import blank_code
from store import open_store

TIMES = 10


def build(path: Path, data: Path | None, responses: int) -> None:
    """The store to be measured: the Language Confusion Benchmark's outputs, or a made corpus."""
    if data is None:
        surface_corpus.build_corpus(path, responses)
        return
    engine = open_store(path, create=True)
    run_import(engine, "language-confusion", [data], {})
    engine.dispose()


def enlarge(path: Path) -> None:
    """Make a store `TIMES` times larger: the same responses by models under other names."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        models = connection.execute("SELECT id, name FROM model").fetchall()
        columns = [row[1] for row in connection.execute("PRAGMA table_info(response)")]
        copied = ", ".join(name for name in columns if name not in ("id", "model_id"))
        for model, name in models:
            for copy in range(1, TIMES):
                made = connection.execute(
                    "INSERT INTO model (name) VALUES (?)", (f"{name} {copy}",)
                ).lastrowid
                connection.execute(
                    f"INSERT INTO response (model_id, {copied}) "
                    f"SELECT ?, {copied} FROM response WHERE model_id = ? ORDER BY id",
                    (made, model),
                )


def responses_in(path: Path) -> list[tuple[int, str, str]]:
    """(id, language, text) of every response."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT response.id, language, response.text FROM response "
            "JOIN instruction ON instruction.id = instruction_id ORDER BY response.id"
        ).fetchall()


def ours(store: Path, folder: Path, processes: int | None) -> tuple[float, Path]:
    """Seconds that the command takes on a copy of a store, and that copy."""
    copy = folder / "measured.db"
    for ending in ("", "-wal", "-shm"):
        copy.with_name(copy.name + ending).unlink(missing_ok=True)
    shutil.copy(store, copy)
    engine = open_store(copy)
    seconds = timed(lambda: quietly(lambda: judge_surface(engine, processes=processes)))
    engine.dispose()
    return seconds, copy


def timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def quietly(work: Callable[[], Any]) -> None:
    with contextlib.redirect_stderr(io.StringIO()):
        work()


def differing(rows: list[tuple[int, str, str]], values: list[surface_peer.Values], store: Path) -> int:
    """How many responses have other values in the store than the plain loop found."""
    with contextlib.closing(sqlite3.connect(store)) as connection:
        found = {
            (response, metric): (value, label, json.loads(detail))
            for response, metric, value, label, detail in connection.execute(
                "SELECT response_id, metric, value, label, detail FROM surface_metric"
            )
        }
    wrong = 0
    for (response, _, _), (identified, words, misspelt) in zip(rows, values, strict=True):
        value, label, detail = found[response, "language"]
        if "reason" in detail:  # nothing to identify: fastText answers all the same
            same = "guess" not in detail or (identified is not None and detail["guess"][0] == identified[0])
        else:
            same = identified is not None and (label, value) == (identified[0], min(identified[1], 1.0))
        _, _, spelling = found[response, "spelling"]
        same = same and (spelling["words"], spelling["misspelt"]) == (words, misspelt)
        wrong += not same
    return wrong


def parts_of_ours(rows: list[tuple[int, str, str]]) -> Iterator[tuple[str, float]]:
    """Where our time goes: seconds of processor time for each part, in one process."""
    identifier = LanguageIdentifier()
    spellers: dict[str, Speller] = {}

    def load() -> None:
        for language in {language for _, language, _ in rows}:
            dictionary = find_dictionary(language)
            assert dictionary is not None
            spellers[language] = Speller(language, dictionary)

    blanked = [blank_code(text) for _, _, text in rows]
    lines = [prepared_line(prose) for prose in blanked]
    whole = [identifier.identify(text, prose) for (_, _, text), prose in zip(rows, blanked, strict=True)]
    pairs = list(zip(rows, blanked, strict=True))
    yield "loading the dictionaries", timed(load)
    yield (
        "language of the response",
        timed(lambda: [identifier.identify(text, it) for (_, _, text), it in pairs]),
    )
    yield (
        "stretches in other languages (not in the plain loop)",
        timed(
            lambda: [
                foreign_stretches(text, language, identifier, found, it)
                for ((_, language, text), it), found in zip(pairs, whole, strict=True)
            ]
        ),
    )
    yield (
        "spelling, every word for the first time",
        timed(lambda: [spellers[language].check_prose(it) for (_, language, _), it in pairs]),
    )
    yield (
        "spelling, every word known",
        timed(lambda: [spellers[language].check_prose(it) for (_, language, _), it in pairs]),
    )
    model = identifier._model
    yield (
        "  of these, fastText's own time for the responses",
        timed(lambda: [model.predict(it) for it in lines]),
    )


def main() -> None:
    """Build the stores, measure in turn, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the Language Confusion Benchmark's release")
    parser.add_argument("--responses", type=int, default=6000, help="of the made corpus (without --data)")
    parser.add_argument("--rounds", type=int, default=3, help="how often both are measured")
    parser.add_argument("--processes", type=int, help="of ours (default: one for each core)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = folder / "responses.db"
        quietly(lambda: build(store, options.data, options.responses))
        rows = responses_in(store)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        print(f"{len(rows):,} responses, {sum(len(text) for _, _, text in rows):,} characters, {cores} cores")
        plain = compare(rows, store, folder, options)
        print("where the time goes, in one process (seconds):")
        for part, seconds in parts_of_ours(rows):
            print(f"  {seconds:6.2f}  {part}")
        growth(rows, store, folder, options, plain)


def compare(
    rows: list[tuple[int, str, str]], store: Path, folder: Path, options: argparse.Namespace
) -> float:
    """Ours and the plain loop in turn; returns the plain loop's responses a second."""
    asked = [(language, text) for _, language, text in rows]
    our_times, alone_times, plain_times = [], [], []
    values: list[surface_peer.Values] = []
    for _ in range(options.rounds):
        alone_times.append(ours(store, folder, 1)[0])
        seconds, copy = ours(store, folder, options.processes)
        our_times.append(seconds)
        start = time.perf_counter()
        values = surface_peer.measure(asked)
        plain_times.append(time.perf_counter() - start)
    for name, times in (
        ("plain loop", plain_times),
        ("ours, one process", alone_times),
        ("ours", our_times),
    ):
        rate = len(rows) / sorted(times)[len(times) // 2]
        print(f"{name:20} {rate:8.0f} responses/s")
    print(f"ours is faster by    {ratio(plain_times, our_times)}   (goal: 5 on 2 cores)")
    print(f"in one process by    {ratio(plain_times, alone_times)}")
    wrong = differing(rows, values, copy)
    print(
        f"same values: {len(rows) - wrong:,} of {len(rows):,} responses (label, probability, words, misspelt)"
    )
    print("ours also locates the stretches in other languages and writes the store; both load their models.")
    return len(rows) / sorted(plain_times)[len(plain_times) // 2]


def growth(
    rows: list[tuple[int, str, str]], store: Path, folder: Path, options: argparse.Namespace, plain: float
) -> None:
    """Ours on a store that is `TIMES` times larger, and on the small one right before and after. `plain`: the
    plain loop's responses a second, which remembers nothing and so takes as long for each."""
    large = folder / "large.db"
    shutil.copy(store, large)
    enlarge(large)
    before = ours(store, folder, options.processes)[0]
    seconds = ours(large, folder, options.processes)[0]
    after = ours(store, folder, options.processes)[0]
    each, small = seconds / TIMES, (before + after) / 2
    rate = TIMES * len(rows) / seconds
    print(f"{TIMES} times the responses ({TIMES * len(rows):,}, the same texts under other names):")
    print(f"  {rate:8.0f} responses/s, {rate / plain:.2f} times the plain loop's rate above")
    print(f"  time per response {each / small:.2f} times that of the small store")


if __name__ == "__main__":
    main()

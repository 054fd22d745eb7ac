"""How fast `xlit-core import` brings responses in, with everything checked, against plain
`sqlite3.executemany` of the same rows into tables of the same form; then the memory at ten times the size."""

# ruff: noqa: T201 - what is printed is the result

import argparse
import json
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TEXT = "Бадминтон это игра с ракеткой и воланом в которую играют вдвоём или вчетвером на корте"
WORDS = TEXT.split()
MODELS = 7
GOAL = 0.5


def write_rows(path: Path, count: int, words: int) -> None:
    """`count` answers of about `words` words, of seven models to as many instructions as that takes."""
    draw = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            key, model = divmod(number, MODELS)
            row = {
                "suite": "bench/1", "key": f"k{key:07}", "language": "ru", "task": f"task {key % 25}",
                "instruction": f"{key}: {' '.join(draw.choices(WORDS, k=12))}?", "model": f"model {model}",
                "response": " ".join(draw.choices(WORDS, k=words)),
            }  # fmt: skip
            draw.seed(key)
            row["instruction"] = f"{key}: {' '.join(draw.choices(WORDS, k=12))}?"
            draw.seed(number * 31 + 7)
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def ours(path: Path, store: Path) -> float:
    """Seconds of an import into a new store."""
    from core.exchange.importing import run_import
    from store import open_store

    engine = open_store(store, create=True)
    start = time.perf_counter()
    run_import(engine, "jsonl", [path])
    seconds = time.perf_counter() - start
    engine.dispose()
    return seconds


def theirs(path: Path, store: Path) -> float:
    """Seconds of the peer: the same file parsed and the same columns written by `executemany`, in one
    transaction, into the store's own tables and indexes; nothing is looked up or checked."""
    from store import open_store

    open_store(store, create=True).dispose()
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    start = time.perf_counter()
    connection.execute("BEGIN")
    connection.execute("INSERT INTO suite (id, name, version) VALUES (1, 'bench', '1')")
    connection.execute(
        "INSERT INTO decoding (id, digest, engine, parameters) VALUES (1, 'x', 'imported', '{}')"
    )
    names = [(n + 1, f"model {n}") for n in range(MODELS)]
    connection.executemany("INSERT INTO model (id, name) VALUES (?, ?)", names)
    with path.open(encoding="utf-8") as file:
        batch: list[dict[str, str]] = []
        number = 0
        for line in file:
            batch.append(json.loads(line))
            if len(batch) == 7_000:
                number = _insert(connection, batch, number)
                batch = []
        _insert(connection, batch, number)
    connection.execute("COMMIT")
    seconds = time.perf_counter() - start
    connection.close()
    return seconds


def _insert(connection: sqlite3.Connection, batch: list[dict[str, str]], number: int) -> int:
    from store.queries.responses import text_digest

    connection.executemany(
        "INSERT INTO instruction (id, suite_id, key, language, position, text, task) VALUES (?,1,?,?,?,?,?)",
        [
            (
                (number + n) // MODELS + 1,
                r["key"],
                r["language"],
                (number + n) // MODELS,
                r["instruction"],
                r["task"],
            )
            for n, r in enumerate(batch)
            if (number + n) % MODELS == 0
        ],
    )
    connection.executemany(
        "INSERT INTO response (instruction_id, model_id, decoding_id, sample, text, text_digest, created_at)"
        " VALUES (?,?,1,0,?,?,'2026-01-01 00:00:00')",
        [
            ((number + n) // MODELS + 1, (number + n) % MODELS + 1, r["response"], text_digest(r["response"]))
            for n, r in enumerate(batch)
        ],
    )
    return number + len(batch)


def peak_mib(path: Path, store: Path) -> float:
    """The peak of the resident memory of a process that imports a file, in MiB."""
    command = [sys.executable, __file__, "--only", str(path), str(store)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=35_000)
    parser.add_argument("--words", type=int, default=80, help="in a response")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--megabytes", type=int, default=20, help="of the smaller file for memory (0: leave out)"
    )
    parser.add_argument("--only", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        ours(*options.only)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "rows.jsonl"
        write_rows(path, options.rows, options.words)
        print(f"{options.rows} rows, {path.stat().st_size / 2**20:.1f} MiB; goal: at least {GOAL:g} as fast")
        ratios = []
        for round_ in range(options.rounds):
            seconds = {}
            for work in (theirs, ours) if round_ % 2 else (ours, theirs):
                store = folder / f"{work.__name__}-{round_}.db"
                seconds[work] = work(path, store)
                store.unlink()
            ratios.append(seconds[theirs] / seconds[ours])
            print(
                f"  ours {options.rows / seconds[ours]:8.0f}/s, executemany "
                f"{options.rows / seconds[theirs]:8.0f}/s: {ratios[-1]:.2f}"
            )
        print(f"median {statistics.median(ratios):.2f} as fast as executemany")
        if options.megabytes:
            peaks = []
            for factor in (1, 10):
                big = folder / "big.jsonl"
                a_row = path.stat().st_size / options.rows
                write_rows(big, int(options.megabytes * factor * 2**20 / a_row), options.words)
                peaks.append(peak_mib(big, folder / f"big-{factor}.db"))
                print(f"{big.stat().st_size / 2**20:6.0f} MiB: peak {peaks[-1]:.0f} MiB of memory")
            print(f"ten times the file takes {peaks[1] / peaks[0]:.2f} times the memory")


if __name__ == "__main__":
    main()

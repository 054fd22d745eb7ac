"""Merging a reviewer's store into another, against copying the same rows with sqlite3 and no questions asked;
merging it again; how the time grows with ten times the ratings; and the memory that it took."""

# ruff: noqa: T201 - what is printed is the result

import argparse
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import insert

from core.merge import merge_stores
from store import open_store
from store.queries import models, raters, responses, rubrics, suites
from store.session import writing
from store.tables import Entry, Rating, utc_now

CRITERIA = 6
AT_ONCE = 10_000
COPIED = ("suite", "instruction", "model", "decoding", "response", "rater", "rubric", "criterion", "entry",
          "rating")  # fmt: skip


def make_store(path: Path, ratings: int) -> None:
    """A store in which one person scored every response on six criteria, an action for each response."""
    engine = open_store(path, create=True)
    count = ratings // CRITERIA
    with writing(engine) as session:
        new = [suites.NewInstruction(f"k{place}", "ru", f"Расскажи {place} раз.") for place in range(count)]
        suite, _ = suites.add_suite(session, "bench", "1", new)
        identity = {
            "model_id": models.model_id(session, "m"),
            "decoding_id": models.decoding_id(session, "imported", None, {}),
        }
        rows = [
            {**identity, "instruction_id": row.id, "text": f"{row.key} " + "Ракетка и волан. " * 40}
            for row in suites.instructions_of(session, suite, "ru")
        ]
        for first in range(0, count, AT_ONCE):
            responses.add_responses(session, rows[first : first + AT_ONCE])
        rubrics.default_rubric_id(session)
        rater = raters.rater_id(session, "human", "anna")
        start = utc_now()
        connection = session.connection()
        for first in range(1, count + 1, AT_ONCE):
            acts = range(first, min(first + AT_ONCE, count + 1))
            connection.execute(
                insert(Entry),
                [
                    {"id": act, "rater_id": rater, "kind": "score", "response_id": act, "app_version": "0",
                     "looked_ms": 20_000, "judge_shown": False, "names_shown": False,
                     "created_at": start + timedelta(seconds=20 * act)}
                    for act in acts
                ],
            )  # fmt: skip
            connection.execute(
                insert(Rating),
                [
                    {"entry_id": act, "response_id": act, "rater_id": rater, "criterion_id": criterion,
                     "score": act % 3, "skipped": False}
                    for act in acts
                    for criterion in range(1, CRITERIA + 1)
                ],
            )  # fmt: skip
    engine.dispose()


def merge(source: Path, target: Path) -> None:
    engine = open_store(target, create=True)
    merge_stores(engine, [str(source)])
    engine.dispose()


def copy(source: Path, target: Path) -> None:
    """The same rows into a store with the same tables and indexes, in one transaction."""
    open_store(target, create=True).dispose()
    with sqlite3.connect(source) as read, sqlite3.connect(target) as write:
        for table in COPIED:
            rows = read.execute(f"SELECT * FROM {table}")
            places = ", ".join("?" * len(rows.description))
            write.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
    read.close()
    write.close()


def seconds(action: Callable[[Path, Path], None], source: Path, target: Path) -> float:
    start = time.perf_counter()
    action(source, target)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, many = folder / "few.db", folder / "many.db"
        make_store(few, options.ratings // 10)
        make_store(many, options.ratings)
        times: dict[str, list[float]] = {"copy": [], "merge": [], "again": [], "tenth": []}
        for number in range(options.rounds):
            times["copy"].append(seconds(copy, many, folder / f"copy{number}.db"))
            times["tenth"].append(seconds(merge, few, folder / f"few{number}.db"))
            times["merge"].append(seconds(merge, many, folder / f"many{number}.db"))
            times["again"].append(seconds(merge, many, folder / f"many{number}.db"))
        middle = {name: median(found) for name, found in times.items()}
        rate = options.ratings / middle["merge"]
        print(f"{options.ratings} ratings: merged {rate:.0f} a second, {middle['merge']:.1f} s")
        print(f"merge / copying with sqlite3:  {middle['merge'] / middle['copy']:.1f}")
        print(f"merging again / merging:       {middle['again'] / middle['merge']:.2f}")
        print(f"ten times the ratings / time:  {middle['merge'] / middle['tenth']:.1f}")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak memory of all this:       {peak:.0f} MB")


if __name__ == "__main__":
    main()

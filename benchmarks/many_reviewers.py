"""Many reviewers score at once, each with a connection of its own, in a few processes: ratings a second, how
long a score takes to be saved, and how both grow from 1 reviewer to many. Every acknowledged score must
be there, once. PostgreSQL (a server of its own is started, or --postgres URL), and one SQLite file."""

# ruff: noqa: T201 - what is printed is the result

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from threading import Thread
from typing import Any

from store.queries import raters, rubrics

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import text

from store import open_store
from store.queries import journal, reviewers
from store.queries.journal import Score
from store.session import reading
from tests.postgresql import new_schema, running_server, server_programs
from tests.reviewing import make_store, rater_of
from tui.review.saving import saving
from tui.review.view import WAIT_FOR_WRITER_MS

PROCESSES = 5

Acknowledged = tuple[str, int, int, int]
"""Reviewer, response, criterion, score."""


def process(url: str, names: list[str], texts: int, pause: float, start: Any, out: Any) -> None:
    """Some of the reviewers, a thread each."""
    threads = [Thread(target=reviewer, args=(url, name, texts, pause, start, out)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def reviewer(url: str, name: str, texts: int, pause: float, start: Any, out: Any) -> None:
    """One reviewer: a score a transaction as a key of the room writes it, a commit after each response."""
    engine = open_store(url)
    with reading(engine) as session:
        rater = rater_of(session, name)
        criteria = [it.id or 0 for it in rubrics.criteria_of(session, rubrics.default_rubric_id(session))]
        reviewers.wait_for_writer(session, WAIT_FOR_WRITER_MS)
    said: list[Acknowledged] = []
    took: list[float] = []
    failed: list[str] = []
    start.wait()
    for response in range(1, texts + 1):
        for place, criterion in enumerate(criteria):
            score = (response + place) % 3
            time.sleep(pause)
            begun = time.perf_counter()
            try:
                with saving(engine) as session:
                    journal.append(session, rater, [Score(response, criterion, score)])
            except Exception as error:
                failed.append(str(error))
                continue
            took.append(time.perf_counter() - begun)
            said.append((name, response, criterion, score))
        with saving(engine) as session:
            journal.commit_response(session, rater, response)
    engine.dispose()
    out.put((said, took, failed))


def score_together(url: str, people: int, texts: int, pause: float) -> tuple[float, float]:
    """Ratings a second and the 95th percentile of the seconds that one takes. Ends the program when a score
    is missing, is there twice, or was refused."""
    engine = make_store(url, keys=(texts + 5) // 6)
    names = [f"reviewer {number}" for number in range(people)]
    with saving(engine) as session:
        for name in names:
            raters.rater_id(session, "human", name)
    spawn = multiprocessing.get_context("spawn")
    start, out = spawn.Barrier(people + 1), spawn.Queue()
    parts = [names[first::PROCESSES] for first in range(min(PROCESSES, people))]
    workers = [spawn.Process(target=process, args=(url, part, texts, pause, start, out)) for part in parts]
    for worker in workers:
        worker.start()
    start.wait()
    begun = time.perf_counter()
    found = [out.get() for _ in names]
    seconds = time.perf_counter() - begun
    for worker in workers:
        worker.join()
    said = [it for part, _, _ in found for it in part]
    took = [it for _, part, _ in found for it in part]
    failed = [it for _, _, part in found for it in part]
    if failed:
        raise SystemExit(f"{len(failed)} scores were refused, the first: {failed[0]}")
    with engine.connect() as connection:
        there = connection.execute(
            text(
                "SELECT rater.name, response_id, criterion_id, score FROM rating "
                "JOIN rater ON rater.id = rating.rater_id"
            )
        )
        kept = Counter(tuple(row) for row in there)
    engine.dispose()
    lost, twice = set(said) - kept.keys(), [it for it, times in kept.items() if times > 1]
    if lost or twice or len(kept) != len(said):
        raise SystemExit(f"{len(lost)} of {len(said)} acknowledged scores are not there, {len(twice)} twice")
    return len(said) / seconds, quantiles(took, n=20)[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgresql", type=int, nargs="*", default=[1, 10, 50], help="reviewers at once")
    parser.add_argument("--sqlite", type=int, nargs="*", default=[1, 10], help="reviewers at once")
    parser.add_argument("--texts", type=int, default=8, help="responses that each scores on six criteria")
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two keys of a reviewer")
    parser.add_argument("--postgres", metavar="URL", help="of a database that may be written to")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runs = [("SQLite", people) for people in options.sqlite]
        url = options.postgres
        if options.postgresql and url is None:
            programs = server_programs()
            if programs is None:
                print("No PostgreSQL server here (initdb, pg_ctl): give --postgres URL.")
            else:
                url = stack.enter_context(running_server(programs, "-c max_connections=120"))
        if url is not None:
            runs += [("PostgreSQL", people) for people in options.postgresql]
        first: dict[str, tuple[float, float]] = {}
        for kind, people in runs:
            with ExitStack() as one:
                where = (
                    str(folder / f"{people}.db")
                    if kind == "SQLite"
                    else one.enter_context(new_schema(str(url)))[1]
                )
                rate, slow = score_together(where, people, options.texts, options.pause)
            alone = first.setdefault(kind, (rate, slow))
            print(
                f"{kind:10} {people:3} at once: {rate:7.0f} ratings/s, p95 {slow * 1000:7.1f} ms; "
                f"{rate / alone[0]:5.2f} and {slow / alone[1]:5.2f} times those of {runs[0][1]}; "
                "all there, none twice",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""The numbers of a report against pandas and scipy's bootstrap, and how they grow."""

# ruff: noqa: T201 - what is printed is the result
import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import report_peer
import report_store
from figures import ratio
from report_peer import Cells

from core.analysis.bootstrap import draw_resamples
from core.analysis.means import mean_scores
from core.analysis.modifiers import load_verdicts
from core.analysis.scores import Scores, load_scores
from core.analysis.selection import selection_of
from core.report.build import make_report
from core.report.sections.models import models_section
from core.report.sections.modifiers import modifiers_section
from core.report.sections.scores import scores_section
from core.report.sections.surface import surface_section
from core.report.writing import write_report
from store import open_store
from store.queries.surface import surface_measures
from store.session import reading

INSTRUCTIONS = 113
TIMES = 10
GOAL = 10

# Ends of intervals by two bootstraps of 10,000 resamples differ by chance, by 0.04 standard errors (normal
# theory); the largest of some thousands of differences by four times as much, and by a step of a mean of
# whole numbers.
FAR, FAR_ON_AVERAGE = 0.4, 0.06

Place = tuple[int, str, int]


def loaded(path: Path, place: Place) -> Scores:
    suite, label, rubric = place
    engine = open_store(path)
    with reading(engine) as session:
        found = load_scores(session, suite, label, rubric)
    engine.dispose()
    return found


def ours(path: Path, place: Place, number: int) -> Cells:
    """All cells of a store, by the names that the peer has for them."""
    scored = loaded(path, place)
    means = mean_scores(scored, draw_resamples(len(scored.keys), number=number))
    found: Cells = {}
    for rater_group in means.rater_groups:
        rater = "people" if rater_group.together else scored.raters[rater_group.raters[0]].name
        for source, model in enumerate(scored.sources):
            for criterion, named in enumerate(scored.criteria):
                for language_group in (*scored.languages, "non-English"):
                    mean = means.at(rater_group, source, criterion, language_group)
                    if mean is not None and mean.low is not None and mean.high is not None:
                        found[rater, model.model, named.name, language_group] = (
                            mean.value,
                            mean.low,
                            mean.high,
                        )
    return found


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def check(mine: Cells, theirs: Cells) -> None:
    """Print how far the two are apart; raise when it is more than chance does."""
    missing = theirs.keys() - mine.keys()
    means = max(abs(mine[cell][0] - theirs[cell][0]) for cell in theirs)
    ends = []
    for cell, (_, low, high) in theirs.items():
        error = (high - low) / (2 * 1.96)
        ends += [abs(mine[cell][1] - low) / error, abs(mine[cell][2] - high) / error]
    average = sum(ends) / len(ends)
    print(
        f"means differ by at most {means:.1e}; ends of intervals by {average:.3f} standard errors on average,"
    )
    print(f"{max(ends):.3f} at most ({len(theirs):,} cells, {len(missing)} missing in ours)")
    if missing or means > 1e-9 or max(ends) > FAR or average > FAR_ON_AVERAGE:
        raise SystemExit("Not the same numbers.")


def parts(path: Path, place: Place, number: int) -> dict[str, float]:
    """Seconds for loading and for each section on scores; for the whole report, loading included; and for
    writing it in all formats."""
    suite, label, _ = place
    seconds: dict[str, float] = {}
    start = time.perf_counter()
    scored = loaded(path, place)
    engine = open_store(path)
    with reading(engine) as session:
        measured, selection = surface_measures(session, suite), selection_of(session, suite, label)
        judged = load_verdicts(session, suite, label)
    engine.dispose()
    seconds["loading"] = time.perf_counter() - start
    seconds["scores"] = timed(lambda: scores_section(scored, number=number))
    seconds["comparison of models"] = timed(lambda: models_section(scored, number=number))
    seconds["surface metrics"] = timed(lambda: surface_section(scored, measured, selection, number=number))
    seconds["modifiers"] = timed(lambda: modifiers_section(scored, judged, number=number))
    engine = open_store(path)
    start = time.perf_counter()
    made = make_report(engine, label, number=number)
    seconds["the whole report"] = time.perf_counter() - start
    engine.dispose()
    with tempfile.TemporaryDirectory() as folder:
        seconds["its files"] = timed(lambda: write_report(made, Path(folder) / "report"))
    return seconds


def main() -> None:
    """Build the stores, measure in turn, check and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=int, default=INSTRUCTIONS, help="in each language")
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3, help="how often both are measured")
    parser.add_argument("--every", type=int, default=1, help="the peer computes only each so many-th cell")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path, big = Path(name) / "study.db", Path(name) / "big.db"
        place = report_store.build(path, options.instructions)
        print(f"{len(loaded(path, place).score):,} scores, {options.resamples:,} resamples")
        our_times, their_times = [], []
        for _ in range(options.rounds):
            start = time.perf_counter()
            mine = ours(path, place, options.resamples)
            our_times.append(time.perf_counter() - start)
            start = time.perf_counter()
            theirs, number = report_peer.cells(path, options.resamples, options.every)
            their_times.append(time.perf_counter() - start)
        check(mine, theirs)
        asked = f"{len(theirs):,} of its {number:,} cells" if options.every > 1 else f"{number:,} cells"
        print(
            f"pandas and scipy.stats.bootstrap, {asked}: {sorted(their_times)[len(their_times) // 2]:.2f} s"
        )
        print(f"ours, {len(mine):,} cells: {sorted(our_times)[len(our_times) // 2]:.2f} s")
        print(f"times as fast (goal {GOAL}): {ratio(their_times, our_times)}")
        small = parts(path, place, options.resamples)
        more = report_store.build(big, options.instructions * TIMES)
        large = parts(big, more, options.resamples)
        print(f"seconds, and with {TIMES} times the instructions:")
        for part, seconds in small.items():
            print(f"  {part:22} {seconds:7.2f} {large[part]:7.2f}  {large[part] / seconds:4.1f} times")


if __name__ == "__main__":
    main()

"""How long the review room takes to start, against an empty Textual application."""

# ruff: noqa: T201 - what is printed is the result
import argparse
import shutil
import tempfile
from pathlib import Path

import big_store
from figures import milliseconds, ratio
from terminal import ROOT, XLIT_TUI, Terminal

EMPTY_TEXT = "an empty application"
STAGES = ("first paint", "instruction shown", "response shown", "key answered")


def start_empty() -> float:
    """Seconds until the empty application shows its text."""
    terminal = Terminal([str(ROOT / "benchmarks" / "empty_app.py"), EMPTY_TEXT])
    seconds = terminal.shown(EMPTY_TEXT)
    terminal.end()
    return seconds


def start_room(store: Path) -> tuple[float, ...]:
    """Seconds until the room shows anything; the instruction; a response; and the cursor where a key has
    moved it that was pressed as soon as the instruction was shown. The cursor must begin on the first
    criterion."""
    terminal = Terminal([*XLIT_TUI, "compare", "--lang", "ru", "--reviewer", "nv", "--store", str(store)])
    first = terminal.shown("ru · opening")
    instruction = terminal.shown(big_store.first_words(0))
    terminal.send("j")
    response = terminal.shown(big_store.first_words_of_responses(0))
    key = terminal.shown("▸language")
    terminal.send("k")
    terminal.settle(quiet=0.1)
    terminal.end()
    return first, instruction, response, key


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=15, help="pairs of starts to count")
    pairs = parser.parse_args().pairs
    empty: list[float] = []
    room: list[tuple[float, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first.db"
        big_store.build(first, responses=210, characters=1500)
        # The reviewer has been here: what is timed is coming back. It also fills the caches.
        start_room(first)
        start_empty()
        for number in range(pairs):
            store = Path(shutil.copy(first, Path(folder) / f"{number}.db"))
            if number % 2:
                empty.append(start_empty())
            room.append(start_room(store))
            if not number % 2:
                empty.append(start_empty())
    print(f"{pairs} pairs                     median    ratio (its middle half)")
    print(f"empty application      {milliseconds(empty)}")
    for stage, times in zip(STAGES, zip(*room, strict=True), strict=True):
        print(f"room: {stage:17}{milliseconds(times)}    {ratio(times, empty)}")


if __name__ == "__main__":
    main()

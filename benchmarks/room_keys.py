"""How long a key of the review room takes until its frame has come, on a small store and on a big one."""

# ruff: noqa: T201 - what is printed is the result
import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import big_store
from figures import milliseconds, ratio
from terminal import XLIT_TUI, Terminal

CHARACTERS = 300
# Between two keys, so that the room can do what it does after a key; a fast reviewer's pace.
PAUSE = 0.12
# What is timed, and its key. Every round begins on the first criterion of a row without scores.
ROUND = (("cursor", "j"), ("cursor", "k"), ("score", "1"), ("next instruction", "n"))

Times = list[float]


class Room:
    """The review room on a store, at the suite's first instruction. `start`: seconds until that was shown."""

    def __init__(self, store: Path, reviewer: str) -> None:
        options = ["compare", "--lang", "ru", "--reviewer", reviewer, "--store", str(store)]
        self.terminal = Terminal([*XLIT_TUI, *options])
        self.start = self.terminal.shown(big_store.first_words(0))
        self.terminal.shown(big_store.first_words_of_responses(0))
        self.terminal.settle(PAUSE)
        self.keys: dict[str, Times] = {name: [] for name, _ in ROUND}

    def press(self, name: str, key: str) -> None:
        self.keys[name].append(self.terminal.press(key))
        self.terminal.settle(PAUSE)


def timed_starts(stores: Sequence[Path], reviewer: str, starts: int) -> list[Times]:
    """The starts on each store, in turn; the first on each is not counted (caches are filled)."""
    times: list[Times] = [[] for _ in stores]
    for _ in range(starts + 1):
        for place, store in enumerate(stores):
            room = Room(store, reviewer)
            times[place].append(room.start)
            room.terminal.end()
    return [found[1:] for found in times]


def timed_keys(stores: Sequence[Path], reviewer: str, rounds: int) -> list[dict[str, Times]]:
    """The keys on each store: both rooms are open, and each key is pressed in one right after the other."""
    rooms = [Room(store, reviewer) for store in stores]
    for number in range(rounds):
        for name, key in ROUND:
            for room in rooms if number % 2 else rooms[::-1]:
                room.press(name, key)
    for room in rooms:
        room.terminal.end()
    return [room.keys for room in rooms]


def compare(folder: Path, small: int, big: int, starts: int, rounds: int) -> None:
    """Print the medians on both stores, and the ratio of big to small."""
    stores = []
    for responses in (small, big):
        stores.append(folder / f"responses-{responses}-{CHARACTERS}.db")
        big_store.build(stores[-1], responses, CHARACTERS)
    # The stores may be used again: somebody new begins at the first instruction, without scores.
    reviewer = f"reviewer {time.time_ns()}"
    on_small, on_big = timed_starts(stores, reviewer, starts)
    keys_small, keys_big = timed_keys(stores, reviewer, rounds)
    print(f"{'responses':18}{small:>11,}{big:>14,}    ratio (its middle half)")
    rows = {"start": (on_small, on_big)}
    rows |= {name: (keys_small[name], keys_big[name]) for name in keys_small}
    for name, (few, many) in rows.items():
        print(f"{name:18}{milliseconds(few)}   {milliseconds(many)}    {ratio(many, few)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--small", type=int, default=1_000, help="responses in the small store")
    parser.add_argument(
        "--big", type=int, default=1_000_000, help="responses in the big store (1 GB a million)"
    )
    parser.add_argument("--starts", type=int, default=9, help="starts on each store")
    parser.add_argument("--rounds", type=int, default=40, help="rounds of keys on each store")
    parser.add_argument(
        "--folder", type=Path, help="where the stores stay for the next time (default: nowhere)"
    )
    wanted = parser.parse_args()
    if wanted.rounds >= wanted.small // len(big_store.MODELS):
        parser.error("each round takes a new instruction of the small store: fewer rounds, or more responses")
    figures = (wanted.small, wanted.big, wanted.starts, wanted.rounds)
    if wanted.folder is not None:
        wanted.folder.mkdir(parents=True, exist_ok=True)
        compare(wanted.folder, *figures)
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), *figures)


if __name__ == "__main__":
    main()

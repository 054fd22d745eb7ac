"""The pictures in docs/, made by the program from the demo's store: run `make demo` first, then this."""

import sys
from pathlib import Path

from store import StoreError
from tui.screenshot import save_screenshot

ROOT = Path(__file__).resolve().parent.parent
STORE = ROOT / "demo" / "xlit.db"
SIZES = ((80, 24), (120, 40), (200, 50))
DESCRIBE = 10  # the place of an instruction with answers of two sentences, from 0
# Every response in its own column; the first one is scored and committed, so that the judge is on show.
KEYS = ("equals_sign", *["n"] * DESCRIBE, "2", "2", "1", "2", "2", "2", "G", "1", "2")


def main() -> None:
    for size in SIZES:
        picture = ROOT / "docs" / f"compare-{size[0]}x{size[1]}.svg"
        try:
            save_screenshot(
                STORE, picture, language="ru", size=size, keys=KEYS, title="xlit-tui compare --lang ru"
            )
        except StoreError as error:
            sys.exit(str(error))
        sys.stderr.write(f"{picture}\n")


if __name__ == "__main__":
    main()

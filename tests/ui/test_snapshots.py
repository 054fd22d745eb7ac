"""What the room looks like, by size, palette and language: pictures (SVG) that change only on purpose.

`XLIT_WRITE_SNAPSHOTS=1 pytest tests/ui/test_snapshots.py` writes them anew; look at them before committing.
"""

import os
import re
from pathlib import Path

import pytest

from tests.ui.snapshot_store import make
from tui.app import ReviewApp
from tui.review.session import ReviewSession
from tui.review.view import open_view
from tui.screens.compare import CompareScreen
from tui.theme import PALETTES

pytestmark = pytest.mark.parts


SNAPSHOTS = Path(__file__).parent / "snapshots"
SIZES = ((80, 24), (120, 40), (200, 50), (250, 60))
LANGUAGES = ("ru", "fr", "ja", "ar")

# Every size in every palette, every language in each of them.
LOOKS = [
    (size, palette, LANGUAGES[(row + column) % len(LANGUAGES)])
    for row, size in enumerate(SIZES)
    for column, palette in enumerate(PALETTES)
]
# Screens over the compare screen, and states of it, at 120x40 in Russian.
SCREENS = {
    "keys": ("question_mark",),
    "guidelines": ("m",),
    "filter": ("f", "space"),
    "choice": ("e", "right", "space", "right", "enter"),
    "diff": ("d",),
    "wrong-language": ("x",),
    "committed": (*"222121", "left", "g", "s"),
}


def same_as_before(name: str, svg: str) -> None:
    """Compare a picture with the one that was kept under this name."""
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    kept = SNAPSHOTS / f"{name}.svg"
    if os.environ.get("XLIT_WRITE_SNAPSHOTS"):
        kept.write_text(svg, encoding="utf-8")
    elif not kept.is_file() or kept.read_text(encoding="utf-8") != svg:
        new = SNAPSHOTS / f"{name}.new.svg"
        new.write_text(svg, encoding="utf-8")
        pytest.fail(f"{name} looks different: compare {new} with {kept}")


async def picture(engine, language: str, size: tuple[int, int], palette: str, keys=(), **view) -> str:
    review = ReviewSession(engine, open_view(engine, language=language, reviewer="nv", **view))
    app = ReviewApp(CompareScreen(review), palette=PALETTES[palette])
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        return app.export_screenshot(title="xlit")


@pytest.mark.parametrize(
    ("size", "palette", "language"), LOOKS, ids=[f"{s[0]}x{s[1]}-{p}-{code}" for s, p, code in LOOKS]
)
async def test_the_room_looks_as_before(tmp_path, size, palette, language):
    engine = make(tmp_path / "room.db")
    keys = (*"212012", "left", "g", "s", "d")
    svg = await picture(engine, language, size, palette, keys)
    engine.dispose()
    same_as_before(f"{size[0]}x{size[1]}-{palette}-{language}", svg)


@pytest.mark.parametrize("name", SCREENS)
async def test_the_screens_look_as_before(tmp_path, name):
    engine = make(tmp_path / "room.db")
    svg = await picture(engine, "ru", (120, 40), "dark", SCREENS[name])
    engine.dispose()
    same_as_before(name, svg)


async def test_one_model_in_all_languages_looks_as_before(tmp_path):
    engine = make(tmp_path / "room.db")
    view = {"by_language": True, "wanted": ["gpt-3.5"]}
    svg = await picture(engine, "ru", (200, 50), "dark", **view)
    engine.dispose()
    same_as_before("by-language", svg)

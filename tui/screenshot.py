"""Pictures of the compare screen, made by the program itself, without a terminal."""

import asyncio
import html
import re
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rich.cells import cell_len
from sqlalchemy import Engine

from store import UsageError, open_store
from tui.app import ReviewApp
from tui.review.session import ReviewSession
from tui.review.view import View, open_view
from tui.screens.compare import CompareScreen
from tui.theme import PALETTES, Palette


def save_screenshot(
    store: str | Path,
    picture: Path,
    *,
    language: str,
    size: tuple[int, int] = (120, 40),
    keys: Sequence[str] = (),
    reviewer: str = "reviewer",
    suite: str | None = None,
    models: Sequence[str] = (),
    open: bool = False,
    palette: str = "dark",
    title: str = "xlit-tui compare",
) -> None:
    """Write an SVG of the screen after some keys (Textual's names: `2`, `g`, `right`, `question_mark`).

    Works on a copy of the store, so that no score of a picture gets into it. `size` is (columns, rows).
    Raises `UsageError` when the store is not a SQLite file.
    """
    if "://" in str(store):
        raise UsageError("A screenshot works on a copy of the store, and so needs a SQLite file.")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        open_store(store).dispose()
        with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        engine = open_store(copy)
        try:
            view = open_view(
                engine,
                language=language,
                reviewer=reviewer,
                suite=suite,
                wanted=models,
                open=open,
            )
            svg = asyncio.run(_svg(engine, view, size, keys, title, PALETTES[palette]))
        finally:
            engine.dispose()
    picture.write_text(svg, encoding="utf-8")


async def _svg(
    engine: Engine, view: View, size: tuple[int, int], keys: Sequence[str], title: str, palette: Palette
) -> str:
    app = ReviewApp(CompareScreen(ReviewSession(engine, view)), palette=palette)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        return _without_leading_blanks(app.export_screenshot(title=title))


_BLANKS_FIRST = re.compile(
    r'x="([\d.]+)"( y="[\d.]+") textLength="([\d.]+)"([^>]*)>((?:&#160;)+)([^<]+)</text>'
)


def _without_leading_blanks(svg: str) -> str:
    """The same picture for renderers that drop blanks at the start of a text: they become its place."""

    def moved(match: re.Match[str]) -> str:
        x, y, length, rest, blanks, text = match.groups()
        lead, cells = blanks.count(";"), cell_len(html.unescape(text))
        cell = float(length) / (lead + cells)
        start, room = float(x) + lead * cell, cells * cell
        return f'x="{start:.1f}"{y} textLength="{room:.1f}"{rest}>{text}</text>'

    return _BLANKS_FIRST.sub(moved, svg)

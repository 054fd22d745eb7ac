"""What is on show while the store is opened: a line. It comes before the database libraries are imported."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

Visit = AbstractContextManager[Callable[[], Screen[Any]]]


class OpeningScreen(Screen[None]):
    """Enters a visit beside the screen, then gives way to its first screen. `visit` is entered by then;
    `failure` is what prevented it."""

    def __init__(self, words: str, visit: Callable[[], Visit]) -> None:
        super().__init__()
        self.words = words
        self.visit = visit
        self.ending = ExitStack()
        self.failure: Exception | None = None

    def compose(self) -> ComposeResult:
        yield Static(f" xlit  {self.words} ...", markup=False)

    def on_mount(self) -> None:
        self.call_after_refresh(self.run_worker, self._open())

    async def _open(self) -> None:
        try:
            first = await asyncio.to_thread(lambda: self.ending.enter_context(self.visit()))
        except Exception as error:
            self.failure = error
            self.app.exit()
            return
        self.app.switch_screen(first())

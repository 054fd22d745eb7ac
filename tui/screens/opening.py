"""What is on show while the store is opened: a line. It comes before the database libraries are imported."""

import asyncio
import gc
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from textual.app import ComposeResult
from textual.events import Key
from textual.screen import Screen
from textual.widgets import Static

from tui.textual_private import MinimalRepaintScreen

OpenedSession = AbstractContextManager[Callable[[], Screen[Any]]]


class OpeningScreen(MinimalRepaintScreen[None]):
    """Opens a session beside the screen, then gives way to its first screen, with the keys typed till then.

    `ending` closes the session; `failure` is what prevented it.
    """

    def __init__(self, words: str, open_session: Callable[[], OpenedSession]) -> None:
        super().__init__()
        self.words = words
        self.open_session = open_session
        self.ending = ExitStack()
        self.failure: Exception | None = None
        self.typed: list[Key] = []

    def compose(self) -> ComposeResult:
        yield Static(f" xlit  {self.words} ...", markup=False)

    def on_mount(self) -> None:
        # A worker of the application: this screen is gone before it has ended.
        self.call_after_refresh(self.app.run_worker, self._open())

    def on_key(self, event: Key) -> None:
        self.typed.append(event)

    async def _open(self) -> None:
        app = self.app
        try:
            first = await asyncio.to_thread(lambda: self.ending.enter_context(self.open_session()))
        except Exception as error:
            self.failure = error
            app.exit()
            return
        await app.switch_screen(first())
        gc.freeze()
        gc.enable()
        for key in self.typed:
            app.post_message(Key(key.key, key.character))

"""The application: it wires a session to its screen and keeps Textual quiet on a slow line."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import TypeVar

from textual.app import App
from textual.events import Event, Key, MouseEvent, MouseScrollDown, MouseScrollUp
from textual.message import Message
from textual.screen import Screen

from core.text.direction import EXPLICIT, IMPLICIT
from store.time_limit import TimeLimit
from tui.app_protocol import Leaving, WheelScreen
from tui.keyfile import Overrides, screens_with
from tui.keymap import Command, keys_of
from tui.textual_private import write_to_terminal
from tui.theme import TEXTUAL_THEME, Palette, default_palette, next_palette
from tui.widgets.lines import LineWidget

T = TypeVar("T")
# On the way out, a store that does not answer is waited for no longer than this.
LEAVING_SECONDS = 1.0
# Keys that follow each other as quickly as this are typed without looking at what comes between them.
RUN_SECONDS = 0.4
LEAVE = "ctrl+c"
# On the alternate screen most terminals send arrow keys for the wheel (mode 1007), which would move the
# cursor between scores. The wheel itself is asked for (1000, in the form of 1006), and no other movement.
WHEEL_ON = "\x1b[?1007l\x1b[?1000h\x1b[?1006h"
WHEEL_OFF = "\x1b[?1006l\x1b[?1000l\x1b[?1007h"
WHEEL_LINES = 3


class ReviewApp(App[None]):
    """Shows a screen, in a palette, with the keys as the reviewer has mapped them.

    What takes long runs beside it (`beside`): Ctrl+C and signals end the waiting. `time_limit` is the one of
    the store that is on show."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "xlit"
    run_seconds = RUN_SECONDS

    def __init__(
        self,
        first: Screen,
        *,
        palette: Palette | None = None,
        keys: Overrides | None = None,
        time_limit: TimeLimit | None = None,
    ) -> None:
        super().__init__(ansi_color=True)
        self.time_limit = time_limit
        self._leaving = asyncio.Event()
        self._waits = 0
        self._last_key_time = 0.0
        self._dropped_until: float | None = None
        self.first = first
        self.palette = palette or default_palette()
        self.commands: dict[str, tuple[Command, ...]] = screens_with(keys or {})
        self.theme = TEXTUAL_THEME
        self.animation_level = "none"
        mapped = [
            command
            for commands in self.commands.values()
            for command in commands
            if command.id in (keys or {})
        ]
        self.set_keymap({command.id: ",".join(keys_of(command)) for command in mapped})

    def on_mount(self) -> None:
        # A closed window or a dropped line ends the room in order: the place and the run's end are written.
        for name in ("SIGHUP", "SIGTERM"):
            with suppress(KeyError, NotImplementedError, RuntimeError):
                asyncio.get_running_loop().add_signal_handler(signal.Signals[name], self.leave)
        self.order_text(True)
        write_to_terminal(self, WHEEL_ON)
        self.push_screen(self.first)

    def on_unmount(self) -> None:
        self.order_text(False)
        write_to_terminal(self, WHEEL_OFF)

    # Waiting and leaving

    async def beside(self, call: Callable[[], T], executor: Executor | None = None) -> T:
        """Run a call that may take long on another thread; raises `Leaving` if the reviewer leaves first."""
        return await self.patient(asyncio.get_running_loop().run_in_executor(executor, call))

    async def patient(self, awaitable: Awaitable[T]) -> T:
        """Wait for something; raises `Leaving` when the reviewer leaves first."""
        future = asyncio.ensure_future(awaitable)
        leaving = asyncio.ensure_future(self._leaving.wait())
        self._waits += 1
        try:
            await asyncio.wait((future, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waits -= 1
            leaving.cancel()
        if not future.done():
            # It ends by itself, with nobody there to be told how.
            future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            raise Leaving
        return future.result()

    def leave(self) -> None:
        """Leave now, whatever is waited for."""
        self._leaving.set()
        if self.time_limit is not None:
            self.time_limit.shorten(LEAVING_SECONDS)
        self.exit()

    def post_message(self, message: Message) -> bool:
        # While a key is being acted upon, the next ones wait in line behind it; this one does not.
        if self._waits and isinstance(message, Key) and message.key == LEAVE:
            self.leave()
        return super().post_message(message)

    def drop_typed_ahead(self) -> None:
        """What was typed up to now does not count, nor what follows it without a pause: it was typed before
        its reader has seen what is on the screen now."""
        self._dropped_until = asyncio.get_running_loop().time()

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key) and not event.is_forwarded and self._was_typed_ahead(event):
            return
        if isinstance(event, MouseEvent):
            if isinstance(event, MouseScrollDown | MouseScrollUp) and isinstance(self.screen, WheelScreen):
                lines = WHEEL_LINES if isinstance(event, MouseScrollDown) else -WHEEL_LINES
                self.screen.scroll_lines(lines, event.screen_x, event.screen_y)
            return  # nothing of the room is clicked
        await super().on_event(event)

    def _was_typed_ahead(self, key: Key) -> bool:
        before, self._last_key_time = self._last_key_time, key.time
        if self._dropped_until is None or key.key == LEAVE:
            return False
        ahead = key.time <= self._dropped_until or key.time - before < self.run_seconds
        if not ahead:
            self._dropped_until = None
        return ahead

    # What screens and widgets ask for

    def show_keys(self, screen_name: str) -> None:
        """Show the page of keys of a screen."""
        from tui.screens.keys import KeysScreen

        self.push_screen(KeysScreen(self.commands[screen_name]))

    def use_next_palette(self) -> Palette:
        """Draw everything in the next palette; returns it."""
        self.palette = next_palette(self.palette)
        for screen in self.screen_stack:
            for widget in screen.query(LineWidget):
                widget.refresh()
        return self.palette

    def order_text(self, here: bool) -> None:
        """Tell the terminal whether right-to-left text comes in the order in which it is seen."""
        write_to_terminal(self, EXPLICIT if here else IMPLICIT)

    def action_help_quit(self) -> None:
        """Ctrl+C leaves at once: every score is saved when it is shown as saved."""
        self.leave()

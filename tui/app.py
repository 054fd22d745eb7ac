"""The application: it wires a session to its screen and keeps Textual quiet on a slow line."""

import asyncio
import signal
from contextlib import suppress

from textual.app import App
from textual.screen import Screen

from core.text.direction import EXPLICIT, IMPLICIT
from tui.keyfile import Overrides, screens_with
from tui.keymap import Command, keys_of
from tui.textual_private import write_to_terminal
from tui.theme import TEXTUAL_THEME, Palette, default_palette, next_palette
from tui.widgets.lines import LineWidget


class ReviewApp(App[None]):
    """Shows a screen, in a palette, with the keys as the reviewer has mapped them."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "xlit"

    def __init__(
        self, first: Screen, *, palette: Palette | None = None, keys: Overrides | None = None
    ) -> None:
        super().__init__(ansi_color=True)
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
                asyncio.get_running_loop().add_signal_handler(signal.Signals[name], self.exit)
        self.order_text(True)
        self.push_screen(self.first)

    def on_unmount(self) -> None:
        self.order_text(False)

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
        """Ctrl+C leaves at once: every score is saved when it is shown."""
        self.exit()

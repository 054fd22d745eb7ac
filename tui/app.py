"""The application: it wires a session to its screen and keeps Textual quiet on a slow line."""

import asyncio
import signal
from contextlib import suppress

from textual.app import App

from tui.review.session import ReviewSession
from tui.screens.compare import CompareScreen
from tui.theme import THEME


class ReviewApp(App[None]):
    """Shows the compare screen of a session."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "xlit"

    def __init__(self, session: ReviewSession) -> None:
        super().__init__(ansi_color=True)
        self.session = session
        self.theme = THEME
        self.animation_level = "none"

    def on_mount(self) -> None:
        # A closed window or a dropped line ends the room in order: the place and the run's end are written.
        for name in ("SIGHUP", "SIGTERM"):
            with suppress(KeyError, NotImplementedError, RuntimeError):
                asyncio.get_running_loop().add_signal_handler(signal.Signals[name], self.exit)
        self.push_screen(CompareScreen(self.session))

    def action_help_quit(self) -> None:
        """Ctrl+C leaves at once: every score is saved when it is shown."""
        self.exit()

"""The application: it wires a session to its screen and keeps Textual quiet on a slow line."""

from textual.app import App

from tui.review.session import ReviewSession
from tui.screens.compare import CompareScreen
from tui.theme import THEME


class ReviewApp(App[None]):
    """Shows the compare screen of a session."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "xlit"

    def __init__(self, session: ReviewSession) -> None:
        super().__init__()
        self.session = session
        self.theme = THEME
        self.animation_level = "none"

    def on_mount(self) -> None:
        self.push_screen(CompareScreen(self.session))

    def action_help_quit(self) -> None:
        """Ctrl+C leaves at once: every score is saved when it is shown."""
        self.exit()

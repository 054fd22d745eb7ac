"""The least that a Textual application can be: the peer of the review room's start.

Usage: empty_app.py TEXT
"""

import sys

from textual.app import App, ComposeResult
from textual.widgets import Static


class EmptyApp(App[None]):
    """Shows one line of text, with the settings of the review room."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, text: str) -> None:
        super().__init__(ansi_color=True)
        self.text = text
        self.theme = "ansi-dark"
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        yield Static(self.text)


if __name__ == "__main__":
    EmptyApp(sys.argv[1]).run(mouse=False)

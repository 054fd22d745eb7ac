"""What the screens that are one page share: opaque, with a cursor or only to be read."""

from typing import TypeVar

from textual.app import ComposeResult

from tui.app_protocol import app_of
from tui.textual_private import MinimalRepaintScreen
from tui.widgets.page import Page

T = TypeVar("T")


class PageScreen(MinimalRepaintScreen[T]):
    """One page over the whole screen. `NAME` is the screen's name in `tui.keymap.SCREENS`."""

    NAME = ""

    def __init__(self, title: str, hint: str = "Esc goes back") -> None:
        super().__init__()
        self.page = Page(title, hint)

    def compose(self) -> ComposeResult:
        yield self.page

    def action_move(self, columns: int, lines: int) -> None:
        self.page.move(columns, lines)

    def action_page(self, pages: int) -> None:
        self.page.page_by(pages)

    def scroll_lines(self, lines: int, x: float, y: float) -> None:
        """The wheel scrolls the page."""
        self.page.page_by(1 if lines > 0 else -1, step=abs(lines))

    def action_close(self) -> None:
        self.dismiss(None)

    def action_keys(self) -> None:
        app_of(self).show_keys(self.NAME)

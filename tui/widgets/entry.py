"""Typing a line or a comment at the foot of the screen, over what stands there."""

from textual.events import Key
from textual.message import Message
from textual.widgets import TextArea

from tui import keymap


class Entry(TextArea):
    """A box that hides itself when it is done. Enter ends it; a box of several lines takes Ctrl+J for a new
    one. What is pasted is text, never a key."""

    DEFAULT_CSS = """
    Entry {
        layer: above; dock: bottom; height: 1; display: none; border: none; padding: 0 1;
        scrollbar-size: 0 0;
    }
    Entry.-several { height: 5; border-top: solid ansi_default; }
    """
    BINDINGS = keymap.bindings(keymap.PROMPT)

    class Done(Message):
        """`text` was typed for `purpose`; None: it was given up."""

        def __init__(self, purpose: str, text: str | None) -> None:
            super().__init__()
            self.purpose = purpose
            self.text = text

    def __init__(self) -> None:
        super().__init__(soft_wrap=True, show_line_numbers=False, compact=True, tab_behavior="indent")
        self.cursor_blink = False
        self.highlight_cursor_line = False
        self.purpose = ""

    def ask(self, purpose: str, title: str, text: str = "", *, several: bool = False) -> None:
        """Show the box with a text to begin with, and take the keys."""
        self.purpose = purpose
        self.set_class(several, "-several")
        self.border_title = title if several else None
        self.placeholder = title
        self.load_text(text)
        self.move_cursor(self.document.end)
        self.display = True
        self.focus(scroll_visible=False)

    def action_done(self) -> None:
        self._end(self.text)

    def action_close(self) -> None:
        self._end(None)

    def _end(self, text: str | None) -> None:
        self.display = False
        self.post_message(self.Done(self.purpose, text))

    async def _on_key(self, event: Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.action_done()
        elif event.key == "ctrl+j" and self.has_class("-several"):
            event.stop()
            event.prevent_default()
            self.insert("\n")
        elif event.key in ("escape", "ctrl+c"):
            event.stop()
            event.prevent_default()
            self.action_close()
        else:
            await super()._on_key(event)

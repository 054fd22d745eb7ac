"""Typing a line or a comment at the foot of the screen, over what stands there."""

from textual.events import Key, Paste
from textual.message import Message
from textual.widgets import TextArea

from core.text.visible import visible_text
from tui.app_protocol import app_of
from tui.keymap import keys_of


class Entry(TextArea):
    """A box that hides itself when it is done. What it asks for is `find`, a line, or `comment`, which may
    have several (Ctrl+J). What is pasted is text, never a key, and what a terminal would obey in it is
    replaced by what it shows."""

    DEFAULT_CSS = """
    Entry, Entry:focus {
        layer: above; dock: bottom; height: 1; display: none; border: none; padding: 0 1;
        scrollbar-size: 0 0;
    }
    Entry.-open { display: block; }
    Entry.-several, Entry.-several:focus { height: 5; border-top: solid ansi_default; }
    """

    class Done(Message):
        """`text` was typed for `purpose`; None: it was given up."""

        def __init__(self, purpose: str, text: str | None) -> None:
            super().__init__()
            self.purpose = purpose
            self.text = text

    def __init__(self) -> None:
        super().__init__(soft_wrap=True, show_line_numbers=False, tab_behavior="indent")
        self.cursor_blink = False
        self.highlight_cursor_line = False
        self.purpose = ""
        self._ended = False
        self._early: list[Key] = []

    @property
    def takes_keys(self) -> bool:
        """Whether keys are meant for the box: while it is open, and until what was typed has been done."""
        return self._ended or self.has_class("-open")

    def release(self) -> None:
        """What was typed has been done: the keys that came meanwhile are keys again."""
        self._ended = False
        for key in self._early:
            self.app.post_message(Key(key.key, key.character))
        self._early.clear()

    def ask(self, purpose: str, title: str, text: str = "") -> None:
        """Show the box with a text to begin with. The screen gives it the focus."""
        self.purpose = purpose
        several = purpose == "comment"
        self.set_class(several, "-several")
        self.border_title = title if several else None
        self.placeholder = "" if several else title
        self.load_text(visible_text(text))
        self.move_cursor(self.document.end)
        self.add_class("-open")

    def _end(self, text: str | None) -> None:
        self.remove_class("-open")
        self._ended = True
        self.post_message(self.Done(self.purpose, text))

    def on_key(self, event: Key) -> None:
        several = self.has_class("-several")
        done, cancel = app_of(self).commands["comment" if several else "prompt"]
        ends = {**dict.fromkeys(keys_of(cancel)), **dict.fromkeys(keys_of(done), self.text)}
        if self._ended:
            self._early.append(event)
        elif event.key in ends:
            self._end(ends[event.key])
        elif event.key == "ctrl+j" and several:
            self.insert("\n")
        elif event.key != "escape":  # with which Textual would leave the box
            return  # Textual's own handler comes next
        event.stop()
        event.prevent_default()

    def on_paste(self, event: Paste) -> None:
        # Textual's own handler comes next, and takes the text from the event.
        event.text = visible_text(event.text)
        event.stop()

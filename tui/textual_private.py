"""All use of Textual's private parts: a screen that sends no more cells than have changed, names of keys,
and what is written to the terminal past the screen.

Textual 8 repaints a changed stretch of a widget's line from the widget's left edge, and a screen that comes
or goes more than once; on a slow line that doubles what a key costs. Private parts may change with any
release: `CHECKED_ON` are the first and the last release that the tests of the room were run on.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor
from textual.app import App
from textual.events import ScreenResume
from textual.keys import _character_to_key
from textual.screen import Screen
from textual.widget import Widget

CHECKED_ON = ("8.2.5", "8.2.8")

T = TypeVar("T")


def key_name(character: str) -> str:
    """The name of the key that types a character, as in a binding: `comma` for `,`, and `a` for `a`."""
    return _character_to_key(character)


def write_to_terminal(app: App[Any], sequence: str) -> None:
    """Send a control sequence to the terminal, if the application has one by now."""
    if app._driver is not None:
        app._driver.write(sequence)


class _NarrowUpdate(ChopsUpdate):
    """The changed spans of lines, cut on both sides."""

    def render_segments(self, console: Console) -> str:
        parts: list[str] = []
        for y, first, last in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                start, stop = max(x, first), min(end, last)
                if strip is not None and start < stop:
                    parts.append(Control.move_to(start, y).segment.text)
                    parts.append(strip.crop(start - x, stop - x).render(console))
        return "".join(parts)


class _NarrowCompositor(Compositor):
    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        return None if update is None else _NarrowUpdate(update.chops, update.spans, update.chop_ends)


class MinimalRepaintScreen(Screen[T]):
    """The base of the room's screens."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = _NarrowCompositor()
        self._paints_again = False

    def _on_timer_update(self) -> None:
        # Asked for a new layout and for a repaint of everything, Textual paints the screen twice in a row.
        self._paints_again = self._layout_required and self._repaint_required
        super()._on_timer_update()
        self._paints_again = False

    def _on_screen_resume(self, event: ScreenResume) -> None:
        # Runs before Textual's own handler, which lays the screen out, paints it, and asks for a repaint.
        self._paints_again = self.is_attached and self._size != self.app.size

    def _compositor_refresh(self) -> None:
        if self._paints_again:
            self._paints_again = False
        else:
            super()._compositor_refresh()

    @contextmanager
    def one_frame(self, last: Widget) -> Iterator[None]:
        """What is changed inside is painted at once. Every widget tells the screen by itself that it has
        changed; `last` is the one that is changed last, after whose word the screen may paint."""
        with ExitStack() as hold:
            hold.enter_context(self.app.batch_update())
            yield
            last.call_later(self.call_later, hold.pop_all().close)

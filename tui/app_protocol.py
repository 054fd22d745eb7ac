"""What screens and widgets may ask of the application, without knowing it."""

from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from tui.keymap import Command
from tui.theme import Palette

T = TypeVar("T")


class Leaving(Exception):
    """The reviewer leaves: what was waited for is not there, and is not wanted any more."""


@runtime_checkable
class WheelScreen(Protocol):
    """A screen on which the mouse's wheel scrolls something."""

    def scroll_lines(self, lines: int, x: float, y: float) -> None:
        """Scroll what stands at a cell of the terminal; down where `lines` is above 0."""
        ...


class AppProtocol(Protocol):
    """The application: the palette that is chosen, and the commands of every screen as they are mapped."""

    palette: Palette
    commands: dict[str, tuple[Command, ...]]

    def show_keys(self, screen_name: str) -> None:
        """Show the page of keys of a screen."""
        ...

    def use_next_palette(self) -> Palette:
        """Draw everything in the next palette; returns it."""
        ...

    async def beside(self, call: Callable[[], T], executor: Executor | None = None) -> T:
        """Run a call that may take long on another thread; raises `Leaving` if the reviewer leaves first."""
        ...

    async def patient(self, awaitable: Awaitable[T]) -> T:
        """Wait for something; raises `Leaving` when the reviewer leaves first."""
        ...

    def drop_typed_ahead(self) -> None:
        """What was typed up to now, and what follows it without a pause, does not count."""
        ...

    def order_text(self, here: bool) -> None:
        """Tell the terminal whether right-to-left text comes in the order in which it is seen."""
        ...


def app_of(node: Any) -> AppProtocol:
    """The application that a screen or widget belongs to."""
    return cast(AppProtocol, node.app)


def first_key(node: Any, command_id: str, screen_name: str = "compare") -> str:
    """The key that is shown for a command, as the reviewer has mapped it."""
    commands = {command.id: command for command in app_of(node).commands[screen_name]}
    return commands[command_id].shown.split()[0]

"""What screens and widgets may ask of the application, without knowing it."""

from typing import Any, Protocol, cast

from tui.keymap import Command
from tui.theme import Palette


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

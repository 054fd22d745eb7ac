"""Other keys, by a TOML file: a table `[keys]` with the ids of commands and the keys that shall run them.

[keys]
"instruction.next" = "N"
"score.best" = ["A", "f2"]
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from store.errors import UsageError
from tui.keymap import SCREENS, Command, clashes, remapped

# The names of keys that are not characters, as Textual gives them (textual.keys.Keys).
NAMED = frozenset(
    [
        *("up", "down", "left", "right", "pageup", "pagedown", "home", "end", "insert", "delete"),
        *("space", "enter", "escape", "backspace", "tab"),
        *(f"f{number}" for number in range(1, 13)),
    ]
)

Overrides = Mapping[str, tuple[str, ...]]


def default_file() -> Path:
    """Where the file is looked for: `$XDG_CONFIG_HOME/xlit/keys.toml`, else `~/.config/xlit/keys.toml`."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "xlit" / "keys.toml"


def read_keys(path: Path) -> dict[str, tuple[str, ...]]:
    """The keys of a file, by the id of the command.

    Raises `UsageError` that names the file, the place and the mend: not TOML, an unknown id, something that
    is no key, or a key that would run two commands of a screen.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"{path} can't be read: {reason}. Name another file with --keys.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML: {error}. Mend it, or name another with --keys.") from None
    wrong = sorted(set(content) - {"keys"})
    if wrong or not isinstance(content.get("keys", {}), dict):
        raise UsageError(
            f"{path}: the keys belong in one table, [keys]" + (f", not {wrong[0]!r}." if wrong else ".")
        )
    keys = {name: _keys(path, name, value) for name, value in content.get("keys", {}).items()}
    for commands in SCREENS.values():
        double = clashes(remapped(commands, keys))
        if double:
            raise UsageError(f"{path}: one key for two commands, {double[0]}. Give one of them another key.")
    return keys


def screens_with(keys: Overrides) -> dict[str, tuple[Command, ...]]:
    """The commands of every screen, with these keys."""
    return {name: remapped(commands, keys) for name, commands in SCREENS.items()}


def _keys(path: Path, name: str, value: Any) -> tuple[str, ...]:
    known = {command.id for commands in SCREENS.values() for command in commands}
    if name not in known:
        raise UsageError(f"{path}: no command {name!r}. There are: {', '.join(sorted(known))}.")
    keys = [value] if isinstance(value, str) else value
    if not isinstance(keys, list) or not keys:
        raise UsageError(f"{path}: {name} needs a key, or a list of keys.")
    for key in keys:
        if not isinstance(key, str) or not (_is_character(key) or key in NAMED):
            names = ", ".join(sorted(NAMED))
            raise UsageError(f"{path}: {name}: {key!r} is no key. Give one character, or one of {names}.")
    return tuple(keys)


def _is_character(key: str) -> bool:
    return len(key) == 1 and key.isprintable() and not key.isspace()

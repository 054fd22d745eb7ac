"""Every key of the review room in one table, and what other keyboard layouts send for the same keys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual.binding import Binding, BindingType
from textual.keys import _character_to_key as key_name


@dataclass(frozen=True)
class Command:
    """Something a key does: `keys` as Textual names them or as typed, `shown` as the help shows them.
    Commands with the same `help` share a line there."""

    id: str
    keys: tuple[str, ...]
    action: str
    label: str
    help: str
    shown: str


COMPARE = (
    Command("score.0", ("0",), "score(0)", "0", "score the criterion and move on", "0"),
    Command("score.1", ("1",), "score(1)", "1", "score the criterion and move on", "1"),
    Command("score.2", ("2",), "score(2)", "2", "score the criterion and move on", "2"),
    Command("score.best", ("a",), "score_best", "all 2", "2 on all criteria of the response", "a"),
    Command(
        "score.wrong-language", ("w",), "wrong_language", "wrong language",
        "wrong language: language 0, the rest left out", "w",
    ),
    Command("score.clear", ("x",), "clear", "clear", "clear the score under the cursor", "x"),
    Command("journal.undo", ("u",), "undo", "undo", "take back the last action, after a restart too", "u"),
    Command("journal.redo", ("r",), "redo", "redo", "do again what was taken back", "r"),
    Command(
        "response.commit", ("g", "enter"), "commit", "commit",
        "done with the response: shows the judge and the surface metrics", "g Enter",
    ),
    Command("row.commit", ("G",), "commit_all", "commit all", "commit all complete responses", "G"),
    Command("cursor.up", ("k", "up"), "move(0, -1)", "up", "criterion above, below", "↑ k"),
    Command("cursor.down", ("j", "down"), "move(0, 1)", "down", "criterion above, below", "↓ j"),
    Command("cursor.left", ("h", "left"), "move(-1, 0)", "left", "column to the left, right", "← h"),
    Command("cursor.right", ("l", "right"), "move(1, 0)", "right", "column to the left, right", "→ l"),
    Command("instruction.next", ("n",), "go(1)", "next", "next, previous instruction", "n"),
    Command("instruction.previous", ("p",), "go(-1)", "previous", "next, previous instruction", "p"),
    Command("unscored.next", ("U",), "next_unscored", "unscored", "next criterion without a score", "U"),
    Command("text.down", ("space", "pagedown"), "scroll_text(1)", "page down", "response: down, up", "Spc"),
    Command("text.up", ("b", "pageup"), "scroll_text(-1)", "page up", "response: down, up", "b"),
    Command("instruction.down", ("i",), "scroll_instruction(1)", "more", "instruction: down, up", "i"),
    Command("instruction.up", ("I",), "scroll_instruction(-1)", "less", "instruction: down, up", "I"),
    Command("app.keys", ("?",), "keys", "keys", "this page", "?"),
    Command("app.quit", ("q",), "quit", "quit", "leave; the next start goes on from here", "q"),
)  # fmt: skip

KEYS_PAGE = (
    Command("keys.close", ("q", "escape", "?", "enter", "space"), "close", "close", "back", "q Esc"),
)

_LATIN = "qwertyuiopasdfghjklzxcvbnm"

# What a layout sends where the key of the table is pressed. Only keys whose own character can't be typed
# without switching: AZERTY types its letters, but needs Shift for digits.
LAYOUTS: dict[str, dict[str, str]] = {
    "ЙЦУКЕН": {
        **dict(zip(_LATIN, "йцукенгшщзфывапролдячсмить", strict=True)),
        **dict(zip(_LATIN.upper(), "ЙЦУКЕНГШЩЗФЫВАПРОЛДЯЧСМИТЬ", strict=True)),
        "?": ",",
    },
    "AZERTY": {"0": "à", "1": "&", "2": "é"},
}


def keys_of(command: Command) -> tuple[str, ...]:
    """The names of all keys that run a command, those of other layouts included."""
    own = [_name(key) for key in command.keys]
    others = [_name(sent[key]) for sent in LAYOUTS.values() for key in command.keys if key in sent]
    return tuple(dict.fromkeys([*own, *others]))


def _name(key: str) -> str:
    return key_name(key) if len(key) == 1 else key


def clashes(commands: Sequence[Command]) -> list[str]:
    """Keys that would run two commands, each as a sentence."""
    taken: dict[str, str] = {}
    found = []
    for command in commands:
        for key in keys_of(command):
            if key in taken:
                found.append(f"{key}: {taken[key]} and {command.id}")
            taken[key] = command.id
    return found


def bindings(commands: Iterable[Command]) -> list[BindingType]:
    """The commands as Textual's bindings, each with an id that a keymap file can name."""
    return [
        Binding(
            ",".join(keys_of(command)),
            command.action,
            command.label,
            key_display=command.shown,
            tooltip=command.help,
            id=command.id,
        )
        for command in commands
    ]

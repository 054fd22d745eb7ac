"""Every key of the review room, screen by screen, and what other keyboard layouts send for the same keys."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from textual.binding import Binding, BindingType

from tui.textual_private import key_name


@dataclass(frozen=True)
class Command:
    """Something a key does: `keys` as Textual names them or as typed. Commands with the same `help` share a
    line of the page of keys."""

    id: str
    keys: tuple[str, ...]
    action: str
    label: str
    help: str

    @property
    def shown(self) -> str:
        """The keys as the page of keys shows them."""
        return " ".join(_SHOWN.get(key, key) for key in self.keys)


_SHOWN = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "space": "Space", "enter": "Enter", "escape": "Esc",
    "backspace": "Bksp", "delete": "Del", "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End",
    "tab": "Tab", "ctrl+j": "Ctrl+J", "ctrl+c": "Ctrl+C",
}  # fmt: skip


def _cursor(up_down: str, left_right: str) -> tuple[Command, ...]:
    """The keys that move a cursor; without a word for a direction, they are left out."""
    commands = (
        Command("cursor.up", ("up", "k"), "move(0, -1)", "up", up_down),
        Command("cursor.down", ("down", "j"), "move(0, 1)", "down", up_down),
        Command("cursor.left", ("left", "h"), "move(-1, 0)", "left", left_right),
        Command("cursor.right", ("right", "l"), "move(1, 0)", "right", left_right),
    )
    return tuple(command for command in commands if command.help)


_HELP = Command("app.keys", ("?",), "keys", "keys", "this page")
_BACK = Command("app.back", ("q", "escape"), "close", "back", "back")

# The digits that are keys of their own, and may be remapped.
SCORE_DIGITS = "012"

COMPARE = (
    Command("score.0", ("0",), "score(0)", "0", "score the criterion and move on"),
    Command("score.1", ("1",), "score(1)", "1", "score the criterion and move on"),
    Command("score.2", ("2",), "score(2)", "2", "score the criterion and move on"),
    Command("score.best", ("a",), "score_best", "all 2", "2 on all criteria of the response"),
    Command(
        "score.wrong-language", ("x",), "wrong_language", "wrong language",
        "wrong language: language 0, the rest left out",
    ),
    Command("score.clear", ("backspace", "delete"), "clear", "clear", "clear the score under the cursor"),
    Command("journal.undo", ("u",), "undo", "undo", "take back the last action, after a restart too"),
    Command("journal.redo", ("r",), "redo", "redo", "do again what was taken back"),
    Command(
        "response.commit", ("g", "enter"), "commit", "judge",
        "done with the response: shows the judge and the surface metrics",
    ),
    Command("row.commit", ("G",), "commit_all", "commit all", "done with all complete responses"),
    *_cursor("criterion above, below", "column to the left, right"),
    Command("instruction.next", ("n",), "go(1)", "next", "next, previous instruction"),
    Command("instruction.previous", ("p",), "go(-1)", "previous", "next, previous instruction"),
    Command("unscored.next", ("U",), "next_unscored", "unscored", "next criterion without a score"),
    Command(
        "disagreement.next", ("D",), "next_disagreement", "disagreement",
        "next disagreement with the judge, by |Δ|",
    ),
    Command("instruction.find", ("/",), "find", "find", "go to a number, or to the next with some words"),
    Command("filter.choose", ("f",), "filter", "filter", "show only some: task, score, unscored, ..."),
    Command("text.down", ("space", "pagedown"), "scroll_text(1)", "page down", "response: down, up"),
    Command("text.up", ("b", "pageup"), "scroll_text(-1)", "page up", "response: down, up"),
    Command("instruction.down", ("i",), "scroll_instruction(1)", "more", "instruction: down, up"),
    Command("instruction.up", ("I",), "scroll_instruction(-1)", "less", "instruction: down, up"),
    Command("look.diff", ("d",), "diff", "diff", "compare the words of all columns with this one"),
    Command(
        "look.marks", ("s",), "marks", "marks",
        "underline misspelt words, tint other languages (where committed)",
    ),
    Command("look.translation", ("t",), "translation", "translation", "the instruction in another language"),
    Command("look.collapse", ("=",), "collapse", "collapse", "one column for responses that read the same"),
    Command("look.guidelines", ("m",), "guidelines", "guidelines", "guidelines: what each score means"),
    Command("look.theme", ("T",), "theme", "theme", "colours: dark, light, colour-blind, monochrome"),
    Command(
        "look.direction", ("R",), "direction", "direction",
        "right-to-left text is ordered here, or by the terminal",
    ),
    Command("response.comment", ("c",), "comment", "comment", "comment on the response"),
    Command("response.spans", ("e",), "spans", "errors", "mark errors in the text of the response"),
    Command("notes.list", ("L",), "notes", "notes", "list of all comments and errors"),
    Command("overview", ("w",), "overview", "overview", "overview: progress, scores, agreement"),
    _HELP,
    Command("app.quit", ("q",), "quit", "quit", "leave; the next start goes on from here"),
)  # fmt: skip

# A queue has one response at a time: no key is about several, and some do the same in other words.
_NOT_ALONE = {
    "row.commit", "cursor.left", "cursor.right", "disagreement.next", "filter.choose", "look.diff",
    "look.collapse", "overview",
}  # fmt: skip
_ALONE: dict[str, dict[str, Any]] = {
    "response.commit": {"label": "done", "help": "done with the response, and on to the next"},
    "instruction.next": {"help": "next, previous response"},
    "instruction.previous": {"help": "next, previous response"},
    "unscored.next": {"help": "next criterion without a score, next response not done"},
}
SCORE = tuple(
    replace(command, **_ALONE.get(command.id, {})) for command in COMPARE if command.id not in _NOT_ALONE
)

KEYS_PAGE = (
    Command("keys.close", ("q", "escape", "?", "enter", "space"), "close", "back", "back"),
    Command("page.down", ("down", "j", "pagedown"), "page(1)", "down", "down, up"),
    Command("page.up", ("up", "k", "pageup"), "page(-1)", "up", "down, up"),
)

GUIDELINES = (
    Command("guidelines.close", ("q", "escape", "m", "enter"), "close", "back", "back"),
    Command("page.down", ("space", "down", "j", "pagedown"), "page(1)", "down", "down, up"),
    Command("page.up", ("b", "up", "k", "pageup"), "page(-1)", "up", "down, up"),
    _HELP,
)

FILTER = (
    *_cursor("line above, below", ""),
    Command("filter.choose-line", ("space",), "choose", "choose", "choose the line, or leave it out again"),
    Command("filter.none", ("x", "backspace"), "clear", "none", "choose nothing: no filter"),
    Command("filter.apply", ("enter",), "apply", "apply", "show what fits"),
    Command("page.down", ("pagedown",), "page(1)", "down", "page down, up"),
    Command("page.up", ("pageup",), "page(-1)", "up", "page down, up"),
    _HELP,
    _BACK,
)

NOTES = (
    *_cursor("line above, below", ""),
    Command("notes.open", ("enter", "space"), "open", "open", "go to the response"),
    Command("page.down", ("pagedown",), "page(1)", "down", "page down, up"),
    Command("page.up", ("pageup",), "page(-1)", "up", "page down, up"),
    _HELP,
    _BACK,
)

SPANS = (
    *_cursor("line above, below", "word before, after"),
    Command("span.anchor", ("space", "v"), "anchor", "from here", "start here; up to the cursor is marked"),
    Command("span.category", ("enter",), "choose", "category", "mark: choose category and severity"),
    Command("span.remove", ("x", "backspace"), "remove", "take away", "take the error under the cursor away"),
    Command("span.next", ("n",), "next_span(1)", "next", "next, previous marked error"),
    Command("span.previous", ("p",), "next_span(-1)", "previous", "next, previous marked error"),
    _HELP,
    _BACK,
)  # fmt: skip

CHOICE = (
    *(Command(f"choose.{n}", (str(n),), f"choose({n})", str(n), "choose by number") for n in range(1, 10)),
    *_cursor("line above, below", ""),
    Command("choose.this", ("enter", "space"), "choose_this", "choose", "choose the line"),
    Command("app.back", ("q", "escape", "backspace"), "close", "back", "back"),
)

OVERVIEW = (
    *_cursor("cell above, below", "cell to the left, right"),
    Command("overview.open", ("enter",), "open", "open", "read the responses behind the cell"),
    Command(
        "overview.rater",
        ("r",),
        "next_rater",
        "rater",
        "means of another person, a judge, all people",
    ),
    Command("overview.judge", ("g",), "next_judge", "judge", "another judge"),
    Command("page.down", ("space", "pagedown"), "page(1)", "down", "page down, up"),
    Command("page.up", ("b", "pageup"), "page(-1)", "up", "page down, up"),
    _HELP,
    Command("app.back", ("q", "escape", "w"), "close", "back", "back"),
)

PROMPT = (
    Command("prompt.done", ("enter",), "done", "done", "done"),
    Command("prompt.cancel", ("escape", "ctrl+c"), "close", "cancel", "leave it as it was"),
)

COMMENT = (
    Command("prompt.done", ("enter",), "done", "save", "save (Ctrl+J starts a new line)"),
    Command("prompt.cancel", ("escape", "ctrl+c"), "close", "cancel", "leave it as it was"),
)

SCREENS: dict[str, tuple[Command, ...]] = {
    "compare": COMPARE,
    "score": SCORE,
    "keys": KEYS_PAGE,
    "guidelines": GUIDELINES,
    "filter": FILTER,
    "notes": NOTES,
    "spans": SPANS,
    "choice": CHOICE,
    "overview": OVERVIEW,
    "prompt": PROMPT,
    "comment": COMMENT,
}

_LATIN = "qwertyuiopasdfghjklzxcvbnm"

# What a layout sends where the key of the table is pressed. Only keys whose own character can't be typed
# without switching: AZERTY types its letters, but needs Shift for digits.
LAYOUTS: dict[str, dict[str, str]] = {
    "ЙЦУКЕН": {
        **dict(zip(_LATIN, "йцукенгшщзфывапролдячсмить", strict=True)),
        **dict(zip(_LATIN.upper(), "ЙЦУКЕНГШЩЗФЫВАПРОЛДЯЧСМИТЬ", strict=True)),
        "?": ",",
        "/": ".",
    },
    "AZERTY": dict(zip("1234567890", "&é\"'(-è_çà", strict=True)),
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
    sentences = []
    for command in commands:
        for key in keys_of(command):
            if key in taken:
                sentences.append(f"{key}: {taken[key]} and {command.id}")
            taken[key] = command.id
    return sentences


def remapped(commands: Sequence[Command], keys: Mapping[str, tuple[str, ...]]) -> tuple[Command, ...]:
    """The commands with other keys for the ids in `keys`."""
    return tuple(replace(command, keys=keys.get(command.id, command.keys)) for command in commands)


def bindings(commands: Iterable[Command]) -> list[BindingType]:
    """The commands as Textual's bindings, each with an id that a keymap file can name.

    They have priority: a key runs its command before any widget sees it, and before the next key is looked
    at, so that keys typed ahead on a slow line meet the screen that the ones before them have opened.
    """
    return [
        Binding(
            ",".join(keys_of(command)),
            command.action,
            command.label,
            key_display=command.shown,
            tooltip=command.help,
            id=command.id,
            priority=True,
        )
        for command in commands
    ]

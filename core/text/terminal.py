"""The one exit of text: what the commands print, so that a terminal shows all of it and obeys none of it.

Names, texts and error messages come out of stores, files and servers that others made. A line, a table and
JSON leave through here, and nowhere else:

    write_line("deleted \\x1b[2J")          deleted ␛[2J
    TerminalConsole().print("[/a] \\u202e")  [/a] ⟨U+202E⟩    markup is never parsed
    terminal_json({"a": "\\x9b"})           {"a": "\\u009b"}  the same data for whoever parses it
"""

import json
import sys
from collections.abc import Iterable
from typing import Any, TextIO

import regex
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from core.text.visible import visible_text

# What JSON leaves as it is and a terminal may obey or hide: controls (DEL and C1), formats (bidirectional
# marks, zero-width characters), halves of surrogate pairs, and the separators of lines and paragraphs.
_OBEYED = regex.compile(r"[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]")


def write_line(message: str, file: TextIO | None = None) -> None:
    """Write a line to `file` (None: stdout) as `visible_text` shows it, and flush."""
    file = sys.stdout if file is None else file
    file.write(visible_text(message) + "\n")
    file.flush()


def terminal_json(data: Any) -> str:
    """The data as JSON, indented, in which every character that a terminal would obey is escaped.

    Other characters stay readable; parsed, it is the same data.
    """
    text = json.dumps(data, ensure_ascii=False, indent=1)
    # Line breaks of the layout stay: within a string, `json.dumps` has escaped them.
    return text if text.isascii() and "\x7f" not in text else _OBEYED.sub(_escaped, text)


class TerminalConsole(Console):
    """Rich's console for data: markup and emoji codes are text, and what a terminal would obey is visible.

    A plain string in a table is made visible before its column is measured. A `Text` is measured as it is,
    made visible afterwards, and cropped where it has grown: whoever builds one from data calls `visible`
    first.
    """

    def __init__(self, **options: Any) -> None:
        """`options`: those of `rich.console.Console`."""
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(visible_text(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible_text(segment.text), segment.style)


def _escaped(match: "regex.Match[str]") -> str:
    character = match.group()
    return character if character == "\n" else json.dumps(character)[1:-1]

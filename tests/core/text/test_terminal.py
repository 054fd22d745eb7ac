"""What leaves for a terminal: nothing that it would obey, and the same data for whoever parses it."""

import io
import json

import pytest
from rich.table import Table
from rich.text import Text

from core.text.terminal import TerminalConsole, terminal_json, write_line

# Escape sequences (7 and 8 bit), an OSC title, bell, a right-to-left override, an isolate, DEL.
HOSTILE = "a\x1b[2J\x9b2J\x1b]0;t\x07\u202eb\u2066\x7f[/red][bold]"
OBEYED = {"\x1b", "\x9b", "\x07", "\u202e", "\u2066", "\x7f", "\x85"}


def printed(*renderables) -> str:
    file = io.StringIO()
    console = TerminalConsole(file=file, width=100)
    for renderable in renderables:
        console.print(renderable)
    return file.getvalue()


def test_a_line_shows_what_a_terminal_would_obey():
    file = io.StringIO()
    write_line(HOSTILE, file)
    assert file.getvalue() == ("a␛[2J⟨U+009B⟩2J␛]0;t␇⟨U+202E⟩b⟨U+2066⟩␡[/red][bold]\n")


@pytest.mark.parametrize("make", [str, Text], ids=["a string", "a Text"])
def test_tables_neither_obey_nor_parse_what_is_in_them(make):
    table = Table(title=make(HOSTILE), caption=make(HOSTILE))
    table.add_column(make(HOSTILE), overflow="fold")
    table.add_row(make(HOSTILE))
    text = printed(table)
    assert not OBEYED & set(text)
    assert "[bold]" in text


def test_a_string_in_a_table_is_measured_as_it_is_shown():
    table = Table(show_header=False)
    table.add_row("\x1b" * 5, "end")
    table.add_row("plain", "end")
    lines = printed(table).splitlines()
    assert "␛␛␛␛␛ │ end" in lines[1]
    assert len({len(line) for line in lines}) == 1


def test_emoji_codes_are_text():
    assert printed(":smile: [link=http://a.example]x[/link]") == (":smile: [link=http://a.example]x[/link]\n")


def test_json_is_escaped_for_the_terminal_and_the_same_for_a_program():
    data = {HOSTILE: [HOSTILE, "Привет\nмир\u2028\u200d", "\U000e0041", "\ud800"]}
    text = terminal_json(data)
    assert not (OBEYED | {"\u2028", "\u200d", "\U000e0041", "\ud800"}) & set(text)
    assert "Привет" in text
    assert "\\u009b" in text
    assert json.loads(text) == data

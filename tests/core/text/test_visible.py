"""Hostile text is shown, not obeyed."""

import sys
import unicodedata

import pytest

from core.text.visible import visible, visible_text

# Formats that have a shape of their own: the signs before numbers in Arabic, Syriac and Kaithi.
NUMBER_SIGNS = {
    chr(code) for code in (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)
}


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2Jgone", "␛[2Jgone"),
        ("a\x00b\x7fc", "a␀b␡c"),
        ("bell\x07 back\x08", "bell␇ back␈"),
        ("\x9b31m", "⟨U+009B⟩31m"),
        ("admin\u202egpj.exe", "admin⟨U+202E⟩gpj.exe"),
        ("a\u200bb\ufeffc\u2066d", "a⟨U+200B⟩b⟨U+FEFF⟩c⟨U+2066⟩d"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("half \ud800", "half ⟨U+D800⟩"),
        ("return\rover", "return␍over"),
        ("line\u2028break", "line⟨U+2028⟩break"),
        ("soft\u00adhyphen", "soft⟨U+00AD⟩hyphen"),
    ],
)
def test_what_a_terminal_would_obey_is_shown(hostile, shown):
    assert visible_text(hostile) == shown


@pytest.mark.parametrize(
    "honest",
    [
        "Привет,\n\tмир!",
        "naïve café",
        "e\u0301te\u0301",
        "می\u200cخواهم",
        "क\u094d\u200dष",
        "日本語",
        "[bold]x[/]",
    ],
)
def test_writing_of_any_language_stays_as_it_is(honest):
    assert visible_text(honest) == honest


def test_carriage_return_and_line_feed_are_one_line_break():
    assert visible_text("a\r\nb") == "a\nb"


def test_emoji_are_shown_in_parts_of_one_width():
    assert visible_text("⚠\ufe0f and 👩\u200d🚀") == "⚠ and 👩🚀"


def test_a_flood_of_marks_is_counted():
    assert visible_text("a" + "\u0301" * 100 + "b") == "a" + "\u0301" * 6 + "⟨+94⟩b"


def test_no_control_or_format_character_is_left_but_those_that_are_writing():
    left = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp", "Cf")
        and character in visible_text("a" + character + "a")
    ]
    assert set(left) - NUMBER_SIGNS == {"\n", "\t"}


def test_a_name_stays_on_its_line():
    assert visible("a\nb\tc") == "a␊b␉c"


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("LLaMA-2 / не обучена / 中文 / é", "LLaMA-2 / не обучена / 中文 / é"),
        ("a\x1b[31m\x00\n\t\x7f\x9b", "a␛[31m␀␊␉␡⟨U+009B⟩"),
        ("\u202eevil\u2066\u200b\ufeff", "⟨U+202E⟩evil⟨U+2066⟩⟨U+200B⟩⟨U+FEFF⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("e" + "\u0301" * 500 + "x", "e" + "\u0301" * 6 + "⟨+494⟩x"),
        ("e" + "\u0301" * 7, "e" + "\u0301" * 6 + "⟨+1⟩"),
        ("می\u200cخواهم a\u200cb", "می\u200cخواهم a⟨U+200C⟩b"),
        ("\u3164\u2800\ufe0f", "⟨U+3164⟩⟨U+2800⟩⟨U+FE0F⟩"),
        ("\u0378\ue000\uffff", "⟨U+0378⟩⟨U+E000⟩⟨U+FFFF⟩"),
    ],
)
def test_what_a_reader_cannot_see_is_written_out(name, drawn):
    assert visible(name) == drawn
    visible(name).encode()


def test_every_character_is_either_seen_or_named():
    for code in (*range(0x3000), *range(0xD7F0, 0x10000), *range(0xE0000, 0xE0200)):
        drawn = visible(f"a{chr(code)}b")
        assert drawn.encode()
        for character in drawn:
            # Cn: assigned since the Unicode of this Python.
            seen = character.isprintable() or unicodedata.category(character) in ("Zs", "Cn")
            assert seen or character in NUMBER_SIGNS, hex(code)

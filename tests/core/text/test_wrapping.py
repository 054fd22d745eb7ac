"""Text is wrapped by words and by cells, and without being measured whole."""

import pytest
from rich.cells import cell_len

from core.text.wrapping import WrappedText, pad, shorten


def lines(text: str, width: int) -> list[str]:
    wrapped = WrappedText(text, width)
    return [wrapped.line(number) or "" for number in range(wrapped.height(1000))]


def test_words_go_whole_to_the_next_line_and_paragraphs_stay():
    assert lines("Возьмите ракетку\n\n  1. и волан", 10) == ["Возьмите", "ракетку", "", "  1. и", "волан"]


def test_a_long_word_and_wide_writing_are_cut_at_the_edge():
    assert lines("длинноеслово", 5) == ["длинн", "оесло", "во"]
    assert lines("日本語です", 5) == ["日本", "語で", "す"]


@pytest.mark.parametrize("text", ["слово " * 50, "日本語 " * 50, "a" * 999, " " * 99 + "x", "é" * 77])
def test_no_line_is_wider_than_the_column(text):
    assert max(cell_len(line) for line in lines(text, 17)) <= 17


def test_marks_alone_do_not_make_an_endless_line():
    assert max(len(line) for line in lines("\u0941" * 100_000, 20)) <= 20 * 8


def test_only_what_is_looked_at_of_a_megabyte_is_wrapped():
    wrapped = WrappedText("x" * 1_000_000, 40)
    assert wrapped.line(30) == "x" * 40
    assert wrapped.height(50) == 50
    assert wrapped.made == 50


def test_shorten_and_pad_count_cells():
    assert shorten("Привет", 4) == "При…"
    assert shorten("日本語", 4) == "日…"
    assert pad("日本", 6) == "日本  "
    assert cell_len(pad("日本語です", 6)) == 6

"""Pieces, cells and offsets: the plain functions that every line of the room is drawn with."""

import pytest
from rich.cells import cell_len

from core.text.visible import VisibleText
from core.text.words import words
from store.queries.notes import Span
from tui.review.error_spans import SpanCursor
from tui.review.navigation import folded
from tui.theme import PALETTES, Look
from tui.widgets.lines import cells_of, differing_cells, fitted, spread, with_look
from tui.widgets.response_text import ResponseText, hits

PLAIN, STRONG = Look.PLAIN, Look.STRONG


# Pieces


@pytest.mark.parametrize("width", [0, 1, 2, 3, 5, 8, 20])
@pytest.mark.parametrize(
    "text", ["", "abc", "漢字漢字", "a漢", "за́мок", "🇷🇺🇷🇺", "👍🏽👍🏽", "คำนำ", "한국어"]
)
def test_fitted_is_exactly_as_wide_as_asked(text, width):
    line = fitted([(text, PLAIN), (text, STRONG)], width)
    assert cells_of(line) == width


def test_a_wide_character_that_is_cut_in_two_leaves_no_half():
    assert fitted([("漢字", PLAIN)], 3) == [("漢…", PLAIN)]


def test_spread_puts_pieces_at_both_ends_and_drops_the_right_ones_that_do_not_fit():
    line = spread([("ab", PLAIN)], [("yz", STRONG)], 6, ("─", PLAIN))
    assert "".join(text for text, _ in line) == "ab──yz"
    narrow = spread([("abc", PLAIN)], [("xyz", STRONG)], 5, ("─", PLAIN))
    assert "".join(text for text, _ in narrow) == "abc──"


@pytest.mark.parametrize(
    ("old", "new", "runs"),
    [
        ("abcdef", "abcdef", []),
        ("abcdef", "aXcdef", [(1, 2)]),
        ("漢字a", "漢字b", [(4, 5)]),
        ("é" + "b" * 30, "e" + "b" * 29 + "c", [(0, 1), (30, 31)]),
        # Nearer than a jump costs: one run.
        ("abcdefgh", "XbcdefgX", [(0, 8)]),
    ],
)
def test_differing_cells_counts_cells_and_not_characters(old, new, runs):
    assert differing_cells([(old, PLAIN)], [(new, PLAIN)]) == runs


@pytest.mark.parametrize(
    ("old", "new", "run"), [("漢字a", "漢語a", (2, 4)), ("今日は甲", "今日は乙", (6, 8))]
)
def test_a_wide_character_is_repainted_whole(old, new, run):
    assert differing_cells([(old, PLAIN)], [(new, PLAIN)]) == [run]


def test_a_letter_with_marks_differs_as_one_cell():
    assert differing_cells([("за́мок", PLAIN)], [("замок", PLAIN)]) == [(1, 2)]


def test_the_same_text_in_another_role_differs():
    assert differing_cells([("abc", PLAIN)], [("a", PLAIN), ("b", STRONG), ("c", PLAIN)]) == [(1, 2)]


@pytest.mark.parametrize("text", ["ශ්‍රී ලංකාව", "गर्‍यो", "क्‍ष"], ids=["Sinhala", "Nepali", "Hindi"])
def test_lines_with_joiners_of_indic_spelling_can_be_compared(text):
    one, other = fitted([(text, PLAIN)], 20), fitted([("x", PLAIN)], 20)
    assert differing_cells(one, other)[0][0] == 0
    assert differing_cells(other, one)[0][0] == 0


def test_with_look_adds_a_role_to_cells_and_keeps_the_others():
    line = with_look([("漢字ab", STRONG)], 2, 5, Look.CURRENT)
    assert line == [("漢", STRONG), ("字a", STRONG | Look.CURRENT), ("b", STRONG)]
    assert cell_len("".join(text for text, _ in line)) == 6


# Roles


def _shape(palette, look):
    style = palette.style(look)
    return (
        bool(style.bold),
        bool(style.dim),
        bool(style.italic),
        bool(style.underline),
        bool(style.reverse),
    )


MARKS = (Look.PLAIN, Look.DIFFERENT, Look.MISSPELT, Look.FOREIGN, Look.ERROR, Look.HIT, Look.CHOSEN)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=list(PALETTES))
def test_every_mark_in_a_text_has_a_shape_of_its_own_without_its_colour(palette):
    shapes = {_shape(palette, look) for look in MARKS}
    assert len(shapes) == len(MARKS)


def test_monochrome_has_no_colours_at_all():
    palette = PALETTES["monochrome"]
    assert all(palette.style(look).color is None and palette.style(look).bgcolor is None for look in Look)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=list(PALETTES))
def test_a_word_that_is_misspelt_foreign_and_different_shows_all_three(palette):
    style = palette.style(Look.MISSPELT | Look.FOREIGN | Look.DIFFERENT)
    assert (style.underline, style.italic, style.bold) == (True, True, True)


# Offsets between a raw text and what is drawn of it

RAW = [
    "plain",
    "a\tb",
    "\tслово",
    "one\r\ntwo",
    "\x1b[31mred\x1b[0m",
    "a\x00b\x7fc\x9bd",
    "\u202eabc\u2066",
    "👍🏽 да 👩\u200d👩\u200d👧 нет",
    "z" + "\u0301" * 40 + "y",
    "می\u200cخواهم",
    "क्\u200dष",
    "\r\n\t\x1b\u200b",
    "",
    "x\ud800y",
]


@pytest.mark.parametrize("raw", RAW)
def test_what_is_kept_is_found_in_both_directions(raw):
    safe = VisibleText.of(raw)
    kept = "".join(
        character
        for character in raw
        if character.isprintable() and character not in "\u0301\u200d\u200c\u2066\U0001f3fd"
    )
    found = ""
    for place, character in enumerate(raw):
        there = safe.drawn_offset(place)
        if character in kept:
            assert safe.text[there] == character
            assert safe.raw_offset(there) == place
            found += character
    assert found == kept
    backwards = [safe.raw_offset(place) for place in range(len(safe.text))]
    assert backwards == sorted(backwards)
    assert all(0 <= place < max(1, len(raw)) for place in backwards)


@pytest.mark.parametrize("raw", RAW)
def test_a_span_of_the_raw_text_covers_what_stands_for_it_and_nothing_beside(raw):
    safe = VisibleText.of(raw)
    assert safe.span(0, len(raw)) == (0, len(safe.text))
    for start in range(len(raw)):
        for end in range(start + 1, len(raw) + 1):
            first, last = safe.span(start, end)
            assert 0 <= first <= last <= len(safe.text)
            assert safe.text[:first] == VisibleText.of(raw).text[: safe.drawn_offset(start)]


def test_spans_after_a_tab_a_line_end_and_a_control_are_where_they_are_drawn():
    raw = "\t\x1b\r\nслово"
    start = raw.index("слово")
    safe = VisibleText.of(raw)
    first, last = safe.span(start, start + 5)
    assert safe.text[first:last] == "слово"
    assert safe.raw_offset(first) == start


def test_a_tab_a_control_and_a_crlf_are_marked_whole():
    safe = VisibleText.of("a\tb\x85c\r\nd")
    assert safe.text == "a    b⟨U+0085⟩c\nd"
    assert safe.span(1, 2) == (1, 5)
    assert safe.span(3, 4) == (6, 14)
    assert safe.raw_offset(9) == 3
    assert safe.span(5, 6) == (15, 16)
    assert safe.span(5, 7) == (15, 16)


def test_an_empty_span_has_no_width():
    assert VisibleText.of("a\tb").span(2, 2) == (5, 5)


# Words and spans


def cursor_on(text: str) -> SpanCursor:
    return SpanCursor(words(text), len(text))


def test_the_cursor_goes_by_words_and_stops_at_both_ends():
    cursor = cursor_on("Раз, два — три!")
    assert cursor.stretch == (0, 3)
    cursor.move(1)
    assert cursor.stretch == (5, 8)
    cursor.move(99)
    assert cursor.stretch == (11, 14)
    cursor.move(-99)
    assert cursor.stretch == (0, 3)


def test_an_anchor_makes_one_stretch_in_both_directions():
    cursor = cursor_on("один два три четыре")
    cursor.move(1)
    cursor.toggle_anchor()
    cursor.move(1)
    assert cursor.stretch == (5, 12)
    cursor.move(-2)
    assert cursor.stretch == (0, 8)
    cursor.toggle_anchor()
    assert cursor.stretch == (0, 4)


def test_a_text_without_words_is_one_stretch_and_an_empty_one_none():
    assert cursor_on("?!").stretch == (0, 2)
    empty = cursor_on("")
    empty.move(1)
    empty.go_to(5)
    assert (empty.stretch, empty.span_here([])) == ((0, 0), None)


@pytest.mark.parametrize(("offset", "word"), [(0, 0), (4, 0), (5, 1), (7, 1), (99, 2)])
def test_go_to_finds_the_word_at_an_offset_or_before_it(offset, word):
    cursor = cursor_on("один два три")
    cursor.go_to(offset)
    assert cursor.word == word


def test_of_several_spans_under_the_cursor_the_shortest_counts():
    cursor = cursor_on("один два три")
    cursor.move(1)
    long, short, other = (
        Span(0, 12, "style", "minor", ""),
        Span(5, 8, "grammar", "minor", ""),
        Span(9, 12, "logic", "minor", ""),
    )
    assert cursor.span_here([long, other, short]) == short
    assert cursor.span_here([other]) is None


# Searching


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("ёжик", "ЁЖИК"),
        ("ЁЖИК", "е\u0308жик"),
        ("е\u0308жик", "ёжик"),
        ("йод", "И\u0306ОД"),
        ("STRASSE", "Straße"),
        ("Ação", "AC\u0327A\u0303O"),
    ],
)
def test_small_and_capital_composed_and_decomposed_are_the_same(typed, text):
    assert folded(typed) in folded(text)


def test_hits_are_where_the_words_stand_in_the_raw_text():
    text = "Ёж и ёЖ, ежи"
    assert [text[start:end] for start, end in hits(text, "ёж")] == ["Ёж", "ёЖ"]
    assert hits(text, "") == []
    assert hits(text, "медведь") == []


def test_what_is_searched_for_is_no_pattern():
    assert hits("a.c abc (x", ".") == [(1, 2)]
    assert hits("a.c abc (x", "(x") == [(8, 10)]


@pytest.mark.parametrize(
    ("text", "typed", "found"),
    [
        ("йод", "и\u0306од", "йод"),
        ("кафе\u0301 и ЙОД", "кафе\u0301", "кафе\u0301"),
        ("и\u0306од", "йод", "и\u0306од"),
        ("cafe\u0301 и ёлка", "е\u0308лка", "ёлка"),
        ("Straße", "STRASSE", "Straße"),
    ],
)
def test_what_the_search_finds_is_marked(text, typed, found):
    assert folded(typed) in folded(text)
    assert [text[start:end] for start, end in hits(text, typed)] == [found]


# A response as lines


def drawn(text: str, width: int, language: str = "ru", *, reorder: bool = True) -> list[str]:
    response = ResponseText(text, width, language)
    lines = []
    while pieces := response.pieces(len(lines), reorder=reorder):
        lines.append("".join(piece for piece, _ in pieces))
    return lines


def looks_of(response: ResponseText, look: Look) -> str:
    found, line = "", 0
    while pieces := response.pieces(line, reorder=True):
        found += "".join(text for text, own in pieces if look in own)
        line += 1
    return found


def test_a_mark_goes_on_over_a_line_break():
    text = "раз два три четыре"
    response = ResponseText(text, 8, "ru")
    response.mark([(4, 11, Look.ERROR)])
    assert looks_of(response, Look.ERROR) == "дватри"


def test_marks_that_overlap_add_up():
    response = ResponseText("абвг", 20, "ru")
    response.mark([(0, 3, Look.ERROR), (1, 4, Look.MISSPELT)])
    assert response.pieces(0, reorder=True) == [
        ("а", Look.ERROR),
        ("бв", Look.ERROR | Look.MISSPELT),
        ("г", Look.MISSPELT),
    ]


def test_arabic_ends_at_the_right_edge_and_english_in_an_arabic_view_begins_at_the_left():
    arabic = drawn("قطة", 10, "ar")[0]
    assert arabic.startswith(" " * 7)
    assert drawn("the cat", 10, "ar") == ["the cat"]
    assert drawn("قطة", 10, "ar", reorder=False)[0].strip() == "قطة"


def test_a_mark_in_arabic_is_on_the_letters_that_it_meant():
    text = "القطة تنام هنا"
    response = ResponseText(text, 30, "ar")
    response.mark([(6, 10, Look.ERROR)])
    marked = looks_of(response, Look.ERROR)
    assert len(marked) == 4
    assert marked == ResponseText("تنام", 30, "en").pieces(0, reorder=True)[0][0]

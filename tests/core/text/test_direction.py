"""Right-to-left lines are put in the order of UAX #9, their letters joined, and their styles follow."""

import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from bidi import get_display
from rich.cells import cell_len

from core.text.direction import EXPLICIT, IMPLICIT, has_rtl, is_rtl, visual

ZWNJ, ZWJ = "\u200c", "\u200d"
FATHA, SHADDA = "\u064e", "\u0651"

# Of every class that the algorithm tells apart; no marks, no brackets newer than the libraries.
MIXED = "abcXYZ אבגדהושלםתابتثجسلمن  0123٠١٢۳۴()[]{}<>«»⟨⟩+-.,:;/%$€#!?\"'*=漢あ"
TIGHT = "ab אבت 12٢()[]⟨⟩+-,"


def order(line: str, *, rtl: bool) -> str:
    """The characters of the line, unshaped and not mirrored, in visual order."""
    return "".join(line[index] for index in visual(line, rtl=rtl)[1])


RTL_CODES = """ar AR ar-EG ar_SA arb arz ar-arz-EG he he-IL iw fa fa-AF pes ur ps yi dv ckb ug sd syr nqo
    az-Arab ku-Arab-IQ arb_Arab pes_Arab und-Hebr az-IR pa-PK"""
LTR_CODES = """en ru zh az az-AZ ku pa pa-IN ar-Latn fa-Cyrl sd-Deva he-Latn-IL en-x-arab de-u-nu-arab arn hy
    - Arabic?"""


@pytest.mark.parametrize("code", RTL_CODES.split())
def test_languages_in_right_to_left_scripts_are_known_by_their_codes(code):
    assert is_rtl(code)


@pytest.mark.parametrize("code", ["", *LTR_CODES.split()])
def test_other_languages_scripts_and_nonsense_are_left_to_right(code):
    assert not is_rtl(code)


@pytest.mark.parametrize("text", ["word שלום", "سلام", "\U0001e900", "ߞ", "ܐ", "ﻼ"])
def test_a_strong_right_to_left_character_is_found(text):
    assert has_rtl(text)


@pytest.mark.parametrize(
    "text", ["", "plain", "Привет", "٣٫١٤", "a\u05b4\u064b", "漢字 😀 ⟨U+202E⟩", "\ud800"]
)
def test_digits_marks_and_other_scripts_are_not_taken_for_right_to_left_text(text):
    assert not has_rtl(text)


@pytest.mark.parametrize("line", ["", " ", "plain (text) 3,14", "Привет, мир!", "e\u0301te\u0301", "漢字 😀"])
def test_a_line_without_right_to_left_text_comes_back_as_it_was_in_a_left_to_right_paragraph(line):
    assert visual(line, rtl=False) == (line, list(range(len(line))))


def test_hebrew_is_reversed_and_each_character_knows_where_it_stood():
    assert visual("שלום", rtl=True) == ("םולש", [3, 2, 1, 0])


def test_a_hebrew_word_in_an_english_sentence_turns_round_in_its_place():
    line = "The word שלום means peace."
    assert visual(line, rtl=False)[0] == "The word םולש means peace."


def test_latin_words_in_a_hebrew_sentence_keep_their_reading_order_and_the_full_stop_goes_left():
    assert visual("אני כותב Python code היום.", rtl=True)[0] == ".םויה Python code בתוכ ינא"


def test_a_latin_line_of_a_right_to_left_paragraph_ends_on_the_left():
    assert visual("Hello, world!", rtl=True)[0] == "!Hello, world"


def test_brackets_are_mirrored_around_right_to_left_text():
    assert visual("אב (גד) [הו]", rtl=True)[0] == "[וה] (דג) בא"


@pytest.mark.parametrize(
    ("line", "drawn"),
    [
        ("(AAPL) Apple אב", "בא Apple (AAPL)"),
        ("אב foo(bar, baz) גד", "דג foo(bar, baz) בא"),
        ("⟨U+202E⟩ evil אב", "בא evil ⟨U+202E⟩"),
        ("אב (גד (ab) הו) ז", "ז (וה (ab) דג) בא"),
    ],
)
def test_both_brackets_of_a_pair_go_one_way_even_beside_latin_text(line, drawn):
    assert visual(line, rtl=True)[0] == drawn


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("מחיר 3,14 שקל", "3,14"),
        ("ביום 2024-05-01 היה", "2024-05-01"),
        ("السعر 3,14 دينار", "3,14"),
        ("السعر ٣٫١٤ دينار", "٣٫١٤"),
        ("קוד x = y[0] + f(2) סוף", "x = y[0] + f(2"),
        ("ראו https://example.org/a?b=1 כאן", "https://example.org/a?b=1"),
        ("call +7 (495) 123-45-67 שלום", "call +7 (495) 123-45-67"),
    ],
)
def test_numbers_latin_words_and_code_keep_their_reading_order(line, kept):
    assert kept in order(line, rtl=True)


def test_the_groups_of_a_date_after_arabic_go_right_to_left_as_the_standard_has_it():
    assert "01-05-2024" in order("في 2024-05-01", rtl=True)


def test_blanks_at_the_end_of_a_right_to_left_line_are_drawn_on_the_left():
    assert visual("אב ab  ", rtl=True)[0] == "  ab בא"


def test_arabic_digits_alone_order_the_line_as_the_standard_has_it():
    # What stands between two of them goes right to left (N1), and so do they around it.
    assert visual("١ + ٢", rtl=False)[0] == "٢ + ١"


def test_an_angle_bracket_is_paired_with_its_canonical_equivalent():
    line = "\u2329ab\u3009 cd א"
    assert order(line, rtl=True) == get_display(line, base_dir="R")


def test_arabic_letters_join_their_neighbours():
    # kaf initial, teh medial, alef final, beh isolated; drawn from the left
    assert visual("كتاب", rtl=True)[0] == "\ufe8f\ufe8e\ufe98\ufedb"


def test_letters_join_within_a_word_only():
    # beh isolated on both sides of a blank, of a Latin letter and of a bracket
    assert visual("ب ب", rtl=True)[0] == "\ufe8f \ufe8f"
    assert visual("بxب", rtl=True)[0] == "\ufe8fx\ufe8f"
    assert visual("(ب)", rtl=True)[0] == "(\ufe8f)"


def test_an_arabic_word_in_a_left_to_right_line_is_joined_too():
    assert visual("say لا now", rtl=False)[0] == "say \ufe8e\ufedf now"


def test_lam_alef_stays_two_letters_in_two_cells():
    drawn, indices = visual("لا", rtl=True)
    assert (drawn, indices) == ("\ufe8e\ufedf", [1, 0])  # alef final, lam initial
    assert cell_len(drawn) == 2


def test_marks_follow_their_letter_and_do_not_part_the_letters_they_stand_between():
    drawn, indices = visual(f"ب{FATHA}ت{SHADDA}{FATHA}", rtl=True)
    # teh final with its two marks, then beh initial with its own
    assert drawn == f"\ufe96{SHADDA}{FATHA}\ufe91{FATHA}"
    assert indices == [2, 3, 4, 0, 1]


def test_hebrew_points_follow_their_letter():
    shin, shin_dot, qamats, lamed = "ש\u05c1\u05b8ל"
    assert visual(shin + shin_dot + qamats + lamed, rtl=True)[0] == lamed + shin + shin_dot + qamats


def test_a_mark_follows_its_latin_letter_in_a_right_to_left_line():
    assert visual("שe\u0301te\u0301", rtl=True)[0] == "e\u0301te\u0301ש"


def test_marks_without_a_letter_stay_at_the_start():
    assert visual(f"{FATHA}{SHADDA}שא", rtl=True) == (f"{FATHA}{SHADDA}אש", [0, 1, 3, 2])


def test_a_persian_non_joiner_keeps_the_letters_beside_it_apart():
    drawn, indices = visual(f"می{ZWNJ}خواهم", rtl=True)
    # yeh is final although letters follow in the word; khah is initial although letters precede it
    assert drawn.endswith(f"\ufea7\ufbfd{ZWNJ}\ufee3")
    assert sorted(indices) == list(range(8))


def test_a_joiner_joins_and_stays_with_its_letter():
    assert visual(f"אب{ZWJ}", rtl=True) == (f"\ufe91{ZWJ}א", [1, 2, 0])


@pytest.mark.parametrize("small", ["\u06e5", "\u06e6", "\u08e2"])
def test_small_quranic_letters_stay_in_their_place_behind_a_joiner_too(small):
    drawn, indices = visual(f"ب{ZWJ}{small}ب", rtl=True)
    assert drawn[indices.index(2)] == small


def test_the_ae_of_kurdish_joins_the_letter_before_it_only():
    # beh initial, ae final; reh isolated
    assert visual("بەر", rtl=True)[0] == "\ufead\ufeea\ufe91"


def test_letters_without_presentation_forms_are_left_as_they_are():
    assert visual("ښ", rtl=True)[0] == "ښ"


def test_an_emoji_with_a_skin_tone_is_not_torn_apart():
    assert "👍🏽" in visual("אב 👍🏽 גד", rtl=True)[0]


def test_styles_follow_their_characters():
    line = f"قال «Hello» ثم مضى{FATHA} 3,14."
    drawn, indices = visual(line, rtl=True)
    assert sorted(indices) == list(range(len(line)))
    assert len(drawn) == len(indices)
    for character, index in zip(drawn, indices, strict=True):
        same = unicodedata.normalize("NFKC", character) == line[index]
        assert same or {character, line[index]} == set("«»")


@pytest.mark.parametrize("alphabet", [MIXED, TIGHT])
@pytest.mark.parametrize("rtl", [True, False])
def test_the_order_is_that_of_another_implementation_of_the_standard(alphabet, rtl):
    rng = random.Random(20240501)
    for _ in range(400):
        line = "".join(rng.choices(alphabet, k=rng.randint(0, 40)))
        assert order(line, rtl=rtl) == get_display(line, base_dir="R" if rtl else "L"), ascii(line)


def marks_behind_their_letters(indices: list[int], line: str) -> list[int]:
    """The order of UAX #9 after L3: marks that stand to the left of their letter come to its right."""
    ordered: list[int] = []
    marks: list[int] = []
    for index in indices:
        if unicodedata.bidirectional(line[index]) == "NSM" and (not ordered or ordered[-1] != index - 1):
            marks.insert(0, index)
        else:
            ordered += [index, *marks]
            marks = []
    return ordered + marks


CASES = [
    line.split(";")
    for line in Path(__file__).with_name("bidi_cases.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize(("characters", "rtl", "_paragraph", "levels", "visual_order"), CASES)
def test_the_order_is_what_the_rules_of_the_standard_say(characters, rtl, _paragraph, levels, visual_order):
    line = "".join(chr(int(code, 16)) for code in characters.split())
    expected = [int(index) for index in visual_order.split()]
    assert len(line) == len(levels.split()) == len(expected)
    assert visual(line, rtl=rtl == "1")[1] == marks_behind_their_letters(expected, line)


@pytest.mark.parametrize("depth", [62, 63, 64, 200])
def test_deeply_nested_brackets_are_paired_as_far_as_the_standard_says(depth):
    line = "(a) " + "(" * depth + "a" + ")" * depth + " b א"
    assert order(line, rtl=True) == get_display(line, base_dir="R")


HOSTILE = [
    *map(chr, range(0x0590, 0x0700)),
    *map(chr, range(0x08A0, 0x0900)),
    *"ab 12()[]⟨⟩漢😀👍🏽é\u0301\u0e33\u200c\u200d\u200e\u200f\u202e\u2066\u2069\u00ad\ufb50\ufefb",
    *"\x00\x1b\x85\u2028\u2029\ufeff\ufffe\ud800\udfff\U0001e900\U0001e94a\U0001eeff\U000e0041",
]


@pytest.mark.parametrize("rtl", [True, False])
def test_any_line_keeps_its_characters_and_its_cells(rtl):
    rng = random.Random(7)
    for _ in range(1500):
        line = "".join(rng.choices(HOSTILE, k=rng.randint(1, 30))).strip(ZWJ)
        drawn, indices = visual(line, rtl=rtl)
        assert sorted(indices) == list(range(len(line))), ascii(line)
        assert len(drawn) == len(indices)
        assert cell_len(drawn) == cell_len(line), ascii(line)


def test_a_flood_of_marks_stays_on_its_letter():
    line = "א" + "\u05b8" * 20_000 + "ב"
    assert visual(line, rtl=True)[0] == "בא" + "\u05b8" * 20_000


def test_the_switches_are_mode_8_reset_and_set():
    assert (EXPLICIT, IMPLICIT) == ("\x1b[8l", "\x1b[8h")


@pytest.mark.whole
def test_neither_library_is_loaded_before_a_right_to_left_line_is_drawn():
    code = (
        "import sys; from core.text import direction; "
        "direction.visual('plain', rtl=False), direction.is_rtl('ar'), direction.has_rtl('سلام'); "
        "sys.exit(bool({'bidi', 'arabic_reshaper'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

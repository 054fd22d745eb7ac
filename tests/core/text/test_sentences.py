"""Where sentences lie, by a rule that needs no language."""

from itertools import pairwise

import pytest

from core.text.sentences import sentences


def cut(text):
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Il pleut. Nous restons à la maison !", ["Il pleut.", "Nous restons à la maison !"]),
        ("Привет! Как дела? Всё хорошо…", ["Привет!", "Как дела?", "Всё хорошо…"]),
        ("今日は雨です。家にいます。本当？はい", ["今日は雨です。", "家にいます。", "本当？", "はい"]),
        ("هل تمطر؟ نعم.", ["هل تمطر؟", "نعم."]),
        ("वर्षा हो रही है। हम घर पर हैं।", ["वर्षा हो रही है।", "हम घर पर हैं।"]),
        ("Title\n\n1) First\r\nsecond\u2028third", ["Title", "1) First", "second", "third"]),
    ],
)
def test_terminators_of_many_scripts_and_line_breaks_end_a_sentence(text, expected):
    assert cut(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "It costs 3.50 euros at example.com, e.g. in spring.",
        "Wait... what is that?!",
        "La classe a.b.c reste, cf. plus haut.",
        'Er sagte "halt!" und ging.',
        "Версия 2.0 вышла в 2020 г. и т. д. без новостей.",
    ],
)
def test_decimals_addresses_and_what_goes_on_in_small_letters_end_none(text):
    assert cut(text) == [text]


def test_closing_marks_belong_to_the_sentence_before():
    assert cut("«Он ушёл!» Она осталась. (Так было.) **Конец.** Всё") == [
        "«Он ушёл!»",
        "Она осталась.",
        "(Так было.)",
        "**Конец.**",
        "Всё",
    ]


def test_white_space_is_no_part_of_a_sentence_and_no_sentence():
    text = "  One.   \n \t\n  Two  "
    assert list(sentences(text)) == [(2, 6), (15, 18)]
    assert list(sentences(" \n\t")) == list(sentences("")) == []


def test_offsets_are_code_points():
    assert list(sentences("👍🏽 Да. Нет.")) == [(0, 6), (7, 11)]


@pytest.mark.parametrize("unit", [".", ". ", ".)", "\x00", '. "', "...a", "\n", "。", " "])
def test_what_is_cut_covers_all_but_the_white_space(unit):
    text = unit * 3000
    spans = list(sentences(text))
    assert "".join(text[start:end] for start, end in spans).split() == "".join(text.split()).split()
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))

"""Stretches of a response in another language than its instruction's."""

from itertools import pairwise

import pytest

from core.judge.surface import foreign
from core.judge.surface.foreign import confusable, foreign_stretches
from core.judge.surface.language import LanguageIdentifier
from core.text.prose import without_marks

RU = "Бадминтон — это игра с ракеткой и воланом, в которую играют вдвоём или вчетвером."
FR = "Le badminton est un sport de raquette qui se joue à deux ou à quatre sur un terrain."
PT = "O badminton é um esporte de raquete que não é difícil de aprender, e muita gente gosta dele."
DE = "Badminton ist ein Rückschlagspiel, das mit einem Federball und einem Schläger gespielt wird."
EN = "You will need a racquet and a shuttlecock, and it helps to have good shoes."
EN2 = "Most people learn the basic strokes within a few weeks of regular practice."
ES = (
    "Para jugar hace falta una raqueta y un volante. Mucha gente aprende los golpes más sencillos en pocas "
    "semanas, aunque llegar a jugar bien cuesta varios años de entrenamiento."
)
OWN = {"ru": RU, "fr": FR, "pt": PT, "de": DE, "en": EN}


@pytest.fixture(scope="module")
def identifier():
    return LanguageIdentifier()


@pytest.fixture(scope="module")
def stretches(identifier):
    """The stretches of a text as (what it says, label)."""

    def find(text, language):
        found = foreign_stretches(text, language, identifier, identifier.identify(text))
        assert found is not None
        assert all(0 <= one.start < one.end <= len(text) for one in found)
        assert all(one.end <= other.start for one, other in pairwise(found))
        return [(text[one.start : one.end], one.label) for one in found]

    return find


@pytest.mark.parametrize("language", OWN)
def test_the_right_language_has_none(stretches, language):
    assert stretches(f"{OWN[language]}\n\n{OWN[language]} {OWN[language]}", language) == []


@pytest.mark.parametrize(
    ("language", "text", "label"),
    [
        ("ru", f"{EN}\n\nSee?  {EN2}", "en"),
        ("fr", f"{EN} {EN2}", "en"),
        ("en", f"{DE}\n{DE}", "de"),
        ("pt", ES, "es"),
        ("de", RU, "ru"),
    ],
)
def test_a_response_all_in_another_language_is_one_stretch(stretches, language, text, label):
    assert stretches(text, language) == [(text, label)]


@pytest.mark.parametrize(
    ("language", "before", "switched", "label"),
    [
        ("ru", RU, f"{EN} {EN2}", "en"),
        ("fr", FR, EN, "en"),
        ("de", DE, EN, "en"),
        ("pt", PT, ES, "es"),
        ("pt", PT, EN, "en"),
        ("en", EN, FR, "fr"),
        ("fr", FR, RU, "ru"),
    ],
)
@pytest.mark.parametrize("between", [" ", "\n\n"])
def test_a_switch_is_found_where_it_begins_and_ends(stretches, language, before, switched, label, between):
    text = between.join([before, switched, before])
    assert stretches(text, language) == [(switched, label)]


def test_each_of_two_switches_is_a_stretch(stretches):
    assert stretches(f"{EN}\n{RU}\n{FR}", "ru") == [(EN, "en"), (FR, "fr")]
    assert stretches(f"{EN}\n{FR}\n{EN2}", "fr") == [(EN, "en"), (EN2, "en")]


def test_a_passage_in_another_script_inside_a_sentence_is_found(stretches):
    said = "many people enjoy the process of creating something beautiful"
    assert stretches(f"{RU} Во-первых, {said}, а во-вторых, это полезно. {RU}", "ru") == [(said, "en")]


def test_a_short_passage_that_no_language_is_sure_of_is_undetermined(stretches):
    assert stretches(f"{RU} Скажи: qwrt zxcv plkj bnmg. {RU}", "ru") == [("qwrt zxcv plkj bnmg", "und")]


def test_a_passage_takes_no_language_that_has_other_letters(stretches):
    japanese = "qu thlayx mkmkdz chh"  # says fastText, with 0.83
    assert stretches(f"{RU} Скажи: {japanese}. {RU}", "ru") == [(japanese, "und")]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("ru", "Об этом есть книга «The Inner Game of Tennis and how to play it well», и она хороша."),
        ("ru", "Удар (the drop shot that lands just behind the net) сложнее."),
        ("fr", "Il a lu « The Inner Game of Tennis and how to play it well » hier."),
        ("ru", "Запустите программу:\n```python\n# this prints a line for every player of the game\n```"),
        ("ru", 'Запустите `print("hello world and all the people in it")` и смотрите.'),
        ("ru", 'Запустите print("hello world") и смотрите.'),
        ("ru", "Подробнее: https://example.com/this-is-how-you-play-the-game-of-badminton и ниже."),
        ("ru", "Мы взяли ракетку Yonex Astrox, а Victor Thruster и Bank of America нам не нужны."),
        ("fr", "Le fair-play et le smash font partie du jeu."),
    ],
)
def test_titles_terms_names_and_code_are_no_switch(stretches, language, sentence):
    assert stretches(f"{OWN[language]} {sentence} {OWN[language]}", language) == []


@pytest.mark.parametrize(
    ("language", "short"),
    [
        ("fr", "Oui."),
        ("ru", "Да."),
        ("ru", "Назови 5 способов."),
        ("ru", "Пройдите 5 миль на юг."),
        ("pt", "c) Louis Pasteur"),
        ("pt", "Existem 13 cartas de ouros e 13 de copas no baralho."),
        ("fr", "Excellente question !"),
    ],
)
def test_short_sentences_that_are_taken_for_a_neighbour_are_no_switch(stretches, language, short):
    assert stretches(short, language) == []
    assert stretches(f"{OWN[language]}\n{short}\n{OWN[language]}", language) == []


def test_a_word_said_over_and_over_is_no_switch(stretches):
    assert stretches(f"{PT}\n{PT}\n{PT}\n" + "Resposta\n" * 8, "pt") == []


def test_one_short_sentence_of_a_close_language_is_not_enough_but_a_paragraph_is(stretches):
    assert stretches(f"{PT} Mucha gente aprende los golpes en pocas semanas. {PT}", "pt") == []
    assert stretches(f"{FR} Mucha gente aprende los golpes en pocas semanas. {FR}", "fr") == [
        ("Mucha gente aprende los golpes en pocas semanas.", "es")
    ]
    assert confusable("es", "pt")
    assert not confusable("es", "fr")


def test_short_sentences_within_a_switch_belong_to_it(stretches):
    switched = f"{EN} Of course! {EN2}"
    assert stretches(f"{FR}\n{switched}\n{FR}", "fr") == [(switched, "en")]


def test_a_short_sentence_takes_the_language_of_a_response_that_is_in_another(stretches):
    text = f"Of course!\n{EN} {EN2}"
    assert stretches(text, "fr") == [(text, "en")]


def test_a_short_sentence_takes_no_language_that_has_other_letters(stretches):
    assert stretches(f"Да.\n{EN} {EN2}", "ru") == [(f"{EN} {EN2}", "en")]


def test_guillemets_make_no_sentence_french(stretches):
    italian = "Il badminton è uno sport che si gioca in due o in quattro con una racchetta leggera."
    assert stretches(f"{italian} Il programma contiene i «giochi con la racchetta». {italian}", "it") == []
    assert without_marks("« l’un »") == "  l’un  "


def test_a_response_all_in_quotation_marks_is_looked_at_all_the_same(stretches):
    assert stretches(f"“{EN}”", "fr") == [(f"“{EN}”", "en")]


def test_a_stretch_begins_and_ends_with_what_is_foreign(stretches):
    text = f"{EN} We all say всё очень хорошо when we play. {EN2}"
    assert stretches(text, "fr") == [
        (f"{EN} We all say", "en"),
        ("всё очень хорошо", "ru"),
        (f"when we play. {EN2}", "en"),
    ]


def test_a_chinese_sentence_is_long_with_fewer_letters(stretches):
    japanese = "バドミントンはラケットを使うスポーツで、二人または四人で行います。"
    chinese = "打羽毛球需要球拍和羽毛球，很多人几周就能学会。"
    assert stretches(f"{japanese}{chinese}{japanese}", "ja") == [(chinese, "zh")]
    assert stretches(f"{japanese}东京都渋谷区。{japanese}", "ja") == []


def test_short_sentences_that_are_sure_only_together_are_a_switch(stretches):
    switched = "It is fast.\nI like it.\nYou need shoes.\nAnd good friends."
    assert stretches(f"{FR}\n{FR}\n{switched}\n{FR}", "fr") == [(switched, "en")]


def test_a_word_of_the_right_language_in_a_wrong_response_is_left_out(stretches):
    assert stretches(f"Конечно!\n{EN} {EN2}", "ru") == [(f"{EN} {EN2}", "en")]


def test_the_country_of_a_language_makes_no_difference(stretches):
    assert stretches(f"{PT} {PT}", "pt-BR") == []
    assert stretches(f"{PT} {EN} {PT}", "pt_BR") == [(EN, "en")]


def test_of_a_language_that_the_model_does_not_know_nothing_is_said(identifier):
    assert foreign_stretches(EN, "tlh", identifier, identifier.identify(EN)) is None


@pytest.mark.parametrize("text", ["", " \n", "42 %", "🙂", "```\n\n```", "\ud800", "\x00\x00"])
def test_without_letters_there_is_none(stretches, text):
    assert stretches(text, "ru") == []


def test_offsets_are_code_points_of_the_response_as_it_is(stretches):
    text = f"\ud800👍🏽\x00 <b>{RU}</b> `code`\r\n{EN}\x1b[31m\r\n{RU}"
    assert stretches(text, "ru") == [(f"{EN}\x1b[31m", "en")]


def test_a_text_that_never_ends_is_cut_off(stretches, monkeypatch):
    monkeypatch.setattr(foreign, "MOST_STRETCHES", 3)
    assert len(stretches(f"{RU}\n{EN}\n" * 10, "ru")) == 3
    monkeypatch.setattr(foreign, "MOST_SENTENCES", 3)
    assert stretches(f"{RU}\n{EN}\n" * 10, "ru") == [(EN, "en")]
    assert stretches(f"1.\n2.\n3.\n{EN}\n{RU}\n", "ru") == []
    assert len(stretches("друг, how are you all " * 10, "ru")) == 1  # друг, how are you all, друг

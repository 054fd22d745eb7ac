"""`cap_template`."""

import pytest

from core.judge.modifiers.templates import Capitals


@pytest.mark.parametrize(
    "text",
    [
        "Season The Meat Well, Then Rest It For 10 Minutes.",
        "Salez L'Arbre Et L'eau, Aujourd’hui Jusqu’À Demain. C’est Fini.",
        "Salez l'Arbre, d'Été Et Qu'ensuite",
        "Tempere Bem A Carne, Água E Óleo Já.",
        "Посолите Мясо И Какой-то Ёж Скажет «Да».",
        "Würzen Sie Das Fleisch Über Nacht.",
        "ALL IN CAPITALS",
        "See https://example.com/all/small And `some code here` And <b class='x'>This</b>",
        "Ǆ Ǆ Ǆ",
    ],
)
def test_every_word_with_a_capital_is_right(text):
    assert Capitals().judge(text).fulfilled is True


@pytest.mark.parametrize(
    "text",
    [
        "Season the meat well, then rest it for 10 minutes.",
        "Salez l'arbre et l'eau. La Viande est prête.",
        "Tempere Bem a Carne e o Peixe.",
        "Посолите Мясо и Положите на Сковороду.",
        "Würzen Sie das Fleisch und Warten Sie eine Nacht.",
        "The Lord of the Rings and the Return of the King",
    ],
)
def test_sentence_case_and_title_case_with_small_words_are_wrong(text):
    assert Capitals().judge(text).fulfilled is False


def test_one_word_in_ten_may_be_small():
    assert Capitals().judge("Word " * 9 + "word").fulfilled is True
    assert Capitals().judge("Word " * 8 + "word").reason == "8 of 9 words begin with a capital (89%)"
    assert "90%" in Capitals().definition


@pytest.mark.parametrize("text", ["火星と金星", "123 456", "საქართველო დიდია", "😀"])
def test_without_a_letter_that_has_a_capital_nothing_can_be_decided(text):
    assert Capitals().judge(text).fulfilled is None

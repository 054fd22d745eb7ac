"""Passages in another script, by words and letters alone."""

import pytest

from core.text.scripts import foreign_passages, has_letters_of, scripts_of


def passages(text, language):
    return [text[start:end] for start, end in foreign_passages(text, language)]


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("ru", "Ответ: many people enjoy it, и всё.", ["many people enjoy it"]),
        ("ru", "СозданиеSomething very beautiful today", ["Something very beautiful today"]),
        ("fr", "Il répond: всё очень хорошо, merci.", ["всё очень хорошо"]),
        ("pt", "Desde pequena, Lyra展现出了对魔法的强烈兴趣.", ["展现出了对魔法的强烈兴趣"]),
        ("ja", "今日はthe weather is very niceと言いました", ["the weather is very nice"]),
        ("ar", "قال لي how are you today يا صديقي", ["how are you today"]),
        ("en", "He said मैं बहुत खुश हूँ and left.", ["मैं बहुत खुश हूँ"]),
    ],
)
def test_three_words_in_another_script_are_a_passage(language, text, found):
    assert passages(text, language) == found


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ru", "Мы используем machine learning и Python 3."),
        ("ru", "Он работал в Bank of America и в New York Times."),
        ("ru", "Напиши for i in range(10): print(i) и запусти."),
        ("ru", "Файл лежит в /etc/default/grub/custom, смотри example.com/some/page/here."),
        ("ru", "Формула: a + b = c, x y z"),
        ("fr", "Le mot 北京大学 est un nom."),
        ("ja", "東京でiPhoneを買いました"),
        ("ko", "大韓民國 헌법은 1948년에 제정되었다"),
        ("ru", "how are\nyou"),
    ],
)
def test_terms_names_code_and_formulas_are_none(language, text):
    assert passages(text, language) == []


@pytest.mark.parametrize("language", ["sr", "uz", "sr-Latn"])
def test_a_language_of_two_scripts_may_use_both(language):
    assert passages("Добар дан, kako ste vi danas", language) == []


def test_the_country_does_not_change_the_script_and_the_unknown_is_latin():
    assert scripts_of("zh-CN") == scripts_of("zh")
    assert scripts_of("pt-BR") == scripts_of("tlh") == ("Latin",)
    assert has_letters_of("Да.", "ru")
    assert not has_letters_of("12 Yes", "ru")

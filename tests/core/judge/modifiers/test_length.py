"""`short` and `long`."""

import pytest

from core.judge.modifiers.length import Brevity, Detail, length_of, sentences_of

SENTENCE = {
    "en": "Season the meat well before you put it into a hot pan.",
    "fr": "Salez bien la viande avant de la poser dans une poêle chaude.",
    "pt": "Tempere bem a carne antes de a colocar numa frigideira quente.",
    "ru": "Хорошо посолите мясо перед тем, как положить его на сковороду.",
    "de": "Würzen Sie das Fleisch gut, bevor Sie es in die heiße Pfanne legen.",
}
OTHERS = {
    "en": "It was warm on day {} of our long journey through the hills.",
    "fr": "Il faisait chaud le jour {} de notre long voyage dans les collines.",
    "pt": "Fazia calor no dia {} da nossa longa viagem pelas colinas.",
    "ru": "Было тепло в день {} нашего долгого путешествия по холмам.",
    "de": "Es war warm am Tag {} unserer langen Reise durch die Hügel.",
}


@pytest.mark.parametrize("language", SENTENCE)
def test_a_few_sentences_are_brief_and_many_are_not(language):
    assert Brevity().judge(" ".join([SENTENCE[language]] * 5)).fulfilled is True
    assert Brevity().judge(" ".join([SENTENCE[language]] * 6)).fulfilled is False


@pytest.mark.parametrize("language", SENTENCE)
def test_few_sentences_of_many_words_are_not_brief(language):
    endless = SENTENCE[language].rstrip(".").lower() + ", "
    assert Brevity().judge(endless * 12).fulfilled is False
    assert Brevity().judge(endless * 3).fulfilled is True


def test_the_limits_are_where_the_definition_puts_them():
    assert "5 sentences" in Brevity().definition
    assert "100 words" in Brevity().definition
    assert Brevity().judge("word " * 100).fulfilled is True
    assert Brevity().judge("word " * 101).fulfilled is False
    assert Brevity().judge("火" * 200).fulfilled is True
    assert Brevity().judge("火" * 201).fulfilled is False
    assert Detail().judge("w " * 150).fulfilled is True
    assert Detail().judge("w " * 149).fulfilled is False
    assert Detail().judge("w" * 750).fulfilled is True
    assert Detail().judge("w" * 749).fulfilled is False
    assert Detail().judge("火" * 300).fulfilled is True
    assert Detail().judge("火" * 299).fulfilled is False


def test_every_item_of_a_list_counts_as_a_sentence():
    assert Brevity().judge("\n".join(f"{n}. Яйцо" for n in range(1, 6))).fulfilled is True
    verdict = Brevity().judge("\n".join(f"- ovo {n}" for n in range(6)))
    assert verdict.fulfilled is False
    assert verdict.reason == "6 sentences, 12 words"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Dr. Smith met Mr. J. R. Jones. They talked.", 2),
        ("M. Dupont est parti. Mme. Durand aussi.", 2),
        ("O Sr. Silva saiu. A Sra. Costa ficou.", 2),
        ("Он живёт в г. Москве, ул. Ленина, т. е. далеко. Я тоже.", 2),
        ("Es gibt Obst, z. B. Äpfel. Am 3. Oktober ist Feiertag.", 2),
        ("1. One\n2. Two\n\n---\n", 2),
        ("Erste Zeile\nzweite Zeile", 2),
        ("これは文です。もう一つ！", 2),
        ("Wait... what?! Yes.", 2),
        ("", 0),
        ("***\n- \n", 0),
    ],
)
def test_sentences_are_counted_without_abbreviations_numbers_and_marks(text, number):
    assert len(sentences_of(text)) == number


def test_scripts_without_spaces_are_measured_by_their_letters():
    assert length_of("火星と金星 (Mars)").unit == "characters"
    assert length_of("The word 火星 means the planet").unit == "words"
    assert length_of("a — b - c").amount == 3


@pytest.mark.parametrize("language", OTHERS)
def test_many_different_sentences_are_detailed_and_few_are_not(language):
    def many(number):
        return " ".join(OTHERS[language].format(day) for day in range(100, 100 + number))

    assert Detail().judge(many(20)).fulfilled is True
    assert Detail().judge(many(8)).fulfilled is False


@pytest.mark.parametrize("language", SENTENCE)
def test_the_same_sentence_again_and_again_is_no_detail(language):
    verdict = Detail().judge(" ".join([SENTENCE[language]] * 100))
    assert verdict.fulfilled is False
    assert " words, " in verdict.reason

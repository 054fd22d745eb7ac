"""Facts against cases known by hand."""

import pytest

from tools.miniature import facts
from tools.miniature.facts import LANGUAGES


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("FR", ("the euro", "l'euro", "o euro", "евро")),
        ("JP", ("the Japanese yen", "le yen japonais", "o iene japonês", "японская иена")),
        ("SE", ("the Swedish krona", "la couronne suédoise", "a coroa sueca", "шведская крона")),
    ],
)
def test_currencies_are_the_known_ones(code: str, expected: tuple[str, ...]) -> None:
    assert tuple(facts.country(code, language).the_currency for language in LANGUAGES) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (21, ("twenty-one", "vingt et un", "vinte e um", "двадцать один")),
        (16, ("sixteen", "seize", "dezesseis", "шестнадцать")),
        (80, ("eighty", "quatre-vingts", "oitenta", "восемьдесят")),
    ],
)
def test_numbers_in_words(number: int, expected: tuple[str, ...]) -> None:
    assert tuple(facts.words(number, language) for language in LANGUAGES) == expected


@pytest.mark.parametrize(
    ("code", "language", "of"),
    [
        ("FR", "fr", "de la France"),
        ("BR", "fr", "du Brésil"),
        ("DE", "fr", "de l'Allemagne"),
        ("CU", "fr", "de Cuba"),
        ("MX", "fr", "du Mexique"),
        ("BR", "pt", "do Brasil"),
        ("FR", "pt", "da França"),
        ("PT", "pt", "de Portugal"),
        ("GB", "en", "of the United Kingdom"),
        ("FR", "ru", "страны Франция"),
    ],
)
def test_countries_take_their_article(code: str, language: str, of: str) -> None:
    assert facts.country(code, language).of == of


def test_the_calendar_wraps_and_inflects() -> None:
    assert [facts.month(12, language) for language in LANGUAGES] == [
        "January",
        "janvier",
        "janeiro",
        "январь",
    ]
    assert facts.month_genitive(2, "ru") == "марта"
    assert [facts.on_day(8, language) for language in LANGUAGES] == [
        "on Tuesday",
        "mardi",
        "na terça-feira",
        "во вторник",
    ]
    assert facts.on_day(5, "pt") == "no sábado"


def test_every_country_has_its_facts_in_every_language_in_lower_case_mid_sentence() -> None:
    for code in facts.country_codes():
        for language in LANGUAGES:
            c = facts.country(code, language)
            assert c.name
            assert "(" not in c.name + c.currency
            if language != "en":
                assert c.currency[0].islower()
                assert c.language[0].islower()


def test_a_noun_shared_by_two_currencies_is_not_accepted_alone() -> None:
    assert facts.currency_forms("MX", "en") == ["Mexican peso"]
    assert facts.currency_forms("JP", "en") == ["Japanese yen", "yen"]
    assert facts.currency_forms("JP", "fr") == ["yen japonais", "yen"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "a, b and c"), ("fr", "a, b et c"), ("pt", "a, b e c"), ("ru", "a, b и c")],
)
def test_lists_are_joined_as_the_language_does(language: str, expected: str) -> None:
    assert facts.enumeration(["a", "b", "c"], language) == expected

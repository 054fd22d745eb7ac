"""Codes of languages: every way of naming one is the same language, for comparing, storing and finding."""

import pytest

from store.languages import language_tag, normal_language, same_languages, stored_language


@pytest.mark.parametrize(
    ("codes", "bare"),
    [
        ("ru rus RU rus_Cyrl ru-RU ru_RU.UTF-8", "ru"),
        ("pt por pt_BR PT-pt por_Latn", "pt"),
        ("fr fra fre fra_Latn", "fr"),
        ("de deu ger de-AT", "de"),
        ("no nb nn nob nno nor nob_Latn nno_Latn nb-NO", "no"),
        ("zh zho chi cmn zh-Hant zh-cn zho_Hans cmn_Hani zh-cmn", "zh"),
        ("ar ara arb arb_Arab ar-EG", "ar"),
        ("fa fas per pes prs pes_Arab", "fa"),
        ("he heb iw", "he"),
        ("id ind in ind_Latn", "id"),
        ("sq sqi alb als_Latn", "sq"),  # Tosk Albanian where a script stands with it ...
        ("als gsw", "als"),  # ... and Alemannic as lid.176 has it
        ("arz arz_Arab", "arz"),
        ("yue zh-yue yue_Hant", "yue"),
        ("rw kin kin_Latn", "rw"),
        ("tlh", "tlh"),
    ],
)
def test_every_way_of_writing_a_code_is_one_language(codes, bare):
    assert {normal_language(code) for code in codes.split()} == {bare}


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("rus", "ru"), ("rus_Cyrl", "ru"), ("pt_br", "pt-BR"), ("por-BR", "pt-BR"), ("nob", "nb"),
        ("nn", "nn"), ("zho_Hant", "zh-Hant"),
        ("zh-hant-tw", "zh-Hant-TW"), ("srp_Latn", "sr-Latn"), (" EN ", "en"),
        ("es-419", "es-419"), ("tlh", "tlh"),
    ],
)  # fmt: skip
def test_a_store_holds_the_shortest_code_with_what_tells_it_apart(code, tag):
    assert language_tag(code) == tag
    assert language_tag(tag) == tag


def test_a_store_keeps_the_code_that_it_has_for_a_language():
    assert stored_language("ru", ["en", "rus"]) == "rus"
    assert stored_language("ru", ["en"]) == "ru"
    assert stored_language("rus", ["ru", "rus"]) == "rus"
    assert stored_language("pt-BR", ["pt"]) == "pt-BR"


def test_who_asks_for_a_language_finds_it_under_any_code():
    assert same_languages("rus", ["en", "ru"]) == ["ru"]
    assert same_languages("pt", ["pt-BR", "pt"]) == ["pt"]
    assert same_languages("pt", ["en", "pt-BR", "pt-PT"]) == ["pt-BR", "pt-PT"]
    assert same_languages("pt-PT", ["pt-BR"]) == []
    assert same_languages("no", ["nb", "sv"]) == ["nb"]
    assert same_languages("fr", ["en"]) == []

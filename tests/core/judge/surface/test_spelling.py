"""Spelling: which words are asked about, which pass, and where the misspelt ones stand."""

import shutil
from functools import lru_cache
from pathlib import Path

import pytest

from core.judge.surface.spelling import Speller, Spelling, find_dictionary, what_to_install
from core.text.scripts import script_of
from core.text.words import is_checked, is_of_script, words_to_spell
from store import UsageError


@lru_cache
def speller(language: str) -> Speller | None:
    dictionary = find_dictionary(language)
    return Speller(language, dictionary) if dictionary else None


def check(language: str, text: str) -> Spelling:
    found = speller(language)
    if found is None:
        pytest.skip(what_to_install(language))
    return found.check(text)


def misspelt(language: str, text: str) -> list[str]:
    return [text[start:end] for start, end in check(language, text).misspelt]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "It's Sarah’s well-known, state-of-the-art reading-lamp; they don’t mind. We'd've said so!"),
        ("fr", "L'arbre d’aujourd’hui, c'est peut-être l’œuvre d'un élève : a-t-il fini jusqu'à lundi ?"),
        ("pt", "Você pode fazê-lo amanhã, se gostar d’água; o guarda-chuva é meu. Diga-me, ação!"),
        ("ru", "Какой-то ёж и какой-то еж во-первых пришли из-за дождя, т. е. ещё и еще. За́мок стоит."),
        ("de", "Die Straße führt über die Donaudampfschifffahrt zum Haus. E-Mail für dich, wie geht's?"),
    ],
)
def test_elisions_hyphens_accents_and_stress_marks_pass(language, text):
    assert misspelt(language, text) == []


@pytest.mark.parametrize(
    ("language", "text", "wrong"),
    [
        ("en", "A well-knwon recieved letter", ["well-knwon", "recieved"]),
        ("fr", "Il etait sous l’abrre", ["etait", "l’abrre"]),
        ("pt", "Uma explicasão muito rápidamente", ["explicasão", "rápidamente"]),
        ("ru", "Превет, харошая по-русски погода", ["Превет", "харошая"]),
        ("de", "Das ist daß Hauss", ["daß", "Hauss"]),
    ],
)
def test_misspelt_words_are_found_with_their_places(language, text, wrong):
    assert misspelt(language, text) == wrong


def test_a_piece_of_a_word_is_no_word_by_itself():
    assert misspelt("en", "They've gone, they ve said") == ["ve"]


def test_decomposed_accents_and_soft_hyphens_are_the_same_word():
    text = "L’e\u0301le\u0300ve pro\u00adgresse"
    assert misspelt("fr", text) == []
    assert check("fr", text).words == 2


def test_what_is_no_prose_or_has_digits_is_left_out():
    text = "See `prnt(xx)` at https://exmaple.org/wrogn or write to wrogn@exmaple.org: COVID-19, 3D, my_var"
    assert check("en", text + "\n```\nwrogn wrogn\n```\n<b>end</b>&nbsp;") == Spelling(6, ())


@pytest.mark.parametrize(
    ("language", "text", "checked"),
    [
        (
            "fr",
            "L’été dernier, qu'il dit, jusqu'à l'aube.",
            ["L’été", "dernier", "qu'il", "dit", "jusqu'à", "l'aube"],
        ),
        ("fr", "arc-en-ciel -non- l' ’ et - moi", ["arc-en-ciel", "non", "et", "moi"]),
        ("ru", "какой-то северо‑запад за́мок", ["какой-то", "северо‑запад", "за́мок"]),
        (
            "pt",
            "disse-me que há 3 maçãs, 1º lugar, R$5,00 e 20h30",
            ["disse-me", "que", "há", "maçãs", "lugar"],
        ),
        ("de", "E-Mail-Adresse: a.b-c@mail.example.org, www.example.de/wgroz", ["E-Mail-Adresse"]),
        ("de", "Siehe https://example.com/flasch?a=wrogn#x. Gut", ["Siehe", "Gut"]),
        ("en", "MP3 A4 x86_64 snake_case 1st co2 two", ["two"]),
        ("en", "before ```\nwrogn()\n``` between `wrogn` after", ["before", "between", "after"]),
        ("en", "before ``` never closed wrogn", ["before"]),
        ("en", "<a href='wrogn'>link</a> &nbsp; end", ["link", "end"]),
        ("ru", "Владимир Nabokov и 東京 Αθήνα город", ["Владимир", "город"]),
        ("fr", "Fiodor Достоевский à Москва", ["Fiodor"]),
        ("en", "a I O'Neil rock'n'roll", ["O'Neil", "rock'n'roll"]),
    ],
)
def test_these_words_of_a_text_are_checked_and_no_others(language, text, checked):
    script = script_of(language)
    words = [text[start:end] for start, end in words_to_spell(text) if is_checked(text[start:end])]
    assert [word for word in words if is_of_script(word, script)] == checked
    spelling = check(language, text)
    assert spelling.words - spelling.other_script == len(checked)


def test_words_of_another_script_do_not_pass_and_are_counted_by_themselves():
    """Of four words one is right: the paper's share is 1/4, that of the own script 1/2."""
    spelling = check("ru", "Слово Chinese Yuanт и 中文")
    assert (spelling.words, spelling.other_script, spelling.share) == (4, 2, 0.25)
    assert misspelt("ru", "Слово Chinese Yuanт и 中文") == ["Yuanт"]


def test_offsets_are_those_of_the_original_text():
    text = "🙂 `code` the wrogn <i>word</i>"
    assert [text[start:end] for start, end in check("en", text).misspelt] == ["wrogn"]


@pytest.mark.parametrize("text", ["", "42 %", "```\nall code"])
def test_no_word_is_no_value(text):
    assert check("en", text).share is None


def test_the_share_counts_every_occurrence():
    assert check("en", "wrogn wrogn wrogn right").share == 0.25


def test_vowel_signs_belong_to_their_word():
    text = "हिन्दी में लिखा"
    assert [text[start:end] for start, end in words_to_spell(text)] == ["हिन्दी", "में", "लिखा"]
    assert is_checked("हिन्दी")
    assert is_of_script("हिन्दी", script_of("hi"))


@pytest.mark.parametrize("piece", ["a", "a@", "`", "<a", "a-", "l'", "é\u0301", "http://", "&a"])
def test_hostile_repetition_is_got_through(piece):
    assert check("en", piece * 100_000) is not None  # in quadratic time this would not come back


def test_a_word_longer_than_any_dictionary_holds_does_not_pass():
    assert check("de", "haus" * 5_000).share == 0


def dictionary(folder: Path, name: str, *, inside: str = "") -> Path:
    place = folder / inside
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.aff").write_text("SET UTF-8\n")
    (place / f"{name}.dic").write_text("1\nслово\n")
    return folder


def test_the_configured_folder_wins_also_with_a_subfolder(tmp_path, monkeypatch):
    dictionary(tmp_path, "ru_RU", inside="ru")
    monkeypatch.setenv("XLIT_DICTIONARIES", str(tmp_path))
    found = find_dictionary("ru")
    assert found is not None
    assert found.folder == tmp_path / "ru"
    assert Speller("ru", found).check("слово мир").share == 0.5
    assert Speller("ru", found).tool == f"hunspell ru_RU {found.digest} words-2"


def test_portuguese_is_brazilian_unless_the_country_is_named(tmp_path):
    dictionary(dictionary(tmp_path, "pt_PT"), "pt_BR")
    assert find_dictionary("pt", tmp_path).name == "pt_BR"
    assert find_dictionary("pt-PT", tmp_path).name == "pt_PT"
    (tmp_path / "pt_BR.aff").unlink()
    assert find_dictionary("pt", tmp_path).name == "pt_PT"


def test_a_language_outside_the_table_takes_what_there_is(tmp_path):
    assert find_dictionary("xx", dictionary(tmp_path, "xx_YY")).name == "xx_YY"
    assert find_dictionary("xx_ZZ", tmp_path) is None
    assert "xx_ZZ.aff" in what_to_install("xx_ZZ")


def test_half_a_dictionary_is_none(tmp_path):
    dictionary(tmp_path, "xx")
    (tmp_path / "xx.dic").unlink()
    assert find_dictionary("xx", tmp_path) is None
    shutil.rmtree(tmp_path)
    with pytest.raises(UsageError, match="No folder of dictionaries"):
        find_dictionary("xx", tmp_path)

"""Language identification: whole responses, hostile ones included."""

import shutil

import pytest
from sqlalchemy import text as sql

from core.judge.surface.language import LanguageIdentifier, find_model
from core.judge.surface.metrics import judge_surface
from store import UsageError, XlitError
from store.languages import normal_language


@pytest.fixture(scope="module")
def identifier() -> LanguageIdentifier:
    return LanguageIdentifier()


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Badminton is a racquet sport.\n\nIt is played\r\nby two or four players."),
        ("fr", "Le badminton est un sport de raquette.\nIl se joue à deux ou à quatre."),
        ("pt", "O badminton é um esporte de raquete.\nNão é difícil de aprender a jogar."),
        ("ru", "Бадминтон — это игра с ракеткой и воланом.\nВ неё играют вдвоём или вчетвером."),
        ("de", "Badminton ist ein Rückschlagspiel.\nEs wird mit einem Federball gespielt."),
    ],
)
def test_a_response_of_several_lines_is_identified_as_a_whole(identifier, language, text):
    found = identifier.identify(text)
    assert found.label == language
    assert 0.5 < found.probability <= 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no prose"),
        (" \n\t", "no prose"),
        ("🙂🙂\n👍", "no prose"),
        ("1. 2. 3.\n42 %", "no prose"),
        ("qzxj", None),
    ],
)
def test_nothing_to_identify_is_no_language_and_says_why(identifier, text, reason):
    found = identifier.identify(text)
    if reason:
        assert (found.label, found.probability, found.reason) == (None, None, reason)
    else:
        assert (found.label is None) == (found.reason is not None)


def test_capitals_are_no_other_language(identifier):
    assert identifier.identify("LE BADMINTON EST UN SPORT DE RAQUETTE QUI SE JOUE À DEUX").label == "fr"
    assert identifier.identify("HELLO, HOW ARE YOU TODAY?").label == "en"
    assert identifier.identify("БАДМИНТОН — ЭТО ИГРА С РАКЕТКОЙ").label == "ru"


def test_code_and_addresses_do_not_decide_the_language(identifier):
    line = "# This comment says in plain English what the next line of the program is good for.\n"
    assert identifier.identify(f"Вот программа:\n```python\n{line * 20}```\nГотово.").label == "ru"
    address = "https://www.example.com/this-is-an-english-page-about-the-program-and-its-author "
    assert identifier.identify(f"Смотри здесь: {address * 20}").label == "ru"


def test_an_answer_in_a_fence_that_says_text_is_identified_and_one_in_any_other_is_no_prose(identifier):
    letter = "```text\nDear Sir, I would like to thank you for the kind invitation to your house.\n```"
    assert identifier.identify(letter).label == "en"
    assert identifier.identify(letter.replace("text", "")).reason == "no prose"


@pytest.mark.parametrize(
    "text", ["\ud800 \x00 Привет, как дела сегодня?", "Привет,\x00как дела сегодня?\x1b[31m"]
)
def test_broken_characters_are_survived(identifier, text):
    assert identifier.identify(text).label == "ru"


@pytest.mark.parametrize(
    ("code", "normal"), [("pt_BR", "pt"), ("PT-pt", "pt"), ("zh-cn", "zh"), ("nb", "no"), (" ru ", "ru")]
)
def test_language_codes_are_compared_without_their_country(code, normal):
    assert normal_language(code) == normal


def test_the_tool_names_model_and_digest(identifier):
    assert identifier.tool == "fasttext lid.176.ftz 8f3472cf prose-2"


def test_it_knows_the_languages_of_the_model_by_their_bare_codes(identifier):
    assert {"ru", "pt", "zh", "no", "ug", "yue"} <= identifier.languages
    assert not {"tlh", "__label__ru", ""} & identifier.languages


def test_another_model_is_taken_from_the_environment_and_named_when_absent(tmp_path, monkeypatch):
    monkeypatch.setenv("XLIT_LID", str(tmp_path / "lid.bin"))
    with pytest.raises(UsageError, match=r"lid\.bin"):
        LanguageIdentifier()
    (tmp_path / "lid.bin").write_bytes(b"not a model at all")
    with pytest.raises(XlitError, match="is not a fastText model"):
        LanguageIdentifier()


@pytest.mark.whole
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("named_by", ["option", "environment"])
def test_a_bin_file_is_used_where_it_is_named(answered, tmp_path, monkeypatch, named_by, processes):
    model = tmp_path / "lid.176.bin"
    shutil.copy(find_model(), model)
    if named_by == "environment":
        monkeypatch.setenv("XLIT_LID", str(model))
    engine = answered(("de", "?", "Badminton ist ein Rückschlagspiel."), ("ru", "?", "Это игра с ракеткой."))
    lid = model if named_by == "option" else None
    judge_surface(engine, metrics=["language"], lid=lid, processes=processes)
    with engine.connect() as connection:
        rows = connection.execute(sql("SELECT label, tool FROM surface_metric ORDER BY response_id")).all()
    assert [row.label for row in rows] == ["de", "ru"]
    assert {row.tool.rpartition(" ")[0] for row in rows} == {"fasttext lid.176.bin 8f3472cf prose-2"}


def test_the_option_comes_before_the_environment(tmp_path, monkeypatch):
    model = tmp_path / "mine.bin"
    shutil.copy(find_model(), model)
    monkeypatch.setenv("XLIT_LID", str(tmp_path / "absent.bin"))
    assert LanguageIdentifier(model).tool.split()[1] == "mine.bin"

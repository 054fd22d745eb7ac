"""`--dictionary LANG=NAME`: the dictionary of a language by its file name."""

from pathlib import Path

import pytest
from sqlalchemy import text

from core.judge.surface.metrics import judge_surface
from core.judge.surface.spelling import Speller, find_dictionary, named_dictionary
from store import UsageError

pytestmark = pytest.mark.parts


# What each dictionary takes and the other does not.
ONLY_BRAZIL = ["econômico", "bebê", "tênis", "quilômetro", "fenômeno", "prêmio", "gênero", "conosco"]
ONLY_PORTUGAL = ["económico", "ténis", "quilómetro", "fenómeno", "prémio", "género", "connosco"]


def made(folder: Path, name: str, words: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.aff").write_text("SET UTF-8\n")
    (folder / f"{name}.dic").write_text("\n".join([str(len(words)), *words]) + "\n")


@pytest.fixture
def folder(tmp_path):
    """Two dictionaries of Portuguese, small enough to see through."""
    made(tmp_path / "dictionaries", "pt_BR", ["o", "fato", "econômico"])
    made(tmp_path / "dictionaries", "pt_PT", ["o", "facto", "económico"])
    return tmp_path / "dictionaries"


def spelling(engine):
    with engine.connect() as connection:
        statement = (
            "SELECT value, tool FROM surface_metric WHERE metric = 'spelling' ORDER BY response_id, id"
        )
        return [(row.value, row.tool.split()[1]) for row in connection.execute(text(statement))]


@pytest.mark.whole
def test_the_named_dictionary_is_used_for_its_language_alone(answered, folder):
    made(folder, "fr_FR", ["fait"])
    engine = answered(("pt", "?", "fato econômico"), ("pt", "?", "facto económico"), ("fr", "?", "fait"))
    judge_surface(engine, metrics=["spelling"], dictionaries=folder)
    assert spelling(engine) == [(1, "pt_BR"), (0, "pt_BR"), (1, "fr_FR")]
    run = judge_surface(
        engine, metrics=["spelling"], dictionaries=folder, dictionary_names={"pt": "pt_PT"}, processes=2
    )
    assert run.counts == {"spelling": 2}
    assert spelling(engine) == [(1, "pt_BR"), (0, "pt_PT"), (0, "pt_BR"), (1, "pt_PT"), (1, "fr_FR")]


def test_a_language_outside_the_table_gets_a_dictionary_by_name(answered, folder):
    engine = answered(("tlh", "?", "fato facto"))
    run = judge_surface(engine, metrics=["spelling"], dictionaries=folder, dictionary_names={"tlh": "pt_BR"})
    assert (run.counts, run.failures) == ({"spelling": 1}, [])
    assert spelling(engine) == [(0.5, "pt_BR")]


@pytest.mark.parametrize("name", ["pt_XX", "*", "pt_*", "../dictionaries/pt_BR", "", "dictionaries/pt_BR"])
def test_an_unknown_name_is_one_error_that_says_what_was_looked_for(answered, folder, name):
    engine = answered(("pt", "?", "fato"))
    with pytest.raises(UsageError) as told:
        judge_surface(engine, dictionaries=folder, dictionary_names={"pt": name})
    assert f"{name}.aff with {name}.dic" in str(told.value)
    assert str(folder) in str(told.value)
    assert spelling(engine) == []


def test_a_name_for_a_language_that_nothing_is_expected_in_is_said(answered, folder, capsys):
    engine = answered(("pt", "?", "fato"))
    judge_surface(engine, metrics=["spelling"], dictionaries=folder, dictionary_names={"ru": "pt_PT"})
    assert "'ru'" in capsys.readouterr().err
    assert spelling(engine) == [(1, "pt_BR")]


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [("pt_BR", ONLY_BRAZIL, ONLY_PORTUGAL), ("pt_PT", ONLY_PORTUGAL, ONLY_BRAZIL)],
)
def test_each_of_the_real_dictionaries_takes_what_the_other_does_not(name, right, wrong):
    if find_dictionary(name) is None:
        pytest.skip(f"no dictionary {name} here: scripts/get_dictionaries.sh FOLDER {name}")
    speller = Speller("pt", named_dictionary(name))
    assert speller.check(" ".join(right)).misspelt == ()
    assert speller.check(" ".join(wrong)).share == 0

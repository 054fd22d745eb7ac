"""`judge surface` measures against the language that a response is expected in."""

import json

import pytest
from sqlalchemy import text

from core.judge.surface.metrics import judge_surface

pytestmark = pytest.mark.parts


EN = "You will need a racquet and a shuttlecock, and it helps to have good shoes."
RU = "Бадминтон — это игра с ракеткой и воланом, в которую играют вдвоём или вчетвером."
FR = "Le badminton est un sport de raquette qui se joue à deux ou à quatre sur un terrain."


@pytest.fixture
def asked(answered):
    """Answers in en, ru, ru and fr to instructions in en, of which the last three ask for that language."""
    engine = answered(("en", "?", EN), ("en", "?", RU), ("en", "?", f"{RU}\n{EN}\n{RU}"), ("en", "?", FR))
    with engine.begin() as connection:
        for number, modifier in enumerate([None, "lang_ru", "short, lang_ru", "lang_fr"], start=1):
            connection.execute(
                text("UPDATE instruction SET modifier = :m WHERE id = :i"), {"m": modifier, "i": number}
            )
    return engine


def rows(engine, metric):
    with engine.connect() as connection:
        statement = "SELECT value, tool, detail FROM surface_metric WHERE metric = :m ORDER BY response_id"
        found = connection.execute(text(statement), {"m": metric}).all()
    return [(row.value, row.tool, json.loads(row.detail)) for row in found]


@pytest.mark.whole
@pytest.mark.parametrize("processes", [1, 2])
def test_stretches_and_spelling_are_measured_against_the_language_that_the_modifier_demands(asked, processes):
    assert judge_surface(asked, processes=processes).counts == {"language": 4, "spelling": 4}
    foreign = [detail["foreign"] for _, _, detail in rows(asked, "language")]
    start = len(RU) + 1
    assert foreign == [[], [], [[start, start + len(EN), "en"]], []]
    dictionaries = [tool.split()[1] for _, tool, _ in rows(asked, "spelling")]
    assert [name[:2] for name in dictionaries] == ["en", "ru", "ru", "fr"]
    assert [value for value, *_ in rows(asked, "spelling")][1] == 1
    assert [detail["words"] for *_, detail in rows(asked, "spelling")][2] == 33  # the English ones too


def test_a_language_that_no_dictionary_is_there_for_is_named_as_it_is_expected(asked):
    with asked.begin() as connection:
        connection.execute(text("UPDATE instruction SET modifier = 'lang_tlh' WHERE id = 4"))
    run = judge_surface(asked)
    assert [unit for unit, _ in run.failures] == ["spelling tlh"]
    assert run.counts == {"language": 4, "spelling": 3}


def test_languages_to_be_measured_are_those_of_the_instructions(asked, capsys):
    assert judge_surface(asked, languages=["ru"]).counts == {}
    assert "'ru'" in capsys.readouterr().err
    assert judge_surface(asked, languages=["en"]).counts == {"language": 4, "spelling": 4}

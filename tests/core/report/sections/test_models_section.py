"""The comparison of models as a section."""

import pytest

from core.report.sections.models import models_section
from tests.core.analysis.made_suite import MadeSuite

pytestmark = pytest.mark.parts


KEYS = tuple("abcdefgh")


@pytest.fixture
def made(tmp_path):
    suite = MadeSuite(tmp_path / "s.db", KEYS, ("en", "ru"))
    for place, key in enumerate(KEYS):
        for language in ("en", "ru"):
            for model in ("m", "n"):
                suite.answer(model, key, language, text="x" * (place + 1) * (1 + (model == "n")))
    yield suite
    suite.engine.dispose()


def tables(made):
    return {table.key: table for table in models_section(made.load(), number=200).tables}


def test_the_main_criterion_has_its_own_table_and_the_others_share_one(made):
    for key in KEYS:
        made.give("human:ann", ("m", key, "en"), helpfulness=2, fluency=1, logic=2)
        made.give("human:ann", ("n", key, "en"), helpfulness=0, fluency=1, logic=1)
    found = tables(made)
    main = found["comparison-human-ann"]
    [english] = main.rows
    assert [cell.value for cell in english[:3]] == ["m", "n", "English"]
    assert (english[3].value, english[3].n, english[3].mark) == (2.0, 8, "*")
    assert (english[4].value, english[5].value) == (0.0078, 0.0078)  # 2 / 2^8, and only one test
    assert english[6].why == "all instructions have the same difference"
    assert [cell.value for cell in english[7:]] == [8, 0, 0]
    assert not any("Not shown" in note for note in main.notes)
    rest = found["comparison-human-ann-others"]
    assert [row[0].value for row in rest.rows] == ["fluency", "logic"]
    fluency = rest.rows[0]
    assert (fluency[4].value, fluency[4].mark, fluency[5].value) == (0.0, "", 1.0)


def test_tiny_p_values_are_not_told_to_the_last_digit(tmp_path):
    keys = tuple(f"k{n}" for n in range(15))
    made = MadeSuite(tmp_path / "p.db", keys, ("en",))
    made.answer_all("m", "n")
    for key in keys:
        made.give("llm:gpt", ("m", key, "en"), helpfulness=2)
        made.give("llm:gpt", ("n", key, "en"), helpfulness=1)
    assert tables(made)["comparison-llm-gpt"].rows[0][4].value == "<0.001"
    made.engine.dispose()


def test_length_has_a_column_for_every_voice_and_says_what_is_left_out(made):
    for place, key in enumerate(KEYS):
        made.give("llm:gpt", ("m", key, "en"), helpfulness=min(2, place // 2), fluency=1)
        made.give("human:ann", ("m", key, "en"), helpfulness=2 - min(2, place // 2))
    made.give("llm:gpt", ("m", "a", "ru"), helpfulness=1)
    found = tables(made)
    length = found["length"]
    assert [column.name for column in length.columns] == ["criterion", "human:ann", "llm:gpt"]
    helpfulness, fluency = length.rows
    assert helpfulness[1].value == -helpfulness[2].value < -0.9
    assert helpfulness[2].n == 8
    assert (fluency[1].why, fluency[2].why) == ("not scored", "every value is 1 in en")
    assert length.notes == ("Left out on some criteria: ru, llm:gpt: fewer than 3 responses.",)
    (row,) = found["length-beside-people"].rows
    assert [cell.value for cell in row[:2]] == ["llm:gpt", "helpfulness"]
    assert row[4].value > 0.9


def test_little_is_told_in_sentences(made, tmp_path):
    assert "Nobody has scored" in models_section(made.load()).text[0]
    made.give("llm:gpt", ("m", "a", "en"), helpfulness=1)
    section = models_section(made.load(), number=20)
    assert "llm:gpt scored no two models on the same criterion." in section.text
    assert [table.key for table in section.tables] == ["length"]
    alone = MadeSuite(tmp_path / "one.db", KEYS, ("en",))
    assert "no response" in models_section(alone.load()).text[0]
    alone.answer_all("m")
    alone.give("llm:gpt", ("m", "a", "en"), helpfulness=1)
    assert "There is one model only: nothing to compare." in models_section(alone.load()).text
    alone.engine.dispose()

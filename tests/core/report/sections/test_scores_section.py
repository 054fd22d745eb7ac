"""The section of scores: what stands in its tables and figures, and the sentences where there is little."""

import json

import pytest

from core.report.document import Report
from core.report.sections.scores import scores_section
from tests.core.analysis.made_suite import MadeSuite

pytestmark = pytest.mark.parts


KEYS = tuple("abc")


@pytest.fixture
def made(tmp_path):
    suite = MadeSuite(
        tmp_path / "s.db", KEYS, ("en", "fr", "ru"), tasks={"a": "mail", "b": "mail", "c": "joke"}
    )
    yield suite
    suite.engine.dispose()


def fill(made):
    made.answer_all("m", "n")
    for model, marks in (("m", (2, 2, 1)), ("n", (0, 1, 1))):
        for language in ("en", "fr", "ru"):
            for key, mark in zip(KEYS, marks, strict=True):
                made.give("human:ann", (model, key, language), helpfulness=mark, language=2)
                made.give("llm:gpt", (model, key, language), helpfulness=2, language=int(language != "ru"))


def tables(section):
    return {table.key: table for table in section.tables}


def columns(table):
    return [column.name for column in table.columns]


def test_the_tables_hold_means_with_n_and_mark_the_best_model(made):
    fill(made)
    section = scores_section(made.load(), number=300)
    found = tables(section)
    assert list(found) == [
        "scores-human-ann-english", "scores-human-ann-non-english", "scores-human-ann-languages",
        "scores-llm-gpt-english", "scores-llm-gpt-non-english", "scores-llm-gpt-languages",
        "tasks-human-ann", "tasks-llm-gpt",
    ]  # fmt: skip
    english = found["scores-human-ann-english"]
    assert columns(english) == ["model", "helpfulness", "language"]
    m, n = english.rows
    assert (m[0].value, m[1].value, m[1].n, m[1].best) == ("m", pytest.approx(5 / 3), 3, True)
    assert (n[1].value, n[1].best) == (pytest.approx(2 / 3), False)
    assert m[1].low <= m[1].value <= m[1].high
    assert not m[2].best  # both models have 2: none is the best
    by_gpt = found["scores-llm-gpt-languages"]
    ru = next(row for row in by_gpt.rows if (row[0].value, row[1].value) == ("m", "ru"))
    assert (ru[2].value, ru[2].why) == (None, "not scored, or only in the wrong language")
    assert ru[3].value == 0.0
    non_english = next(row for row in by_gpt.rows if (row[0].value, row[1].value) == ("m", "non-English"))
    assert (non_english[2].value, non_english[2].n) == (2.0, 3)  # French alone
    assert non_english[3].value == 0.5


def test_the_heat_map_is_arranged_as_the_papers(made):
    fill(made)
    heat = scores_section(made.load(), number=50).figures[0]
    assert heat.panels == (
        "human:ann, English", "human:ann, non-English", "llm:gpt, English", "llm:gpt, non-English"
    )  # fmt: skip
    assert (heat.rows, heat.columns) == (("m", "n"), ("helpfulness", "language"))
    assert heat.values[0][0] == (pytest.approx(5 / 3), 2.0)
    assert (heat.minimum, heat.maximum) == (0, 2)


def test_tasks_have_a_table_and_a_chart_of_the_main_model(made):
    fill(made)
    for sample in (1, 2):
        made.give("human:ann", made.answer("n", "a", "en", sample=sample), helpfulness=2)
    section = scores_section(made.load(), number=50)
    table = tables(section)["tasks-human-ann"]
    assert [column.group for column in table.columns] == ["", "n", "n", "all models", "all models"]
    mail = next(row for row in table.rows if row[0].value == "mail")
    assert mail[1].value == pytest.approx((0 + 1 + 2 + 2) / 4)
    assert mail[3].value == pytest.approx((2 + 2 + 0 + 1 + 2 + 2) / 6)
    chart = section.figures[1]
    assert chart.rows == tuple(row[0].value for row in table.rows) == ("mail", "joke")
    assert chart.series["English"][0][0] == mail[1].value
    assert chart.x_range == (0, 2)


def test_people_together_and_each_of_them(made):
    fill(made)
    made.give("human:bob", ("m", "a", "en"), helpfulness=0)
    section = scores_section(made.load(), number=50)
    found = tables(section)
    assert "scores-human-bob-languages" in found
    assert "scores-human-bob-english" not in found
    assert found["scores-people-english"].rows[0][1].value == pytest.approx((1 + 2 + 1) / 3)
    assert section.figures[0].panels[0] == "people (2), English"
    assert found["scores-human-bob-languages"].notes == ("Without any score by human:bob: n.",)


def test_little_is_told_in_sentences(made):
    def told():
        return " ".join(scores_section(made.load(), number=20).text)

    assert "no response to s/1 yet" in told()
    for key in KEYS:
        made.answer("m", key, "ru")
    assert "Nobody has scored a response" in told()
    made.give("llm:gpt", ("m", "a", "ru"), helpfulness=1)
    text = told()
    assert "No person has scored" in text
    assert "All responses are in one language, ru." in text
    assert "Nobody has scored language, fluency, accuracy, logic, harmlessness." in text
    made.answer("m", "a", "fr")
    assert "There is no response in English." in told()
    made.give("human:ann", ("m", "a", "fr"), helpfulness=1)
    assert "No person" not in told()


def test_without_tasks_a_sentence_says_so(tmp_path):
    made = MadeSuite(tmp_path / "t.db", KEYS, ("en",))
    made.answer_all("m")
    made.give("human:ann", ("m", "a", "en"), helpfulness=1)
    section = scores_section(made.load(), number=20)
    assert "No instruction has a task, so there are no means per task." in section.text
    assert len(section.figures) == 1
    assert "No judge has scored" in " ".join(section.text)
    made.engine.dispose()


def test_everything_in_the_wrong_language_leaves_the_language_scores(made):
    made.answer_all("m")
    for key in KEYS:
        made.give("human:ann", ("m", key, "fr"), helpfulness=2, language=0)
    section = scores_section(made.load(), number=20)
    assert columns(tables(section)["scores-human-ann-non-english"]) == ["model", "language"]
    assert [table for table in section.tables if table.key.startswith("tasks")] == []


def test_the_same_store_and_seed_give_the_same_section_and_another_seed_other_intervals(made):
    fill(made)
    one, two = (scores_section(made.load(), number=200, seed=4) for _ in range(2))
    assert one == two
    assert scores_section(made.load(), number=200, seed=5).tables != one.tables


def test_a_zero_is_in_the_json(made):
    made.answer_all("m", "n")
    made.give("human:ann", ("m", "a", "en"), helpfulness=0)
    made.give("human:ann", ("m", "b", "en"), helpfulness=0)
    report = Report("r", (), [scores_section(made.load(), number=20)])
    plain = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    row = plain["sections"][0]["tables"][0]["rows"][0]
    assert row["helpfulness"] == {"value": 0.0, "low": 0.0, "high": 0.0, "n": 2}
    assert row["model"] == {"value": "m"}

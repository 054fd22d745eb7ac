"""Modifiers as a section: table 1."""

import pytest

from core.analysis.modifiers import load_verdicts
from core.report.sections.modifiers import modifiers_section
from store.queries import rubrics
from store.session import reading, writing
from tests.core.analysis.made_suite import MadeSuite

pytestmark = pytest.mark.parts


@pytest.fixture
def made(tmp_path):
    suite = MadeSuite(tmp_path / "s.db", tuple("abc"), ("en", "ru"), modifiers={"a": "short", "b": "html"})
    suite.answer_all("m")
    yield suite
    suite.engine.dispose()


def section(made):
    with reading(made.engine) as session:
        judged = load_verdicts(session, made.suite, "s/1")
    return modifiers_section(made.load(), judged, number=100)


def verdict(made, rater, response, value):
    with writing(made.engine) as session:
        rubric = rubrics.rubric_id(session, "modifiers", "1", [{"name": "fulfilment", "maximum": 1}])
    made.give(rater, response, rubric, fulfilment=value)


def test_fulfilment_stands_beside_helpfulness_and_the_average_below(made):
    verdict(made, "rule:r", ("m", "a", "en"), 1)
    verdict(made, "llm:gpt", ("m", "b", "en"), 0)
    made.give("human:ann", ("m", "a", "en"), helpfulness=2)
    made.give("human:ann", ("m", "b", "en"), helpfulness=1)
    made.give("human:ann", ("m", "a", "ru"), helpfulness=1)
    found = section(made)
    (table,) = found.tables
    assert [(column.group, column.name, column.kind) for column in table.columns[1:]] == [
        ("fulfilled", "en", "percent"),
        ("helpfulness, human:ann", "en", "score"),
        ("helpfulness, human:ann", "ru", "score"),
    ]
    assert [[cell.value for cell in row] for row in table.rows] == [
        ["short", 100.0, 2.0, 1.0],
        ["html", 0.0, 1.0, None],
        ["average", 50.0, 1.5, 1.0],
    ]
    assert table.rows[1][3].why == "not scored, or only in the wrong language"
    assert "1 by rule:r, 1 by llm:gpt" in " ".join(found.text)


def test_each_model_has_a_table_of_its_own(made):
    made.answer_all("n", "without anything")
    for model in ("m", "n"):
        verdict(made, "rule:r", (model, "a", "en"), 1)
    found = section(made)
    assert [(table.key, table.title) for table in found.tables] == [
        ("modifiers-1-m", "Modifiers, m"),
        ("modifiers-2-n", "Modifiers, n"),
    ]
    assert "No response to an instruction with a modifier has a score of helpfulness." in found.text


def test_little_is_told_in_sentences(made, tmp_path):
    found = section(made)
    assert found.tables == ()
    assert "Nobody has said yet whether modifiers are fulfilled" in " ".join(found.text)
    plain = MadeSuite(tmp_path / "p.db", ("a",), ("en",))
    plain.answer_all("m")
    assert section(plain).text == ("No response to s/1 is to an instruction with a modifier.",)
    plain.engine.dispose()

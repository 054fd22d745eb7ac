"""The part on anchoring: what was changed after the reveal, and sentences where nothing was."""

import pytest

from core.analysis.anchoring import anchoring
from core.analysis.bootstrap import draw_resamples
from core.report.document import Report
from core.report.formats.markdown import report_markdown
from core.report.sections.anchoring import anchoring_section
from store.queries.journal import Shown
from store.session import reading
from tests.core.analysis.rated import Rated

pytestmark = pytest.mark.parts


REVEALED = Shown(judge=True)


@pytest.fixture
def study(tmp_path):
    study = Rated(tmp_path / "s.db", keys=("a", "b", "c", "d"), languages=("en",))
    yield study
    study.engine.dispose()


def of(study):
    scored = study.load()
    resamples = draw_resamples(len(scored.keys), number=200)
    with reading(study.engine) as session:
        return anchoring_section(anchoring(session, study.suite, study.rubric, scored, resamples))


def look(study, key, before, after, judge):
    place = ("m", "en", key)
    study.give("gpt", place, kind="llm", helpfulness=judge)
    study.give("ann", place, helpfulness=before)
    study.commit("ann", place)
    if after != before:
        study.give("ann", place, shown=REVEALED, helpfulness=after)


def test_changes_are_told_in_a_sentence_and_a_table(study):
    look(study, "a", 0, 2, 2)
    look(study, "b", 1, 0, 2)
    look(study, "c", 2, 2, 2)
    look(study, "d", 1, "clear", 2)
    section = of(study)
    assert section.text[0] == (
        "Beside llm:gpt: 2 of 3 scores (67%) were changed after the reveal, 1 towards the judge, 1 away from "
        "it, 0 to one as far from it. Taken back after the reveal: 1 more."
    )
    (table,) = section.tables
    (row,) = table.rows
    headings = [f"{column.group} {column.name}".strip() for column in table.columns]
    told = {name: cell.value for name, cell in zip(headings, row, strict=True)}
    assert told["scores"] == 3
    assert told["changed after the reveal all"] == 2
    assert told["distance to the judge before"] == pytest.approx(1)
    assert told["distance to the judge after"] == pytest.approx(2 / 3)
    assert told["distance to the judge after minus before"] == pytest.approx(-1 / 3)
    assert told["same score as the judge after"] == pytest.approx(200 / 3)
    assert len(set(headings)) == len(headings)


def test_several_people_are_counted_once_in_the_sentence(study):
    look(study, "a", 0, 2, 2)
    study.give("bob", ("m", "en", "a"), helpfulness=1)
    study.commit("bob", ("m", "en", "a"))
    section = of(study)
    assert section.text[0].startswith("Beside llm:gpt: 1 of 2 scores (50%) were changed after the reveal")
    people = [row[1].value for row in section.tables[0].rows]
    assert people == ["people (2)", "human:ann", "human:bob"]


def test_nothing_changed_is_a_sentence_with_its_number(study):
    look(study, "a", 2, 2, 2)
    look(study, "b", 2, 2, 2)
    section = of(study)
    assert section.text[0] == "Beside llm:gpt: none of 2 scores was changed after the reveal."
    assert section.tables[0].rows[0][-1].why.startswith("every score of both is the same")
    text = report_markdown(Report("r", (), (section,)))
    assert "nan" not in text.lower()
    assert "None" not in text


def test_nothing_scored_and_nothing_revealed_are_sentences(study):
    assert of(study).text == ("No person has scored a response, so there is nothing to tell of anchoring.",)
    study.give("ann", ("m", "en", "a"), helpfulness=1)
    study.give("ann", ("m", "en", "b"), shown=REVEALED, helpfulness=1)
    section = of(study)
    assert section.tables == ()
    assert section.text == (
        "No score that was given blind was revealed later, so there is nothing to tell of anchoring.",
        "Scores of people: 0 given blind and revealed later, 1 given blind and not revealed, 1 given with a "
        "judge on show from the start. Only the first are compared.",
    )


def test_no_judge_and_a_judge_that_came_too_late_are_sentences(study):
    study.give("ann", ("m", "en", "a"), helpfulness=1)
    study.commit("ann", ("m", "en", "a"))
    assert of(study).text[0] == "No judge has scored a response, so the reveal had nothing to show."
    study.give("gpt", ("m", "en", "a"), kind="llm", helpfulness=1)
    assert of(study).text[0] == "No judge had scored the responses by the time that they were revealed."

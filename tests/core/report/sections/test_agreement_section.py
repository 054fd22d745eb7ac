"""The part on agreement: a hand-made example, and sentences where there is nothing to tell."""

import random

import pytest

from core.analysis.agreement import agreements
from core.analysis.bootstrap import draw_resamples
from core.report.document import Report
from core.report.formats.markdown import report_markdown
from core.report.sections.agreement import agreement_section
from tests.core.analysis.rated import Rated

pytestmark = pytest.mark.parts


KEYS = tuple("abcdef")


def of(study):
    scored = study.load()
    return agreement_section(agreements(scored, draw_resamples(len(scored.keys), number=200)))


def row_of(table, *names):
    """The row that begins with these texts, by the columns' names."""
    (row,) = [it for it in table.rows if tuple(cell.value for cell in it[: len(names)]) == names]
    return {column.name: cell for column, cell in zip(table.columns, row, strict=True)}


def by_key(items):
    assert len({it.key for it in items}) == len(items)
    return {it.key: it for it in items}


@pytest.fixture
def study(tmp_path):
    """Ann and a judge on helpfulness in English: 2-2 four times, 1-2, 0-1; fluency 2-2 alone in Russian."""
    study = Rated(tmp_path / "s.db", keys=KEYS)
    for key, (human, judge) in zip(KEYS, [(2, 2)] * 4 + [(1, 2), (0, 1)], strict=True):
        study.give("ann", ("m", "en", key), helpfulness=human)
        study.give("gpt", ("m", "en", key), kind="llm", version="v1", helpfulness=judge)
        study.give("ann", ("m", "ru", key), fluency=2)
        study.give("gpt", ("m", "ru", key), kind="llm", version="v1", fluency=2)
    yield study
    study.engine.dispose()


def test_the_coefficients_stand_in_a_row_for_each_criterion_and_language_group(study):
    section = of(study)
    table = by_key(section.tables)["agreement-judges"]
    assert len(table.rows) == 3 * 2  # no row of a criterion that nobody has scored
    row = row_of(table, "human:ann", "llm:gpt@v1", "English", "helpfulness")
    assert row["pairs"].value == 6
    assert row["same score"].value == pytest.approx(400 / 6)
    assert row["same score"].low < row["same score"].value < row["same score"].high
    assert row["bias"].value == pytest.approx(2 / 6)
    # Squares add up to 2 over 6; by chance, from margins (1, 1, 4) and (0, 1, 5), to 30 over 36.
    assert row["kappa"].value == pytest.approx(1 - (2 / 6) / (30 / 36))
    assert (row["score"].value, row["share"].value) == (2, pytest.approx(900 / 12))
    assert section.text == ("human:ann is the only person with scores: agreement of people needs two.",)


def test_undefined_and_dominated_are_told_in_words(study):
    table = by_key(of(study).tables)["agreement-judges"]
    row = row_of(table, "human:ann", "llm:gpt@v1", "non-English", "fluency")
    assert row["kappa"].value is None
    assert row["kappa"].why.startswith("every score of both is 2")
    assert (row["same score"].value, row["AC2"].value) == (100, 1)
    row = row_of(table, "human:ann", "llm:gpt@v1", "English", "fluency")
    assert (row["pairs"].value, row["kappa"].why) == (0, "no response was scored by both")
    assert not any("dominates" in note for note in table.notes)
    for key in KEYS:
        study.give("ann", ("m", "en", key), harmlessness=2)
        study.give("gpt", ("m", "en", key), kind="llm", version="v1", harmlessness=1 if key == "a" else 2)
    table = by_key(of(study).tables)["agreement-judges"]
    row = row_of(table, "human:ann", "llm:gpt@v1", "English", "harmlessness")
    assert (row["kappa"].mark, row["alpha"].mark, row["AC2"].mark) == ("†", "†", "")
    assert any(note.startswith("† One score dominates") for note in table.notes)


def test_heat_maps_have_people_in_rows_and_the_judge_in_columns(study):
    section = of(study)
    figures = by_key(section.figures)
    assert set(figures) == {
        "agreement-human-ann-llm-gpt-v1-english", "agreement-human-ann-llm-gpt-v1-non-english"
    }  # fmt: skip
    english = figures["agreement-human-ann-llm-gpt-v1-english"]
    assert english.panels[0].replace("\u00a0", " ") == "helpfulness (n = 6)"
    assert english.values[0] == tuple(
        tuple(pytest.approx(100 * count / 6) for count in line) for line in ((0, 1, 0), (0, 0, 1), (0, 0, 4))
    )
    assert english.values[english.panels.index("fluency (n\u00a0=\u00a00)")] == ((None,) * 3,) * 3
    assert (english.row_label, english.column_label) == ("ann", "gpt")
    table = by_key(section.tables)["agreement-percent"]
    names = ("human:ann", "llm:gpt@v1", "English", "helpfulness", 6)
    assert [row_of(table, *names, "0")[str(score)].value for score in range(3)] == pytest.approx(
        [0, 100 / 6, 0]
    )


def test_three_people_are_told_two_by_two_and_all_together(tmp_path):
    study = Rated(tmp_path / "s.db", keys=KEYS, languages=("en",))
    rng = random.Random(1)
    for place in study.ids:
        for person in ("ann", "bob", "cleo"):
            study.give(person, place, helpfulness=rng.randint(0, 2))
    study.give("ann", place, logic=1)
    section = of(study)
    tables = by_key(section.tables)
    assert len(tables["agreement-people"].rows) == 3 * 2
    together = row_of(tables["agreement-all-people"], "English", "helpfulness")
    assert together["responses"].value == 6
    assert together["alpha"].low < together["alpha"].high
    assert row_of(tables["agreement-all-people"], "English", "logic")["alpha"].why == (
        "no response was scored by two people"
    )
    assert len(section.figures) == 3
    assert "All instructions are English." in section.text
    assert "No judge has scored a response, so there is no agreement of people and judges." in section.text
    study.engine.dispose()


def test_many_people_are_in_tables_and_not_in_figures(tmp_path):
    study = Rated(tmp_path / "s.db", keys=KEYS, languages=("en",))
    for place in study.ids:
        for person in ("ann", "bob", "cleo", "dan"):
            study.give(person, place, helpfulness=1)
    section = of(study)
    assert section.figures == ()
    assert any("6 pairs of people" in line for line in section.text)
    together = row_of(by_key(section.tables)["agreement-all-people"], "English", "helpfulness")
    assert together["alpha"].why == "all their scores are the same"
    study.engine.dispose()


def test_raters_who_share_no_response_are_named_in_a_sentence(tmp_path):
    study = Rated(tmp_path / "s.db")
    study.give("ann", ("m", "en", "a"), helpfulness=1)
    study.give("bob", ("m", "en", "b"), helpfulness=1)
    study.give("gpt", ("m", "ru", "b"), kind="llm", helpfulness=1)
    section = of(study)
    assert section.tables == section.figures == ()
    assert section.text == (
        "No response was scored by both human:ann and human:bob.",
        "No response was scored by both people (2) and llm:gpt.",
    )
    study.engine.dispose()


def test_scales_that_differ_have_tables_and_figures_of_their_own(tmp_path):
    criteria = [{"name": "stars", "minimum": -1, "maximum": 2}, {"name": "harm", "maximum": 1}]
    study = Rated(tmp_path / "s.db", criteria=criteria)
    for place in study.ids:
        study.give("ann", place, stars=-1, harm=0)
        study.give("gpt", place, kind="llm", stars=2, harm=5)
    section = of(study)
    tables, figures = by_key(section.tables), by_key(section.figures)
    assert set(tables) == {"agreement-judges", "agreement-percent-scale-1"}
    names = ("human:ann", "llm:gpt", "English", "stars", 2)
    assert row_of(tables["agreement-percent-scale-1"], *names, "-1")["2"].value == 100
    assert set(figures) == {
        "agreement-human-ann-llm-gpt-english-scale-1", "agreement-human-ann-llm-gpt-non-english-scale-1"
    }  # fmt: skip
    assert figures["agreement-human-ann-llm-gpt-english-scale-1"].rows == ("-1", "0", "1", "2")
    assert "Left out: 4 pairs with a score that is not on the criterion's scale." in section.text
    study.engine.dispose()


def test_nobody_and_a_judge_alone_are_told_in_a_sentence(tmp_path):
    study = Rated(tmp_path / "s.db")
    section = of(study)
    assert section.text == ("Nobody has scored a response yet, so there is no agreement to tell of.",)
    study.give("gpt", ("m", "en", "a"), kind="llm", helpfulness=1)
    section = of(study)
    assert section.text == (
        "No person has scored a response, so there is nobody whom a judge could agree with.",
    )
    assert section.tables == section.figures == ()
    study.engine.dispose()


def test_nothing_undefined_is_printed_as_a_number(study):
    text = report_markdown(Report("r", (), (of(study),)))
    assert "nan" not in text.lower()
    assert "None" not in text

"""Surface metrics and the choice of learning rates as a section."""

import pytest

from core.analysis.selection import RULE, selection_of
from core.report.sections.surface import surface_section
from store.queries.surface import surface_measures
from store.session import reading
from tests.core.analysis.made_suite import MadeSuite

pytestmark = pytest.mark.parts


KEYS = tuple("abcd")


@pytest.fixture
def made(tmp_path):
    suite = MadeSuite(tmp_path / "s.db", KEYS, ("en", "ru"))
    yield suite
    suite.engine.dispose()


def section(made):
    with reading(made.engine) as session:
        measured = surface_measures(session, made.suite)
        selection = selection_of(session, made.suite, "s/1")
    return surface_section(made.load(), measured, selection, number=200)


def train(made, rate, right, measure=True, base="B"):
    for language in ("en", "ru"):
        for place, key in enumerate(KEYS):
            found = made.answer(
                f"{base} / D / FT / {rate:g}", key, language, base=base, data="D", adaptation="FT",
                learning_rate=rate,
            )  # fmt: skip
            if measure:
                made.measure(found, language=language if place < right else "de", spelling=0.5)


def test_candidates_are_all_shown_and_the_chosen_one_is_marked_in_table_and_chart(made):
    train(made, 1e-5, 3)
    train(made, 1e-4, 4)
    train(made, 1e-4, 4, base="C")
    found = section(made)
    surface, rates = found.tables
    assert [[cell.value for cell in row[:3]] for row in surface.rows[:3]] == [
        ["B / D / FT / 1e-05", "all languages", 75.0],
        ["B / D / FT / 1e-05", "en", 75.0],
        ["B / D / FT / 1e-05", "ru", 75.0],
    ]
    assert [(row[0].value, row[1].value, row[1].mark, row[2].value) for row in rates.rows] == [
        ("B / D / FT", "1e-5", "", 75.0),
        ("B / D / FT", "1e-4", "*", 100.0),
        ("C / D / FT / 0.0001", "1e-4", "", 100.0),
    ]
    assert rates.notes[0] == RULE
    assert "C / D / FT / 0.0001: It has one learning rate only." in rates.notes
    (chart,) = found.figures
    assert [name for name, _ in chart.panels] == ["right language", "spelling"]
    (series,) = chart.panels[0][1]
    assert (series.name, series.chosen, chart.logarithmic) == ("B / D / FT", (1,), True)
    assert [point[:2] for point in series.points] == [(1e-5, 75.0), (1e-4, 100.0)]
    assert "Not measured yet: relevant (`xlit-core judge relevance`)." in found.text


def test_little_is_told_in_sentences(made):
    empty = section(made)
    assert (empty.text, empty.tables) == (("There is no response to s/1 yet.",), ())
    train(made, 1e-5, 3, measure=False)
    train(made, 1e-4, 3, measure=False)
    found = section(made)
    assert found.figures == ()
    assert "nothing to choose from" in found.text[-1]
    assert {row[2].why for row in found.tables[0].rows} == {"not measured"}
    assert {row[6].value for row in found.tables[0].rows} == {0.0}

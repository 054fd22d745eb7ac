"""The part on the paper's numbers: alone with a sentence, or with ours beside them."""

import pytest

from core.analysis.bootstrap import draw_resamples
from core.analysis.means import mean_scores
from core.analysis.published import beside
from core.report.document import Report
from core.report.formats.markdown import report_markdown
from core.report.sections.published import published_section
from tests.core.analysis.rated import Rated

pytestmark = pytest.mark.parts


DOLLY = "LLaMA-2-13B / Dolly-En / FT"


def of(study, *, papers_suite=False):
    scored = study.load()
    resamples = draw_resamples(len(scored.keys), number=200)
    means = mean_scores(scored, resamples)
    return published_section(beside(means, None, resamples, papers_suite=papers_suite))


def by_heading(table, row):
    headings = [f"{column.group} {column.name}".strip() for column in table.columns]
    assert len(set(headings)) == len(headings)
    return {name: cell.value for name, cell in zip(headings, row, strict=True)}


@pytest.mark.parametrize("models", [(), ("mine",)])
def test_without_a_like_of_ours_the_published_numbers_stand_alone(tmp_path, models):
    study = Rated(tmp_path / "s.db", models_=models)
    assert of(study) is None  # neither the suite nor a model is the paper's
    section = of(study, papers_suite=True)
    scores, modifiers = section.tables
    assert (scores.key, modifiers.key) == ("published-scores", "published-modifiers")
    assert len(scores.rows) == 14
    first = by_heading(scores, scores.rows[0])
    assert (first["model"], first["rater"]) == (DOLLY, "human")
    assert (first["English helpfulness"], first["non-English harmlessness"]) == (1.77, 1.98)
    short = by_heading(modifiers, modifiers.rows[0])
    assert (short["modifier"], short["fulfilled ru"], short["helpfulness en"]) == ("short", 90, 1.70)
    assert any("figure 2 stands alone" in line for line in section.text)
    assert any("table 1 stands alone" in line for line in section.text)
    study.engine.dispose()


def test_ours_stand_beside_the_published_with_difference_and_n(tmp_path):
    study = Rated(tmp_path / "s.db", models_=(f"{DOLLY} / 1e-5",), modifiers={"a": "short"})
    study.give("ann", (f"{DOLLY} / 1e-5", "en", "a"), helpfulness=2)
    study.give("ann", (f"{DOLLY} / 1e-5", "en", "b"), helpfulness=1)
    section = of(study)
    scores, helpfulness = section.tables
    assert (scores.key, helpfulness.key) == ("published-scores", "published-helpfulness")
    assert len(scores.rows) == 2  # nobody has scored the other criteria
    rows = [by_heading(scores, row) for row in scores.rows]
    english = next(it for it in rows if (it["criterion"], it["languages"]) == ("helpfulness", "English"))
    assert (english["published"], english["ours"], english["n"]) == (1.77, 1.5, 2)
    assert english["difference"] == pytest.approx(-0.27)
    assert (english["our model"], english["our rater"]) == (f"{DOLLY} / 1e-5", "human:ann")
    (row,) = helpfulness.rows
    short = by_heading(helpfulness, row)
    assert (short["modifier"], short["published"], short["ours"]) == ("short", 1.70, 2)
    text = report_markdown(Report("r", (), (section,)))
    assert "nan" not in text.lower()
    assert "None" not in text
    study.engine.dispose()

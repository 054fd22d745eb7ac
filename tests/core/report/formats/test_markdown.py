import pytest
from markdown_it import MarkdownIt

from core.report.document import Cell, Column, Report, Section, Table
from core.report.formats.markdown import report_markdown, table_markdown
from core.text.visible import visible
from tests.core.report.sample_report import HOSTILE, hostile_report, sample_report


def parsed(text):
    return MarkdownIt("commonmark").enable("table").parse(text)


def texts(tokens):
    """The text of each inline part, as a reader sees it."""
    return ["".join(child.content for child in token.children) for token in tokens if token.type == "inline"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_and_not_obeyed(name):
    table = Table("t", name, (Column(name), Column("s", "score", name)), ((Cell(name), Cell(1.0)),), (name,))
    tokens = parsed(report_markdown(Report(name, (name,), (Section(name, (name,), (table,)),))))
    kinds = {token.type for token in tokens} | {
        child.type for token in tokens if token.type == "inline" for child in token.children
    }
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "code_inline", "fence", "hr"}
    assert {token.type for token in tokens if "list_open" in token.type} == {"bullet_list_open"}
    assert texts(tokens).count(visible(name).strip()) == 8
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h1", "h2", "h3"]


def test_every_row_of_a_hostile_table_has_its_cells():
    tokens = parsed(report_markdown(hostile_report()))
    rows = sum(token.type == "tr_open" for token in tokens)
    cells = sum(token.type in ("td_open", "th_open") for token in tokens)
    assert (rows, cells) == (len(HOSTILE) + 1, 3 * (len(HOSTILE) + 1))


def test_the_report_has_every_section_table_and_note_and_links_its_figures():
    report = sample_report()
    links = {figure.key: f"figures/{figure.key}.png" for s in report.sections for figure in s.figures}
    text = report_markdown(report, links, {"tasks": "A caption of the drawing."})
    for section in report.sections:
        assert f"## {section.title}\n" in text
    assert "![Helpfulness by task](figures/tasks.png)\n\nA caption of the drawing." in text
    assert "Ringed: the chosen learning rate." in text
    assert "| **1.42** [1.29, 1.55] (n = 113) |" in text
    assert "<sup>a</sup> the judge has scored no response of this model on accuracy." in text
    assert "English: helpfulness | " in text


def test_figures_without_a_picture_are_left_out():
    assert "![" not in report_markdown(sample_report())


def test_a_table_without_rows_says_so():
    assert "No rows." in table_markdown(Table("t", "T", (Column("m"),), ()))

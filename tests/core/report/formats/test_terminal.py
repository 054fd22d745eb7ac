import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from core.report.document import Cell, Column, Report, Section, Table
from core.report.formats.terminal import report_renderable
from tests.core.report.sample_report import hostile_report, sample_report


def shown(report, width, main=True, colour=False):
    file = io.StringIO()
    console = Console(
        width=width, file=file, force_terminal=colour, color_system="truecolor" if colour else None
    )
    console.print(report_renderable(report, main))
    return file.getvalue()


def narrow(columns, *rows, notes=()):
    table = Table("t", "The table", columns, tuple(rows), notes)
    return Report("R", (), (Section("S", ("Text.",), (table,)),))


COLUMNS = (Column("model"), *(Column(name, "score") for name in ("logic", "fluency")))
ROW = (Cell("LLaMA"), Cell(1.35, 1.21, 1.48, n=5), Cell(-0.5, -0.6, -0.4, n=5))


@pytest.mark.parametrize("width", [60, 80, 110, 200])
@pytest.mark.parametrize("report", [sample_report(), hostile_report()], ids=["sample", "hostile"])
def test_no_line_is_wider_than_the_terminal(report, width):
    for line in shown(report, width, main=False).splitlines():
        assert cell_len(line.rstrip()) <= width


@pytest.mark.parametrize("width", [60, 80, 110, 200])
def test_every_number_is_shown_at_every_width(width):
    text = shown(sample_report(), width)
    table = sample_report().sections[0].tables[0]
    numbers = re.findall(r"(?<![\[\d.])\d\.\d\d(?=\s)(?! *\])", text)
    for row in table.rows:
        for cell in row[2:]:
            if cell.value is not None:
                assert f"{cell.value:.2f}" in numbers


def test_intervals_stand_behind_their_values_then_beneath_then_nowhere():
    report = narrow(COLUMNS, ROW)
    assert "1.35 [1.21, 1.48]" in shown(report, 80)
    beneath = shown(report, 40)
    assert "1.35 [" not in beneath
    assert "[1.21, 1.48]" in beneath
    without = shown(report, 26)
    assert "1.21" not in without
    assert "1.35" in without
    assert "Too narrow" in without


def test_at_110_columns_a_group_of_six_criteria_has_its_intervals():
    columns = (
        Column("model"),
        *(Column(f"criterion {p}", "score", g) for g in ("En", "Ru") for p in range(6)),
    )
    text = shown(narrow(columns, (Cell("LLaMA-2-13B"), *(Cell(1.0, 0.5, 1.5),) * 12)), 110)
    assert text.count("[0.50, 1.50]") == 12
    assert text.count("model") == 2


def test_columns_that_do_not_fit_go_on_below_as_many_as_fit():
    columns = (Column("model"), *(Column(f"c{place}", "score") for place in range(20)))
    cells = tuple(Cell(1 + place / 100, 0.5, 1.5) for place in range(20))
    text = shown(narrow(columns, (Cell("LLaMA-2-13B"), *cells)), 60)
    assert text.count("model") == text.count("LLaMA-2-13B") == 3
    assert "[0.50" not in text
    assert "Too narrow" in text
    for cell in cells:
        assert f"{cell.value:.2f}" in text


def test_main_shows_the_first_table_of_a_section_and_all_of_them_otherwise():
    first, second = (Table(name, name, (Column("m"),), ((Cell("x"),),)) for name in ("first", "second"))
    report = Report(
        "R", (), (Section("S", ("Text.",), (first, second)), Section("Empty", ("Nobody scored.",)))
    )
    assert "second" not in shown(report, 80)
    assert "Text." not in shown(report, 80)
    assert "Nobody scored." in shown(report, 80)
    assert "second" in shown(report, 80, main=False)
    assert "Text." in shown(report, 80, main=False)


def test_a_reason_stands_below_the_table_and_a_minus_is_a_minus():
    text = shown(narrow(COLUMNS, (*ROW[:2], Cell(None, why="one rater")), ROW, notes=("A note.",)), 80)
    assert "– (a)" in text
    assert "  (a) one rater." in text
    assert "\u22120.50" in text
    assert "n = 5." in text
    assert "A note." in text


def test_the_best_is_bold():
    report = narrow(COLUMNS, (Cell("x"), Cell(1.5, best=True), Cell(1.0)))
    text = shown(report, 80, colour=True)
    assert re.search(r"\x1b\[1m *1\.50", text)
    assert not re.search(r"\x1b\[1m *1\.00", text)


def test_names_are_no_markup_and_send_nothing_to_the_terminal():
    text = shown(narrow(COLUMNS, (Cell("[bold]x[/] \x1b[2J\x07"), *ROW[1:])), 80)
    assert "[bold]x[/] ␛[2J␇" in text
    hostile = shown(hostile_report(), 80, main=False)
    assert "⟨U+202E⟩evil⟨U+202" in hostile
    assert not set("\x1b\x00\u202e\u200b\ud800") & set(hostile)


def test_a_table_without_rows_says_so():
    assert "No rows." in shown(narrow(COLUMNS), 80)

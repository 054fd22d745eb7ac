import math

import pytest

from core.report.document import Cell, Column, Table
from core.report.formats.cell_text import Dialect, TableText, format_cell

PLAIN = Dialect(escape=str, bold=lambda text: f"<{text}>", raised=lambda letter: f"^{letter}", minus="-")


def written(kind, cell, signed=False):
    return str(format_cell(Column("c", kind, signed=signed), cell, PLAIN))


@pytest.mark.parametrize(
    ("kind", "signed", "cell", "text"),
    [
        ("score", False, Cell(1.347, 1.21, 1.482, n=120), "1.35 [1.21, 1.48] (n = 120)"),
        ("percent", False, Cell(84.6, 80.2, 88.0), "85% [80, 88]"),
        ("number", True, Cell(0.124, -0.05, 0.3), "+0.12 [-0.05, +0.30]"),
        ("number", False, Cell(-0.124), "-0.12"),
        ("number", True, Cell(-0.001), "0.00"),
        ("number", True, Cell(0), "0.00"),
        ("count", False, Cell(57000), "57000"),
        ("text", False, Cell("a model"), "a model"),
        ("text", False, Cell(1e-5), "1e-05"),
        ("text", False, Cell(113), "113"),
        ("score", False, Cell(1.5, mark="*", best=True), "<1.50>*"),
        ("score", False, Cell(None), "–"),
        ("score", False, Cell(math.nan, math.nan, math.nan, n=0), "– (n = 0)"),
        ("score", False, Cell(1.5, 1.2, math.inf), "1.50 [1.20, –]"),
        ("score", False, Cell("undefined"), "undefined"),
    ],
)
def test_values_are_written_by_kind_and_nothing_undefined_is_printed(kind, signed, cell, text):
    assert written(kind, cell, signed) == text


def table(*cells, notes=(), source=""):
    return Table(
        "t", "T", (Column("m"), Column("s", "score")), tuple((Cell("x"), c) for c in cells), notes, source
    )


def test_a_reason_is_a_letter_that_is_explained_once():
    columns = table(Cell(None, why="no pairs"), Cell(None, why="one rater"), Cell(None, why="no pairs"))
    text = TableText(columns, PLAIN)
    values = [text.cell(columns.columns[1], row[1]).value for row in columns.rows]
    assert values == ["–^a", "–^b", "–^a"]
    assert text.notes() == ["^a no pairs.", "^b one rater."]


def test_letters_go_on_behind_z():
    many = table(*(Cell(None, why=f"reason {place}") for place in range(28)))
    text = TableText(many, PLAIN)
    assert [text.cell(many.columns[1], row[1]).value for row in many.rows[-3:]] == ["–^z", "–^aa", "–^ab"]


def test_one_n_for_all_cells_is_said_once():
    same = TableText(table(Cell(1.0, n=9), Cell(2.0, n=9)), PLAIN)
    assert same.cell(Column("s", "score"), Cell(1.0, n=9)).n == ""
    assert same.notes() == ["n = 9."]


def test_different_n_stand_in_the_cells_or_as_a_range_below():
    differing = TableText(table(Cell(1.0, n=9), Cell(2.0, n=7)), PLAIN)
    assert differing.cell(Column("s", "score"), Cell(1.0, n=9)).n == "9"
    assert differing.notes() == []
    assert differing.notes(n_shown=False) == ["n = 7 to 9, by cell."]


def test_notes_tell_what_brackets_and_bold_mean_and_where_the_like_stands():
    text = TableText(table(Cell(1.0, 0.5, 1.5, best=True), notes=("A note.",), source="figure 2"), PLAIN)
    assert text.notes() == [
        "A note.",
        "In brackets: 95% intervals.",
        "In bold: the best of the column.",
        "In the paper: figure 2.",
    ]
    assert "Too narrow for the 95% intervals." in text.notes(intervals_shown=False)

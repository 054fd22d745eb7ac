import csv
import io

from core.report.document import Cell, Column, Table
from core.report.formats.csv_file import table_csv
from tests.core.report.sample_report import HOSTILE, hostile_report, sample_report


def rows(table):
    return list(csv.DictReader(io.StringIO(table_csv(table), newline="")))


def test_each_number_has_a_row_with_its_interval_and_count_apart():
    table = sample_report().sections[0].tables[0]
    found = rows(table)
    assert len(found) == 14 * 12
    cell = table.rows[0][3]
    assert found[1] == {
        "model": "LLaMA-2-13B / Dolly-En / FT / 1e-5",
        "rater": "people",
        "group": "English",
        "measure": "fluency",
        "value": f"{cell.value:.9g}",
        "low": f"{cell.low:.9g}",
        "high": f"{cell.high:.9g}",
        "n": str(cell.n),
        "best": "1",
        "mark": "",
        "why": "",
    }


def test_a_value_that_is_missing_is_empty_and_its_reason_stands_in_words():
    [missing] = [row for row in rows(sample_report().sections[0].tables[0]) if row["why"]]
    assert missing["value"] == missing["low"] == missing["high"] == missing["n"] == ""
    assert missing["why"] == "the judge has scored no response of this model on accuracy"


def test_numbers_are_written_for_programs():
    columns = (Column("m"), Column("d", "number", signed=True))
    cells = [Cell(-0.25, mark="*"), Cell(float("nan")), Cell(57000), Cell(1e-12), Cell(-0.0)]
    text = table_csv(Table("t", "T", columns, tuple((Cell("x"), cell) for cell in cells)))
    values = [line.split(",")[3] for line in text.splitlines()[1:]]
    assert values == ["-0.25", "", "57000", "1e-12", "0"]
    assert text.isascii()


def test_text_columns_alone_keep_the_tables_shape_and_names_that_clash_are_numbered():
    columns = (Column("value"), Column("name"), Column("name", "number"))
    assert table_csv(Table("t", "T", columns[:2], ((Cell("a"), Cell("b")),))) == "value 2,name\na,b\n"
    header = table_csv(Table("t", "T", columns, ())).splitlines()[0]
    assert header == "value 2,name,group,measure,value,low,high,n,best,mark,why"


def test_the_mark_of_a_label_is_kept():
    table = Table("t", "T", (Column("m"), Column("s", "score")), ((Cell("x", mark="†"), Cell(1.0)),))
    assert rows(table)[0]["mark"] == "†"


def test_no_name_is_a_formula_or_breaks_its_row():
    [table] = hostile_report().sections[0].tables
    found = rows(table)
    assert len(found) == 2 * len(HOSTILE)
    for row in found:
        for value in row.values():
            assert not value.startswith(("=", "+", "@", "-")), value
            assert value.isprintable()

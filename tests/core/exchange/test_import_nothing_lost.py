"""What a file says is stored, or refused with its place: nothing counts as done that was not stored."""

import pytest

from core.exchange.annotator import Block, marks_of
from core.exchange.importing import run_import
from core.text.files import BadRow, Location
from store import UsageError, XlitError

pytestmark = pytest.mark.parts

ANSWER = {"suite": "s/1", "key": "1", "language": "en", "instruction": "Hi?", "response": "Ho", "model": "m"}
RATED = "suite,key,language,model,criterion,score,rater\n"


def test_ratings_without_the_column_of_scores_are_refused(engine, write):
    run_import(engine, "jsonl", [write("a.jsonl", [ANSWER])])
    wide = write("r.csv", "suite,key,language,model,fluency,rater\ns/1,1,en,m,2,anna\n")
    with pytest.raises(UsageError, match=r"No row holds the column `score`.*'fluency'"):
        run_import(engine, "csv", [wide], {"what": "ratings"})
    with pytest.raises(UsageError, match="names 'mark', which no row holds"):
        run_import(engine, "csv", [wide], {"what": "ratings", "columns": {"score": "mark"}})


def test_two_scores_of_one_thing_without_times_are_refused(engine, write, ask):
    run_import(engine, "jsonl", [write("a.jsonl", [ANSWER])])
    row = "s/1,1,en,m,fluency,{},anna\n"
    two = write("r.csv", RATED + row.format(1) + row.format(2))
    with pytest.raises(XlitError, match=r"r\.csv:3: fluency has another score in line 2"):
        run_import(engine, "csv", [two], {"what": "ratings"})
    same = write("s.csv", RATED + row.format(1) + row.format(1))
    assert run_import(engine, "csv", [same], {"what": "ratings"}).counts.ratings_new == 1
    assert run_import(engine, "csv", [same], {"what": "ratings"}).counts.ratings_new == 0
    assert ask("SELECT score FROM rating") == [(1,)]


def test_a_mapped_column_is_not_read_under_its_own_name_as_well(engine, write, ask):
    row = {"id": "7", "model": "m", "response": "Hi?", "language": "en"}
    options = {"columns": {"key": "id", "instruction": "response"}}
    report = run_import(engine, "jsonl", [write("a.jsonl", [row])], options)
    assert ask("SELECT text FROM instruction") == [("Hi?",)]
    assert ask("SELECT text FROM response") == []
    assert "rows that name a model and have no response: 1" in report.notes


def test_a_null_response_is_counted(engine, write):
    rows = [ANSWER, {**ANSWER, "model": "n", "response": None}]
    report = run_import(engine, "jsonl", [write("a.jsonl", rows)])
    assert report.counts.responses_new == 1
    assert "rows that name a model and have no response: 1" in report.notes


@pytest.mark.parametrize("tail", ["Fluency:1 Inform:[1]", "Fluency:(1) Inform:[1]", "Inform:[1] fluency = 1"])
def test_a_mark_without_square_brackets_is_no_comment(tmp_path, tail):
    place = Location(tmp_path, 9)
    answer = marks_of(Block(place, tail=[(place, tail)]))
    assert isinstance(answer, BadRow)
    assert "not in square brackets" in answer.reason


def test_a_comment_may_speak_of_a_mark(tmp_path):
    place = Location(tmp_path, 9)
    marks, comment = marks_of(Block(place, tail=[(place, "Fluency:[1] I first had Fluency:2")]))
    assert ([mark.score for mark in marks], comment) == ([1], "I first had Fluency:2")


def test_annotations_of_alpaca_eval_are_refused_by_name(engine, write):
    path = write("a.json", '[{"instruction": "Hi?", "output_1": "a", "output_2": "b"}]')
    with pytest.raises(UsageError, match="annotations of AlpacaEval"):
        run_import(engine, "alpaca-eval", [path])


@pytest.mark.parametrize("head", ["\ufeff", "sep={}\r\n"])
@pytest.mark.parametrize("mark", [";", "\t", ","])
def test_the_header_tells_the_delimiter(engine, write, ask, head, mark):
    cells = [["instruction", "response", "model", "language"], ['"a;b,c\td"', '"x;y"', "m", "en"]]
    text = head.format(mark) + "".join(mark.join(row) + "\r\n" for row in cells)
    run_import(engine, "csv", [write("a.csv", text)])
    assert ask("SELECT text FROM response") == [("x;y",)]
    bad = head.format(mark) + mark.join(cells[0]) + "\r\nonly one\r\n"
    line = 2 + head.startswith("sep")
    with pytest.raises(XlitError, match=f"b.csv:{line}: 1 cells"):
        run_import(engine, "csv", [write("b.csv", bad)])

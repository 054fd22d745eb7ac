"""Bad rows: the whole import is refused with their place, or they are left out and listed."""

import json

import pytest

from core.exchange.importing import run_import
from store import XlitError
from store.provenance import EXIT_FAILED, EXIT_PARTLY

pytestmark = pytest.mark.parts


GOOD = {"language": "en", "prompt": "How?", "response": "So.", "model": "m"}
GOOD_LINE = json.dumps(GOOD).encode()


def line(**changes) -> bytes:
    return json.dumps({**GOOD, "prompt": "bad", **changes}).encode()


BAD_LINES = {
    "broken JSON": (b'{"language": "en",', "not valid JSON"),
    "no object": (b'["en"]', "not a JSON object"),
    "too deep": (b"[" * 100_000, "not valid JSON"),
    "no UTF-8": (b'{"prompt": "\xff"}', "not valid UTF-8 at byte 13"),
    "half a surrogate pair": (line(response="a\ud800b"), "the response holds half of a surrogate pair"),
    "half a pair in the key": (line(key="\udfff"), "the key holds half of a surrogate pair"),
    "NUL": (line(response="a\x00b"), "the response holds a NUL character"),
    "NUL in the parameters": (line(parameters={"a": ["\x00"]}), "the parameters holds a NUL"),
    "no instruction": (b'{"language": "en"}', "no instruction: .*`instruction` or `prompt`"),
    "no language": (b'{"prompt": "x"}', "no language"),
    "no such language": (line(language="English!"), "'English!' is no language code"),
    "no model": (line(model=None), "a response without a model"),
    "a list for a text": (line(response=["x"]), "the response is not a text"),
    "a sample that is none": (line(sample="x"), "the sample is"),
    "a negative sample": (line(sample=-1), "the sample is -1"),
    "parameters that are none": (line(parameters="[1]"), "not a JSON object"),
    "an instruction of blanks": (line(prompt=" "), "the instruction is empty"),
    "another text under the key": (line(key="k", prompt="other"), "with another text"),
    "another response": (line(key="k", prompt="How?", response="No."), "another response to instruction 'k'"),
}
FIRST = json.dumps({**GOOD, "key": "k"}).encode()


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES.values(), ids=list(BAD_LINES))
def test_a_bad_row_refuses_everything_with_its_place_and_reason(engine, write, counts, ask, bad, reason):
    path = write("a.jsonl", b"\n".join([FIRST, GOOD_LINE, bad, GOOD_LINE, b""]))
    with pytest.raises(XlitError, match=rf"a\.jsonl:3: .*{reason}") as refused:
        run_import(engine, "jsonl", [path])
    assert refused.value.exit_code == 1
    assert "\n" not in str(refused.value)
    assert set(counts().values()) == {0}
    assert ask("SELECT status FROM run") == [("failed",)]


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES.values(), ids=list(BAD_LINES))
def test_skipped_rows_are_listed_and_the_rest_is_there(engine, write, ask, bad, reason):
    last = json.dumps({**GOOD, "prompt": "Last?"}).encode()
    path = write("a.jsonl", b"\n".join([FIRST, bad, last]))
    report = run_import(engine, "jsonl", [path], skip_bad=True)
    assert (report.skipped_count, report.skipped[0].location.line, report.exit_code) == (1, 2, EXIT_PARTLY)
    assert ask("SELECT text FROM instruction ORDER BY position")[-1] == ("Last?",)
    assert ask("SELECT status FROM run") == [("partly",)]
    assert ask("SELECT unit, reason FROM failure") == [(f"{path}:2", report.skipped[0].reason)]


def test_the_number_of_further_bad_rows_is_told(engine, write):
    path = write("a.jsonl", b"\n".join([b"{", GOOD_LINE, b"{", b"{"]))
    with pytest.raises(XlitError, match=r"a\.jsonl:1: .*\(2 more bad rows after it\)"):
        run_import(engine, "jsonl", [path])


def test_the_first_bad_row_of_the_file_is_told_first_whoever_found_it(engine, write):
    contradiction = json.dumps({**GOOD, "response": "No."}).encode()
    with pytest.raises(XlitError, match=r"a\.jsonl:2: model 'm'"):
        run_import(engine, "jsonl", [write("a.jsonl", b"\n".join([GOOD_LINE, contradiction, b"{"]))])


def test_a_later_file_takes_the_earlier_ones_down_with_it(engine, write, counts):
    with pytest.raises(XlitError, match=r"b\.jsonl:1"):
        run_import(engine, "jsonl", [write("a.jsonl", [GOOD]), write("b.jsonl", b"{")])
    assert set(counts().values()) == {0}


def test_a_dry_run_lists_all_bad_rows_and_says_that_they_stand_in_the_way(engine, write, counts):
    path = write("a.jsonl", b"{\n" + GOOD_LINE + b"\n[]\n")
    looked = run_import(engine, "jsonl", [path], dry_run=True)
    assert [row.location.line for row in looked.skipped] == [1, 3]
    assert (looked.exit_code, looked.as_dict()["refused"]) == (EXIT_FAILED, True)
    assert "--skip-bad leaves them out" in looked.lines()[-1]
    looked = run_import(engine, "jsonl", [path], dry_run=True, skip_bad=True)
    assert (looked.skipped_count, looked.exit_code) == (2, EXIT_PARTLY)
    assert set(counts().values()) == {0}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"en,x", "2 cells where the header has 4"),
        (b'en,"a"b,c,d', "not valid CSV"),
        (b"en,\xff,c,d", "not valid UTF-8"),
        (b"en,a\x00,c,d", "NUL"),
    ],
)
def test_a_bad_row_of_a_table_is_told_by_the_line_it_begins_on(engine, write, counts, row, reason):
    table = b'language,prompt,response,model\nen,"two\nlines",x,m\n' + row + b"\nen,good,x,m\n"
    with pytest.raises(XlitError, match=rf"a\.csv:4: .*{reason}"):
        run_import(engine, "csv", [write("a.csv", table)])
    assert set(counts().values()) == {0}
    report = run_import(engine, "csv", [write("a.csv", table)], skip_bad=True)
    assert (report.skipped_count, report.counts.responses_new) == (1, 2)


def test_a_quote_that_is_never_closed_is_told_by_the_line_it_opens_on(engine, write):
    table = 'language,prompt\nen,a\nen,"b\nen,c\n'
    with pytest.raises(XlitError, match=r"a\.csv:3: not valid CSV"):
        run_import(engine, "csv", [write("a.csv", table)])


@pytest.mark.parametrize(("table", "told"), [("", "is empty"), ("a,b,a\n", "names 'a' twice")])
def test_a_table_without_a_usable_header_is_refused(engine, write, table, told):
    with pytest.raises(XlitError, match=told):
        run_import(engine, "csv", [write("a.csv", table)])


def test_hostile_values_are_quoted_in_the_message(engine, write):
    with pytest.raises(XlitError) as refused:
        run_import(engine, "jsonl", [write("a.jsonl", [{**GOOD, "language": "\x1b[2J\u202e"}])])
    assert "\x1b" not in str(refused.value)
    assert "\u202e" not in str(refused.value)

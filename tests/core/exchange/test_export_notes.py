"""Comments and error spans as tidy rows: what stands now, of people only, with texts unchanged."""

import csv
import io
import json
from pathlib import Path

import pytest

from core.exchange.exporting import run_export
from core.exchange.importing import run_import
from store import UsageError
from store.queries import journal, notes, raters
from store.queries.journal import Shown
from store.session import writing

pytestmark = pytest.mark.parts


HOSTILE = 'a\rb\r\n"c", =1+1;\u2028\u202e\x1b[2J\x9b2J\tend '
COLUMNS = [
    "suite", "key", "language", "task", "modifier", "instruction", "model", "engine", "quantization",
    "parameters",
    "sample", "response_id", "response", "rater", "kind", "start", "end", "excerpt", "category", "severity",
    "text", "judge_shown", "names_shown", "created_at",
]  # fmt: skip


@pytest.fixture
def noted(engine, write):
    """Two responses; `nv` and `amy` commented and marked, changed and took back, and so did a judge."""
    rows = [
        {"suite": "s/1", "key": "a", "language": "ru", "prompt": "A?", "model": "m", "response": HOSTILE},
        {
            "suite": "s/1",
            "key": "b",
            "language": "en",
            "prompt": "B?",
            "model": "m",
            "response": "x\U0001f4a9y",
        },
    ]
    run_import(engine, "jsonl", [write("in.jsonl", rows)])
    with writing(engine) as session:
        amy, nv = (raters.rater_id(session, "human", name) for name in ("amy", "nv"))
        judge = raters.rater_id(session, "llm", "gpt", "2")
        notes.mark_span(session, nv, [2], 1, 2, "fluency", "minor")
        notes.mark_span(session, nv, [2], 1, 2, "fluency", "major", HOSTILE)
        notes.mark_span(session, nv, [2], 0, 3, "accuracy", "minor")
        notes.set_comment(session, nv, [1, 2], "first")
        notes.set_comment(session, nv, [1], HOSTILE, Shown(judge=True, names=True))
        notes.mark_span(session, nv, [1], 0, 4, "logic", "minor")
        notes.remove_span(session, nv, [1], 0, 4, "logic")
        notes.set_comment(session, judge, [1], "of a judge")
        notes.mark_span(session, judge, [1], 0, 4, "fluency", "minor")
        notes.mark_span(session, amy, [1], 0, 5, "fluency", "minor")
        notes.set_comment(session, amy, [2], "taken back")
        journal.undo(session, amy)
    return engine


def exported(engine, tmp_path: Path, form: str, **options) -> list[dict]:
    path = tmp_path / f"out.{form}"
    count = run_export(engine, form, path, {"what": "notes", **options}, force=True)
    content = path.read_bytes().decode()
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(content, newline="")))
    else:
        rows = [json.loads(line) for line in content.split("\n")[:-1]]
    assert len(rows) == count
    return rows


def test_notes_that_stand_go_out_one_a_row_in_a_fixed_order(noted, tmp_path):
    rows = exported(noted, tmp_path, "jsonl")
    assert list(rows[0]) == COLUMNS
    told = ("key", "rater", "kind", "start", "end", "excerpt", "category", "severity", "text")
    assert [tuple(row[name] for name in told) for row in rows] == [
        ("a", "amy", "span", 0, 5, HOSTILE[:5], "fluency", "minor", ""),
        ("a", "nv", "comment", None, None, None, None, None, HOSTILE),
        ("b", "nv", "comment", None, None, None, None, None, "first"),
        ("b", "nv", "span", 0, 3, "x\U0001f4a9y", "accuracy", "minor", ""),
        ("b", "nv", "span", 1, 2, "\U0001f4a9", "fluency", "major", HOSTILE),
    ]
    comment = rows[1]
    assert (comment["suite"], comment["model"], comment["response"]) == ("s/1", "m", HOSTILE)
    assert [(row["judge_shown"], row["names_shown"]) for row in rows[:3]] == [
        (False, False), (True, True), (False, False),
    ]  # fmt: skip
    assert comment["created_at"].endswith("Z")


def test_csv_holds_the_same_notes_with_instructions_and_responses_on_request(noted, tmp_path):
    plain = exported(noted, tmp_path, "csv")
    assert list(plain[0]) == [name for name in COLUMNS if name not in ("instruction", "response")]
    full = exported(noted, tmp_path, "csv", text=True)
    assert list(full[0]) == COLUMNS
    cells = [
        {name: _cell(value) for name, value in row.items()} for row in exported(noted, tmp_path, "jsonl")
    ]
    assert full == cells
    assert plain == [{name: row[name] for name in plain[0]} for row in cells]


def _cell(value) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def test_only_the_notes_of_one_suite_or_language_go_out_when_asked(noted, tmp_path):
    assert {row["key"] for row in exported(noted, tmp_path, "jsonl", language="en")} == {"b"}
    assert {row["key"] for row in exported(noted, tmp_path, "jsonl", suite="s", language="ru")} == {"a"}
    with pytest.raises(UsageError, match="No suite 'z'"):
        exported(noted, tmp_path, "jsonl", suite="z")


def test_notes_on_more_responses_than_a_page_go_out_once_each(engine, write, tmp_path):
    rows = [
        {"key": str(n), "prompt": "x", "language": "en", "model": "m", "output": str(n)} for n in range(1200)
    ]
    run_import(engine, "jsonl", [write("in.jsonl", rows)])
    wanted = list(range(2, 1200, 2))
    with writing(engine) as session:
        notes.set_comment(session, raters.rater_id(session, "human", "nv"), wanted, "even")
    assert [row["response_id"] for row in exported(engine, tmp_path, "jsonl")] == wanted


def test_notes_have_no_journal_to_export(noted, tmp_path):
    with pytest.raises(UsageError, match="Only ratings have a journal"):
        exported(noted, tmp_path, "csv", journal=True)
    assert not (tmp_path / "out.csv").exists()

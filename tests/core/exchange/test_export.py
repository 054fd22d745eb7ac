"""What goes out: tidy ratings and responses, whole files, and texts that come in again unchanged."""

import csv
import io
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.exchange.exporting import run_export
from core.exchange.importing import run_import
from store import UsageError, XlitError, open_store
from store.queries import journal, raters, rubrics, surface
from store.queries.journal import Score, Shown
from store.queries.rubrics import default_rubric_id
from store.session import writing

pytestmark = pytest.mark.parts


HOSTILE = 'a\rb\r\n"c", =1+1;\u2028\u202e\x1b[2J\x9b2J\tend '
RATING_COLUMNS = [
    "suite", "key", "language", "task", "modifier", "instruction", "model", "engine", "quantization",
    "parameters",
    "sample", "response_id", "response", "rater_kind", "rater", "rater_version", "rubric", "criterion",
    "score", "skipped", "judge_shown", "names_shown", "looked_ms", "created_at", "revision",
]  # fmt: skip


@pytest.fixture
def rated(engine, write):
    """Two responses; `nv` changed a score twice, skipped one and took one back, a judge gave one."""
    rows = [
        {
            "suite": "s/1",
            "key": "a",
            "language": "ru",
            "task": "t",
            "prompt": "A?",
            "model": "m",
            "response": HOSTILE,
        },
        {"suite": "s/1", "key": "b", "language": "en", "prompt": "B?", "model": "m", "response": "=1\r2"},
    ]
    run_import(engine, "jsonl", [write("in.jsonl", rows)])
    with writing(engine) as session:
        criteria = {
            found.name: found.id for found in rubrics.criteria_of(session, default_rubric_id(session))
        }
        nv, judge = raters.rater_id(session, "human", "nv"), raters.rater_id(session, "llm", "gpt", "2")

        def score(rater: int, name: str, value: int | None, response: int = 1, **more) -> None:
            shown = Shown(looked_ms=1200, judge=value == 1)
            journal.append(session, rater, [Score(response, criteria[name], value, **more)], shown)

        score(nv, "language", 0)
        score(nv, "language", 2)
        score(nv, "fluency", None, skipped=True)
        score(judge, "fluency", 2)
        score(nv, "language", 1)
        score(nv, "logic", 2)
        journal.commit_response(session, nv, 1)
        score(nv, "accuracy", 1, response=2)
        journal.undo(session, nv)
    return engine


def exported(engine, tmp_path: Path, form: str = "jsonl", **options) -> list[dict]:
    path = tmp_path / f"out.{form}"
    count = run_export(engine, form, path, options, force=True)
    if form == "csv":
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    assert len(rows) == count
    return rows


def test_current_ratings_go_out_one_a_row_in_a_fixed_order(rated, tmp_path):
    rows = exported(rated, tmp_path)
    assert list(rows[0]) == RATING_COLUMNS
    assert [
        (row["rater"], row["criterion"], row["score"], row["skipped"], row["revision"]) for row in rows
    ] == [
        ("nv", "language", 1, False, 2),
        ("nv", "fluency", None, True, 0),
        ("nv", "logic", 2, False, 0),
        ("gpt", "fluency", 2, False, 0),
    ]
    first = rows[0]
    assert (first["suite"], first["key"], first["language"], first["task"]) == ("s/1", "a", "ru", "t")
    assert (first["model"], first["engine"], first["response"]) == ("m", "imported", HOSTILE)
    assert (first["judge_shown"], first["names_shown"], first["looked_ms"]) == (True, False, 1200)
    assert (rows[3]["rater_kind"], rows[3]["rater_version"]) == ("llm", "2")


def test_moments_are_in_utc_as_iso_8601(rated, tmp_path, ask):
    stored = ask("SELECT created_at FROM entry WHERE id = 5")[0][0]
    assert exported(rated, tmp_path)[0]["created_at"] == stored.replace(" ", "T") + "Z"


def test_the_journal_goes_out_with_every_change_clear_and_undo(rated, tmp_path):
    rows = exported(rated, tmp_path, journal=True)
    told = [(row["key"], row["criterion"], row["score"], row["revision"], row["entry_kind"]) for row in rows]
    assert told == [
        ("a", "language", 0, 0, "score"),
        ("a", "language", 2, 1, "score"),
        ("a", "language", 1, 2, "score"),
        ("a", "fluency", None, 0, "score"),
        ("a", "logic", 2, 0, "score"),
        ("a", "fluency", 2, 0, "score"),
        ("b", "accuracy", 1, 0, "score"),
        ("b", "accuracy", None, 1, "undo"),
    ]


def test_csv_holds_the_same_ratings_with_the_texts_on_request(rated, tmp_path):
    plain = exported(rated, tmp_path, "csv")
    assert list(plain[0]) == [name for name in RATING_COLUMNS if name not in ("instruction", "response")]
    assert [(row["score"], row["skipped"]) for row in plain[:2]] == [("1", "false"), ("", "true")]
    assert exported(rated, tmp_path, "csv", text=True)[0]["response"] == HOSTILE
    assert "response" not in exported(rated, tmp_path, "jsonl", text=False)[0]


def test_responses_go_out_with_their_surface_metrics(rated, tmp_path):
    found = {"response_id": 1, "metric": "language", "value": 0.98, "label": "ru"}
    with writing(rated) as session:
        surface.add_metrics(session, [{**found, "tool": "old", "value": 0.5}, {**found, "tool": "new"}])
    first, second = exported(rated, tmp_path, what="responses")
    assert first["surface"] == [
        {"metric": "language", "tool": "old", "value": 0.5, "label": "ru", "reason": None},
        {"metric": "language", "tool": "new", "value": 0.98, "label": "ru", "reason": None},
    ]
    assert second["surface"] == []
    first, second = exported(rated, tmp_path, "csv", what="responses")
    assert (first["language.value"], first["language.label"], first["language.tool"]) == ("0.98", "ru", "new")
    assert (second["language.value"], second["response"], second["language"]) == ("", "'=1\r2", "en")


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_responses_that_went_out_come_in_again_unchanged(rated, write, tmp_path, form, empty_store):
    more = {"prompt": "A?", "language": "ru", "model": "n", "response": "", "sample": 3}
    drawn = {"engine": "llama.cpp", "quantization": "Q4_K_M", "parameters": {"penalty": 1.1}}
    run_import(rated, "jsonl", [write("more.jsonl", [{**more, **drawn}])])
    path = tmp_path / f"first.{form}"
    run_export(rated, form, path, {"what": "responses"})
    other = open_store(shutil.copy(empty_store, tmp_path / "other.db"))
    run_import(other, form, [path])
    run_import(other, form, [path])
    again = tmp_path / f"again.{form}"
    assert run_export(other, form, again, {"what": "responses"}) == 3
    other.dispose()
    before, after = (_without_time(file.read_text(encoding="utf-8"), form) for file in (path, again))
    assert before == after


def _without_time(text: str, form: str) -> list[dict]:
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    else:
        rows = [json.loads(line) for line in text.split("\n")[:-1]]
    return [{name: value for name, value in row.items() if name != "created_at"} for row in rows]


def test_only_one_suite_or_language_goes_out_when_asked(rated, write, tmp_path):
    run_import(
        rated, "jsonl", [write("o.jsonl", [{"prompt": "x", "language": "en", "model": "m", "output": "y"}])]
    )

    def keys(**options) -> list[str]:
        return [row["instruction"] for row in exported(rated, tmp_path, what="responses", **options)]

    assert keys() == ["A?", "B?", "x"]
    assert keys(language="en") == ["B?", "x"]
    assert keys(suite="s", language="en") == ["B?"]
    assert {row["key"] for row in exported(rated, tmp_path, language="en", journal=True)} == {"b"}
    with pytest.raises(UsageError, match="No suite 'z'"):
        keys(suite="z")


def test_more_responses_than_a_page_go_out_once_each(engine, write, tmp_path):
    rows = [
        {"key": str(n), "prompt": "x", "language": "en", "model": "m", "output": str(n)} for n in range(501)
    ]
    run_import(engine, "jsonl", [write("in.jsonl", rows)])
    assert [row["response"] for row in exported(engine, tmp_path, what="responses")] == [
        str(n) for n in range(501)
    ]


def test_a_file_that_is_there_is_replaced_only_with_force(rated, tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"out\.jsonl is there already.*--force"):
        run_export(rated, "jsonl", path)
    assert path.read_text() == "mine"
    assert run_export(rated, "jsonl", path, force=True) == 4
    assert path.read_text(encoding="utf-8").count("\n") == 4


def test_an_export_that_fails_leaves_the_folder_as_it_was(rated, tmp_path):
    folder = tmp_path / "outputs"
    folder.mkdir()
    (folder / "out.jsonl").write_text("mine")
    with pytest.raises(UsageError):
        run_export(rated, "jsonl", folder / "out.jsonl", {"suite": "nothing"}, force=True)
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("out.jsonl", "mine")]
    with pytest.raises(UsageError, match="is a folder"):
        run_export(rated, "jsonl", folder)
    with pytest.raises(XlitError, match="can't be written"):
        run_export(rated, "jsonl", folder / "no" / "out.jsonl")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"what": "models"}, "'models' is neither"),
        ({"what": "responses", "journal": True}, "Only ratings have a journal"),
        ({"whta": "responses"}, "no option 'whta'"),
    ],
)
def test_options_that_make_no_sense_are_refused(rated, tmp_path, options, told):
    with pytest.raises(UsageError, match=told):
        run_export(rated, "csv", tmp_path / "out.csv", options)
    assert not (tmp_path / "out.csv").exists()


EXPORT = """
import sys
from core.exchange.exporting import run_export
from store import open_store
run_export(open_store(sys.argv[1]), sys.argv[2], "-", {"what": "responses"})
"""


@pytest.mark.whole
def test_stdout_gets_the_bytes_that_a_file_gets(rated, tmp_path):
    run_export(rated, "csv", tmp_path / "file", {"what": "responses"})
    command = [sys.executable, "-c", EXPORT, str(tmp_path / "s.db"), "csv"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == (tmp_path / "file").read_bytes()


@pytest.mark.whole
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_terminal_is_shown_what_it_would_obey(rated, tmp_path, form):
    terminal, inside = pty.openpty()
    command = [sys.executable, "-c", EXPORT, str(tmp_path / "s.db"), form]
    with subprocess.Popen(command, stdout=inside, stderr=subprocess.PIPE):
        os.close(inside)
        written = b""
        while True:
            try:
                written += os.read(terminal, 65536)
            except OSError:
                break
    os.close(terminal)
    text = written.decode()
    assert "end " in text
    assert not {"\x1b", "\x9b", "\u202e"} & set(text)
    assert "\\u001b[2J" in text

"""xlit-core as its user types it: results on stdout, one line for what went wrong, and the exit code."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from store import open_store
from tests.core.command import xlit_core

pytestmark = pytest.mark.parts


def run(*arguments: object, cwd: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    return xlit_core(*arguments, cwd=cwd, **extra)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


ROWS = [
    {"instruction": "Кто ты?", "response": "Я модель.", "model": "a", "language": "ru"},
    {"instruction": "Кто ты?", "response": "I am a model.", "model": "b", "language": "ru"},
]


@pytest.fixture
def rows(tmp_path):
    return write(tmp_path / "rows.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS))


def test_import_judge_status_and_export_are_one_way_through(tmp_path, rows):
    assert run("import", "jsonl", rows, cwd=tmp_path).returncode == 0
    again = run("import", "jsonl", rows, cwd=tmp_path)
    assert "responses: 0 new, 2 known" in again.stderr
    judged = run("judge", "surface", "--json", cwd=tmp_path)
    assert judged.returncode == 0, judged.stderr
    found = json.loads(run("status", "--json", cwd=tmp_path).stdout)
    assert [(row["model"], row["language"], row["responses"]) for row in found["responses"]] == [
        ("a", "ru", 1),
        ("b", "ru", 1),
    ]
    assert {row["metric"] for row in found["metrics"]} == {"language", "spelling"}
    exported = run("export", "jsonl", "-", "--what", "responses", cwd=tmp_path)
    texts = [json.loads(line)["response"] for line in exported.stdout.splitlines()]
    assert sorted(texts) == ["I am a model.", "Я модель."]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["status"], 1, "No store at ./xlit.db"),
        (["status", "--store", "{tmp}"], 1, "is a folder"),
        (["import", "jsonl", "none.jsonl"], 2, "No file or folder none.jsonl"),
        (["import", "nonsense", "rows.jsonl"], 2, "No format 'nonsense'"),
        (["import", "jsonl", "broken.jsonl"], 1, "broken.jsonl:2"),
        (["import", "jsonl", "rows.jsonl", "--column", "x"], 2, "OURS=THEIRS"),
        (["run", "none.toml"], 2, "No study file"),
        (["convert", "{tmp}", "out.gguf"], 1, "{tmp}"),
        (
            ["train", "--base", "{tmp}", "--data", "none.jsonl", "--out", "o", "--max-length", "9"],
            2,
            "none.jsonl",
        ),
        (
            ["train", "--base", "b", "--data", "rows.jsonl", "--out", "o", "--schedule", "x"],
            2,
            "No schedule 'x'",
        ),
        (["generate", "--checkpoint", "{tmp}", "--model", "m", "--suite", "miniature"], 1, "{tmp}"),
        (
            ["generate", "--checkpoint", "{tmp}", "--model", "m", "--suite", "miniature", "--lang", "xx"],
            2,
            "no instructions in xx",
        ),
    ],
)
def test_bad_input_is_one_line_with_its_exit_code_and_leaves_nothing(
    tmp_path, rows, arguments, code, message
):
    write(tmp_path / "broken.jsonl", json.dumps(ROWS[0]) + "\n{not json\n")
    result = run(*[a.format(tmp=tmp_path) for a in arguments], cwd=tmp_path)
    assert result.returncode == code, result.stderr
    assert message.format(tmp=tmp_path) in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    if (tmp_path / "xlit.db").exists():
        kept = json.loads(run("status", "--json", cwd=tmp_path).stdout)
        assert kept["responses"] == []


def test_the_store_may_come_from_the_environment(tmp_path):
    open_store(tmp_path / "mine.db", create=True).dispose()
    result = run("status", "--json", cwd=tmp_path, XLIT_STORE=str(tmp_path / "mine.db"))
    assert json.loads(result.stdout)["suites"] == []


def test_a_key_is_never_shown_by_the_doctor(tmp_path):
    result = run("doctor", cwd=tmp_path, OPENAI_API_KEY="sk-secret-1234")
    assert result.returncode == 0
    assert "OPENAI_API_KEY" in result.stdout
    assert "sk-secret-1234" not in result.stdout + result.stderr


def test_every_command_is_in_the_readme():
    from core.campaigns.cli import campaign_app
    from core.cli import app
    from core.judge.cli import judge_app
    from core.suites.cli import suite_app

    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)*", readme))
    apps = (app, judge_app, suite_app, campaign_app)
    names = [one.name or one.callback.__name__ for group in apps for one in group.registered_commands]
    assert [name for name in names if name.strip("_").replace("_", "-") not in words] == []


def test_a_dry_run_makes_no_store(tmp_path, rows):
    result = run("import", "jsonl", rows, "--dry-run", cwd=tmp_path)
    assert result.returncode == 0
    assert "2 would be new" in result.stderr
    assert not (tmp_path / "xlit.db").exists()


def test_a_store_of_a_newer_version_is_refused(tmp_path):
    from sqlalchemy import text

    engine = open_store(tmp_path / "xlit.db", create=True)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '7777'"))
    engine.dispose()
    result = run("judge", "surface", cwd=tmp_path)
    assert (result.returncode, "newer xlit" in result.stderr) == (1, True)

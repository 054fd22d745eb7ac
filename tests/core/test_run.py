"""A whole study in small: every room's real code, killed at random moments, run twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from store import XlitError, open_store
from tests.checkpoints import PAIRS, make_checkpoint

pytestmark = pytest.mark.whole


CORE = Path(sys.executable).with_name("xlit-core")
STUDY = """
name = "tiny"
suite = "tiny.toml"
languages = ["en", "ru"]
batch_size = 2

[training]
steps = 30
batch_tokens = 300
accumulate = 1
max_length = 128
save_every = 5

[decoding]
max_new_tokens = 16

[[models]]
base = "base"
label = "tiny"
adaptation = "none"

[[models]]
base = "base"
label = "tiny"
data = "english.jsonl"
learning_rates = [1e-3]
gguf = ["q8_0"]

[[models]]
base = "base"
label = "tiny"
data = "english.jsonl"
adaptation = "lora"
learning_rates = [5e-3]

[judges]
surface = true
rules = true
"""

# Every row that a study leaves, without what differs between runs by nature: time and run numbers.
CONTENT = {
    "responses": """
        SELECT i.key, i.language, m.name, d.engine, d.quantization,
               r.text, r.finish_reason, r.tokens_in, r.tokens_out
        FROM response r JOIN instruction i ON i.id = r.instruction_id JOIN model m ON m.id = r.model_id
        JOIN decoding d ON d.id = r.decoding_id ORDER BY 1, 2, 3, 4""",
    "metrics": """
        SELECT i.key, i.language, m.name, d.engine, s.metric, s.tool, s.value, s.label
        FROM surface_metric s JOIN response r ON r.id = s.response_id
        JOIN instruction i ON i.id = r.instruction_id JOIN model m ON m.id = r.model_id
        JOIN decoding d ON d.id = r.decoding_id ORDER BY 1, 2, 3, 4, 5, 6""",
    "ratings": """
        SELECT i.key, i.language, m.name, d.engine, c.name, x.score, x.skipped
        FROM rating x JOIN response r ON r.id = x.response_id
        JOIN instruction i ON i.id = r.instruction_id JOIN model m ON m.id = r.model_id
        JOIN decoding d ON d.id = r.decoding_id JOIN criterion c ON c.id = x.criterion_id
        ORDER BY 1, 2, 3, 4, 5""",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    make_checkpoint(folder / "base", hidden=64, steps=40)
    (folder / "study.toml").write_text(STUDY)
    (folder / "tiny.toml").write_text('name = "tiny"\nversion = "1"\nlanguages = ["en", "ru"]\n')
    questions = {"en": [PAIRS[0][0], PAIRS[1][0], PAIRS[5][0]], "ru": [PAIRS[2][0], "Что это?", "Кто ты?"]}
    check = {"groups": [{"any_of": ["Paris", "Москва"], "at_least": 1}], "in_order": False}
    with (folder / "tiny.jsonl").open("w", encoding="utf-8") as file:
        for language, texts in questions.items():
            for number, question in enumerate(texts):
                row = {
                    "key": f"k{number}",
                    "task": "t",
                    "language": language,
                    "text": question,
                    "check": check,
                }
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    chats = [
        [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        for question, answer in PAIRS * 4
        if question.isascii()
    ]
    (folder / "english.jsonl").write_text("".join(json.dumps(chat) + "\n" for chat in chats))
    return folder


def command(study: Path, out: Path, file: str = "study.toml") -> list[str]:
    return [str(CORE), "run", str(study / file), "--dir", str(out), "--store", str(out / "xlit.db")]


def content(store: Path) -> dict[str, list[tuple]]:
    engine = open_store(store)
    with engine.connect() as connection:
        tables = {
            name: [tuple(row) for row in connection.execute(text(sql))] for name, sql in CONTENT.items()
        }
    engine.dispose()
    return tables


@pytest.fixture(scope="module")
def undisturbed(study, tmp_path_factory) -> tuple[Path, float]:
    out = tmp_path_factory.mktemp("undisturbed")
    started = time.monotonic()
    result = subprocess.run(command(study, out), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return out, time.monotonic() - started


def test_a_study_trains_converts_generates_and_judges(undisturbed):
    tables = content(undisturbed[0] / "xlit.db")
    assert (
        len(tables["responses"]) == 4 * 6
    )  # the base, tuned, tuned in GGUF, and LoRA; 3 instructions, 2 languages
    assert {(row[2], row[3]) for row in tables["responses"]} == {
        ("tiny", "transformers"),
        ("tiny / english / FT / 1e-3", "transformers"),
        ("tiny / english / FT / 1e-3", "llama.cpp"),
        ("tiny / english / LoRA / 5e-3", "transformers"),
    }
    assert {row[4] for row in tables["metrics"]} == {"language", "spelling"}
    assert tables["ratings"]


def test_a_second_run_changes_nothing_at_all(study, undisturbed):
    out, _ = undisturbed

    def everything() -> str:
        import sqlite3

        with sqlite3.connect(out / "xlit.db") as connection:
            return "\n".join(connection.iterdump())

    before = everything()
    files = {path: path.stat().st_mtime_ns for path in (out / "models").rglob("*") if path.is_file()}
    result = subprocess.run(command(study, out), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert everything() == before
    assert {path: path.stat().st_mtime_ns for path in (out / "models").rglob("*") if path.is_file()} == files


@pytest.mark.whole
@pytest.mark.parametrize("kills", [2, pytest.param(5, marks=pytest.mark.thorough)])
def test_killed_at_random_moments_it_ends_with_the_same_rows(study, undisturbed, tmp_path, kills):
    undisturbed_out, seconds = undisturbed
    chance = random.Random(2402)
    for _ in range(kills):
        child = subprocess.Popen(
            command(study, tmp_path),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            child.wait(timeout=chance.uniform(0.1, 0.9) * seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    result = subprocess.run(command(study, tmp_path), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert content(tmp_path / "xlit.db") == content(undisturbed_out / "xlit.db")
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.whole
def test_a_rate_that_is_too_high_is_a_failed_unit_and_the_others_go_on(study, tmp_path):
    head, _, tuned, _ = STUDY.replace('gguf = ["q8_0"]', "").split("[[models]]")
    text_of = head.replace("steps = 30", "steps = 2") + "[[models]]" + tuned.replace("[1e-3]", "[1e30, 1e-3]")
    (study / "rates.toml").write_text(text_of, encoding="utf-8")
    result = subprocess.run(
        command(study, tmp_path, "rates.toml"), capture_output=True, text=True, check=False
    )
    assert result.returncode == 3, result.stderr
    assert "missing: tiny / english / FT / 1e30: " in result.stderr
    assert "Lower the learning rate" in result.stderr
    with open_store(tmp_path / "xlit.db").connect() as connection:
        rows = connection.execute(text("SELECT name, learning_rate, checkpoint FROM model")).all()
        assert [(name, rate) for name, rate, _ in rows] == [("tiny / english / FT / 1e-3", 1e-3)]
        statuses = connection.execute(text("SELECT status FROM run WHERE command = 'train'")).scalars()
        assert sorted(statuses) == ["done", "failed"]
    assert Path(rows[0][2]).is_dir()


def test_a_gguf_file_that_can_not_be_made_is_missing_and_the_others_go_on(study, tmp_path, monkeypatch):
    from core.generate.gguf import convert as converting
    from core.run import answer_sources
    from core.study import configurations, read_study

    text_of = STUDY.replace('["q8_0"]', '["f16", "q8_0"]')
    (study / "formats.toml").write_text(text_of, encoding="utf-8")
    plan = read_study(study / "formats.toml")
    configuration = next(each for each in configurations(plan) if each.group.gguf)

    def convert(checkpoint, out, quantization):
        if quantization == "f16":
            raise XlitError("no room")
        return out

    monkeypatch.setattr(converting, "convert", convert)
    missing: list[tuple[str, str]] = []
    sources = answer_sources(plan, configuration, str(study / "base"), tmp_path, missing)
    assert missing == [("tiny / english / FT / 1e-3 f16", "no room")]
    assert [source.engine for source in sources] == [None, "llama.cpp"]

"""`xlit-core generate` as its user types it."""

import json
import subprocess
from pathlib import Path

import pytest

from core.generate.cli import with_ray_address
from tests.core.command import xlit_core

pytestmark = pytest.mark.parts


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return xlit_core("generate", *arguments, cwd=cwd)


def test_models_answer_and_how_the_answers_ended_is_told(tmp_path, new_store, checkpoint, adapter):
    new_store("s.db")
    command = ("--checkpoint", checkpoint, "--model", "base", "--checkpoint", adapter, "--model", "tuned")
    options = ("--store", "s.db", "--max-new-tokens", 12, "--lang", "en")
    first = run(*command, *options, "--limit", 2, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "base, en: 2/12 (" in first.stderr or "base, en: 2/2 (" in first.stderr
    assert "end token" in first.stdout
    second = run(*command, *options, "--json", cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    found = json.loads(second.stdout)
    assert found["counts"]["answers"] == 20
    assert [(row["model"], row["answered"], row["there"]) for row in found["summary"]] == [
        ("base", 10, 2),
        ("tuned", 10, 2),
    ]
    for row in found["summary"]:
        assert row["stop"] + row["length"] == 10
        assert row["tokens_out"] >= 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--checkpoint", "a", "--checkpoint", "b", "--model", "m"), "2 --checkpoint and 1 --model"),
        (("--checkpoint", "a", "--model", "m", "--ray-actors", 2), "are for --ray"),
        (("--checkpoint", "a", "--model", "m", "--top-p", 0.5), "give a temperature above 0 too"),
        (("--checkpoint", "a", "--model", "m", "--batch-size", 0), "batch_size must be at least 1"),
        (("--checkpoint", "/a", "--model", "m", "--threads", 2), "threads is an option of llama.cpp"),
        (
            ("--checkpoint", "/a", "--model", "m", "--engine", "llama.cpp", "--base-url", "http://h/v1"),
            "address of a server is for the engine openai",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_loaded(tmp_path, new_store, arguments, message):
    new_store("s.db")
    done = run(*arguments, "--store", "s.db", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_ray_needs_no_address():
    assert with_ray_address(["generate", "--ray", "--watch"]) == ["generate", "--ray=here", "--watch"]
    assert with_ray_address(["generate", "--ray"]) == ["generate", "--ray=here"]
    assert with_ray_address(["generate", "--ray", "auto"]) == ["generate", "--ray", "auto"]
    assert with_ray_address(["generate", "--ray=head:6379"]) == ["generate", "--ray=head:6379"]

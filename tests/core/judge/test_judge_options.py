"""The options that all commands with an LLM judge share."""

import pytest
from typer.testing import CliRunner

from core.judge.cli import judge_app
from store import UsageError

SHARED = ("--model", "--base-url", "--checkpoint", "--concurrency", "--max-cost", "--prices", "--batch")


@pytest.mark.parametrize("command", ["relevance", "rubric", "modifiers", "injections"])
def test_every_command_that_asks_a_judge_has_the_options_of_one(command):
    shown = CliRunner().invoke(judge_app, [command, "--help"], env={"COLUMNS": "200"}).output
    assert [option for option in SHARED if option not in shown] == []
    assert "settings" not in shown


@pytest.mark.parametrize(
    "options", [["--max-cost", "1"], ["--batch"], ["--temperature", "0.5"], ["--limit", "3"], ["--yes"]]
)
def test_options_of_a_judge_without_a_judge_are_refused(options, tmp_path):
    done = CliRunner().invoke(judge_app, ["modifiers", *options, "--store", str(tmp_path / "s.db")])
    assert isinstance(done.exception, UsageError)
    assert "name it with --model" in str(done.exception)


@pytest.mark.parametrize("options", [["--poll", "3"], ["--batch-size", "3"], ["--no-wait"]])
def test_options_of_batches_without_batches_are_refused(options, tmp_path):
    done = CliRunner().invoke(judge_app, ["rubric", *options, "--store", str(tmp_path / "s.db")])
    assert "belong to --batch" in str(done.exception)

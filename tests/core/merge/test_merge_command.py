"""`xlit-core merge` as it is typed: what it says, and with which exit code it ends."""

import json
import sqlite3

import pytest
from typer.testing import CliRunner

from core.cli import app
from store import open_store
from tests.reviewing import campaign, make_store, work

pytestmark = pytest.mark.parts


runner = CliRunner()


def test_it_says_what_was_added_and_a_second_time_that_nothing_was(tmp_path):
    engine = make_store(tmp_path / "anna.db", keys=4, languages=("ru",))
    campaign(engine, "c", ["anna"])
    work(engine, "c", "anna", most=2)
    engine.dispose()
    command = ["merge", str(tmp_path / "anna.db"), "--into", str(tmp_path / "all.db")]
    first, second = (runner.invoke(app, command) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "added 1 suites, 4 instructions" in first.output
    assert "added nothing; there already:" in second.output


def test_conflicts_are_listed_and_end_with_3(tmp_path):
    for name in ("a.db", "b.db"):
        make_store(tmp_path / name, keys=2, languages=("ru",)).dispose()
    with sqlite3.connect(tmp_path / "b.db") as connection:
        connection.execute("UPDATE instruction SET text = 'else' WHERE key = 'k001'")
    connection.close()
    command = ["merge", str(tmp_path / "b.db"), "--into", str(tmp_path / "a.db")]
    result = runner.invoke(app, command)
    assert result.exit_code == 3
    assert (
        "conflict: suite paper/1, instruction k001 (ru): another text; its responses stay out."
        in result.output
    )
    told = runner.invoke(app, [*command, "--dry-run", "--json"])
    assert told.exit_code == 3
    assert json.loads(told.stdout)[0]["conflicts"][0]["out"] == "its responses stay out"


def test_a_dry_run_into_a_store_that_is_not_there_makes_none(tmp_path):
    make_store(tmp_path / "a.db", keys=2, languages=("ru",)).dispose()
    result = runner.invoke(
        app, ["merge", str(tmp_path / "a.db"), "--into", str(tmp_path / "n.db"), "--dry-run"]
    )
    assert result.exit_code == 0, result.output
    assert "6 responses" in result.output
    assert not (tmp_path / "n.db").exists()


def test_what_was_merged_is_written_down_as_a_run(tmp_path):
    make_store(tmp_path / "a.db", keys=2, languages=("ru",)).dispose()
    runner.invoke(app, ["merge", str(tmp_path / "a.db"), "--into", str(tmp_path / "n.db")])
    engine = open_store(tmp_path / "n.db")
    with engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT command, status, counts FROM run").one()
    assert (row[0], row[1], json.loads(row[2])["responses"]) == ("xlit-core merge", "done", 6)

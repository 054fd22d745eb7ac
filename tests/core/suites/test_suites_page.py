"""docs/suites.md keeps step with the suites and the code."""

import re
from pathlib import Path

import pytest

from core.judge.surface.spelling import find_dictionary
from core.suites.checking.check import check_suite
from core.suites.format import LISTS, NEEDED, OPTIONAL
from core.suites.loader import read_whole, shipped_suites
from core.suites.modifiers import read_wordings
from core.suites.tables import describe_suite

PAGE = (Path(__file__).parents[3] / "docs" / "suites.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    return re.search(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]


def table(below: str, columns: int = 4) -> list[list[str]]:
    """The first cells of every row of the table below a heading."""
    lines = PAGE[PAGE.index(below) :].partition("\n\n| ")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]][:columns] for line in lines]


def named(below: str) -> dict[str, str]:
    """The second cells of such a table, by the names in the first ones."""
    return {name: row[1] for row in table(below) for name in re.findall(r"`([^`]+)`", row[0])}


def number(value: int) -> str:
    return str(value or "")


def test_the_example_is_a_suite_that_passes_its_check(tmp_path):
    (tmp_path / "greetings.toml").write_text(block("toml"), encoding="utf-8")
    (tmp_path / "greetings.jsonl").write_text(block("json"), encoding="utf-8")
    report = check_suite(str(tmp_path))
    assert len(report.suite.lines) == 4
    assert [one for one in report.findings if one.level == "error"] == []
    if find_dictionary("en") and find_dictionary("fr"):
        assert report.findings == ()
        assert report.exit_code == 0


@pytest.mark.skipif("xlit-120" not in shipped_suites(), reason="xlit-120 is not shipped")
def test_the_table_of_tasks_is_that_of_the_suites():
    held_back = {
        task["task"]: len(task["keys"]) for task in describe_suite(read_whole("xlit-120-b"))["tasks"]
    }
    assert table("## xlit-120") == [
        [
            task["task"],
            str(len(task["keys"])),
            number(task["checked"]),
            number(held_back.get(task["task"], 0)),
        ]
        for task in describe_suite(read_whole("xlit-120"))["tasks"]
    ]


def test_the_table_of_modifiers_has_all_of_them_with_their_counts():
    counts = {name: int(number.split()[0]) for name, number in named("## Modifiers").items()}
    assert counts == {name: modifier.count for name, modifier in read_wordings().modifiers.items()}


def test_every_field_of_a_line_is_in_its_table():
    assert set(named("## Your own")) == {*NEEDED, *OPTIONAL, *LISTS, "check"}

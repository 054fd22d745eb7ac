"""docs/suites.md keeps step with the suites and the code."""

import re
from pathlib import Path

import pytest

from core.judge.surface.dictionaries import find_dictionary
from core.suites.checking.run import check_suite
from core.suites.lines import LISTS, NEEDED, OPTIONAL
from core.suites.loader import read_whole, shipped_suites
from core.suites.showing import described
from core.suites.wordings import read_wordings

PAGE = (Path(__file__).parents[3] / "docs" / "suites.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    return re.search(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]


def rows(below: str) -> dict[str, str]:
    """The cells of the table below a heading, by the names in the first one."""
    table = PAGE[PAGE.index(below) :].partition("\n\n| ")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()[2:]]
    return {name: row[1] for row in cells for name in re.findall(r"`([^`]+)`", row[0])}


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
def test_the_table_of_tasks_is_that_of_the_suite():
    found = described(read_whole("xlit-120"))
    head = "| task | instructions | checked | first in English |\n| --- | --- | --- | --- |\n"
    cells = [
        (task["task"], str(len(task["keys"])), str(task["checked"] or ""), cut(task["examples"]["en"]))
        for task in found["tasks"]
    ]
    table = head + "".join(f"| {' | '.join(row)} |\n" for row in cells)
    assert f"<!-- tasks -->\n{table}<!-- /tasks -->" in PAGE, f"put this between the marks:\n{table}"


def test_the_table_of_modifiers_has_all_of_them_with_their_counts():
    counts = {name: int(number.split()[0]) for name, number in rows("## Modifiers").items()}
    assert counts == {name: modifier.count for name, modifier in read_wordings().modifiers.items()}


def test_every_field_of_a_line_is_in_its_table():
    assert set(rows("## Your own")) == {*NEEDED, *OPTIONAL, *LISTS, "check"}


def cut(text: str, most: int = 90) -> str:
    line = " ".join(text.split()).replace("|", "\\|")
    return line if len(line) <= most else f"{line[:most].rsplit(' ', 1)[0]} …"

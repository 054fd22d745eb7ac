"""`xlit-core suite ...`, as its user calls it."""

import json

import pytest
from typer.testing import CliRunner

from core.suites.cli import suite_app
from core.suites.loader import load_suite, read_whole
from store import UsageError
from store.session import writing

LINES = [
    {
        "key": f"mail-{n}",
        "language": language,
        "task": "mail",
        "text": {"en": f"Write {n} letters to a friend.", "ru": f"Напиши {n} письма другу."}[language],
        "modifiers": ["short", "html"],
    }
    for n in (2, 3, 4)
    for language in ("en", "ru")
]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command in a folder of its own; gives its result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XLIT_STORE", raising=False)

    def command(*words: object):
        result = CliRunner().invoke(suite_app, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return command


@pytest.fixture
def folder(suite):
    return suite(LINES, toml='[subsets]\nlast = ["mail-4"]')


@pytest.mark.parts
def test_the_list_has_the_shipped_suites_and_those_of_the_store(run, engine, folder):
    assert "miniature/1" in run("list").stdout
    with writing(engine) as session:
        load_suite(session, folder)
    rows = json.loads(run("list", "--store", engine.url.database, "--json").stdout)
    assert {"where": "store", "name": "small", "version": "1", "instructions": {"en": 3, "ru": 3},
            "licence": "CC0-1.0"} in rows  # fmt: skip
    assert any(row["where"] == "shipped" and row["name"] == "miniature" for row in rows)


def test_show_tells_what_a_suite_holds(run, folder):
    shown = run("show", folder).stdout
    for text in ("small/1", "CC0-1.0", "last 1", "html 3", "Write 2 letters"):
        assert text in shown
    assert "Write 3 letters" not in shown
    assert "Write 3 letters" in run("show", folder, "--full").stdout
    found = json.loads(run("show", folder, "--subset", "last", "--lang", "ru", "--json").stdout)
    assert found["tasks"][0]["instructions"] == {"ru": 1}
    assert found["tasks"][0]["examples"] == {"ru": "Напиши 4 письма другу."}


def test_control_characters_of_a_suite_do_not_reach_the_terminal(run, suite):
    lines = [{"key": "a", "language": "en", "task": "\x1b[31mred", "text": "\x1b]0;title\x07 Go on."}]
    folder = suite(lines, languages=["en"], licence="\x1b[2J")
    for words in (["show", folder], ["show", folder, "--full"], ["check", folder]):
        assert "\x1b" not in run(*words).stdout


def test_check_ends_with_the_code_of_what_it_found(run, suite, folder):
    broken = suite(LINES[:-1], name="broken")
    result = run("check", broken)
    assert (result.exit_code, "broken.jsonl:5" in result.stdout) == (1, True)
    found = json.loads(run("check", broken, "--json").stdout)
    assert (found["errors"], found["findings"][0]["line"]) == (1, 5)
    unstated = suite(LINES, name="unstated", licence=None)
    assert (run("check", unstated).exit_code, run("check", unstated, "--strict").exit_code) == (0, 1)


def test_an_exported_part_is_a_suite_of_its_own(run, folder, tmp_path):
    assert run("export", folder, "--subset", "last", "--lang", "ru", "--out", "part").exit_code == 0
    part = read_whole(tmp_path / "part")
    assert (part.meta.name, [line.new.key for line in part.lines]) == ("small-last", ["mail-4"])
    run("export", folder, "--name", "mine", "--out", "part")
    assert read_whole(tmp_path / "part" / "mine.toml").meta.languages == ("en", "ru")


def test_keys_are_printed_alone(run, folder):
    assert run("export", folder, "--subset", "last", "--keys").stdout == "mail-4\n"
    assert run("export", folder, "--keys").stdout == "mail-2\nmail-3\nmail-4\n"


@pytest.mark.parametrize(
    "words",
    [
        ["export", "miniature"],
        ["export", "miniature", "--keys", "--out", "x"],
        ["export", "miniature", "--name", "a/b", "--out", "x"],
        ["show", "nowhere"],
    ],
)
def test_wrong_usage_is_told_and_writes_nothing(run, tmp_path, words):
    with pytest.raises(UsageError):
        run(*words)
    assert list(tmp_path.iterdir()) == []


def test_a_suite_with_modifiers_is_written_and_passes_its_check(run, folder, tmp_path):
    result = run("modifiers", folder, "--out", "made", "--seed", 3)
    assert "3 short, 0 long" in result.stderr
    made = read_whole(tmp_path / "made")
    assert made.meta.label == "small-modifiers/1-seed3"
    assert {line.new.modifier for line in made.lines} == {"short", "html_template"}
    assert json.loads(run("check", tmp_path / "made", "--json").stdout)["errors"] == 0
    run("modifiers", folder, "--out", "few", "--only", "html", "--count", 1)
    assert len(read_whole(tmp_path / "few").lines) == 2

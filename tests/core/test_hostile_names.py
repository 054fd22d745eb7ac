"""A store in which every name and text is hostile, through the commands that print: shown, never obeyed."""

import json

import pytest

from store import open_store
from store.provenance import record_run
from tests.core.command import xlit_core

pytestmark = pytest.mark.parts

ATTACK = "\x1b[2J\x9b31m\u202e\x7f[/b][bold]"
OBEYED = {"\x1b", "\x9b", "\u202e", "\x7f"}


@pytest.fixture
def store(tmp_path):
    rows = [
        {
            "instruction": f"Who are you? {ATTACK}",
            "response": f"I am a model. {ATTACK}",
            "model": f"{name}{ATTACK}",
            "language": "en",
            "task": f"task {ATTACK}",
            "suite": f"suite {ATTACK}",
            "key": f"key-{ATTACK}",
        }
        for name in "ab"
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    first = xlit_core("import", "jsonl", file, "--suite", f"suite {ATTACK}", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert not OBEYED & set(first.stderr)
    engine = open_store(tmp_path / "xlit.db")
    with record_run(engine, f"judge {ATTACK}", {}) as run:
        run.counts[f"answers {ATTACK}"] = 1
        run.fail(f"unit {ATTACK}", f"reason {ATTACK}")
    engine.dispose()
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["status", "--json"],
        ["suite", "list"],
        ["suite", "list", "--json"],
        ["suite", "show", f"suite {ATTACK}/1"],
        ["suite", "show", f"suite {ATTACK}/1", "--full"],
        ["suite", "export", f"suite {ATTACK}/1", "--keys"],
        ["suite", "show", "another"],
        ["judge", "surface"],
        ["judge", "surface", "--json"],
        ["judge", "calibrate"],
        ["decodings"],
        ["select"],
        ["report", "--show"],
        ["report", "--json"],
        ["campaign", "status"],
        ["generate", "--model", "none", "--suite", "another"],
        ["import", "jsonl", "bad.jsonl"],
    ],
    ids=" ".join,
)
def test_hostile_names_are_shown_and_not_obeyed(store, arguments):
    (store / "bad.jsonl").write_text(json.dumps({f"column {ATTACK}": ATTACK}), encoding="utf-8")
    ended = xlit_core(*arguments, cwd=store)
    assert not OBEYED & set(ended.stdout + ended.stderr)
    assert "Traceback" not in ended.stderr, ended.stderr
    assert ended.stdout + ended.stderr

"""Textual's private parts are used in one file, and are still there."""

import ast
import re
import tomllib
from collections.abc import Iterator, Set
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from textual._compositor import ChopsUpdate, Compositor
from textual.app import App
from textual.screen import Screen
from textual.widgets import TextArea

from tui.textual_private import CHECKED_ON, key_name, write_to_terminal

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "tui").rglob("*.py"))
ALLOWED = ROOT / "tui" / "textual_private.py"


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def defined_names(source: str) -> set[str]:
    """What a file defines: functions, attributes that it sets, fields of its classes."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def foreign_private_names(source: str, ours: Set[str] = frozenset()) -> Iterator[str]:
    """Private modules and names that are imported, private attributes that are not `ours`, and methods of
    Textual's that are overridden."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from (f"{node.module}: {part}" for part in parts if is_private(part))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if "._" in alias.name)
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in ours:
            yield node.attr
    if re.search(r"^(from|import) (textual|tui\.(widgets|screens))", source, re.MULTILINE):
        inherited = {name for base in (App, Screen, TextArea) for name in dir(base) if is_private(name)}
        yield from sorted(f"overrides {name}" for name in defined_names(source) & inherited)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_private_parts_are_used_in_one_file(path):
    ours = {name for other in FILES if other != ALLOWED for name in defined_names(other.read_text("utf-8"))}
    found = list(foreign_private_names(path.read_text("utf-8"), ours))
    assert bool(found) == (path == ALLOWED), found


@pytest.mark.parametrize(
    "source",
    [
        "from textual._compositor import Compositor",
        "from textual.keys import _character_to_key",
        "self._driver.write('')",
        "import textual\nclass A:\n    async def _on_key(self, event): ...",
        "import textual._compositor",
    ],
)
def test_the_check_finds_what_is_private(source):
    assert list(foreign_private_names(source))


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (App, "_driver"),
        (Screen, "_on_timer_update"),
        (Screen, "_on_screen_resume"),
        (Screen, "_compositor_refresh"),
        (Compositor, "render_partial_update"),
        (ChopsUpdate, "render_segments"),
    ],
)
def test_the_private_parts_are_there(owner, name):
    assert hasattr(owner, name) or hasattr(owner(), name)


def test_keys_have_the_names_of_bindings():
    assert [key_name(key) for key in ",?aА"] == ["comma", "question_mark", "a", "А"]


def test_the_textual_here_is_one_that_the_private_parts_were_checked_on():
    first, last = map(Version, CHECKED_ON)
    assert first <= Version(version("textual")) <= last, "run the tests of the room, then raise CHECKED_ON"
    required = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    (textual,) = (line for line in required if line.startswith("textual"))
    allowed = SpecifierSet(textual.removeprefix("textual"))
    assert first in allowed
    assert last in allowed


@pytest.mark.parts
async def test_a_control_sequence_goes_to_the_terminal_of_a_running_application(monkeypatch):
    app: App[None] = App()
    written: list[str] = []
    write_to_terminal(app, "before it runs")
    async with app.run_test():
        monkeypatch.setattr(app._driver, "write", written.append)
        write_to_terminal(app, "\x1b[?1007l")
    assert "\x1b[?1007l" in written
    assert "before it runs" not in written

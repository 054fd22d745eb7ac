"""The house's arrows run one way, and the import contracts say so when one does not."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

pytestmark = pytest.mark.whole


ROOT = Path(__file__).parent.parent


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={"PYTHONPATH": str(folder)}, check=False
    )


@pytest.fixture
def copy(tmp_path):
    for room in ("store", "core", "tui"):
        shutil.copytree(
            ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("*.safetensors", "__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold(copy):
    result = lint_imports(copy)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("store/session.py", "import core.progress\n"),
        ("core/progress.py", "import tui.cli\n"),
        ("core/text/words.py", "import core.progress\n"),
        ("tui/cli.py", "import core.generate\n"),
        ("tui/app.py", "import core.report.build\n"),
        ("tui/cli.py", "import core.new_package\n"),
    ],
)
def test_an_arrow_that_runs_the_wrong_way_breaks_them(copy, file, line):
    (copy / "core" / "new_package.py").touch()
    path = copy / file
    path.write_text(line + path.read_text(encoding="utf-8"), encoding="utf-8")
    result = lint_imports(copy)
    assert result.returncode == 1
    assert "BROKEN" in result.stdout


def test_the_room_reaches_the_store_the_numbers_and_the_texts_alone():
    """Also by way of others: what is allowed to the room may import nothing that is not."""
    graph = grimp.build_graph("store", "core", "tui", cache_dir=None)
    reached = graph.find_upstream_modules("tui", as_package=True)
    rooms = {".".join(module.split(".")[:2]) for module in reached if module.startswith("core.")}
    assert rooms == {"core.analysis", "core.text"}


# What the workshop and the room hand to the store's functions, or catch; with nothing else can they make a
# question of their own.
HANDED_ON = {"sqlalchemy": {"Engine"}, "sqlalchemy.exc": {"DBAPIError"}, "sqlmodel": {"Session"}}
ASKING = r"^(session|connection)\.(exec|get|add|delete|merge|scalar|connection|query|begin)"


def asked_outside(source: str) -> list[str]:
    """What a file takes from SQLAlchemy and SQLModel to ask a question with, and where it asks one."""
    asked = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in (
            "sqlalchemy",
            "sqlmodel",
        ):
            allowed = HANDED_ON.get(node.module or "", set())
            asked += [f"{node.module}.{name.name}" for name in node.names if name.name not in allowed]
        elif isinstance(node, ast.Import):
            asked += [
                name.name for name in node.names if name.name.split(".")[0] in ("sqlalchemy", "sqlmodel")
            ]
        elif isinstance(node, ast.Call) and re.search(ASKING, ast.unparse(node.func)):
            asked.append(ast.unparse(node.func))
    return asked


def test_every_question_to_the_database_stands_in_the_store():
    files = [path for room in ("core", "tui") for path in (ROOT / room).rglob("*.py")]
    asked = {str(path.relative_to(ROOT)): asked_outside(path.read_text("utf-8")) for path in files}
    assert {path: names for path, names in asked.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        "from sqlmodel import select",
        "import sqlalchemy as sa",
        "from sqlalchemy import text",
        "session.exec(it)",
    ],
)
def test_a_question_outside_is_noticed(line):
    assert asked_outside(line)
    assert not asked_outside("from sqlalchemy import Engine\nfrom sqlmodel import Session\n")

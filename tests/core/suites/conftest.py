"""What the tests of suites share: small suites in files, and the real data where it is at hand."""

import json
import os
from pathlib import Path

import pytest

from store import open_store

DESCRIPTION = {"name": "small", "version": "1", "licence": "CC0-1.0", "source": "us"}


@pytest.fixture
def suite(tmp_path: Path):
    """Writes a suite and gives its folder: lines as objects, `toml` what its description holds besides the
    texts of `DESCRIPTION`, which other ones replace (None: left out)."""

    def write(
        lines: list[dict], languages=("en", "ru"), toml: str = "", name: str = "small", **texts
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        facts = {**DESCRIPTION, "name": name, **texts}
        head = [f"{key} = {json.dumps(value)}" for key, value in facts.items() if value is not None]
        head.append(f"languages = {json.dumps(list(languages))}")
        (folder / f"{name}.toml").write_text("\n".join([*head, toml]), encoding="utf-8")
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def engine(tmp_path: Path):
    opened = open_store(tmp_path / "store.db", create=True)
    yield opened
    opened.dispose()


@pytest.fixture
def real_data() -> Path:
    shared = os.environ.get("XLIT_SHARED")
    folder = (Path(shared) if shared else Path(__file__).resolve().parents[4] / "shared") / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder

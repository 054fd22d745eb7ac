"""Writing a suite in the project's own form, so that it reads again as it was."""

import json
import os
from pathlib import Path
from typing import Any

from core.suites.lines import SuiteLine
from core.suites.loader import WholeSuite
from core.suites.meta import meta_toml
from store.errors import UsageError, XlitError


def write_suite(suite: WholeSuite, folder: Path, *, force: bool = False) -> Path:
    """Write `NAME.toml` and `NAME.jsonl` into a folder, which is made when it is not there; returns the TOML
    file. Raises `UsageError` when one of them is there and `force` is not given, or the name is no file's;
    `XlitError` when they can't be written."""
    name = suite.meta.name
    if Path(name).name != name or "\\" in name:
        raise UsageError(f"A suite called {name!r} can't be a file: give another name with --name.")
    toml, jsonl = folder / f"{name}.toml", folder / f"{name}.jsonl"
    for path in (toml, jsonl):
        if path.exists() and not force:
            raise UsageError(f"{path} is there already. Name another folder, or replace it with --force.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(jsonl, "".join(json.dumps(_object(line), ensure_ascii=False) + "\n" for line in suite.lines))
        _write(toml, meta_toml(suite.meta))
    except OSError as error:
        raise XlitError(f"{folder} can't be written to: {error.strerror or error}.") from None
    return toml


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _object(line: SuiteLine) -> dict[str, Any]:
    new = line.new
    content = {
        "key": new.key,
        "language": new.language,
        "task": new.task,
        "text": new.text,
        "modifier": new.modifier,
        "check": new.check,
        "tags": list(line.tags) or None,
        "modifiers": None if line.modifiers is None else list(line.modifiers),
    }
    return {name: value for name, value in content.items() if value is not None}

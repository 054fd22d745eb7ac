"""The file of translated rows: appended to while work goes on, then put in order in one step.

`OUT.partial` takes rows as they finish, in portions that are on disk before the next begins. When all is
done, `OUT` is written anew beside the old one, in the order of the source, and takes its place.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from store import UsageError

Key = tuple[str, str]
"""A row's id and the digest of what it was translated from."""


class Journal:
    """The rows that are translated already. `translator`, `language`: of all of them."""

    def __init__(self, out: Path, translator: str, language: str) -> None:
        """Raises `UsageError` for an `out` that something else made, or another translator or language."""
        self.out, self.partial = out, out.with_name(out.name + ".partial")
        self._made = {"translator": translator, "language": language}
        self.rows: dict[Key, dict[str, Any]] = {}
        if out.exists():
            self._read(out)
        if self.partial.exists():
            _mend(self.partial)
            self._read(self.partial)

    def append(self, rows: Iterable[dict[str, Any]]) -> None:
        """Keep finished rows; they are on disk when this returns."""
        self.partial.parent.mkdir(parents=True, exist_ok=True)
        with self.partial.open("ab") as file:
            for row in rows:
                row = row | self._made
                file.write(_line(row))
                self.rows[row["row"], row["source_hash"]] = row
            file.flush()
            os.fsync(file.fileno())

    def finish(self, keys: Iterable[Key]) -> int:
        """Write `out` with those of these rows that are there, in this order; returns how many."""
        new = self.out.with_name(self.out.name + ".new")
        written = 0
        new.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as file:
            for key in keys:
                if key in self.rows:
                    file.write(_line(self.rows[key]))
                    written += 1
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.out)
        self.partial.unlink(missing_ok=True)
        return written

    def _read(self, path: Path) -> None:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    row = json.loads(line)
                    key = (row["row"], row["source_hash"])
                    made = {name: row[name] for name in self._made}
                except (ValueError, KeyError, TypeError):
                    raise UsageError(
                        f"{path}:{number} is no row of a translation. Choose another --out."
                    ) from None
                if made != self._made:
                    raise UsageError(
                        f"{path} was translated into {made['language']} by {made['translator']}. Choose "
                        "another --out, or remove it."
                    )
                self.rows[key] = row


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n"


def _mend(path: Path) -> None:
    """Cut off a last line that was not written to its end."""
    with path.open("r+b") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)

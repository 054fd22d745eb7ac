"""The file of translated rows: appended to while work goes on, then put in order in one step.

`OUT.partial` takes rows as they finish, in portions that are on disk before the next begins; it is locked for
the one process that appends. When all is done, `OUT` is written anew beside the old one, in the order of the
source, and takes its place.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from store import UsageError, XlitError

Key = tuple[str, str]
"""A row's id and the digest of what it was translated from."""


class Journal:
    """The rows that are translated already. `translator`, `language`: of all of them. To be closed."""

    def __init__(self, out: Path, translator: str, language: str) -> None:
        """Raises `UsageError` for an `out` that something else made, or another translator or language;
        `XlitError` while another process translates into it."""
        self.out, self.partial = out, out.with_name(out.name + ".partial")
        self._written_by = {"translator": translator, "language": language}
        self.rows: dict[Key, dict[str, Any]] = {}
        self._file = _locked(self.partial)
        try:
            if out.exists():
                self._read(out)
            _mend(self._file)
            self._read(self.partial)
        except BaseException:
            self.close()
            raise

    def append(self, rows: Iterable[dict[str, Any]]) -> None:
        """Keep finished rows; they are on disk when this returns."""
        for row in rows:
            row = row | self._written_by
            self._file.write(_line(row))
            self.rows[row["row"], row["source_hash"]] = row
        self._file.flush()
        os.fsync(self._file.fileno())

    def finish(self, keys: Iterable[Key]) -> int:
        """Write `out` with those of these rows that are there, in this order; returns how many."""
        new = self.out.with_name(self.out.name + ".new")
        written = 0
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

    def close(self) -> None:
        """Let others translate into the file. What is translated stays; an empty file does not."""
        if _is_at(self._file, self.partial) and self.partial.stat().st_size == 0:
            self.partial.unlink()
        self._file.close()

    def _read(self, path: Path) -> None:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    row = json.loads(line)
                    key = (row["row"], row["source_hash"])
                    written_by = {name: row[name] for name in self._written_by}
                except (ValueError, KeyError, TypeError):
                    raise UsageError(
                        f"{path}:{number} is no row of a translation. Choose another --out."
                    ) from None
                if written_by != self._written_by:
                    raise UsageError(
                        f"{path} was translated into {written_by['language']} by "
                        f"{written_by['translator']}. Choose another --out, or remove it."
                    )
                self.rows[key] = row


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n"


def _locked(path: Path) -> IO[bytes]:
    """The file, opened to read and append, and locked until it is closed. Raises `XlitError` when another
    process has it."""
    import fcntl

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            file = path.open("a+b")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                raise XlitError(
                    f"Another process translates into {path.with_suffix('')}. Wait for it, or choose another "
                    "--out."
                ) from None
            if _is_at(file, path):
                return file
            file.close()  # the other has just put everything in order, and removed it
    except OSError as error:
        raise XlitError(f"{path} can't be written: {error.strerror}.") from None


def _is_at(file: IO[bytes], path: Path) -> bool:
    """Whether this open file is the one at the path, and not one that was removed."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _mend(file: IO[bytes]) -> None:
    """Cut off a last line that was not written to its end."""
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)

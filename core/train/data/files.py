"""The rows of one data file: JSON Lines, a JSON array, either of them gzipped, or Parquet."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from core.extras import needs_extra
from store import UsageError, XlitError

SUFFIXES = (".jsonl", ".json", ".ndjson", ".jsonl.gz", ".json.gz", ".ndjson.gz", ".parquet")

# A file without line ends must not be read into memory as one row.
ROW_LIMIT = 64 * 2**20

_PARQUET_ROWS = 1000  # read at a time


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be learned from: FILE:LINE, and why."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def file_rows(path: Path) -> Iterator[tuple[str, Any] | BadRow]:
    """The rows of a file, each with its place, FILE:LINE (FILE:ROW of Parquet and of a JSON array), as they
    stand there. Lines of white space are left out.

    Raises `XlitError` for a file that can't be read at all.
    """
    try:
        if path.suffix == ".parquet":
            yield from _parquet(path)
            return
        with _opened(path) as file:
            first = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
        if ".json" in path.suffixes and first.startswith(b"[") and not _is_line_of_chat(path):
            yield from _array(path)
        else:
            yield from _lines(path)
    except (OSError, EOFError, zlib.error) as error:
        raise XlitError(f"{path} can't be read: {error}.") from None


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _is_line_of_chat(path: Path) -> bool:
    """Whether the first line is a JSON value by itself, and others follow: JSON Lines named `.json`."""
    with _opened(path) as file:
        line = file.readline(ROW_LIMIT)
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            return False
        return bool(file.read(1024).strip())


def _lines(path: Path) -> Iterator[tuple[str, Any] | BadRow]:
    with _opened(path) as file:
        number = 0
        while raw := file.readline(ROW_LIMIT):
            number += 1
            place = f"{path}:{number}"
            if len(raw) == ROW_LIMIT and not raw.endswith(b"\n"):
                while raw and not raw.endswith(b"\n"):
                    raw = file.readline(ROW_LIMIT)
                yield BadRow(place, f"the line is longer than {ROW_LIMIT // 2**20} MiB")
                continue
            raw = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            if raw.strip():
                yield _row(raw, place)


def _row(raw: bytes, place: str) -> tuple[str, Any] | BadRow:
    try:
        return place, json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        return BadRow(place, f"not valid UTF-8 at byte {error.start + 1} of the line")
    except json.JSONDecodeError as error:
        return BadRow(place, f"not valid JSON: {error.msg} at character {error.colno}")
    except (ValueError, RecursionError):
        return BadRow(place, "not valid JSON: a number too long or lists too deep")


def _array(path: Path) -> Iterator[tuple[str, Any] | BadRow]:
    with _opened(path) as file:
        raw = file.read()
    try:
        rows = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: byte {error.start + 1}. Convert it first.") from None
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{path} is not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not valid JSON: a number too long or lists too deep.") from None
    if rows and all(isinstance(row, dict) and "role" in row for row in rows):
        rows = [rows]  # one conversation
    for number, row in enumerate(rows, start=1):
        yield f"{path}:{number}", row


def _parquet(path: Path) -> Iterator[tuple[str, Any] | BadRow]:
    with needs_extra("parquet", "Parquet"):
        import pyarrow
        import pyarrow.parquet
    try:
        number = 0
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_PARQUET_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}:{number}", row
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise XlitError(f"{path} can't be read as Parquet: {str(error).splitlines()[0]}.") from None

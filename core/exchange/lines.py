"""Reading text files a row at a time: UTF-8 with or without a byte order mark, any line ends."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.exchange.records import BadRow, Place
from store.errors import UsageError

# A file without line ends, or with a quote that is never closed, must not be read into memory as one row.
ROW_LIMIT = 64 * 2**20


def text_lines(path: Path) -> Iterator[tuple[Place, str] | BadRow]:
    """The lines of a file without their ends, blank ones left out."""
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(ROW_LIMIT):
            number += 1
            place = Place(path, number)
            if len(raw) == ROW_LIMIT and not raw.endswith(b"\n"):
                while raw and not raw.endswith(b"\n"):
                    raw = file.readline(ROW_LIMIT)
                yield BadRow(place, f"the line is longer than {ROW_LIMIT // 2**20} MiB")
                continue
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            try:
                line = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                yield BadRow(place, f"not valid UTF-8 at byte {error.start + 1} of the line")
                continue
            if line.strip():
                yield place, line.rstrip("\r\n")


def json_lines(path: Path) -> Iterator[tuple[Place, Any] | BadRow]:
    """The JSON value of every line (JSON Lines)."""
    for line in text_lines(path):
        if isinstance(line, BadRow):
            yield line
            continue
        place, text = line
        try:
            yield place, json.loads(text)
        except json.JSONDecodeError as error:
            yield BadRow(place, f"not valid JSON: {error.msg} at character {error.colno}")
        except (ValueError, RecursionError):
            yield BadRow(place, "not valid JSON: a number too long or lists too deep")


def csv_rows(path: Path) -> Iterator[tuple[Place, dict[str, str]] | BadRow]:
    """The rows of a CSV file with a header, by column; the place is the line a row begins on.

    Quoted fields may hold line ends and up to `ROW_LIMIT` characters. Raises `UsageError` when the header is
    missing or names a column twice.
    """
    csv.field_size_limit(ROW_LIMIT)
    # Bytes that are no UTF-8 become lone surrogates, so that the bad row can be told from its neighbours.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, strict=True)
        header: list[str] | None = None
        while True:
            place = Place(path, reader.line_num + 1)
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield BadRow(place, f"not valid CSV: {error}")
                continue
            if cells is None:
                break
            if not cells:
                continue
            if header is None:
                header = _header(path, cells)
            elif len(cells) != len(header):
                yield BadRow(place, f"{len(cells)} cells where the header has {len(header)}")
            elif any("\udc80" <= mark <= "\udcff" for mark in "".join(cells) if mark >= "\ud800"):
                yield BadRow(place, "not valid UTF-8")
            else:
                yield place, dict(zip(header, cells, strict=True))
    if header is None:
        raise UsageError(f"{path} is empty: a CSV file begins with a line that names its columns.")


def _header(path: Path, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UsageError(f"{path}: the header names {twice[0]!r} twice. Rename one of the columns.")
    return header

"""Reading text files row by row: lines, JSON Lines, JSON arrays and CSV; UTF-8, with or without a byte order
mark."""

import csv
import gzip
import io
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from store.errors import UsageError, XlitError

# A file without line ends, or with a quote that is never closed, must not be read into memory as one row.
ROW_LIMIT = 64 * 2**20
ARRAY_LIMIT = 2**30

# Other kinds of files, recognised by their first bytes.
_OTHERS = (
    (b"PK\x03\x04", "a zip archive (or a spreadsheet). Unpack it, or save it as CSV"),
    (b"PAR1", "Parquet. Import it with the format `parquet`"),
    (b"SQLite format 3\x00", "a SQLite file. A store is united with `xlit-core merge`"),
    (b"\xff\xfe", "UTF-16. Save it as UTF-8"),
    (b"\xfe\xff", "UTF-16. Save it as UTF-8"),
    (b"\x00\x00\xfe\xff", "UTF-32. Save it as UTF-8"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive. Unpack it"),
    (b"\xfd7zXZ\x00", "an xz archive. Unpack it"),
    (b"BZh", "a bzip2 archive. Unpack it"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive. Unpack it"),
)
_SPACE = re.compile(r"[ \t\r\n]*")


class Location(NamedTuple):
    """Where a row begins: a file and its line, counted from 1. It is written `answers.jsonl:17`."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be taken, and why."""

    location: Location
    reason: str

    def __str__(self) -> str:
        return f"{self.location}: {self.reason}"


class _Refused(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise _Refused(f"{repeated!r} stands twice in one object")
    return members


def _constant(name: str) -> Any:
    raise _Refused(f"{name} is no JSON")


DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant)


def open_text(path: Path) -> IO[bytes]:
    """Open a text file to be read; gzip is unpacked. Raises `UsageError` when the file is plainly no text."""
    file = path.open("rb")
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and not file.isatty() and str(path) != os.devnull):
        file.close()
        raise UsageError(f"{path} is a device, which may have no end. Name a file.")
    head = file.peek(16)
    kind = next((kind for signature, kind in _OTHERS if head.startswith(signature)), None)
    if kind is not None:
        file.close()
        raise UsageError(f"{path} is {kind}.")
    return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if head.startswith(b"\x1f\x8b") else file


def text_lines(path: Path) -> Iterator[tuple[Location, str] | BadRow]:
    """The lines of a file without their ends. Blank lines are left out. Raises `UsageError` as `open_text`
    does."""
    with open_text(path) as file:
        number = 0
        while raw := file.readline(ROW_LIMIT):
            number += 1
            location = Location(path, number)
            if len(raw) == ROW_LIMIT and not raw.endswith(b"\n"):
                while raw and not raw.endswith(b"\n"):
                    raw = file.readline(ROW_LIMIT)
                yield BadRow(location, f"the line is longer than {ROW_LIMIT // 2**20} MiB")
                continue
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            try:
                line = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                yield BadRow(location, f"not valid UTF-8 at byte {error.start + 1} of the line")
                continue
            line = line.rstrip("\r\n")
            if line and not line.isspace():
                yield location, line


def json_lines(path: Path) -> Iterator[tuple[Location, Any] | BadRow]:
    """The JSON value of every line (JSON Lines)."""
    for line in text_lines(path):
        if isinstance(line, BadRow):
            yield line
            continue
        location, text = line
        try:
            yield location, DECODER.decode(text)
        except json.JSONDecodeError as error:
            yield BadRow(location, f"not valid JSON: {error.msg} at character {error.colno}")
        except _Refused as error:
            yield BadRow(location, f"not valid JSON: {error}")
        except (ValueError, RecursionError):
            yield BadRow(location, "not valid JSON: a number too long or lists too deep")


def json_array(path: Path) -> Iterator[tuple[Location, Any] | BadRow]:
    """The values of a JSON array, each with the line on which it begins. The file is read whole.

    Raises `UsageError` for a file that is no array, and `XlitError` for an array that is broken somewhere,
    because nothing can be known of what comes after that.
    """
    with open_text(path) as file:
        raw = file.read(ARRAY_LIMIT + 1)
    if len(raw) > ARRAY_LIMIT:
        raise UsageError(f"{path} is longer than {ARRAY_LIMIT // 2**20} MiB. Make it JSON Lines first.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise XlitError(f"{path}:{line}: not valid UTF-8. Nothing was imported.") from None
    end = _SPACE.match(text, 0).end()  # type: ignore[union-attr]
    if not text.startswith("[", end):
        raise UsageError(f"{path} is no JSON array: it does not begin with `[`.")
    line, counted = 1, 0
    separator = "["
    while True:
        begin = _SPACE.match(text, end + 1).end()  # type: ignore[union-attr]
        line, counted = line + text.count("\n", counted, begin), begin
        if separator == "[" and text.startswith("]", begin):
            break
        try:
            value, end = DECODER.raw_decode(text, begin)
        except json.JSONDecodeError as error:
            raise XlitError(
                f"{path}:{error.lineno}: not valid JSON: {error.msg}. Nothing was imported."
            ) from None
        except _Refused as error:
            raise XlitError(f"{path}:{line}: not valid JSON: {error}. Nothing was imported.") from None
        except (ValueError, RecursionError):
            raise XlitError(
                f"{path}:{line}: not valid JSON: a number too long or lists too deep. Nothing was imported."
            ) from None
        yield Location(path, line), value
        end = _SPACE.match(text, end).end()  # type: ignore[union-attr]
        separator = text[end : end + 1]
        if separator == "]":
            begin = end
            break
        if separator != ",":
            at = text.count("\n", 0, end) + 1
            raise XlitError(
                f"{path}:{at}: not valid JSON: no `,` or `]` after a value. Nothing was imported."
            )
    rest = _SPACE.match(text, begin + 1).end()  # type: ignore[union-attr]
    if rest < len(text):
        at = text.count("\n", 0, rest) + 1
        raise XlitError(
            f"{path}:{at}: not valid JSON: text after the end of the array. Nothing was imported."
        )


def csv_rows(path: Path) -> Iterator[tuple[Location, dict[str, str]] | BadRow]:
    """The rows of a CSV file with a header, by column. The location is the line on which a row begins.

    Quoted fields may hold line ends and up to `ROW_LIMIT` characters. Raises `UsageError` when the header is
    missing or names a column twice.
    """
    csv.field_size_limit(ROW_LIMIT)
    # Bytes that are no UTF-8 become lone surrogates, so that only the row that holds them is bad.
    with (
        open_text(path) as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="") as file,
    ):
        delimiter, head = _delimiter(file.readline(ROW_LIMIT))
        skipped = 0 if head else 1
        reader = csv.reader(chain(head, file), strict=True, delimiter=delimiter)
        header: list[str] | None = None
        while True:
            location = Location(path, reader.line_num + skipped + 1)
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield BadRow(location, f"not valid CSV: {error}")
                continue
            if cells is None:
                break
            if not cells:
                continue
            if header is None:
                header = _header(path, cells)
            elif len(cells) != len(header):
                yield BadRow(location, f"{len(cells)} cells where the header has {len(header)}")
            elif any(
                "\udc80" <= character <= "\udcff" for character in "".join(cells) if character >= "\ud800"
            ):
                yield BadRow(location, "not valid UTF-8")
            else:
                yield location, dict(zip(header, cells, strict=True))
    if header is None:
        raise UsageError(f"{path} is empty: a CSV file begins with a line that names its columns.")


def _delimiter(line: str) -> tuple[str, list[str]]:
    """The delimiter of a CSV file by its first line, and that line again when it belongs to the table.

    A line `sep=;`, as Excel writes it, says it. Else it is the one of comma, semicolon and tab that the
    header has most of outside quotes; the comma where it has none.
    """
    named = re.fullmatch(r"sep=([,;\t|])", line.rstrip("\r\n"), re.IGNORECASE)
    if named:
        return named[1], []
    plain = re.sub(r'"[^"]*"', "", line)
    return max(",;\t", key=plain.count), [line]


def _header(path: Path, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise UsageError(f"{path}: the header names {repeated[0]!r} twice. Rename one of the columns.")
    return header

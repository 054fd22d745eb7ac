"""Where instruction data comes from: a file, a folder of files, or a data set of the Hugging Face hub.

A file is JSON Lines, a JSON array, either of them gzipped, or Parquet.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from core.extras import needs_extra
from core.train.data.formats import FORMATS, NAMES
from store import UsageError, XlitError

SUFFIXES = (".jsonl", ".json", ".ndjson", ".jsonl.gz", ".json.gz", ".ndjson.gz", ".parquet")

# A file without line ends must not be read into memory as one row.
ROW_LIMIT = 64 * 2**20

_PARQUET_ROWS = 1000  # read at a time


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be learned from: FILE:LINE, and why."""

    location: str
    reason: str

    def __str__(self) -> str:
        return f"{self.location}: {self.reason}"


def file_rows(path: Path) -> Iterator[tuple[str, Any] | BadRow]:
    """The rows of a file, each with its location, FILE:LINE (FILE:ROW of Parquet and of a JSON array), as
    they stand there. Lines of white space are left out.

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
            location = f"{path}:{number}"
            if len(raw) == ROW_LIMIT and not raw.endswith(b"\n"):
                while raw and not raw.endswith(b"\n"):
                    raw = file.readline(ROW_LIMIT)
                yield BadRow(location, f"the line is longer than {ROW_LIMIT // 2**20} MiB")
                continue
            raw = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            if raw.strip():
                yield _row(raw, location)


def _row(raw: bytes, location: str) -> tuple[str, Any] | BadRow:
    try:
        return location, json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        return BadRow(location, f"not valid UTF-8 at byte {error.start + 1} of the line")
    except json.JSONDecodeError as error:
        return BadRow(location, f"not valid JSON: {error.msg} at character {error.colno}")
    except (ValueError, RecursionError):
        return BadRow(location, "not valid JSON: a number too long or lists too deep")


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


_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+")
_LANGUAGE = re.compile(r"([a-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)=(.+)", re.DOTALL)
SPLITS = ("train", "test", "validation", "valid", "dev", "eval")


@dataclass(frozen=True)
class DataSource:
    """A data set: a file, a folder with the files of a data set, or the name of one on the hub.

    `format`: one of `core.train.data.formats.FORMATS`, or `auto`: told by each row's fields. `language`: of
    rows that name none. `split`: of a folder or of the hub: files named so, or all where none is named after
    a split. `label`: what counts and conversations call it (default: the name of the file or data set).
    `columns`: what the data calls a field, by our name for it (`core.train.data.formats.NAMES`); a name or a
    path such as `conversations.0.value`. `drop`: fields, of a row or of its turns, that are left out.
    """

    name: str
    format: str = "auto"
    language: str | None = None
    split: str = "train"
    label: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.format != "auto" and self.format not in FORMATS:
            raise UsageError(f"No data format {self.format!r}. There are: auto, {', '.join(FORMATS)}.")
        if unknown := sorted(self.columns.keys() - NAMES.keys()):
            raise UsageError(f"--column maps {unknown[0]!r}, which is none of {', '.join(NAMES)}.")
        if not self.label:
            object.__setattr__(self, "label", Path(self.name).name)

    def names(self, name: str) -> tuple[str, ...]:
        """The fields that may hold what we call `name`."""
        return (self.columns[name],) if name in self.columns else NAMES[name]


def data_source(
    text: str,
    *,
    format: str = "auto",
    split: str = "train",
    columns: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
) -> DataSource:
    """A source as a command line names it: `NAME`, or `LANGUAGE=NAME`."""
    match = _LANGUAGE.fullmatch(text)
    if match is None or Path(text).exists():
        return DataSource(text, format, split=split, columns=columns or {}, drop=tuple(drop))
    return DataSource(match[2], format, match[1], split, columns=columns or {}, drop=tuple(drop))


def source_rows(source: DataSource) -> Iterator[tuple[str, Any] | BadRow]:
    """All rows of a source with their locations, files in the order of their names.

    Raises `UsageError` when nothing is there, `XlitError` when it can't be had or read.
    """
    for path in source_files(source):
        yield from file_rows(path)


def source_files(source: DataSource) -> list[Path]:
    """The files of a source; those of the hub are fetched into its cache. Raises as `source_rows`."""
    path = Path(source.name)
    if path.is_file():
        return [path]
    if path.is_dir():
        return _files_of_split(path, source)
    if not _HUB_NAME.fullmatch(source.name):
        raise UsageError(
            f"No instruction data at {source.name}. Give a file, a folder, or OWNER/NAME of a data set on "
            "the hub."
        )
    return _files_of_split(_downloaded(source), source)


def _files_of_split(folder: Path, source: DataSource) -> list[Path]:
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.is_file() and file.name.endswith(SUFFIXES) and file.name != "dataset_infos.json"
    )
    if not files:
        raise UsageError(f"{source.name} holds no data: no file of {', '.join(SUFFIXES)}.")
    splits = {file: _split(file.relative_to(folder)) for file in files}
    if not any(splits.values()):
        return files
    chosen = [file for file in files if splits[file] == source.split]
    if not chosen:
        there = sorted({split for split in splits.values() if split})
        raise UsageError(f"{source.name} has no split {source.split!r}. There are: {', '.join(there)}.")
    return chosen


def _split(path: Path) -> str | None:
    words = re.split(r"[^a-z]+", str(path).lower())
    return next((split for split in SPLITS if split in words), None)


def _downloaded(source: DataSource) -> Path:
    with needs_extra("local", "A data set of the hub"):
        from huggingface_hub import snapshot_download, utils
    utils.disable_progress_bars()
    try:
        return Path(
            snapshot_download(
                source.name, repo_type="dataset", allow_patterns=[f"*{suffix}" for suffix in SUFFIXES]
            )
        )
    except Exception as error:  # of the network, of HTTP, of the hub's client
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0]
        raise XlitError(
            f"No file or folder {source.name}, and no data set of that name comes from the hub: "
            f"{reason[:200]}. Fetch it where there is a network, and give the file."
        ) from None

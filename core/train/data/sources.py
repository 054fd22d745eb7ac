"""Where instruction data comes from: a file, a folder of files, or a data set of the Hugging Face hub."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.extras import needs_extra
from core.train.data.files import SUFFIXES, BadRow, file_rows
from core.train.data.formats import FORMATS
from store import UsageError, XlitError

_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+")
_LANGUAGE = re.compile(r"([a-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)=(.+)", re.DOTALL)
SPLITS = ("train", "test", "validation", "valid", "dev", "eval")


@dataclass(frozen=True)
class DataSource:
    """A data set: a file, a folder with the files of a data set, or the name of one on the hub.

    `format`: one of `core.train.data.formats.FORMATS`, or `auto`: told by each row's fields. `language`: of
    rows that name none. `split`: of a folder or of the hub: files named so, or all where none is named after
    a split. `label`: what counts and conversations call it (default: the name of the file or data set).
    """

    name: str
    format: str = "auto"
    language: str | None = None
    split: str = "train"
    label: str = ""

    def __post_init__(self) -> None:
        if self.format != "auto" and self.format not in FORMATS:
            raise UsageError(f"No data format {self.format!r}. There are: auto, {', '.join(FORMATS)}.")
        if not self.label:
            object.__setattr__(self, "label", Path(self.name).name)


def data_source(text: str, *, format: str = "auto", split: str = "train") -> DataSource:
    """A source as a command line names it: `NAME`, or `LANGUAGE=NAME`."""
    match = _LANGUAGE.fullmatch(text)
    if match is None or Path(text).exists():
        return DataSource(text, format, split=split)
    return DataSource(match[2], format, match[1], split)


def source_rows(source: DataSource) -> Iterator[tuple[str, Any] | BadRow]:
    """All rows of a source with their places, files in the order of their names.

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
        return _of_split(path, source)
    if not _HUB_NAME.fullmatch(source.name):
        raise UsageError(
            f"No instruction data at {source.name}. Give a file, a folder, or OWNER/NAME of a data set on "
            "the hub."
        )
    return _of_split(_fetched(source), source)


def _of_split(folder: Path, source: DataSource) -> list[Path]:
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


def _fetched(source: DataSource) -> Path:
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

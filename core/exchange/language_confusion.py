"""Outputs of the Language Confusion Benchmark (Marchisio et al., arXiv 2406.20052), its monolingual part.

A folder of the release holds `outputs/MODEL.csv` (id, model, completion, task, source, language) and
`test_sets/TASK/SOURCE/LANGUAGE.csv` (prompt, source, language). `id` is the row of the test set, counted from
0.

Only Dolly's prompts are translations of one another, row by row, so their keys are the same in all languages
(`dolly-0007`). The prompts of the other sources were written or drawn anew in each language, and equal row
numbers mean nothing. Their keys therefore name the language (`okapi-pt-0007`), so that no two are taken for a
pair.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from core.exchange.records import DecodingName, ImportedResponse, InstructionRow, Record, Remark, SuiteName
from core.text.files import BadRow, Location, csv_rows
from store.errors import UsageError

TASK = "monolingual"
FOLDERS = {"aya_human_annotated": "aya", "dolly_human_edited": "dolly", "native_prompts": "native"}
PARALLEL = {"dolly"}
SUITE = SuiteName(
    "language-confusion", "1", "Apache-2.0", "github.com/for-ai/language-confusion (arXiv 2406.20052)"
)
DECODING = DecodingName(parameters={"source": "language-confusion", "max_new_tokens": 100})
TEST_SET_COLUMNS = ("prompt", "source", "language")
OUTPUT_COLUMNS = ("id", "model", "completion", "task", "source", "language")


class LanguageConfusionImporter:
    """Reads folders of the release, or single files of `outputs/` with `test_sets/` beside that folder."""

    name = "language-confusion"
    summary = "outputs and test sets of the Language Confusion Benchmark (monolingual)"
    options: ClassVar[dict[str, str]] = {}

    def read(self, paths: Sequence[Path], options: Mapping[str, Any]) -> Iterator[Record]:
        left_out: Counter[str] = Counter()
        read: set[Path] = set()
        for path in paths:
            folder, outputs = _parts(path)
            if folder not in read:
                read.add(folder)
                yield from _test_sets(folder)
            for output in outputs:
                yield from _output(output, left_out)
        for task, rows in left_out.items():
            yield Remark(f"{rows} rows of the task {task!r} were left out: only {TASK} prompts are read.")


def _parts(path: Path) -> tuple[Path, list[Path]]:
    folder = path if path.is_dir() else path.resolve().parent.parent
    outputs = sorted((path / "outputs").glob("*.csv")) if path.is_dir() else [path]
    if not (folder / "test_sets" / TASK).is_dir():
        raise UsageError(
            f"{folder} holds no test_sets/{TASK}. Give the folder with `outputs` and `test_sets` of the "
            "benchmark, or a file in its `outputs`."
        )
    if not outputs:
        raise UsageError(f"{path} holds no outputs/*.csv. Give the folder of the benchmark's release.")
    return folder, outputs


def _test_sets(folder: Path) -> Iterator[Record]:
    for path in sorted((folder / "test_sets" / TASK).glob("*/*.csv")):
        number = -1
        for row in _rows(path, TEST_SET_COLUMNS):
            number += 1
            if isinstance(row, BadRow):
                yield row
                continue
            location, cells = row
            source = path.parent.name
            yield InstructionRow(
                location,
                SUITE,
                language=path.stem,
                key=_key(source, path.stem, number),
                text=cells["prompt"],
                task=source,
            )


def _output(path: Path, left_out: Counter[str]) -> Iterator[Record]:
    for row in _rows(path, OUTPUT_COLUMNS):
        if isinstance(row, BadRow):
            yield row
            continue
        location, cells = row
        if cells["task"] != TASK:
            left_out[cells["task"]] += 1
        elif not (cells["id"].isascii() and cells["id"].isdigit()):
            yield BadRow(location, f"the id is {cells['id']!r}, not the number of a row in a test set")
        else:
            source = FOLDERS.get(cells["source"], cells["source"])
            yield InstructionRow(
                location,
                SUITE,
                language=cells["language"],
                key=_key(source, cells["language"], int(cells["id"])),
                text=None,
                response=ImportedResponse(cells["model"], cells["completion"], DECODING),
            )


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[Location, dict[str, str]] | BadRow]:
    for row in csv_rows(path):
        if not isinstance(row, BadRow):
            missing = next((name for name in columns if name not in row[1]), None)
            if missing is not None:
                raise UsageError(
                    f"{path} has no column {missing!r}: it is no file of the Language Confusion Benchmark."
                )
        yield row


def _key(source: str, language: str, number: int) -> str:
    return f"{source}-{number:04}" if source in PARALLEL else f"{source}-{language}-{number:04}"

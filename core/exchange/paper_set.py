"""The evaluation sets of the paper's release (github.com/naver/pasero, zero-shot-transfer-inst-tuning).

`NAME.LANGUAGE.jsonl` holds one conversation a line, a JSON list with a single message of the user.
`NAME.LANGUAGE.types` beside it, where there is one, holds the modifier of each line. The files of all
languages agree line by line. The key of an instruction is its line (`0001`). Where there are types it is line
and type (`0001-short`), because the same line asks for *another* number of items or another language in each
file (`0042-num_items_8`, `0042-num_items_3`), and such lines are no translations of one another.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from core.exchange.records import InstructionRow, Record, Remark, SuiteName
from core.text.files import BadRow, Location, json_lines, text_lines
from store.errors import UsageError

FILE_NAME = re.compile(r"(?P<set>.+)\.(?P<language>[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\.jsonl")
# The files that are taken from a folder. LIMA and the training sets beside them are no evaluation sets.
EVALUATION_SETS = ("*alpacaeval_*_subset.*.jsonl", "*modifiers.*.jsonl")
LICENCE = "CC-BY-NC-4.0"
SOURCE = "github.com/naver/pasero examples/zero-shot-transfer-inst-tuning (AlpacaEval)"


class PaperSetImporter:
    """Reads files of the release, or a folder with all of them."""

    name = "paper-set"
    summary = "the paper's evaluation sets: NAME.LANGUAGE.jsonl, with .types beside"
    options: ClassVar[dict[str, str]] = {
        "suite": "name/version of the suite (default: the file's NAME, version 1)",
        "language": "language of the instructions (default: from the file's name)",
        "licence": "licence of the suite (default: that of the release, for its own files)",
    }

    def read(self, paths: Sequence[Path], options: Mapping[str, Any]) -> Iterator[Record]:
        for path in _files(paths):
            suite, language = _identity(path, options)
            types = path.with_suffix(".types")
            yield from _instructions(path, types if types.is_file() else None, suite, language)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        files = sorted({file for pattern in EVALUATION_SETS for file in path.glob(pattern)})
        if not files:
            raise UsageError(f"{path} holds no {' or '.join(EVALUATION_SETS)}. Name the files themselves.")
        yield from files


def _identity(path: Path, options: Mapping[str, Any]) -> tuple[SuiteName, str]:
    named = FILE_NAME.fullmatch(path.name)
    language = options.get("language") or (named and named["language"])
    if not language:
        raise UsageError(
            f"{path.name} does not tell its language as NAME.LANGUAGE.jsonl does. "
            "Rename it, or give the option `language`."
        )
    released = any(path.match(pattern) for pattern in EVALUATION_SETS)
    licence = options.get("licence") or (LICENCE if released else None)
    label = options.get("suite") or (named["set"] if named else path.stem)
    return SuiteName.parse(label, licence, SOURCE if released else None), language


def _instructions(path: Path, types: Path | None, suite: SuiteName, language: str) -> Iterator[Record]:
    modifiers: dict[int, str] = {}
    if types is not None:
        for line in text_lines(types):
            if isinstance(line, BadRow):
                yield line
            else:
                modifiers[line[0].line] = line[1].strip()
    last = 0
    for row in json_lines(path):
        if isinstance(row, BadRow):
            last = row.location.line
            yield row
            continue
        location, conversation = row
        last = location.line
        text = _user_message(conversation)
        modifier = modifiers.get(location.line)
        if text is None:
            yield BadRow(location, "not a JSON list with one message of the user")
        elif types is not None and modifier is None:
            yield BadRow(location, f"{types.name} has no line {location.line}")
        else:
            key = f"{location.line:04}" if modifier is None else f"{location.line:04}-{modifier}"
            yield InstructionRow(location, suite, language, key, text, modifier=modifier)
    if types is not None and modifiers and max(modifiers) > last:
        yield BadRow(Location(types, last + 1), f"{path.name} has no line {last + 1}")
    if types is None and "modifiers" in path.name:
        yield Remark(f"{path}: no {path.with_suffix('.types').name} beside it, so no modifiers are known.")


def _user_message(conversation: Any) -> str | None:
    match conversation:
        case [{"role": "user", "content": str(text)}]:
            return text
    return None

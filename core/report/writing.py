"""A report as files in a folder: all of them or those of before, and never a user's own."""

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from core.report.document import Figure, Report
from core.report.figures import PICTURES, draw
from core.report.formats.csv_file import table_csv
from core.report.formats.html import report_html
from core.report.formats.latex import table_latex
from core.report.formats.markdown import report_markdown
from store.errors import UsageError, XlitError

FORMATS = ("md", "csv", "tex", "png", "pdf", "svg", "html")

# Which files of the folder are a report's; any other is the user's.
MANIFEST = ".xlit-report.json"

_PART = ".xlit-report-"
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_OURS = re.compile(rf"report\.(?:md|html)|(?:tables|figures)/{_KEY.pattern}\.(?:csv|tex|png|pdf|svg)")

# A run that was killed leaves its unfinished files; those of one that still runs are younger.
_LEFT_BEHIND_S = 3600


def write_report(report: Report, folder: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write the report into `folder`, which is made, and return the files in order.

    `report.md`, `report.html`, `tables/KEY.csv` and `.tex`, `figures/KEY.png`, `.pdf` and `.svg`. The files
    are made beside their places and then moved there. Those that a report wrote before and that this one
    doesn't are removed.

    Raises `UsageError` for an unknown format, and for a file of the user's that has the name of one of ours;
    `XlitError` where the folder can't be written, the files there staying as they were.
    """
    _check(report, formats)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_left_behind(folder)
        with tempfile.TemporaryDirectory(prefix=_PART, dir=folder) as part:
            names = list(_write_files(report, Path(part), formats))
            _move(Path(part), folder, names)
    except OSError as error:
        reason = error.strerror or str(error)
        raise XlitError(
            f"The report can't be written to {folder} ({reason}). Choose another folder."
        ) from None
    return [folder / name for name in names]


def check_formats(formats: Sequence[str]) -> None:
    """Raises `UsageError` for a format that there is not, and for none at all."""
    unknown = [repr(name) for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise UsageError(
            f"A report has no format {', '.join(unknown) or 'at all'}. Choose from {', '.join(FORMATS)}."
        )


def _check(report: Report, formats: Sequence[str]) -> None:
    check_formats(formats)
    for keys in (
        [table.key for section in report.sections for table in section.tables],
        [figure.key for figure in _figures(report)],
    ):
        for key in keys:
            if not _KEY.fullmatch(key):
                raise ValueError(f"{key!r} is no key: small letters, digits and single hyphens")
            if keys.count(key) > 1:
                raise ValueError(f"the key {key} stands for two tables or figures")


def _figures(report: Report) -> Iterator[Figure]:
    for section in report.sections:
        yield from section.figures


def _write_files(report: Report, part: Path, formats: Sequence[str]) -> Iterator[str]:
    """The names of the files, each when it is written."""
    pictures = [kind for kind in PICTURES if kind in formats]
    drawings = (
        {figure.key: draw(figure) for figure in _figures(report)} if {*pictures, "html"} & {*formats} else {}
    )
    if "md" in formats:
        links = {key: f"figures/{key}.{pictures[0]}" for key in drawings} if pictures else {}
        captions = {key: drawing.caption for key, drawing in drawings.items()}
        yield _write(part, "report.md", report_markdown(report, links, captions).encode())
    if "html" in formats:
        yield _write(part, "report.html", report_html(report, drawings).encode())
    for section in report.sections:
        for table in section.tables:
            if "csv" in formats:
                yield _write(part, f"tables/{table.key}.csv", table_csv(table).encode())
            if "tex" in formats:
                yield _write(part, f"tables/{table.key}.tex", table_latex(table).encode())
    for key, drawing in drawings.items():
        for kind in pictures:
            yield _write(part, f"figures/{key}.{kind}", drawing.file(kind))


def _write(part: Path, name: str, content: bytes) -> str:
    path = part / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return name


def _move(part: Path, folder: Path, names: Sequence[str]) -> None:
    """Move the files into place. The manifest names them before they are there, so that a run which is
    stopped between two of them leaves nothing that the next one would take for the user's."""
    before = _written_before(folder)
    for name in names:
        if name not in before and os.path.lexists(folder / name):
            raise UsageError(
                f"{folder / name} is in the way, and no report wrote it. Move it, or choose another folder."
            )
    _write_manifest(part, folder, [*names, *(name for name in before if name not in names)])
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        os.replace(part / name, folder / name)
    for name in before:
        if name not in names:
            _remove(folder, name)
    _write_manifest(part, folder, names)


def _written_before(folder: Path) -> list[str]:
    """The files that the manifest names, less those that no report would write."""
    try:
        named = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
        return [name for name in named if _OURS.fullmatch(name)]
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return []


def _write_manifest(part: Path, folder: Path, names: Sequence[str]) -> None:
    text = json.dumps({"written by": "xlit-core report", "files": list(names)}, indent=1) + "\n"
    (part / MANIFEST).write_text(text, "utf-8")
    os.replace(part / MANIFEST, folder / MANIFEST)


def _remove(folder: Path, name: str) -> None:
    path = folder / name
    path.unlink(missing_ok=True)
    if path.parent != folder:
        with suppress(OSError):  # files of the user's are in it
            path.parent.rmdir()


def _remove_left_behind(folder: Path) -> None:
    for left in folder.glob(f"{_PART}*"):
        if left.is_dir() and not left.is_symlink() and time.time() - left.stat().st_mtime > _LEFT_BEHIND_S:
            shutil.rmtree(left, ignore_errors=True)

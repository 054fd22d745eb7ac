"""One export: to a file that appears whole or not at all, or to stdout."""

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TextIO, cast

from sqlalchemy import Engine

from core.exchange.formats import check_options, choose, exporters
from store.errors import UsageError, XlitError
from store.queries.reviewers import pseudonyms
from store.session import reading, writing

STDOUT = "-"
# Characters that a terminal would obey instead of show: C0 and C1 controls (but tab and line feed), and the
# marks that change the direction of text.
_OBEYED = [*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F]
_OBEYED += [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
VISIBLE = {code: f"\\u{code:04x}" for code in _OBEYED}


def run_export(
    engine: Engine,
    format: str,
    out: str | Path,
    options: Mapping[str, Any] | None = None,
    *,
    force: bool = False,
) -> int:
    """Write what the store holds to `out` (`-` is stdout); returns the number of rows.

    An existing file is replaced only with `force`. Raises `UsageError` for an unknown format or option and
    for a file that is there, `XlitError` when the file can't be written; nothing half-written stays.
    """
    exporter = choose(exporters(), format)
    given = check_options(exporter, options or {})
    if given.pop("pseudonyms", False):
        with writing(engine) as session:
            given["pseudonyms"] = pseudonyms(session)
    binary = getattr(exporter, "binary", False)
    with reading(engine) as session, _output(out, force, binary) as file:
        return exporter.write(session, file, given)


@contextmanager
def _output(out: str | Path, force: bool, binary: bool) -> Iterator[Any]:
    if str(out) == STDOUT:
        if binary and sys.stdout.isatty():
            raise UsageError("A terminal can't show this format. Name a file to write.")
        with nullcontext(sys.stdout.buffer) if binary else _stdout() as file:
            yield file
        return
    path = Path(out)
    if path.is_dir():
        raise UsageError(f"{path} is a folder. Name the file to write.")
    if path.is_file() and not force:
        raise UsageError(f"{path} is there already. Name another file, or replace it with --force.")
    whole = path.with_name(f".{path.name}.{os.getpid()}.part")
    # A pipe or a device is written to directly; only a file can replace another.
    target = path if path.exists() and not path.is_file() else whole
    try:
        with target.open("wb") if binary else target.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            if target is whole:
                os.fsync(file.fileno())
        if target is whole:
            whole.replace(path)
    except OSError as error:
        raise XlitError(f"{path} can't be written: {error.strerror or error}.") from None
    finally:
        whole.unlink(missing_ok=True)


@contextmanager
def _stdout() -> Iterator[TextIO]:
    sys.stdout.flush()
    text = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        yield cast(TextIO, _Visible(text)) if sys.stdout.isatty() else text
        text.flush()
    except BrokenPipeError:
        # The reader (such as `head`) has closed the pipe. Python would complain again when it closes stdout.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise XlitError("Nobody reads the output any more: the export was cut short.") from None
    finally:
        with suppress(OSError):
            text.detach()


class _Visible:
    """Writes to a terminal what it would obey as text such as `\\u001b`: a response may hold escape
    sequences."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, text: str) -> int:
        return self.file.write(text.replace("\r\n", "\n").translate(VISIBLE))

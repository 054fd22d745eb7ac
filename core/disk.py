"""Writing what is large: whole or not there, by one command at a time, and a full disk is a sentence."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.errors import reason_of
from store import XlitError

LOCK_TIMEOUT = 30.0
"""Seconds in which a run whose command was killed has noticed and saved (see `core.train.launcher`)."""


def is_write_error(error: BaseException) -> bool:
    """Whether the system refused to write: Python's error, or that of safetensors, which has one of its own
    for what the system says ("I/O error: No space left on device (os error 28)")."""
    return isinstance(error, OSError) or (
        "os error" in str(error).lower() and type(error).__name__ == "SafetensorError"
    )


@contextmanager
def write_errors(
    what: str, folder: Path, advice: str = "Make room and run the same command again."
) -> Iterator[None]:
    """Turns a full disk (or one that may not be written to) inside the block into one sentence. `what`: that
    is being written; `folder`: where."""
    try:
        yield
    except XlitError:
        raise
    except Exception as error:
        if not is_write_error(error):
            raise
        raise XlitError(f"{what} can't be written to {folder}: {reason_of(error)}. {advice}") from error


def take_lock(file: Path, busy: str) -> IO[str]:
    """Lock a file for this process, which ends with the process or when the lock is closed; waits for another
    that has it. The file is made when it is not there.

    Raises `XlitError` with the sentence `busy` when another process still has it after `LOCK_TIMEOUT`, and
    when the file can't be made.
    """
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            lock = file.open("a", encoding="utf-8")
        except FileNotFoundError:  # the folder was removed between the two
            continue
        except OSError as error:
            raise XlitError(f"{file.parent} can't be written: {reason_of(error)}.") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still_there(lock, file):
                return lock
        except OSError:
            if time.monotonic() > deadline:
                lock.close()
                raise XlitError(busy) from None
        lock.close()  # another has it, or it was removed by the one who had it
        time.sleep(0.2)


def _is_still_there(lock: IO[str], file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock.fileno()), file.stat())
    except FileNotFoundError:
        return False


@contextmanager
def exclusive(out: Path) -> Iterator[None]:
    """Lets one command at a time make `out`; a second waits, and finds it there.

    Raises `XlitError` when the first is not done after `LOCK_TIMEOUT`.
    """
    file = out.with_name(f".{out.name}.lock")
    lock = take_lock(file, f"Another command is making {out}. Wait for it, or stop it first.")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        lock.close()


@contextmanager
def folder_in_the_making(out: Path) -> Iterator[Path]:
    """A folder beside `out` (`OUT.partial`) that becomes `out` when the block ends; when it fails, nothing is
    left. What a command that was killed left there is removed first.

    Raises `XlitError` when the disk is full.
    """
    work = out.with_name(out.name + ".partial")
    try:
        with write_errors(out.name, out.parent):
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            yield work
            publish(work, out)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def publish(work: Path, out: Path) -> None:
    """Rename a finished folder to `out`, when all of it is on the disk and readable as its user's files are
    (safetensors writes files that nobody else may read)."""
    probe = work / ".mode"
    probe.touch()
    mode = probe.stat().st_mode
    probe.unlink()
    for path in work.iterdir():
        path.chmod(mode)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    work.rename(out)

"""A login that may do nothing but review: nothing that the other side of the line sends decides anything.

The command line comes from the server (sshd's ForceCommand); the environment may come from the client
(AcceptEnv), so it names neither store, reviewer nor keys here. docs/kiosk.md has the lines for sshd.
"""

import io
import os
import pwd
import signal
import sys
import termios
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from typing import Any, Protocol

from store.errors import UsageError, XlitError

# What a client may say: what its terminal is and can show, and its language. All else could load code, name
# another database (PG*), write a log (TEXTUAL_LOG) or choose a program (PATH).
KEPT = frozenset({"TERM", "COLORTERM", "NO_COLOR", "LANG", "LANGUAGE", "TZ"})
KEY_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
CRASHED = "The review room ended on an error; every score that it showed is saved."


class Context(Protocol):
    """Where the value of an option came from (click.Context)."""

    def get_parameter_source(self, name: str) -> Any: ...


def locked(context: Context, reviewer: str | None, keys: Path | None) -> tuple[str, Path | None]:
    """The reviewer and the keys of a locked login.

    The reviewer is the one on the command line, else the login of the user id, whatever USER or LOGNAME say.
    Raises `UsageError` when the store is not named on the command line.
    """
    if not _from_command_line(context, "store"):
        raise UsageError("--kiosk wants the store on its command line: add --store PATH-or-URL.")
    named = reviewer if _from_command_line(context, "reviewer") else None
    return named or login_of_user_id(), keys if _from_command_line(context, "keys") else None


def _from_command_line(context: Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def login_of_user_id() -> str:
    """The login name of the process's user. Raises `UsageError` where the system has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise UsageError(
            "The system has no login name for this user; say who reviews with --reviewer."
        ) from None


def clean(environment: MutableMapping[str, str]) -> None:
    """Keep what the terminal is and the language, take out the rest; HOME and PATH become the system's own.

    To be called before anything that reads its settings at import (textual.constants does).
    """
    for name in list(environment):
        if name not in KEPT and not name.startswith("LC_"):
            del environment[name]
    environment["PATH"] = os.defpath
    with suppress(KeyError):
        environment["HOME"] = pwd.getpwuid(os.getuid()).pw_dir


@contextmanager
def sealed() -> Iterator[None]:
    """Inside, no key sends a signal, and nothing but the room's own screen reaches the terminal.

    Textual takes the signals from the keys only while its screen is up, so Ctrl+C, Ctrl+Z and Ctrl+\\ would
    act on the start and on the end; its traceback of a crash shows the values of variables. A crash becomes
    an `XlitError`: one line. Stdin must be a terminal.
    """
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    _ignore_key_signals()
    quiet = termios.tcgetattr(terminal)
    quiet[3] &= ~termios.ISIG
    termios.tcsetattr(terminal, termios.TCSANOW, quiet)
    try:
        with redirect_stderr(io.StringIO()):
            yield
    except XlitError:
        raise
    except Exception:
        raise XlitError(CRASHED) from None
    finally:
        _ignore_key_signals()  # Textual has put its own handler for SIGTSTP
        with suppress(termios.error):  # the line is gone, and its terminal with it
            termios.tcsetattr(terminal, termios.TCSANOW, before)


def _ignore_key_signals() -> None:
    for number in KEY_SIGNALS:
        signal.signal(number, signal.SIG_IGN)

"""A login that may do nothing but review: nothing that the other side of the line sends decides anything.

The command line comes from the server (sshd's ForceCommand); the environment may come from the client
(AcceptEnv), so it names neither store, reviewer nor keys here. docs/kiosk.md has the lines for sshd.
"""

import os
import pwd
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Protocol

from store.errors import UsageError


class Context(Protocol):
    """Where the value of an option came from (click.Context)."""

    def get_parameter_source(self, name: str) -> Any: ...


def locked(context: Context, reviewer: str | None, keys: Path | None) -> tuple[str, Path | None]:
    """The reviewer and the keys of a locked login; the environment is cleaned for what starts after.

    The reviewer is the one on the command line, else the login of the user id, whatever USER or LOGNAME say.
    Raises `UsageError` when the store is not named on the command line.
    """
    if not _from_command_line(context, "store"):
        raise UsageError("--kiosk wants the store on its command line: add --store PATH-or-URL.")
    clean(os.environ)
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


def clean(environment: MutableMapping[str, str]) -> Mapping[str, str]:
    """Take out what Textual would obey: it can load a driver, press keys, or write a log to any file."""
    for name in list(environment):
        if name.startswith(("TEXTUAL", "XLIT_")):
            del environment[name]
    return environment

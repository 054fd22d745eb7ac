"""Who sits before the screen: a reviewer with a code is asked for it, by `XLIT_CODE` or on the terminal."""

import getpass
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from store.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Engine

VARIABLE = "XLIT_CODE"
TRIES = 3


class CodeNeeded(UsageError):
    """The reviewer has a code, and none or another one was given."""


def require_code(engine: "Engine", reviewer: str, code: str | None) -> None:
    """Raises `CodeNeeded` when the reviewer has a code and it is not this one."""
    from store.queries import reviewers
    from store.session import reading

    with reading(engine) as session:
        kept = reviewers.code_of(session, reviewer)
    if kept is None or (code is not None and reviewers.code_matches(code, kept)):
        return
    problem = "has a code" if code is None else "has another code"
    raise CodeNeeded(f"{reviewer} {problem}. Set {VARIABLE}, or type it when you are asked.")


def with_code(reviewer: str, start: Callable[[str | None], None]) -> None:
    """Call `start` with the code of the environment, if there is one, then with what is typed.

    Raises `CodeNeeded` after `TRIES` wrong codes, or when nothing is typed.
    """
    code = os.environ.get(VARIABLE)
    for last in (*(False,) * TRIES, True):
        try:
            return start(code)
        except CodeNeeded:
            if last:
                raise
            code = _ask(reviewer)
            if not code:
                raise


def _ask(reviewer: str) -> str:
    try:
        return getpass.getpass(f"Code of {reviewer}: ")
    except EOFError:
        return ""

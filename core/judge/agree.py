"""Asking a person whether a judge may be asked, once it is known how much there is to ask, and its cost."""

import sys

import typer

from core.judge.llm.survey import Agree, Survey
from core.progress import say
from store import UsageError


def person(yes: bool, *, needed: bool = True) -> Agree:
    """Shows what a judgement will ask and cost, and has a person agree to it; with `yes` it only shows it.

    Where there is neither `yes` nor a terminal to ask at, raises `UsageError`, or, when the judgement is not
    `needed`, says no.
    """

    def agree(found: Survey) -> bool:
        say(found.sentence)
        if yes:
            return True
        if not sys.stdin.isatty():
            message = "There is no terminal to ask whether to go on: say so with --yes."
            if needed:
                raise UsageError(message)
            say(message)
            return False
        return typer.confirm("Go on?", err=True)

    return agree

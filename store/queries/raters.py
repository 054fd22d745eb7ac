"""The names of raters: a judge, or a person, that is asked again is a rater of its own each time.

Repeats show how far a rater agrees with itself. The first time, the judge is the rater with its plain
version; the second time, the rater of the same kind and name with the version `VERSION#2`, then `VERSION#3`
and so on. A version that ends in `#` and a number from 2 on stands for nothing else.
"""

import re

from sqlalchemy import ColumnElement
from sqlmodel import col

from store.tables import Rater

# Understood alike by Python, which does regular expressions for SQLite, and by PostgreSQL.
_REPEAT = r"#([2-9]|[1-9][0-9]+)\Z"


def repeat_version(version: str, repeat: int) -> str:
    """The version of a judge's rater when it is asked for the `repeat`-th time, from 1.

    Raises `ValueError` when there is no such time, or when `version` is that of a repeat already.
    """
    if repeat < 1:
        raise ValueError(f"There is no repeat {repeat}: the first is 1.")
    if split_version(version)[1] != 1:
        raise ValueError(f"{version!r} is the version of a repeat already.")
    return version if repeat == 1 else f"{version}#{repeat}"


def split_version(version: str) -> tuple[str, int]:
    """The plain version of a rater, and for the how-many-th time it was asked: `v1#3` gives `("v1", 3)`."""
    found = re.search(_REPEAT, version)
    return (version[: found.start()], int(found[1])) if found else (version, 1)


def asked_first() -> ColumnElement[bool]:
    """The condition on `Rater` that leaves repeats out."""
    return ~col(Rater.version).regexp_match(_REPEAT)

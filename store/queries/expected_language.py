"""The language that a response is expected in: its instruction's, unless the modifier demands another.

Modifiers of the paper's set demand one (`lang_ru`: "answer in Russian"). An instruction may carry several,
separated by white space, commas, semicolons, `+` or `&`; capitals, and hyphens for underscores, make no
difference, and `language_ru` and `lang ru` say the same. Of several languages the first one counts. A code
has two or three letters, and may have a country: `lang_pt_BR` gives `pt-br`.
"""

import re
from collections import defaultdict
from typing import Any, cast

from sqlalchemy import ColumnElement, case, func, literal, or_
from sqlmodel import Session, col, select

from store.tables import Instruction

_DEMAND = re.compile(
    r"(?:\A|[\s,;+&])lang(?:uage)?[\s_-]([a-z]{2,3}(?:[_-][a-z0-9]{2,8})?)(?=[\s,;+&]|\Z)", re.ASCII
)


def expected_language(language: str, modifier: str | None) -> str:
    """The code of the language in which an answer is expected to an instruction in `language`."""
    return _demanded(modifier or "") or language


def expected_in_sql(session: Session) -> ColumnElement[str]:
    """`expected_language` of the table `instruction`, as an expression. It holds for the modifiers that are
    in the store now: ask for it with every question."""
    mentions = func.lower(Instruction.modifier).contains("lang")
    modifiers: dict[str, list[str]] = defaultdict(list)
    for modifier in session.exec(select(Instruction.modifier).where(mentions).distinct()):
        demanded = _demanded(modifier or "")
        if demanded is not None:
            modifiers[demanded].append(modifier or "")
    language = cast("ColumnElement[str]", col(Instruction.language))
    if not modifiers:
        return language
    demands = [
        (col(Instruction.modifier).in_(demanding), literal(code)) for code, demanding in modifiers.items()
    ]
    return case(*demands, else_=language)


def is_language(label: str, expected: str) -> bool:
    """Whether an identified language, a bare code, is the expected one; the country of that is left aside."""
    return expected == label or expected.replace("_", "-").startswith(f"{label}-")


def is_language_in_sql(label: Any, expected: Any) -> ColumnElement[bool]:
    """`is_language` as an expression."""
    country = func.replace(expected, "_", "-").startswith(label + literal("-"))
    return or_(expected == label, country)


def _demanded(modifier: str) -> str | None:
    demand = _DEMAND.search(modifier.lower())
    return demand[1].replace("_", "-") if demand else None

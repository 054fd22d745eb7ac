"""The language that a response is expected in: its instruction's, unless the modifier demands another.

Modifiers of the paper's set demand one (`lang_ru`: "answer in Russian"). An instruction may carry several,
separated by white space, commas, semicolons, `+` or `&`; capitals, and hyphens for underscores, make no
difference, and `language_ru` and `lang ru` say the same. Of several languages the first one counts. A code
has two or three letters, and may have a country: `lang_pt_BR` gives `pt-br`.
"""

import re
from collections import defaultdict
from typing import cast

from sqlalchemy import ColumnElement, case, func, literal
from sqlmodel import Session, col, select

from store.languages import normal_language
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
    """Whether an identified language, by its bare code, is the expected one."""
    return label == normal_language(expected)


def expected_label_in_sql(session: Session) -> ColumnElement[str]:
    """The label that an identifier has for the language that an instruction expects, as an expression, which
    holds for the languages that are in the store now: `is_language` is equality with it."""
    expected = expected_in_sql(session)
    pairs = session.exec(select(Instruction.language, Instruction.modifier).distinct())
    codes = {expected_language(*pair) for pair in pairs}
    renamed = [code for code in sorted(codes) if normal_language(code) != code]
    if not renamed:
        return expected
    return case(*((expected == code, literal(normal_language(code))) for code in renamed), else_=expected)


def _demanded(modifier: str) -> str | None:
    demand = _DEMAND.search(modifier.lower())
    return demand[1].replace("_", "-") if demand else None

"""Rubrics and their criteria; the default rubric, which every store can be asked for, comes from a file."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from store.tables import Criterion, Rubric
from store.upsert import insert_missing, row_id

RUBRIC_FILE = Path(__file__).parent.parent / "rubric.toml"


def read_rubric(path: Path = RUBRIC_FILE) -> dict[str, Any]:
    """A rubric as written in a TOML file: `name`, `version`, and `criteria` with their descriptions."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def label_of(session: Session, rubric_id: int) -> str:
    """A rubric's name and version, as `name/version`."""
    rubric = session.get_one(Rubric, rubric_id)
    return f"{rubric.name}/{rubric.version}"


def default_rubric_id(session: Session) -> int:
    """The id of the default rubric, written into the store the first time it is asked for."""
    rubric = read_rubric()
    return stored_default_rubric(session) or rubric_id(
        session, rubric["name"], rubric["version"], rubric["criteria"]
    )


def stored_default_rubric(session: Session) -> int | None:
    """The id of the default rubric; None where nobody has asked for it yet."""
    rubric = read_rubric()
    statement = select(Rubric.id).where(Rubric.name == rubric["name"], Rubric.version == rubric["version"])
    return session.exec(statement).first()


def rubric_id(session: Session, name: str, version: str, criteria: Sequence[dict[str, Any]]) -> int:
    """The id of a rubric; `criteria` are rows of `store.tables.Criterion` without rubric and position."""
    rubric = row_id(session, Rubric, {"name": name, "version": version})
    rows = [{"rubric_id": rubric, "position": position, **row} for position, row in enumerate(criteria)]
    insert_missing(session, Criterion, rows, ["rubric_id", "name"])
    return rubric


def criterion_names(session: Session) -> list[str]:
    """The names of the criteria of all rubrics, sorted."""
    return sorted(set(session.exec(select(Criterion.name))))


def criteria_of(session: Session, rubric: int) -> list[Criterion]:
    """The criteria of a rubric in its order."""
    statement = select(Criterion).where(Criterion.rubric_id == rubric).order_by(Criterion.position)  # type: ignore[arg-type]
    return list(session.exec(statement))

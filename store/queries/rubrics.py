"""The default rubric, which every store can be asked for."""

import tomllib
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from store.queries import models
from store.tables import Rubric

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
    statement = select(Rubric.id).where(Rubric.name == rubric["name"], Rubric.version == rubric["version"])
    found = session.exec(statement).first()
    return found or models.rubric_id(session, rubric["name"], rubric["version"], rubric["criteria"])

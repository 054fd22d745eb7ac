"""Rubrics and their criteria."""

from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from store.tables.columns import json_column


class Rubric(SQLModel, table=True):
    """The criteria with their scale and the description of every score."""

    __table_args__ = (UniqueConstraint("name", "version"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    version: str


class Criterion(SQLModel, table=True):
    """One aspect that is scored, from `minimum` to `maximum`; `descriptions` maps each score to its text."""

    __table_args__ = (UniqueConstraint("rubric_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    rubric_id: int = Field(foreign_key="rubric.id")
    name: str
    position: int
    minimum: int = 0
    maximum: int = 2
    descriptions: dict[str, Any] = json_column()

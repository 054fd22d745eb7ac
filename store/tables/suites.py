"""Suites and their instructions."""

from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel


class Suite(SQLModel, table=True):
    """A named, versioned set of instructions."""

    __table_args__ = (UniqueConstraint("name", "version"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    version: str
    licence: str | None = None
    source: str | None = None


class Instruction(SQLModel, table=True):
    """One prompt text in one language. `key` is the same in all languages of the suite.

    `position` is its place in the suite; `check` is the known answer as `core.judge.known_answers` reads it.
    """

    __table_args__ = (
        UniqueConstraint("suite_id", "language", "key"),
        Index("ix_instruction_place", "suite_id", "language", "position"),
    )

    id: int | None = Field(default=None, primary_key=True)
    suite_id: int = Field(foreign_key="suite.id")
    key: str
    language: str
    position: int
    text: str
    task: str | None = None
    modifier: str | None = None
    check: dict[str, Any] | None = Field(default=None, sa_column=Column("check", JSON(none_as_null=True)))

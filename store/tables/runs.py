"""Provenance: what ran, and which of its units failed."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from store.tables.columns import BigKey, UtcDateTime, json_column, utc_now


class Run(SQLModel, table=True):
    """Provenance: one execution of a command that wrote to the store. Never holds a key or a secret."""

    id: int | None = Field(default=None, primary_key=True)
    command: str
    parameters: dict[str, Any] = json_column()
    versions: dict[str, Any] = json_column()
    seed: int | None = None
    git_revision: str | None = None
    host: str
    started_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    status: str = "running"
    counts: dict[str, Any] = json_column()


class Failure(SQLModel, table=True):
    """A unit of work that came to nothing, with its reason: it is missing, never a zero."""

    __table_args__ = (Index("ix_failure_run", "run_id"),)

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True))
    run_id: int = Field(foreign_key="run.id")
    unit: str
    reason: str
    attempts: int = 1
    created_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))

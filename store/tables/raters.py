"""Raters, and what the store remembers of a reviewer besides scores."""

from datetime import datetime

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from store.tables.columns import BigKey, UtcDateTime, utc_now


class Rater(SQLModel, table=True):
    """Who scored: `human`, `llm` (name of the model, version of the prompt) or `rule`."""

    __table_args__ = (UniqueConstraint("kind", "name", "version"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    name: str
    version: str = ""


class Presentation(SQLModel, table=True):
    """Which column a response stood in for a reviewer, from 0, written down when it is first shown."""

    __table_args__ = (UniqueConstraint("rater_id", "response_id"),)

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True))
    rater_id: int = Field(foreign_key="rater.id")
    response_id: int = Field(sa_type=BigKey, foreign_key="response.id")
    position: int


class Bookmark(SQLModel, table=True):
    """Where a reviewer stopped in a view (for example `compare miniature/1 ru`)."""

    __table_args__ = (UniqueConstraint("rater_id", "view"),)

    id: int | None = Field(default=None, primary_key=True)
    rater_id: int = Field(foreign_key="rater.id")
    view: str
    instruction_id: int = Field(foreign_key="instruction.id")
    response_id: int | None = Field(default=None, sa_type=BigKey, foreign_key="response.id")
    criterion: str | None = None
    updated_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))

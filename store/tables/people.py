"""People and what they score on: raters, rubrics with their criteria, and campaigns.

A campaign says who shall score which responses, in which order; a code is how a reviewer is known.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from store.tables.columns import BigKey, UtcDateTime, json_column, utc_now


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


class Campaign(SQLModel, table=True):
    """Which responses which reviewers shall score on a rubric, in which order, and what they see meanwhile.

    `blind`: names of models, judge and surface metrics are hidden; `reveal`: judge and metrics are shown once
    a response is committed. `plan` are the parameters that it was made with, `digest` (SHA-256 in hex) is of
    the plan and of every assignment that it led to, by content. It is open until `closed_at`.
    """

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    rubric_id: int = Field(foreign_key="rubric.id")
    seed: int
    blind: bool = True
    reveal: bool = False
    plan: dict[str, Any] = json_column()
    digest: str
    created_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))
    closed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    run_id: int | None = Field(default=None, foreign_key="run.id")


class Assignment(SQLModel, table=True):
    """One response in the queue of `reviewer_id`, at a `position` from 1. Responses to one instruction that
    read the same share a position: they are read once.

    `rater_id` is the rater as whom it is scored: the reviewer, or for a `repeat` the reviewer asked again
    (`store.queries.raters`). `kind`: `normal`, `repeat`, `check` (its scores are known) or `adjudication`
    (two reviewers differ). It is done when the rater has committed the response in the journal.
    """

    __table_args__ = (
        UniqueConstraint("campaign_id", "rater_id", "response_id"),
        Index("ix_assignment_queue", "campaign_id", "reviewer_id", "position"),
        Index("ix_assignment_response", "response_id", "campaign_id"),
        Index("ix_assignment_reviewer", "reviewer_id", "response_id"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True))
    campaign_id: int = Field(foreign_key="campaign.id")
    reviewer_id: int = Field(foreign_key="rater.id")
    rater_id: int = Field(foreign_key="rater.id")
    response_id: int = Field(sa_type=BigKey, foreign_key="response.id")
    position: int
    kind: str


class ReviewerCode(SQLModel, table=True):
    """The code by which a reviewer is known, as scrypt makes it unreadable: `hashed` is
    `scrypt$N$r$p$SALT$HASH` with salt and hash in hex."""

    __tablename__ = "reviewer_code"

    rater_id: int = Field(foreign_key="rater.id", primary_key=True)
    hashed: str
    created_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))


class StoreKey(SQLModel, table=True):
    """A random key of this store (`value` in hex), by what it is for; no key of anybody's account."""

    __tablename__ = "store_key"

    purpose: str = Field(primary_key=True)
    value: str

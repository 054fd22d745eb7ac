"""The work of commands: what ran, which of its units failed, what judges answered, and the batches in which
they are asked.
"""

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


class JudgeAnswer(SQLModel, table=True):
    """What a judge answered, kept by the digest of judge, prompt version, instruction and response text, so
    that the same question is never paid for twice."""

    __tablename__ = "judge_answer"

    digest: str = Field(primary_key=True)
    rater_id: int = Field(foreign_key="rater.id")
    answer: str
    tokens_in: int | None = None
    tokens_out: int | None = None
    created_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))


class JudgeBatch(SQLModel, table=True):
    """Questions that a judge is asked together, through a server's Batch API.

    The row is there before anything is sent. `tag` goes along, and finds the batch at the server should its
    `remote_id` have been lost; `endpoint` is the server's address without secrets. `status` is `new` (to be
    sent), `waiting` (to be sent when the server has room), the server's own word, or, with `ended_at`, what
    became of it. `requests` are sent, with at most `tokens_in` tokens; `attempt`: for the how-many-th time,
    from 1; `run_id`: the run that sends it.
    """

    __tablename__ = "judge_batch"

    id: int | None = Field(default=None, primary_key=True)
    rater_id: int = Field(foreign_key="rater.id")
    endpoint: str
    tag: str = Field(unique=True)
    remote_id: str | None = None
    status: str = "new"
    requests: int
    tokens_in: int = 0
    attempt: int = 1
    created_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    run_id: int | None = Field(default=None, foreign_key="run.id")


class JudgeBatchItem(SQLModel, table=True):
    """One question of a batch, by the digest under which its answer will be kept (see `JudgeAnswer`)."""

    __tablename__ = "judge_batch_item"
    __table_args__ = (Index("ix_judge_batch_item_digest", "digest"),)

    batch_id: int = Field(foreign_key="judge_batch.id", primary_key=True)
    digest: str = Field(primary_key=True)

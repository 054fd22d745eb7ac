"""Model configurations, their decodings and responses, and what is measured of a response without a judge."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, UniqueConstraint, column, table
from sqlmodel import Field, SQLModel

from store.tables.columns import BigKey, UtcDateTime, json_column, utc_now


class Model(SQLModel, table=True):
    """One model configuration: what it was made of and how, and the digests of its weights.

    `data` names the data sets, `data_digest` (SHA-256 in hex) is of the conversations that were chosen from
    them by `size`, `mix` and `seed`. `weights` has by kind what identifies the weights: see
    `store.queries.models.WeightsDigest`. None, and a kind that is not there: not known; but a `size` of None
    beside a known `mix` is all of the data.
    """

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    base: str | None = None
    data: str | None = None
    adaptation: str | None = None
    learning_rate: float | None = None
    checkpoint: str | None = None
    data_digest: str | None = None
    size: int | None = None
    mix: str | None = None
    seed: int | None = Field(default=None, sa_type=BigInteger)
    weights: dict[str, Any] = json_column()


class Decoding(SQLModel, table=True):
    """How text was drawn from a model: engine, quantisation, strategy and limits.

    `digest` identifies the whole (see `store.queries.models.decoding_digest`). `engine` is `transformers`,
    `llama.cpp`, `openai` or `imported`.
    """

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True)
    engine: str
    quantization: str | None = None
    parameters: dict[str, Any] = json_column()


class Response(SQLModel, table=True):
    """What one model answered to one instruction under one decoding.

    `finish_reason` is `stop` (end token), `length` or None (unknown, imported); `seconds` is the share of
    wall-clock time spent on it; `text_digest` is the SHA-256 of `text` in hex.
    """

    __table_args__ = (
        UniqueConstraint("instruction_id", "model_id", "decoding_id", "sample"),
        Index("ix_response_source", "model_id", "decoding_id", "sample"),
        Index("ix_response_digest", "text_digest"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True))
    instruction_id: int = Field(foreign_key="instruction.id")
    model_id: int = Field(foreign_key="model.id")
    decoding_id: int = Field(foreign_key="decoding.id")
    sample: int = 0
    text: str
    text_digest: str
    finish_reason: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    seconds: float | None = None
    prompt_digest: str | None = None
    run_id: int | None = Field(default=None, foreign_key="run.id")
    created_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))


class Claim(SQLModel, table=True):
    """A response in the making: until `expires_at` nobody but this run generates it. `process` is the one
    that does (see `store.process`)."""

    __table_args__ = (Index("ix_claim_run", "run_id"),)

    model_id: int = Field(foreign_key="model.id", primary_key=True)
    decoding_id: int = Field(foreign_key="decoding.id", primary_key=True)
    instruction_id: int = Field(foreign_key="instruction.id", primary_key=True)
    sample: int = Field(default=0, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    process: str
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class SurfaceMetric(SQLModel, table=True):
    """A number that needs no judge: `language` (probability of `label`), `spelling` (share of words that
    pass), `relevance` (0 or 1). `tool` names the tool and its version; `detail` holds what the room shows."""

    __tablename__ = "surface_metric"
    __table_args__ = (UniqueConstraint("response_id", "metric", "tool"),)

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True))
    response_id: int = Field(sa_type=BigKey, foreign_key="response.id")
    metric: str
    tool: str
    value: float | None = None
    label: str | None = None
    detail: dict[str, Any] = json_column()
    run_id: int | None = Field(default=None, foreign_key="run.id")


CURRENT_METRIC = table(
    "current_metric",
    *(column(name) for name in ("id", "response_id", "metric", "tool", "value", "label")),
    column("detail", JSON),
)
"""Of every response and metric the latest measurement, whatever the tool."""

"""Model configurations, and how text was drawn from them."""

from typing import Any

from sqlmodel import Field, SQLModel

from store.tables.columns import json_column


class Model(SQLModel, table=True):
    """One model configuration: base / data / adaptation, its learning rate, its checkpoint."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    base: str | None = None
    data: str | None = None
    adaptation: str | None = None
    learning_rate: float | None = None
    checkpoint: str | None = None


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

"""The tables of the store, one class per word of the field (suite, instruction, model, response, rating ...).

What raters do is an append-only journal: an `Entry` is one action of a rater; its `Rating`, `Comment` and
`ErrorSpan` rows are the scores, comments and spans which that action set. Nothing in these four tables is
ever changed or deleted (triggers see to it). What holds now is the last row of the same rater about the same
thing, given by the views `current_rating`, `current_comment` and `current_error_span`.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    TableClause,
    UniqueConstraint,
    column,
    table,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


def utc_now() -> datetime:
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time with its zone in Python and UTC on disk (SQLite keeps no zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# A 64-bit key that SQLite still treats as its rowid.
BigKey = BigInteger().with_variant(Integer, "sqlite")


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def _view(name: str, *columns: str) -> TableClause:
    return table(name, *(column(found) for found in ("id", "entry_id", *columns)))


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

    `position` is its place in the suite; `check` is the known answer as `core.judge.rules` reads it.
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
    parameters: dict[str, Any] = _json()


class Run(SQLModel, table=True):
    """Provenance: one execution of a command that wrote to the store. Never holds a key or a secret."""

    id: int | None = Field(default=None, primary_key=True)
    command: str
    parameters: dict[str, Any] = _json()
    versions: dict[str, Any] = _json()
    seed: int | None = None
    git_revision: str | None = None
    host: str
    started_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    status: str = "running"
    counts: dict[str, Any] = _json()


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
    detail: dict[str, Any] = _json()
    run_id: int | None = Field(default=None, foreign_key="run.id")


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
    descriptions: dict[str, Any] = _json()


class Rater(SQLModel, table=True):
    """Who scored: `human`, `llm` (name of the model, version of the prompt) or `rule`."""

    __table_args__ = (UniqueConstraint("kind", "name", "version"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    name: str
    version: str = ""


class Entry(SQLModel, table=True):
    """One action of a rater in the journal.

    `kind`: `score` (sets, skips or clears scores), `comment`, `span` (marks error spans or takes them away),
    `undo` / `redo` (restores what stood before; `target_id` is the entry undone or redone) or `commit` (the
    reviewer is done with `response_id` and may see what the judge said).
    `looked_ms`: how long the response was on show before the action. `judge_shown`, `names_shown`: what was
    on the screen at that moment.
    """

    __table_args__ = (
        Index("ix_entry_rater", "rater_id", "id"),
        Index("ix_entry_response", "response_id", "rater_id"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True))
    rater_id: int = Field(foreign_key="rater.id")
    kind: str
    target_id: int | None = Field(default=None, sa_type=BigKey, foreign_key="entry.id")
    response_id: int | None = Field(default=None, sa_type=BigKey, foreign_key="response.id")
    created_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))
    looked_ms: int | None = None
    judge_shown: bool = False
    names_shown: bool = False
    app_version: str
    run_id: int | None = Field(default=None, foreign_key="run.id")


class Rating(SQLModel, table=True):
    """One score of one rater for one criterion of one response, set by one entry.

    `score` None with `skipped` true: left out on purpose (wrong language); None with false: cleared.
    """

    __table_args__ = (
        Index("ix_rating_current", "response_id", "rater_id", "criterion_id", "id"),
        Index("ix_rating_entry", "entry_id"),
        Index("ix_rating_rater", "rater_id", "response_id"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True))
    entry_id: int = Field(sa_type=BigKey, foreign_key="entry.id")
    response_id: int = Field(sa_type=BigKey, foreign_key="response.id")
    rater_id: int = Field(foreign_key="rater.id")
    criterion_id: int = Field(foreign_key="criterion.id")
    score: int | None = None
    skipped: bool = False


class Comment(SQLModel, table=True):
    """What a rater wrote about a response, set by one entry; it may have several lines.

    A rater has one comment for each response: the last row. An empty `text` says that it was taken away.
    """

    __table_args__ = (
        Index("ix_comment_current", "response_id", "rater_id", "id"),
        Index("ix_comment_entry", "entry_id"),
        Index("ix_comment_rater", "rater_id", "response_id"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True))
    entry_id: int = Field(sa_type=BigKey, foreign_key="entry.id")
    response_id: int = Field(sa_type=BigKey, foreign_key="response.id")
    rater_id: int = Field(foreign_key="rater.id")
    text: str


class ErrorSpan(SQLModel, table=True):
    """A stretch of a response that a rater marked as an error of a category and a severity.

    It covers the code points from `start_offset` to before `end_offset` of the response's text. A span is the
    same span when response, rater, both offsets and category are the same; of those rows the last one counts,
    and `present` false says that the span was taken away.
    """

    __tablename__ = "error_span"
    __table_args__ = (
        CheckConstraint("start_offset >= 0 AND start_offset < end_offset", name="ck_error_span_offsets"),
        Index(
            "ix_error_span_current",
            "response_id", "rater_id", "start_offset", "end_offset", "category", "id",
        ),
        Index("ix_error_span_entry", "entry_id"),
        Index("ix_error_span_rater", "rater_id", "response_id"),
    )  # fmt: skip

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True))
    entry_id: int = Field(sa_type=BigKey, foreign_key="entry.id")
    response_id: int = Field(sa_type=BigKey, foreign_key="response.id")
    rater_id: int = Field(foreign_key="rater.id")
    start_offset: int
    end_offset: int
    category: str
    severity: str
    note: str = ""
    present: bool = True


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


# The views of what holds now (made by the migrations): the last rows that don't take something away.
CURRENT_RATING = _view("current_rating", "response_id", "rater_id", "criterion_id", "score", "skipped")
CURRENT_COMMENT = _view("current_comment", "response_id", "rater_id", "text")
CURRENT_ERROR_SPAN = _view(
    "current_error_span",
    "response_id", "rater_id", "start_offset", "end_offset", "category", "severity", "note",
)  # fmt: skip

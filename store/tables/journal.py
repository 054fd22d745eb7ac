"""What raters do, in a journal that is only ever added to.

An `Entry` is one action of a rater; its `Rating`, `Comment` and `ErrorSpan` rows are the scores, comments
and spans which that action set. Nothing in these four tables is ever changed or deleted (triggers see to it).
What holds now is the last row of the same rater about the same thing, unless it takes something away: the
views at the end, which the migrations make.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, TableClause, column, table
from sqlmodel import Field, SQLModel

from store.tables.columns import BigKey, UtcDateTime, utc_now


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


def _view(name: str, *columns: str) -> TableClause:
    return table(name, *(column(column_name) for column_name in ("id", "entry_id", *columns)))


CURRENT_RATING = _view("current_rating", "response_id", "rater_id", "criterion_id", "score", "skipped")
LEDGER = _view(
    "ledger",
    "response_id", "rater_id", "criterion_id", "score", "skipped",
    "rubric_id", "rater_kind", "stands", "adjudicates", "wrong_language", "replaced", "left_out",
)  # fmt: skip
"""Every rating of the journal, and whether it counts (`store.queries.ledger`)."""
CURRENT_COMMENT = _view("current_comment", "response_id", "rater_id", "text")
CURRENT_ERROR_SPAN = _view(
    "current_error_span",
    "response_id", "rater_id", "start_offset", "end_offset", "category", "severity", "note",
)  # fmt: skip

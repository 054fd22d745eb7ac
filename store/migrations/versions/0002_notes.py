"""Comments and error spans in the journal, and an index by which the sources are found."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

CURRENT_COMMENT = """
CREATE VIEW current_comment AS
SELECT comment.id, comment.entry_id, comment.response_id, comment.rater_id, comment.text
FROM comment
WHERE comment.id = (
        SELECT max(later.id) FROM comment AS later
        WHERE later.response_id = comment.response_id
          AND later.rater_id = comment.rater_id)
  AND comment.text <> ''
"""

CURRENT_ERROR_SPAN = """
CREATE VIEW current_error_span AS
SELECT error_span.id, error_span.entry_id, error_span.response_id, error_span.rater_id,
       error_span.start_offset, error_span.end_offset, error_span.category, error_span.severity,
       error_span.note
FROM error_span
WHERE error_span.id = (
        SELECT max(later.id) FROM error_span AS later
        WHERE later.response_id = error_span.response_id
          AND later.rater_id = error_span.rater_id
          AND later.start_offset = error_span.start_offset
          AND later.end_offset = error_span.end_offset
          AND later.category = error_span.category)
  AND error_span.present
"""


def protect(table: str) -> None:
    """Refuse every UPDATE and DELETE on a table of the journal, in the database itself."""
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'the journal of ratings is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_journal_change()"
    )


def upgrade() -> None:
    op.create_table(
        "comment",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("entry_id", BIG_KEY, nullable=False),
        sa.Column("response_id", BIG_KEY, nullable=False),
        sa.Column("rater_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"]),
        sa.ForeignKeyConstraint(["rater_id"], ["rater.id"]),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_comment_current", "comment", ["response_id", "rater_id", "id"])
    op.create_index("ix_comment_entry", "comment", ["entry_id"])
    op.create_index("ix_comment_rater", "comment", ["rater_id", "response_id"])
    op.create_table(
        "error_span",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("entry_id", BIG_KEY, nullable=False),
        sa.Column("response_id", BIG_KEY, nullable=False),
        sa.Column("rater_id", sa.Integer(), nullable=False),
        sa.Column("start_offset", sa.Integer(), nullable=False),
        sa.Column("end_offset", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.CheckConstraint("start_offset >= 0 AND start_offset < end_offset", name="ck_error_span_offsets"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"]),
        sa.ForeignKeyConstraint(["rater_id"], ["rater.id"]),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_error_span_current",
        "error_span",
        ["response_id", "rater_id", "start_offset", "end_offset", "category", "id"],
    )
    op.create_index("ix_error_span_entry", "error_span", ["entry_id"])
    op.create_index("ix_error_span_rater", "error_span", ["rater_id", "response_id"])
    op.execute(CURRENT_COMMENT)
    op.execute(CURRENT_ERROR_SPAN)
    for table in ("comment", "error_span"):
        protect(table)
    op.drop_index("ix_response_model", table_name="response")
    op.create_index("ix_response_source", "response", ["model_id", "decoding_id", "sample"])

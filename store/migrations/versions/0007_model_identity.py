"""What tells one model configuration from another besides its name; unknown of those that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model", sa.Column("data_digest", sa.String(), nullable=True))
    op.add_column("model", sa.Column("size", sa.Integer(), nullable=True))
    op.add_column("model", sa.Column("mix", sa.String(), nullable=True))
    op.add_column("model", sa.Column("seed", sa.BigInteger(), nullable=True))
    op.add_column("model", sa.Column("weights", sa.JSON(), nullable=False, server_default=sa.text("'{}'")))

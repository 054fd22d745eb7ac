"""Alembic's entry: runs the steps on the connection that `store.migrations.upgrade` hands over."""

from alembic import context
from sqlmodel import SQLModel

import store.tables  # noqa: F401 - fills SQLModel.metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()

"""Writing rows that may be there already, for every database the store runs on."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from sqlalchemy import tuple_
from sqlmodel import Session, SQLModel, select


def insert_or_update(
    session: Session, table: type[SQLModel], row: dict[str, Any], key: Sequence[str]
) -> None:
    """Insert the row. Where one with the same `key` columns is there, its other columns are set instead."""
    statement = dialect_of(session).insert(table).values(table(**row).model_dump(exclude={"id"}))
    others = {column.name: column for column in statement.excluded if column.name not in ("id", *key)}
    session.connection().execute(statement.on_conflict_do_update(index_elements=list(key), set_=others))


def insert_missing(
    session: Session, table: type[SQLModel], rows: Sequence[dict[str, Any]], key: Sequence[str]
) -> int:
    """Insert the rows whose `key` columns are not there yet; returns how many were new."""
    full = [table(**row).model_dump(exclude={"id"}) for row in rows]
    if not full:
        return 0
    statement = dialect_of(session).insert(table).on_conflict_do_nothing(index_elements=list(key))
    options = {"preserve_rowcount": True}
    return int(session.connection().execute(statement, full, execution_options=options).rowcount)


def row_id(session: Session, table: type[SQLModel], key: dict[str, Any], **values: Any) -> int:
    """The id of the row with this unique key, inserted with `values` when it is not there."""
    insert_missing(session, table, [{**key, **values}], list(key))
    columns = [getattr(table, name) for name in key]
    statement = select(table.id).where(tuple_(*columns) == tuple(key.values()))  # type: ignore[attr-defined]
    return int(session.exec(statement).one())


def dialect_of(session: Session) -> Any:
    """SQLAlchemy's module for the database in use, whose `insert` knows ON CONFLICT."""
    # By name, so that only the dialect in use is imported.
    return import_module(f"sqlalchemy.dialects.{session.get_bind().dialect.name}")

"""The kinds of columns that several tables have."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Integer
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field

# A 64-bit key that SQLite still treats as its rowid.
BigKey = BigInteger().with_variant(Integer, "sqlite")


def utc_now() -> datetime:
    return datetime.now(UTC)


def json_column() -> Any:
    """A column of JSON that is never NULL; an empty object by default."""
    return Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


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

"""Sessions: short reads, and writes that take the writer's lock at once and commit as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text
from sqlmodel import Session

from store.file_identity import check_file


def reading(engine: Engine) -> Session:
    """A session for reading; use it as a context manager."""
    return Session(engine)


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session that holds the writer's lock from its start, commits at the end, or leaves nothing behind.

    SQLite would otherwise let a reader become a writer half-way, and fail without waiting when another
    process wrote in between.

    Raises `StoreReplaced` when the store's file is not the one that was opened, before or after.
    """
    check_file(engine)
    with Session(engine.execution_options(immediate=True)) as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
    check_file(engine)


def wait_for_writer(session: Session, milliseconds: int) -> None:
    """How long this connection waits for another program's write (SQLite; other databases queue by row)."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().execute(text(f"PRAGMA busy_timeout={int(milliseconds)}"))

"""New SQLite stores for tests, copied from one that the migrations made once in this process.

A store costs 0.14 s by its migrations and a few milliseconds as a copy. PostgreSQL gains nothing from a
template database (creating, opening and dropping a copy takes as long as the migrations), so its stores are
migrated.
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from store import migrations, open_store

Upgrade = Callable[..., None]


@pytest.fixture(scope="session", autouse=True)
def _new_stores_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`migrations.upgrade` of an empty SQLite file to the newest version copies the template instead."""
    patch = pytest.MonkeyPatch()
    patch.setattr(migrations, "upgrade", copying(tmp_path_factory.mktemp("template") / "template.db"))
    yield
    patch.undo()


def copying(template: Path) -> Upgrade:
    """`migrations.upgrade`, but an empty SQLite file that shall have the newest version becomes a copy of
    `template`, which the first call makes."""
    migrate = migrations.upgrade
    page_source: list[sqlite3.Connection] = []

    def upgrade(engine: Engine, version: str | None = None) -> None:
        if version is not None or engine.dialect.name != "sqlite" or migrations.stored_version(engine):
            migrate(engine, version or "head")
            return
        if not page_source:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(migrations, "upgrade", migrate)
                open_store(template, create=True).dispose()
            page_source.append(sqlite3.connect(template))
        connection = engine.raw_connection()
        try:
            page_source[0].backup(connection.driver_connection)
        finally:
            connection.close()

    return upgrade

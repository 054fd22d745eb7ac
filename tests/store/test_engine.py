"""Opening stores: pragmas, versions, and what is said about a file that is none."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import SQLModel

import store.tables  # noqa: F401
from store import StoreError, migrations, open_store, upgrade_store
from store.queries import journal, notes, suites
from store.session import reading, writing

pytestmark = pytest.mark.parts


VERSION_1 = Path(__file__).parent / "version-0001.sql"


def test_a_new_store_waits_for_writers_checks_references_and_survives_a_power_cut(tmp_path):
    engine = open_store(tmp_path / "s.db", create=True)
    with engine.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_the_migrations_make_exactly_the_tables_of_the_models(tmp_path):
    engine = open_store(tmp_path / "s.db", create=True)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


@pytest.fixture
def first_version(tmp_path: Path) -> Path:
    """A store of version 0001 with a score that was changed from 1 to 2."""
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(VERSION_1.read_text(encoding="utf-8"))
    connection.close()
    return path


def rows_of(path: Path, columns: dict[str, list[str]] | None = None) -> dict[str, list[tuple]]:
    """All rows of all tables but the version's; `columns`: only these tables and columns."""
    columns = columns or columns_of(path)
    with sqlite3.connect(path) as connection:
        return {
            name: connection.execute(
                "SELECT {} FROM {}".format(", ".join(f'"{column}"' for column in own), f'"{name}"')
            ).fetchall()
            for name, own in columns.items()
        }


def columns_of(path: Path) -> dict[str, list[str]]:
    """The columns of all tables but the version's."""
    with sqlite3.connect(path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
            for (name,) in tables
            if name != "alembic_version"
        }


def test_a_store_of_the_first_version_opens_with_its_ratings(first_version):
    with pytest.raises(StoreError, match="xlit-core upgrade"):
        open_store(first_version)
    upgrade_store(first_version)
    engine = open_store(first_version)
    with reading(engine) as session:
        assert suites.find_suite(session, None).languages == {"ru": 1}
        rows = session.connection().execute(text("SELECT score FROM current_rating")).all()
        assert [row.score for row in rows] == [2]


def test_an_upgrade_keeps_every_row_and_the_old_file(first_version):
    columns, before = columns_of(first_version), rows_of(first_version)
    assert len(before["rating"]) == 2
    old, new, backup = upgrade_store(first_version)
    assert (old, new) == ("0001", migrations.HEAD)
    assert backup == first_version.with_name("old.db.0001.bak")
    assert rows_of(backup) == before
    assert rows_of(first_version, columns) == before
    with sqlite3.connect(first_version) as connection:
        unknown = connection.execute("SELECT data_digest, size, mix, seed, weights FROM model").fetchall()
    assert set(unknown) == {(None, None, None, None, "{}")}


def test_an_upgraded_store_is_made_like_a_new_one(first_version, tmp_path):
    upgrade_store(first_version)
    engine = open_store(first_version)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []

    def made(path: Path) -> list[tuple[str, str]]:
        with sqlite3.connect(path) as connection:
            return connection.execute("SELECT type, name FROM sqlite_master ORDER BY type, name").fetchall()

    open_store(tmp_path / "new.db", create=True).dispose()
    assert made(first_version) == made(tmp_path / "new.db")


def test_what_an_upgraded_store_held_is_undone_and_joined_by_notes(first_version):
    upgrade_store(first_version)
    engine = open_store(first_version)
    with writing(engine) as session:
        notes.set_comment(session, 1, [1], "good")
        assert journal.undo(session, 1) == 1
        assert journal.undo(session, 1) == 1
        assert [score.score for score in journal.current_ratings(session, 1, [1])] == [1]
        assert notes.comments_of(session, 1, [1]) == {}
    with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
        connection.execute(text("DELETE FROM comment"))


def test_an_upgrade_keeps_a_backup_of_the_old_version(tmp_path, monkeypatch):
    """A step is added to a copy of the migrations, so that there is something to upgrade to."""
    path = tmp_path / "s.db"
    open_store(path, create=True).dispose()
    folder = tmp_path / "migrations"
    shutil.copytree(Path(migrations.__file__).parent, folder)
    (folder / "versions" / "0099_next.py").write_text(
        f'revision = "0099"\ndown_revision = "{migrations.HEAD}"\n'
        "import sqlalchemy as sa\nfrom alembic import op\n"
        'def upgrade():\n    op.add_column("suite", sa.Column("note", sa.String()))\n'
    )
    old = migrations.HEAD
    monkeypatch.setattr(migrations, "HEAD", "0099")
    monkeypatch.setattr(migrations, "__file__", str(folder / "__init__.py"))
    with pytest.raises(StoreError, match="Run `xlit-core upgrade"):
        open_store(path)
    assert upgrade_store(path) == (old, "0099", tmp_path / f"s.db.{old}.bak")
    engine = open_store(path)
    with engine.connect() as connection:
        assert "note" in set(connection.execute(text("SELECT * FROM suite")).keys())
    with sqlite3.connect(tmp_path / f"s.db.{old}.bak") as backup:
        assert backup.execute("SELECT version_num FROM alembic_version").fetchone() == (old,)


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    path = tmp_path / "s.db"
    engine = open_store(path, create=True)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '7777'"))
    engine.dispose()
    with pytest.raises(StoreError, match="newer xlit"):
        open_store(path)
    with pytest.raises(StoreError, match="newer xlit"):
        upgrade_store(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "No store at"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_text("hello, I am a text file"), "not a SQLite file"),
        (lambda path: path.write_bytes(b""), "No store at"),
        (
            lambda path: sqlite3.connect(path).execute("CREATE TABLE mine (id)").connection.commit(),
            "not a store",
        ),
    ],
)
def test_what_is_no_store_is_said_in_one_line(tmp_path, make, message):
    path = tmp_path / "thing.db"
    make(path)
    with pytest.raises(StoreError, match=message) as caught:
        open_store(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_password_in_a_url_is_not_shown():
    with pytest.raises(StoreError) as caught:
        open_store("nosuchdb://me:s3cret@localhost/x")
    assert "s3cret" not in str(caught.value)


def test_a_writing_session_leaves_nothing_behind_when_it_fails(tmp_path):
    engine = open_store(tmp_path / "s.db", create=True)
    with pytest.raises(RuntimeError), writing(engine) as session:
        suites.add_suite(session, "s", "1", [suites.NewInstruction("a", "ru", "?")])
        raise RuntimeError
    with reading(engine) as session:
        assert suites.list_suites(session) == []


def test_what_is_no_url_is_refused_in_one_sentence_without_its_password():
    with pytest.raises(StoreError, match=r"^my pg://\.\.\. can't be opened as a store") as refused:
        open_store("my pg://nv:s3cret@host/xlit")
    assert "s3cret" not in str(refused.value)

"""The store's versions, kept by Alembic. A new store is made by the same steps that upgrade an old one."""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

HEAD = "0008"
VERSION_TABLE = "alembic_version"


def stored_version(engine: Engine) -> str | None:
    """The version written in the database, or None when it holds none."""
    if not inspect(engine).has_table(VERSION_TABLE):
        return None
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def is_known(version: str) -> bool:
    """Whether this program has the step that leads on from `version`."""
    return any(
        path.name.startswith(f"{version}_") for path in (Path(__file__).parent / "versions").glob("*.py")
    )


def upgrade(engine: Engine, version: str = "head") -> None:
    """Apply the missing steps up to `version`, all in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.execution_options(immediate=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)

"""Bring the tables of `raw` and `quality` to the version this code needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from otklik.settings import Settings

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(settings: Settings) -> bool:
    """Migrate the warehouse to head as its owner; return whether anything was applied."""
    with _owner_connection(settings) as connection:
        # The version table lives in `raw`, so the schema must precede the first migration.
        connection.execute(text("create schema if not exists raw"))
        connection.commit()
        config = _config()
        before = current_revision(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        return before != current_revision(connection)


def at_head(settings: Settings) -> bool:
    """Tell whether the warehouse is at the version this code needs."""
    with _owner_connection(settings) as connection:
        return current_revision(connection) == ScriptDirectory.from_config(_config()).get_current_head()


def current_revision(connection: Connection) -> str | None:
    """Return the applied revision, or None before the first migration."""
    context = MigrationContext.configure(connection, opts={"version_table_schema": "raw"})
    return context.get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _owner_connection(settings: Settings) -> Connection:
    return create_engine(settings.sqlalchemy_url("owner")).connect()

"""The history of the schema, and the one way to bring a database up to date.

Procrastinate's own tables are part of it, so that there is one command and one number to compare.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

#: Held while migrating, so that several processes may start at once. Any number nothing else locks.
_MIGRATION_LOCK = 0x6D696772


def migrate(dsn: str) -> None:
    """Bring the database up to `head`; harmless when it is there already. Waits for another process doing the same."""
    engine = _engine(dsn)
    try:
        with engine.connect() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_lock(_MIGRATION_LOCK)))
            connection.commit()
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    finally:
        engine.dispose()  # which also gives the lock back


def head() -> str:
    """The newest revision this program knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise RuntimeError("no revisions are installed")
    return revision


def current(dsn: str) -> str | None:
    """The revision a database is at; None when nothing was ever migrated."""
    engine = _engine(dsn)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _engine(dsn: str) -> sa.Engine:
    return sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=sa.NullPool)

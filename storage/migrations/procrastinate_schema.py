"""Procrastinate's own tables, brought up to the installed version inside our revisions.

A fresh database gets the schema of the installed version at once; an older one gets the migration files that came
since. Which it has is written in a comment on its table of jobs, so the same call is right in every revision.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from procrastinate.schema import SchemaManager

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVEL = "procrastinate schema "


def newest() -> str:
    """Name of the last migration file of the installed version, for instance "03.04.00_50_post_…"."""
    return _files()[-1].stem


def level(connection: sa.Connection) -> str | None:
    """The migration file a database is at; None when it has no such tables."""
    query = sa.text("SELECT obj_description(to_regclass('procrastinate_jobs'), 'pg_class')")
    comment = connection.execute(query).scalar_one()
    return None if comment is None else str(comment).removeprefix(_LEVEL)


def bring_up_to_date(connection: sa.Connection) -> None:
    """Create the tables, or apply what came since they were created."""
    present = level(connection)
    if present is None:
        scripts = [SchemaManager.get_schema()]
    else:
        scripts = [file.read_text(encoding="utf-8") for file in _files() if file.stem > present]
    raw = connection.connection.cursor()
    try:
        for script in scripts:
            raw.execute(script)
        raw.execute(f"COMMENT ON TABLE procrastinate_jobs IS '{_LEVEL}{newest()}'")
    finally:
        raw.close()


def _files() -> Sequence[Path]:
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))

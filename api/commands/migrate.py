"""`hoso migrate`: bring the schema of a named database up to this program's, before the program is started."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from api.commands import CommandFailed, configured

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing is asked: the database is a setting."""
    parser.epilog = "Sao lưu trước (back up first): hoso backup. `hoso up` does this by itself."


def run(_given: argparse.Namespace) -> int:
    """Migrate; harmless when there is nothing to do, and when several do it at once."""
    import psycopg
    import sqlalchemy.exc

    from storage.migrations import current, head, migrate

    settings = configured()
    if not settings.database:
        raise CommandFailed(
            "Chưa đặt HOSO_DATABASE, và bản kèm theo chưa chạy. (No database is named, and none is running.)",
            os.EX_UNAVAILABLE,
        )
    try:
        before = current(settings.database)
        migrate(settings.database)
    except (psycopg.OperationalError, sqlalchemy.exc.OperationalError) as error:
        raise CommandFailed(
            "Không nối được tới cơ sở dữ liệu; chưa có gì thay đổi. (The database can't be reached.)",
            os.EX_UNAVAILABLE,
        ) from error
    print(f"Cơ sở dữ liệu: {before or 'trống'} → {head()}. (The database is up to date.)")
    return 0

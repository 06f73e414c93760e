"""The office tree and the catalogue of procedures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from dossiers.types import Agency, Procedure
from storage import tables
from storage.rows import many, one, to_row, upsert

if TYPE_CHECKING:
    from collections.abc import Sequence


class PostgresAgencies:
    """`dossiers.ports.Agencies`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, code: str) -> Agency:
        """The agency with this code. Raises NotFound."""
        return one(Agency, self._connection, sa.select(tables.agencies).where(tables.agencies.c.code == code))

    def all(self) -> Sequence[Agency]:
        """By code."""
        return many(Agency, self._connection, sa.select(tables.agencies).order_by(tables.agencies.c.code))

    def keep(self, agency: Agency) -> None:
        """Insert or change."""
        upsert(self._connection, tables.agencies, to_row(agency, tables.agencies))


class PostgresProcedures:
    """`dossiers.ports.Procedures`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, code: str) -> Procedure:
        """The procedure with this code. Raises NotFound."""
        return one(Procedure, self._connection, sa.select(tables.procedures).where(tables.procedures.c.code == code))

    def all(self) -> Sequence[Procedure]:
        """By code."""
        return many(Procedure, self._connection, sa.select(tables.procedures).order_by(tables.procedures.c.code))

    def keep(self, procedure: Procedure) -> None:
        """Insert or change."""
        upsert(self._connection, tables.procedures, to_row(procedure, tables.procedures))

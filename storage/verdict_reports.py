"""Reports of checks, kept for a day; in the database and not in the store, which never lets go of anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from dossiers.verdict_reports import VerdictReport
from storage.rows import many, one, to_row, upsert
from storage.tables import verdict_reports

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class PostgresVerdictReports:
    """`dossiers.ports.VerdictReports`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, report_id: UUID) -> VerdictReport | None:
        """A report, held until the transaction ends; None once it is forgotten."""
        query = sa.select(verdict_reports).where(verdict_reports.c.id == report_id).with_for_update()
        return next(iter(many(VerdictReport, self._connection, query)), None)

    def by_ticket(self, ticket_sha256: str) -> VerdictReport:
        """The report with this ticket, by its hash. Raises NotFound."""
        query = sa.select(verdict_reports).where(verdict_reports.c.ticket_sha256 == ticket_sha256)
        return one(VerdictReport, self._connection, query)

    def keep(self, report: VerdictReport) -> None:
        """Insert or change."""
        upsert(self._connection, verdict_reports, to_row(report, verdict_reports))

    def forget(self, *, before: datetime) -> int:
        """Delete those asked for before then; how many."""
        return self._connection.execute(sa.delete(verdict_reports).where(verdict_reports.c.asked_at <= before)).rowcount

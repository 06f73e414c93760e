"""Figures for whoever watches the instance: what the database can count, and what each process says of itself.

Workers serve nothing, so each process leaves its figures here every few seconds; the web tells all of them at one
address, whatever the number of machines. No figure holds anything personal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dossiers import archive, retention
from storage.holds import PostgresHolds
from storage.queue import NOBODY_WAITS_PRIORITY
from storage.retention import PostgresRetention
from storage.tables import process_figures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

#: A worker that gave no sign of life for so long isn't there.
_SILENT_S = 30

_JOBS = """
WITH waiting AS (
    SELECT queue_name, status::text AS status, priority > :nobody_waits AS waited_for,
           count(*) AS jobs, min(id) AS first
    FROM procrastinate_jobs
    WHERE status IN ('doing', 'failed') OR (status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()))
    GROUP BY queue_name, status, waited_for
)
SELECT queue_name, status, waited_for, jobs,
       (SELECT extract(epoch FROM now() - min(event.at)) FROM procrastinate_events AS event
        WHERE event.job_id = waiting.first AND event.type = 'deferred')
FROM waiting
"""
_WORKERS = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :silent)"
#: What waits for a person, and what waits for a timestamp. Partial indexes hold just these rows.
_STUCK = """
SELECT 'page', count(*) FROM pages WHERE trouble <> ''
UNION ALL SELECT 'component', count(*) FROM components WHERE trouble <> ''
UNION ALL SELECT 'e_result', count(*) FROM e_results WHERE trouble <> ''
UNION ALL SELECT 'unstamped', count(*) FROM e_results WHERE unstamped_at IS NOT NULL
UNION ALL SELECT 'unstamped_for_a_day', count(*) FROM e_results WHERE unstamped_at < now() - interval '1 day'
"""
_CERTIFICATES = """
SELECT agency, left(sha256, 16), owner = '', extract(epoch FROM valid_to - now()) / 86400
FROM certificates WHERE active
"""
#: A partial index holds those in quarantine, another one is in the order of reading.
_QUARANTINED = """
SELECT count(*) FILTER (WHERE found = 'missing'), count(*) FILTER (WHERE found = 'damaged')
FROM kept_objects WHERE found IN ('missing', 'damaged')
"""
_LONGEST_UNREAD = "SELECT extract(epoch FROM now() - min(checked_at)) FROM kept_objects"
_LISTS = "SELECT extract(epoch FROM now() - min(fetched_at)) FROM crls"
#: Of dossiers that ended, the few whose period is over by then; a partial index is in that order.
_ENDING = "SELECT count(*) FILTER (WHERE kept_until > :now), count(*) FROM dossiers WHERE kept_until <= :warned"
#: The shortest limit of all procedures keeps the newest dossiers, which are the most, out of it.
_TO_ARCHIVE = """
WITH finished AS (
    SELECT finished_at + make_interval(days => archive_within_days) AS due
    FROM dossiers JOIN procedures ON procedures.code = dossiers.procedure
    WHERE finished_at IS NOT NULL AND archived_at IS NULL
    AND finished_at <= :warned - make_interval(days => (SELECT min(archive_within_days) FROM procedures))
)
SELECT count(*) FILTER (WHERE due > :now), count(*) FROM finished WHERE due <= :warned
"""


@dataclass(frozen=True)
class Figure:
    """One number.

    Attributes:
        name: As Prometheus has it, without a suffix.
        value: In the unit the name ends with.
        labels: Which of several.
    """

    name: str
    value: float
    labels: Mapping[str, str]


class PostgresFigures:
    """On the connection of a unit of work."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def counted(self, *, now: datetime) -> list[Figure]:
        """What the database knows: jobs, workers, what is stuck, certificates, old lists, lost objects, keeping."""
        found: list[Figure] = []
        jobs: dict[tuple[str, str], int] = {}
        known = {"nobody_waits": NOBODY_WAITS_PRIORITY}
        for queue, status, waited_for, count, age in self._connection.execute(sa.text(_JOBS), known):
            jobs[queue, status] = jobs.get((queue, status), 0) + count
            if status == "todo" and waited_for:
                found.append(Figure("hoso_oldest_job_seconds", float(age or 0), {"queue": queue}))
            elif status == "todo":
                found.append(Figure("hoso_back_file_jobs", count, {"queue": queue}))
        found += [
            Figure("hoso_jobs", count, {"queue": queue, "status": status}) for (queue, status), count in jobs.items()
        ]
        alive = self._connection.execute(sa.text(_WORKERS), {"silent": _SILENT_S}).scalar_one()
        found.append(Figure("hoso_workers", alive, {}))
        for what, count in self._connection.execute(sa.text(_STUCK)):
            found.append(Figure("hoso_stuck", count, {"what": what}))
        for agency, sha256, is_seal, days in self._connection.execute(sa.text(_CERTIFICATES)):
            named = {"agency": agency, "certificate": sha256, "holder": "seal" if is_seal else "person"}
            found.append(Figure("hoso_certificate_days_left", float(days), named))
        age = self._connection.execute(sa.text(_LISTS)).scalar_one()
        if age is not None:
            found.append(Figure("hoso_oldest_revocation_list_seconds", float(age), {}))
        missing, damaged = self._connection.execute(sa.text(_QUARANTINED)).one()
        found.append(Figure("hoso_objects_quarantined", missing, {"found": "missing"}))
        found.append(Figure("hoso_objects_quarantined", damaged, {"found": "damaged"}))
        age = self._connection.execute(sa.text(_LONGEST_UNREAD)).scalar_one()
        if age is not None:
            found.append(Figure("hoso_longest_unread_object_seconds", float(age), {}))
        return found + self._kept(now)

    def _kept(self, now: datetime) -> list[Figure]:
        """Holds and what the store was seen to hold of them; periods and their locks; what the archive waits for."""
        held = PostgresHolds(self._connection).counts(now=now)
        unlocked = PostgresRetention(self._connection).unlocked_now(at=now)
        found = [
            Figure("hoso_held_dossiers", held.dossiers, {}),
            Figure("hoso_held_objects_unseen", held.unseen, {}),
            Figure("hoso_hold_releases_waiting", held.releases, {}),
            Figure("hoso_unlocked_dossiers", unlocked.dossiers, {}),
            Figure("hoso_unlocked_objects", unlocked.objects, {}),
        ]
        for name, statement, ahead in (
            ("hoso_retention_ending_dossiers", _ENDING, retention.WARN_AHEAD),
            ("hoso_archive_due_dossiers", _TO_ARCHIVE, archive.WARN_AHEAD),
        ):
            asked = {"now": now, "warned": now + ahead}
            soon, all_of_them = self._connection.execute(sa.text(statement), asked).one()
            found.append(Figure(name, soon, {"when": "soon"}))
            found.append(Figure(name, all_of_them - soon, {"when": "past"}))
        return found

    def tell(self, process: str, families: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
        """Keep what a process says of itself, in the place of what it said before."""
        said = {"told_at": now, "families": list(families)}
        self._connection.execute(
            insert(process_figures)
            .values(process=process, **said)
            .on_conflict_do_update(index_elements=["process"], set_=said)
        )

    def told(self, *, since: datetime) -> list[tuple[str, list[dict[str, Any]]]]:
        """What each process said last, of those that said something since; older words are forgotten."""
        self._connection.execute(process_figures.delete().where(process_figures.c.told_at < since))
        kept = sa.select(process_figures.c.process, process_figures.c.families).order_by(process_figures.c.process)
        return [(process, families) for process, families in self._connection.execute(kept)]

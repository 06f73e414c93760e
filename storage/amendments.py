"""Values before and after a correction, in PostgreSQL, and how they are held against the log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from dossiers.amendments import BOUND_BY, ERASED, Amendment, Misfit
from storage.rows import many, to_row
from storage.tables import amendments, audit_imported, audit_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

_ROWS_AT_ONCE = 1_000
#: A quotation mark inside a string is escaped there, so this can't be met but as a key of the detail.
_KEY = f'"{BOUND_BY}":"'


class PostgresAmendments:
    """`dossiers.amendments.Amendments`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, amendment: Amendment) -> None:
        """A new one."""
        self._connection.execute(sa.insert(amendments).values(to_row(amendment, amendments)))

    def of(self, hashes: Iterable[str]) -> Mapping[str, Amendment]:
        """Those of these that are kept, by hash."""
        query = sa.select(amendments).where(amendments.c.sha256.in_(list(hashes)))
        return {one.sha256: one for one in many(Amendment, self._connection, query)}

    def drop(self, dossier_id: UUID) -> Sequence[str]:
        """Delete a dossier's; their hashes. Its hold and its period are the database's business too."""
        gone = sa.delete(amendments).where(amendments.c.dossier_id == dossier_id).returning(amendments.c.sha256)
        return self._connection.execute(gone).scalars().all()

    def misfits(self, *, after: int = 0) -> Sequence[Misfit]:
        """Hold all values against all lines, or those of the lines behind `after`.

        In one statement, since people go on writing meanwhile; what was erased is asked for after it, for the same
        reason.
        """
        lines = _bound(audit_log, audit_log.c.sequence).where(audit_log.c.sequence > after)
        # What came in a bag was held against its lines there.
        bound = (lines if after else lines.union_all(_bound(audit_imported, sa.literal(0)))).subquery()
        joined = bound.join(amendments, amendments.c.sha256 == bound.c.bound_by, isouter=True, full=not after)
        query = sa.select(bound, amendments).select_from(joined).execution_options(yield_per=_ROWS_AT_ONCE)
        found: list[Misfit] = []
        missing: dict[str, int] = {}
        for row in self._connection.execute(query).mappings():
            if row["bound_by"] is None:
                found.append(Misfit("values_added", 0))
            elif row["sha256"] is None:
                missing[row["bound_by"]] = row["sequence"]
            elif not Amendment(**{name: row[name] for name in amendments.c.keys()}).fits:  # noqa: SIM118  not a dict
                found.append(Misfit("values_changed", row["sequence"]))
        erased = self._erased() if missing else frozenset[str]()
        found += [Misfit("values_missing", sequence) for sha256, sequence in missing.items() if sha256 not in erased]
        return sorted(found, key=lambda one: one.sequence)

    def _erased(self) -> frozenset[str]:
        """Hashes of values that a line says were erased."""
        query = sa.union_all(
            *(sa.select(log.c.detail).where(log.c.event == ERASED) for log in (audit_log, audit_imported))
        )
        return frozenset(sha256 for detail in self._connection.execute(query).scalars() for sha256 in _listed(detail))


def _listed(detail: str) -> list[str]:
    """What such a line lists; nothing if somebody has made something else of it, which the chain tells."""
    try:
        return list(json.loads(detail)["erased"])
    except (ValueError, KeyError, TypeError):
        return []


def _bound(log: sa.Table, sequence: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The lines of a log that came with values, each with the hash of these."""
    sha256 = sa.func.substring(log.c.detail, f"{_KEY}([0-9a-f]{{64}})")
    return sa.select(sequence.label("sequence"), sha256.label("bound_by")).where(log.c.detail.contains(_KEY))

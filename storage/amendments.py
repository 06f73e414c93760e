"""Values before and after a correction, in PostgreSQL, and how they are held against the log."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from dossiers.amendments import BOUND_BY, ERASED, Amendment, Misfit
from dossiers.types import WrongState
from storage.rows import many, to_row
from storage.tables import amendments, audit_imported, audit_log, components, dossiers, e_results

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

_ROWS_AT_ONCE = 1_000
_IMPORTED = 0
#: A quotation mark inside a string is escaped there, so this can't be met but as a key of the detail.
_KEY = f'"{BOUND_BY}":"'
_BOUND = re.compile(f'{_KEY}([0-9a-f]{{64}})"')


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
        """Delete a dossier's; their hashes. Its hold and its period are the database's business too.

        Raises:
            WrongState: By the database's clock, which may be behind ours, the period hasn't ended.
        """
        gone = sa.delete(amendments).where(amendments.c.dossier_id == dossier_id).returning(amendments.c.sha256)
        try:
            return self._connection.execute(gone).scalars().all()
        except IntegrityError as refused:
            # Of this statement only the trigger says so; elsewhere the same state is another refusal.
            if isinstance(refused.orig, psycopg.errors.RestrictViolation):
                raise WrongState("period") from refused
            raise

    def misfits(self, *, after: int = 0) -> Sequence[Misfit]:
        """Hold all values against all lines, or those of the lines behind `after`.

        In one statement, since people go on writing meanwhile; what was erased is asked for after it, for the same
        reason.
        """
        lines = _bound(audit_log, audit_log.c.sequence).where(audit_log.c.sequence > after)
        # What came in a bag was held against its lines there. Our own are numbered from 1.
        bound = (lines if after else lines.union_all(_bound(audit_imported, sa.literal(_IMPORTED)))).subquery()
        joined = bound.join(amendments, amendments.c.sha256 == bound.c.bound_by, isouter=True, full=not after)
        query = sa.select(bound, amendments).select_from(joined).execution_options(yield_per=_ROWS_AT_ONCE)
        found: list[Misfit] = []
        missing: list[tuple[str, int, str]] = []
        for row in self._connection.execute(query).mappings():
            if row["bound_by"] is None:
                found.append(Misfit("values_added", 0))
            elif row["sha256"] is None:
                missing.append((row["bound_by"], row["sequence"], row["subject"]))
            elif not Amendment(**{name: row[name] for name in amendments.c.keys()}).fits:  # noqa: SIM118  not a dict
                found.append(Misfit("values_changed", row["sequence"]))
        if missing:
            found += self._unsaid(missing)
        return sorted(found, key=lambda one: one.sequence)

    def _unsaid(self, missing: Iterable[tuple[str, int, str]]) -> Iterator[Misfit]:
        """Of lines whose values are missing, those whose values no line says were erased.

        A bag can be made by anybody: what its lines say excuses nothing but lines of the same dossier that came so.
        """
        here = dict(self._erased(audit_log))
        unsaid = [one for one in missing if one[0] not in here]
        imported = [subject for _, sequence, subject in unsaid if sequence == _IMPORTED]
        dossier_of = self._dossiers_of(imported) if imported else {}
        brought: dict[str, set[str]] = {}
        for sha256, of in self._erased(audit_imported) if imported else ():
            brought.setdefault(sha256, set()).add(of)
        for sha256, sequence, subject in unsaid:
            dossiers_said = brought.get(sha256) if sequence == _IMPORTED else None
            # Once a dossier's rows are destroyed too, nobody can say any more what was a part of it.
            if not dossiers_said or (subject in dossier_of and dossier_of[subject] not in dossiers_said):
                yield Misfit("values_missing", sequence)

    def _erased(self, log: sa.Table) -> list[tuple[str, str]]:
        """Hashes of values that a line of this log says were erased, each with the dossier whose they were."""
        query = sa.select(log.c.subject, log.c.detail).where(log.c.event == ERASED)
        return [(sha256, row.subject) for row in self._connection.execute(query) for sha256 in erased_by(row.detail)]

    def _dossiers_of(self, subjects: Sequence[str]) -> Mapping[str, str]:
        """Which dossier each of these is, or belongs to; what isn't here any more is left out."""
        those = sa.union_all(
            sa.select(sa.cast(dossiers.c.id, sa.Text), sa.cast(dossiers.c.id, sa.Text)),
            *(
                sa.select(sa.cast(table.c.id, sa.Text), sa.cast(table.c.dossier_id, sa.Text))
                for table in (components, e_results)
            ),
        ).subquery()
        subject, dossier_id = those.c
        query = sa.select(subject, dossier_id).where(subject == sa.any_(sa.literal(list(subjects), ARRAY(sa.Text))))
        return {row[0]: row[1] for row in self._connection.execute(query)}


def bound_by(detail: str) -> str | None:
    """The hash that a line came with, as `misfits` finds it.

    Raises:
        ValueError, AttributeError: It isn't what we write: whoever opens the history would find another or none.
    """
    found = _BOUND.search(detail)
    sha256 = found[1] if found else None
    if json.loads(detail).get(BOUND_BY) != sha256:
        raise ValueError(BOUND_BY)
    return sha256


def erased_by(detail: str) -> list[str]:
    """What such a line lists; nothing if somebody has made something else of it, which the chain tells."""
    try:
        return [one for one in json.loads(detail)["erased"] if isinstance(one, str)]
    except (ValueError, KeyError, TypeError):
        return []


def _bound(log: sa.Table, sequence: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The lines of a log that came with values, each with the hash of these."""
    sha256 = sa.func.substring(log.c.detail, _BOUND.pattern).label("bound_by")
    return sa.select(sequence.label("sequence"), log.c.subject, sha256).where(log.c.detail.contains(_KEY))

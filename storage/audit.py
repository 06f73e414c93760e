"""The hash-chained log: who did what, each line carrying the hash of the one before it.

Lines are written at the very end of a transaction, since writing them means holding the chain's end: held any earlier,
two people working on each other's dossiers could wait for one another. The database refuses to change or delete a
line (a trigger); whoever gets round that breaks the chain, and `first_break` says where.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from dossiers.types import AuditEntry
from storage.tables import audit_head, audit_imported, audit_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from dossiers.types import Actor

#: What the first line has for a predecessor.
GENESIS = "0" * 64

_ROWS_AT_ONCE = 1_000


def canonical(value: Any) -> str:
    """The one way to write a value as JSON: sorted keys, no spaces, letters as they are, all else as its text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def line_hash(line: dict[str, Any]) -> str:
    """SHA-256 over everything a line says, its place in the chain and the hash before it; lower-case hex."""
    said = [line[name] for name in ("sequence", "actor", "agency", "event", "subject", "detail", "previous_hash")]
    at = line["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(canonical([at, *said]).encode()).hexdigest()


class PostgresAudit:
    """`dossiers.ports.Audit`. `flush` must be called before the transaction is committed."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._unwritten: list[dict[str, Any]] = []

    def append(self, actor: Actor, event: str, subject: UUID | str, **detail: object) -> None:
        """Add a line in this transaction. `detail` holds codes and ids, no names of citizens."""
        self._unwritten.append(
            {
                "actor": actor.username,
                "agency": actor.agency,
                "event": event,
                "subject": str(subject),
                "detail": canonical(detail),
            }
        )

    def of(self, subject: UUID | str) -> Sequence[AuditEntry]:
        """By sequence."""
        return self.of_all([subject])

    def of_all(self, subjects: Iterable[UUID | str], *, event: str | None = None) -> Sequence[AuditEntry]:
        """Of several subjects at once: what was imported with them, then our own lines, each by sequence.

        Args:
            event: Only lines of this one, if one is given.
        """
        self.flush()
        asked_for = [str(subject) for subject in subjects]
        found: list[AuditEntry] = []
        for kept in (audit_imported, audit_log):
            columns = [kept.c[field.name] for field in fields(AuditEntry)]
            query = sa.select(*columns).where(kept.c.subject.in_(asked_for)).order_by(kept.c.sequence)
            if event is not None:
                query = query.where(kept.c.event == event)
            rows = self._connection.execute(query).mappings()
            found += [AuditEntry(**{**row, "detail": json.loads(row["detail"])}) for row in rows]
        return found

    def first_break(self, *, after: int = 0) -> int | None:
        """Sequence of the first line that is missing or whose hash doesn't fit, None when the chain holds.

        Args:
            after: Begin behind this line, whose hash is taken as it stands.
        """
        self.flush()
        end = self._connection.execute(sa.select(audit_head)).one()
        expected, previous = after + 1, GENESIS
        if after:
            previous = self.hashes([after]).get(after, "")
            if not previous:
                return after
        query = (
            sa.select(audit_log)
            .where(audit_log.c.sequence <= end.sequence)
            .where(audit_log.c.sequence > after if after else sa.true())
            .order_by(audit_log.c.sequence)
        )
        lines = self._connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)).mappings()
        for line in lines:
            fits = line["sequence"] == expected and line["previous_hash"] == previous
            if not fits or line["hash"] != line_hash(dict(line)):
                lines.close()
                return expected
            expected, previous = expected + 1, line["hash"]
        cut_short = (expected - 1, previous) != (end.sequence, end.hash)
        return expected if cut_short else None

    def end(self) -> tuple[int, str]:
        """Where the chain ends as it is kept: sequence and hash of the last line."""
        self.flush()
        end = self._connection.execute(sa.select(audit_head)).one()
        return end.sequence, end.hash

    def hashes(self, sequences: Iterable[int]) -> Mapping[int, str]:
        """The hash of each of these lines that is there."""
        query = sa.select(audit_log.c.sequence, audit_log.c.hash).where(audit_log.c.sequence.in_(list(sequences)))
        return {row.sequence: row.hash for row in self._connection.execute(query)}

    def flush(self) -> None:
        """Write the lines of this transaction at the end of the chain, which is held until the commit."""
        if not self._unwritten:
            return
        end = self._connection.execute(sa.select(audit_head).with_for_update()).one()
        sequence, previous = end.sequence, end.hash
        at = datetime.now(UTC)
        lines = []
        for said in self._unwritten:
            sequence += 1
            line = said | {"sequence": sequence, "at": at, "previous_hash": previous}
            line["hash"] = previous = line_hash(line)
            lines.append(line)
        self._connection.execute(sa.insert(audit_log), lines)
        self._connection.execute(sa.update(audit_head).values(sequence=sequence, hash=previous))
        self._unwritten.clear()

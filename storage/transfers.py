"""Transfer slips, asked for on somebody's behalf: the sender's and the receiver's people, nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dossiers.transfers import Transfer
from dossiers.types import TransferState
from storage.rows import keep_version, many, one
from storage.tables import transfer_ordinals, transfers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

    from dossiers.types import Actor


class PostgresTransfers:
    """`dossiers.ports.Transfers`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, actor: Actor, transfer_id: UUID) -> Transfer:
        """Raises NotFound: there is none, or the actor's agency neither sent nor receives it."""
        return one(Transfer, self._connection, self._seen(actor).where(transfers.c.id == transfer_id))

    def lock(self, actor: Actor, transfer_id: UUID) -> Transfer:
        """As `of`, held against other writers until the block ends."""
        query = self._seen(actor).where(transfers.c.id == transfer_id)
        # Not FOR UPDATE, as for dossiers: they refer to their slip.
        return one(Transfer, self._connection, query.with_for_update(key_share=True))

    def waiting(self, actor: Actor) -> Sequence[Transfer]:
        """Sent and not accepted yet, by or to the actor's agency, oldest first."""
        query = self._seen(actor).where(transfers.c.state == TransferState.SENT)
        return many(Transfer, self._connection, query.order_by(transfers.c.sent_at, transfers.c.id))

    def closed(self, actor: Actor, *, limit: int = 20) -> Sequence[Transfer]:
        """Accepted or taken back, by or to the actor's agency, the last one first."""
        query = self._seen(actor).where(transfers.c.state != TransferState.SENT)
        return many(Transfer, self._connection, query.order_by(transfers.c.closed_at.desc()).limit(limit))

    def next_ordinal(self, sender: str, day: date) -> int:
        """The day's next number for slips of this sender, from 1. The day's row is held until the block ends."""
        new = insert(transfer_ordinals).values(sender=sender, day=day, last=1)
        statement = new.on_conflict_do_update(
            index_elements=["sender", "day"], set_={"last": transfer_ordinals.c.last + 1}
        ).returning(transfer_ordinals.c.last)
        ordinal: int = self._connection.execute(statement).scalar_one()
        return ordinal

    def keep(self, transfer: Transfer) -> Transfer:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        return keep_version(self._connection, transfers, transfer)

    @staticmethod
    def _seen(actor: Actor) -> sa.Select[tuple[object, ...]]:
        return sa.select(transfers).where(
            sa.or_(transfers.c.sender == actor.agency, transfers.c.receiver == actor.agency)
        )

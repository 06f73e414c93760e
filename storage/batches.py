"""What leaders approved together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from dossiers.types import SigningBatch
from storage.rows import one, to_row, upsert
from storage.tables import signing_batches

if TYPE_CHECKING:
    from uuid import UUID

    from dossiers.types import Actor


class PostgresBatches:
    """`dossiers.ports.Batches`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, actor: Actor, batch_id: UUID) -> SigningBatch:
        """Raises NotFound: there is none, or it is somebody else's."""
        query = sa.select(signing_batches).where(
            signing_batches.c.id == batch_id,
            signing_batches.c.agency == actor.agency,
            signing_batches.c.leader == actor.username,
        )
        return one(SigningBatch, self._connection, query)

    def keep(self, batch: SigningBatch) -> None:
        """Insert or change."""
        upsert(self._connection, signing_batches, to_row(batch, signing_batches))

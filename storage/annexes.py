"""Annexes of e-results, each in a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from dossiers.types import Annex, ResultState
from storage.rows import keep_version, many
from storage.tables import annexes, e_results

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

_PUBLISHED = (ResultState.ISSUED, ResultState.WITHDRAWN, ResultState.SUPERSEDED)


class PostgresAnnexes:
    """`dossiers.ports.Annexes`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, e_result_id: UUID) -> Sequence[Annex]:
        """By ordinal."""
        return self.of_all([e_result_id]).get(e_result_id, ())

    def of_all(self, e_result_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[Annex]]:
        """Of several results at once, each by ordinal; nothing for those without any."""
        query = sa.select(annexes).where(annexes.c.e_result_id.in_(e_result_ids))
        found: dict[UUID, list[Annex]] = {}
        for annex in many(Annex, self._connection, query.order_by(annexes.c.ordinal, annexes.c.id)):
            found.setdefault(annex.e_result_id, []).append(annex)
        return found

    def with_document(self, sha256: str) -> Annex | None:
        """The annex whose signed file has exactly these bytes, of a result that is or was issued by any agency."""
        query = sa.select(annexes).join(e_results, e_results.c.id == annexes.c.e_result_id)
        query = query.where(annexes.c.document_sha256 == sha256, e_results.c.state.in_(_PUBLISHED)).limit(1)
        return next(iter(many(Annex, self._connection, query)), None)

    def keep(self, annex: Annex) -> Annex:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        return keep_version(self._connection, annexes, annex)

    def drop(self, annex_id: UUID) -> None:
        """Take it off a draft; its bytes stay in the store."""
        self._connection.execute(sa.delete(annexes).where(annexes.c.id == annex_id))

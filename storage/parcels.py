"""Parcels on their way in with their parts, and the machines at counters that send them.

Parts lie in the database and not on a web process's disk: they are durable with the commit that says so, whichever host
takes the next part, and go with the parcel's end (decision 0043).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from dossiers.desks import Desk
from dossiers.parcels import Parcel, ParcelState
from storage.rows import forget, keep_version, many, one
from storage.tables import desks, holds, parcel_parts, parcels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from dossiers.types import Actor

_SEEN_EVERY = timedelta(minutes=1)


class PostgresParcels:
    """`dossiers.ports.Parcels`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, actor: Actor, parcel_id: UUID) -> Parcel:
        """Raises NotFound: there is none, or it is another agency's."""
        return one(Parcel, self._connection, _own(actor).where(parcels.c.id == parcel_id))

    def lock(self, actor: Actor, parcel_id: UUID) -> Parcel:
        """As `of`, held against other writers until the block ends."""
        query = _own(actor).where(parcels.c.id == parcel_id)
        return one(Parcel, self._connection, query.with_for_update(key_share=True))

    def coming(self, actor: Actor, desk: str) -> Sequence[Parcel]:
        """Under way from this person and machine, oldest first."""
        query = _own(actor).where(
            parcels.c.state == ParcelState.COMING, parcels.c.sent_by == actor.username, parcels.c.desk == desk
        )
        return many(Parcel, self._connection, query.order_by(parcels.c.begun_at, parcels.c.id))

    def waiting(self, actor: Actor, *, limit: int = 200) -> Sequence[Parcel]:
        """The agency's inbox, the longest waiting first."""
        query = _own(actor).where(parcels.c.state == ParcelState.WAITING)
        return many(Parcel, self._connection, query.order_by(parcels.c.begun_at, parcels.c.id).limit(limit))

    def keep(self, parcel: Parcel) -> Parcel:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        return keep_version(self._connection, parcels, parcel)

    def drop(self, parcel_id: UUID) -> None:
        """Forget a parcel and its parts."""
        self._connection.execute(sa.delete(parcels).where(parcels.c.id == parcel_id))

    def add_part(self, parcel_id: UUID, start: int, part: bytes) -> None:
        """Keep bytes that begin there."""
        row = {"parcel_id": parcel_id, "start": start, "bytes": part}
        self._connection.execute(sa.insert(parcel_parts).values(row))

    def parts(self, parcel_id: UUID) -> Iterator[bytes]:
        """All bytes, in order, a part at a time: a parcel may be larger than a process."""
        mine = parcel_parts.c.parcel_id == parcel_id
        starts = sa.select(parcel_parts.c.start).where(mine).order_by(parcel_parts.c.start)
        for start in self._connection.execute(starts).scalars().all():
            part = sa.select(parcel_parts.c.bytes).where(mine, parcel_parts.c.start == start)
            yield bytes(self._connection.execute(part).scalar_one())

    def drop_parts(self, parcel_id: UUID) -> None:
        """Let the bytes go, keeping what is known of the parcel."""
        self._connection.execute(sa.delete(parcel_parts).where(parcel_parts.c.parcel_id == parcel_id))

    def forget_unfinished(self, *, before: datetime) -> None:
        """Forget parcels that stopped half-way and weren't touched since, but none for a dossier under legal hold."""
        held = sa.exists().where(holds.c.dossier_id == parcels.c.dossier_id, holds.c.released_at.is_(None))
        stale = (parcels.c.state == ParcelState.COMING) & (parcels.c.touched_at < before)
        forget(self._connection, parcels, stale & ~held)


class PostgresDesks:
    """`dossiers.ports.Desks`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def by_pairing(self, pairing_sha256: str, *, now: datetime) -> Desk:
        """The machine that waits for this code, held until the block ends. Raises NotFound."""
        query = sa.select(desks).where(desks.c.pairing_sha256 == pairing_sha256, desks.c.pairing_until > now)
        return one(Desk, self._connection, query.with_for_update())

    def by_token(self, token_sha256: str) -> Desk:
        """Raises NotFound."""
        return one(Desk, self._connection, sa.select(desks).where(desks.c.token_sha256 == token_sha256))

    def of_agency(self, agency: str) -> Sequence[Desk]:
        """By name, revoked ones last."""
        query = sa.select(desks).where(desks.c.agency == agency)
        return many(Desk, self._connection, query.order_by(desks.c.revoked_at.desc().nulls_first(), desks.c.name))

    def keep(self, desk: Desk) -> Desk:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        return keep_version(self._connection, desks, desk)

    def saw(self, desk_id: UUID, *, now: datetime) -> None:
        """Remember that it was here, once a minute at most; no change of it, so its version stays."""
        stale = desks.c.seen_at.is_(None) | (desks.c.seen_at < now - _SEEN_EVERY)
        self._connection.execute(sa.update(desks).where(desks.c.id == desk_id, stale).values(seen_at=now))


def _own(actor: Actor) -> sa.Select[tuple[object, ...]]:
    return sa.select(parcels).where(parcels.c.agency == actor.agency)

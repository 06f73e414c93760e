"""Parcels on their way in with their parts, and the machines and telephones at counters that send them.

Parts lie in the database and not on a web process's disk: they are durable with the commit that says so, whichever host
takes the next part, and go with the parcel's end (decision 0043).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from dossiers.desks import Desk
from dossiers.parcels import Parcel, ParcelState
from dossiers.phone import PhoneLink
from storage.rows import forget, keep_version, many, one
from storage.tables import desks, holds, parcel_parts, parcels, phone_links

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
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
        return many(Parcel, self._connection, query.order_by(parcels.c.serial))

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

    def pictures(self, dossier_id: UUID) -> Sequence[Parcel]:
        """Everything that came to a dossier by telephone, whatever became of it, in the order of its announcement."""
        query = sa.select(parcels).where(parcels.c.dossier_id == dossier_id, parcels.c.phone_link.is_not(None))
        return many(Parcel, self._connection, query.order_by(parcels.c.serial))

    def lock_picture(self, parcel_id: UUID) -> Parcel:
        """One of them, whichever agency brought it in, held until the block ends. Raises NotFound."""
        query = sa.select(parcels).where(parcels.c.id == parcel_id, parcels.c.phone_link.is_not(None))
        return one(Parcel, self._connection, query.with_for_update(key_share=True))

    def are_collected(self, dossier_id: UUID) -> bool:
        """Whether any of them waits to become a paper."""
        waits = (parcels.c.dossier_id == dossier_id) & (parcels.c.state == ParcelState.COLLECTED)
        return bool(self._connection.execute(sa.select(sa.exists().where(waits))).scalar())

    def collected(self, actor: Actor) -> Mapping[UUID, int]:
        """How many pictures of the actor's agency wait to become papers, by dossier."""
        query = (
            sa.select(parcels.c.dossier_id, sa.func.count())
            .where(parcels.c.agency == actor.agency, parcels.c.state == ParcelState.COLLECTED)
            .group_by(parcels.c.dossier_id)
            .order_by(sa.func.min(parcels.c.begun_at))
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}


class PostgresPhoneLinks:
    """`dossiers.ports.PhoneLinks`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def by_token(self, token_sha256: str) -> PhoneLink:
        """Raises NotFound."""
        query = sa.select(phone_links).where(phone_links.c.token_sha256 == token_sha256)
        return one(PhoneLink, self._connection, query)

    def lock(self, link_id: UUID) -> PhoneLink:
        """A link, held until the block ends. Raises NotFound."""
        query = sa.select(phone_links).where(phone_links.c.id == link_id).with_for_update()
        return one(PhoneLink, self._connection, query)

    def open_of(self, dossier_id: UUID, *, now: datetime) -> Sequence[PhoneLink]:
        """Those of a dossier that neither ended nor expired, the newest first."""
        table = phone_links.c
        query = sa.select(phone_links).where(
            table.dossier_id == dossier_id, table.ended_at.is_(None), table.expires_at > now
        )
        return many(PhoneLink, self._connection, query.order_by(table.made_at.desc(), table.id))

    def keep(self, link: PhoneLink) -> PhoneLink:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        return keep_version(self._connection, phone_links, link)

    def saw(self, link_id: UUID, *, now: datetime) -> None:
        """Remember when a telephone first opened it; no change of it, so its version stays."""
        unseen = (phone_links.c.id == link_id) & phone_links.c.seen_at.is_(None)
        self._connection.execute(sa.update(phone_links).where(unseen).values(seen_at=now))


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

"""Legal holds in PostgreSQL, which objects they are about, and what the store was seen to hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dossiers.holds import BELIEVED_FOR, Coverage, Hold, HoldCounts, InStore, ToHold
from dossiers.types import ObjectKey
from storage.dossiers import seen_by
from storage.fixity import object_columns
from storage.rows import from_row, keep_version, many, one
from storage.tables import (
    components,
    dossiers,
    e_results,
    held_objects,
    holds,
    kept_objects,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from dossiers.types import Actor

#: How the trigger of migration 0029 says that a row belongs to a held dossier; `database` makes `Held` of it.
HELD_STATE = "HS001"

#: Of no one dossier: an agency's templates; and what is held is listed here.
OF_NO_DOSSIER = frozenset({"own_templates", "held_objects"})


def objects_by_dossier() -> sa.CompoundSelect[Any]:
    """Every object that a row of a dossier names, with the dossier's id; once for each place."""
    return sa.union_all(
        *(
            sa.select(
                dossier.label("dossier_id"),
                table.c[f"{name}_sha256"].label("sha256"),
                table.c[f"{name}_size"].label("size"),
                table.c[f"{name}_media_type"].label("media_type"),
            )
            .select_from(joined)
            .where(table.c[f"{name}_sha256"].is_not(None))
            for table, name in object_columns()
            if table.name not in OF_NO_DOSSIER
            for joined, dossier in _ways_to_dossier(table)
        )
    )


def _ways_to_dossier(table: sa.Table) -> Sequence[tuple[sa.FromClause, sa.ColumnElement[Any]]]:
    """How a table's rows come to their dossier: what to join, and the column with its id."""
    if "dossier_id" in table.c:
        return [(table, table.c.dossier_id)]
    through = []
    for column, parent in (
        ("component_id", components),
        ("e_result_id", e_results),
        ("subject_id", components),
        ("subject_id", e_results),
    ):
        if column in table.c:
            other = parent.alias()
            through.append((table.join(other, other.c.id == table.c[column]), other.c.dossier_id))
    return through


def _live() -> sa.ColumnElement[bool]:
    return holds.c.released_at.is_(None)


def _wanted() -> sa.Select[Any]:
    """The hashes that live holds ask for."""
    joined = held_objects.join(holds, holds.c.id == held_objects.c.hold_id)
    return sa.select(held_objects.c.object_sha256).select_from(joined).where(_live())


class PostgresHolds:
    """`dossiers.holds.Holds`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, hold_id: UUID) -> Hold:
        """Raises NotFound. The caller asks for its dossier."""
        return one(Hold, self._connection, sa.select(holds).where(holds.c.id == hold_id))

    def of_dossier(self, dossier_id: UUID) -> Sequence[Hold]:
        """All there ever were, the newest first."""
        query = sa.select(holds).where(holds.c.dossier_id == dossier_id)
        return many(Hold, self._connection, query.order_by(holds.c.placed_at.desc(), holds.c.id))

    def live(self, actor: Actor | None, *, limit: int = 200) -> Sequence[tuple[Hold, str]]:
        """Live ones with their dossiers' codes, the oldest first; of what the actor may see, or of all."""
        joined = holds.join(dossiers, dossiers.c.id == holds.c.dossier_id)
        query = sa.select(*holds.c, dossiers.c.code).select_from(joined).where(_live())
        if actor is not None:
            query = query.where(seen_by(actor))
        query = query.order_by(holds.c.placed_at, holds.c.id).limit(limit)
        return [(from_row(Hold, row), row["code"]) for row in self._connection.execute(query).mappings()]

    def keep(self, hold: Hold) -> Hold:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        return keep_version(self._connection, holds, hold)

    def is_held(self, dossier_id: UUID) -> bool:
        """Whether a live hold lies on it."""
        query = sa.select(sa.exists().where(holds.c.dossier_id == dossier_id, _live()))
        return bool(self._connection.execute(query).scalar())

    def collect(self) -> int:
        """Note all objects that rows of held dossiers name now, so that they stay held when no row names them."""
        named = objects_by_dossier().subquery()
        joined = holds.join(named, named.c.dossier_id == holds.c.dossier_id)
        query = sa.select(holds.c.id, named.c.sha256, named.c.size, named.c.media_type).select_from(joined)
        columns = ["hold_id", "object_sha256", "object_size", "object_media_type"]
        known = sa.exists().where(held_objects.c.hold_id == holds.c.id, held_objects.c.object_sha256 == named.c.sha256)
        added = insert(held_objects).from_select(columns, query.where(_live(), ~known).distinct())
        count = self._connection.execute(added.on_conflict_do_nothing()).rowcount
        if count:
            self._register()
        return count

    def _register(self) -> None:
        """Into the register, whose rows say what the store was seen to hold; by themselves they get there each hour."""
        new = sa.select(
            held_objects.c.object_sha256, held_objects.c.object_size, held_objects.c.object_media_type
        ).where(
            held_objects.c.object_sha256.in_(_wanted()),
            ~sa.exists().where(kept_objects.c.sha256 == held_objects.c.object_sha256),
        )
        added = insert(kept_objects).from_select(["sha256", "size", "media_type"], new.distinct())
        self._connection.execute(added.on_conflict_do_nothing())

    def to_hold(self, *, before: datetime, limit: int) -> Sequence[ToHold]:
        """Objects that must be held and weren't seen to be since then, those never seen first; none blocks another."""
        table = kept_objects
        unseen = sa.or_(table.c.hold != InStore.HELD, table.c.hold_seen_at < before)
        query = sa.select(table).where(table.c.sha256.in_(_wanted()), unseen)
        # What failed last time comes after what was never tried: one missing object keeps no other waiting.
        order = (table.c.hold == InStore.HELD, table.c.hold_trouble != "", table.c.hold_seen_at, sa.func.random())
        return [self._of(row) for row in self._connection.execute(query.order_by(*order).limit(limit))]

    def to_lift(self, *, limit: int) -> Sequence[ToHold]:
        """Objects that may be held in the store and that no live hold asks for."""
        table = kept_objects
        query = sa.select(table).where(table.c.hold != InStore.FREE, table.c.sha256.not_in(_wanted()))
        return [self._of(row) for row in self._connection.execute(query.order_by(table.c.sha256).limit(limit))]

    def is_wanted(self, sha256: str) -> bool:
        """Whether a live hold asks for this object."""
        return bool(
            self._connection.execute(
                sa.select(_wanted().where(held_objects.c.object_sha256 == sha256).exists())
            ).scalar()
        )

    def note(self, sha256: str, known: InStore, *, at: datetime | None = None, trouble: str = "") -> None:
        """What is known of the store's hold on an object now."""
        change = sa.update(kept_objects).where(kept_objects.c.sha256 == sha256)
        self._connection.execute(change.values(hold=known, hold_seen_at=at, hold_trouble=trouble))

    def note_waiting(self, trouble: str) -> None:
        """Why all that must be held and isn't has to wait."""
        table = kept_objects
        which = (table.c.hold != InStore.HELD, table.c.hold_trouble != trouble, table.c.sha256.in_(_wanted()))
        self._connection.execute(sa.update(table).where(*which).values(hold_trouble=trouble))

    def coverage(self, dossier_ids: Iterable[UUID], *, since: datetime) -> Mapping[UUID, Coverage]:
        """How much of each dossier the store was seen to hold since then.

        Asked of the rows as they are now, not of what was noted: what came in a moment ago counts as not held.
        """
        asked = list(dossier_ids)
        if not asked:
            return {}
        named = objects_by_dossier().subquery()
        joined = held_objects.join(holds, holds.c.id == held_objects.c.hold_id)
        every = sa.union(
            sa.select(named.c.dossier_id, named.c.sha256).where(named.c.dossier_id.in_(asked)),
            sa.select(holds.c.dossier_id, held_objects.c.object_sha256)
            .select_from(joined)
            .where(holds.c.dossier_id.in_(asked), _live()),
        ).subquery()
        kept = kept_objects
        seen = sa.and_(kept.c.hold == InStore.HELD, kept.c.hold_seen_at >= since)
        query = (
            sa.select(
                every.c.dossier_id,
                sa.func.count(),
                sa.func.count().filter(seen),
                sa.func.array_remove(sa.func.array_agg(kept.c.hold_trouble.distinct()), None),
                sa.func.min(kept.c.hold_seen_at).filter(seen),
            )
            .select_from(every.outerjoin(kept, kept.c.sha256 == every.c.sha256))
            .group_by(every.c.dossier_id)
        )
        return {
            dossier_id: Coverage(objects, held, tuple(sorted(filter(None, troubles or ()))), seen_at)
            for dossier_id, objects, held, troubles, seen_at in self._connection.execute(query)
        }

    def counts(self, *, now: datetime) -> HoldCounts:
        """All live holds in figures."""
        asked = sa.func.count().filter(holds.c.release_asked_at.is_not(None))
        query = sa.select(sa.func.array_agg(holds.c.dossier_id.distinct()), asked).where(_live())
        held, releases = self._connection.execute(query).one()
        covered = self.coverage(held or (), since=now - BELIEVED_FOR)
        return HoldCounts(len(held or ()), releases, sum(one.objects - one.held for one in covered.values()))

    @staticmethod
    def _of(row: sa.Row[Any]) -> ToHold:
        return ToHold(ObjectKey(row.sha256, row.size, row.media_type), row.hold)

"""The register of what the store must hold: every object that any row names, and when it was last read and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dossiers.fixity import FoundAs, KeptObject, ObjectCounts
from dossiers.holds import InStore
from dossiers.types import ObjectKey
from storage.tables import kept_objects, metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

_WRONG = (FoundAs.MISSING, FoundAs.DAMAGED)


def object_columns() -> list[tuple[sa.Table, str]]:
    """Where rows name objects: table, and the name of the three columns' common beginning."""
    return [
        (table, column.name.removesuffix("_sha256"))
        for table in metadata.sorted_tables
        for column in table.c
        if column.name.endswith("_sha256") and f"{column.name.removesuffix('_sha256')}_media_type" in table.c
    ]


class PostgresKeptObjects:
    """`dossiers.fixity.KeptObjects`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def register(self) -> int:
        """Take up every object that a row names and the register doesn't; how many."""
        named = sa.union(
            *(
                sa.select(
                    table.c[f"{name}_sha256"].label("sha256"),
                    table.c[f"{name}_size"].label("size"),
                    table.c[f"{name}_media_type"].label("media_type"),
                ).where(table.c[f"{name}_sha256"].is_not(None))
                for table, name in object_columns()
            )
        ).subquery()
        unknown = sa.select(named).where(~sa.exists().where(kept_objects.c.sha256 == named.c.sha256))
        added = insert(kept_objects).from_select(["sha256", "size", "media_type"], unknown).on_conflict_do_nothing()
        return self._connection.execute(added).rowcount

    def due(self, before: datetime, limit: int, *, uncopied: bool = False) -> Sequence[KeptObject]:
        """Objects not read since then, those never read first, and before them what is in quarantine.

        As long as others wait, half of the places at most are for the quarantine, whose objects take turns: what
        can't be repaired must not keep the rest from being read.

        Args:
            uncopied: Those that the second store hasn't, too.
        """
        table = kept_objects
        lacks = ~table.c.copied if uncopied else sa.false()
        turn = sa.or_(table.c.checked_at.is_(None), table.c.checked_at < before, lacks)
        wrong, others = (
            self._connection.execute(
                sa.select(table)
                .where(which)
                .order_by(table.c.checked_at.asc().nulls_first(), table.c.sha256)
                .limit(limit)
            ).all()
            for which in (table.c.found.in_(_WRONG), sa.and_(table.c.found.not_in(_WRONG), turn))
        )
        again = wrong[: max(-(-limit // 2), limit - len(others))]
        return [self._of(row) for row in (*again, *others[: limit - len(again)])]

    def quarantined(self, limit: int = 100) -> Sequence[KeptObject]:
        """What was found missing or damaged and isn't repaired, the oldest finding first."""
        table = kept_objects
        query = sa.select(table).where(table.c.found.in_(_WRONG)).order_by(table.c.found_at).limit(limit)
        return [self._of(row) for row in self._connection.execute(query)]

    def note(self, sha256: str, found: FoundAs, *, versions: int, copied: bool, at: datetime) -> None:
        """What reading an object found. A version that came since puts the legal hold on it in doubt."""
        table = kept_objects
        another = sa.and_(table.c.hold == InStore.HELD, table.c.versions.not_in((0, versions)))
        hold = sa.case((another, InStore.UNSURE.value), else_=table.c.hold)
        since = sa.case((table.c.found == found, table.c.found_at), else_=at)
        change = sa.update(table).where(table.c.sha256 == sha256)
        self._connection.execute(
            change.values(found=found, found_at=since, checked_at=at, versions=versions, copied=copied, hold=hold)
        )

    def unknown(self, hashes: Iterable[str]) -> set[str]:
        """Those of these hashes that no row names."""
        asked = set(hashes)
        query = sa.select(kept_objects.c.sha256).where(kept_objects.c.sha256.in_(asked))
        return asked - set(self._connection.execute(query).scalars())

    def counts(self) -> ObjectCounts:
        """How many there are, how many are in quarantine, and how long ago the longest unread one was read."""
        table = kept_objects
        query = sa.select(
            sa.func.count(),
            sa.func.count().filter(table.c.found.in_(_WRONG)),
            sa.func.count().filter(table.c.checked_at.is_(None)),
            sa.func.min(table.c.checked_at),
            sa.func.count().filter(table.c.copied),
        )
        return ObjectCounts(*self._connection.execute(query).one())

    def names_of(self, sha256: str) -> Sequence[str]:
        """Where rows name an object: "components/<id>"."""
        found = []
        for table, name in object_columns():
            key = next(iter(table.primary_key))
            query = sa.select(key).where(table.c[f"{name}_sha256"] == sha256).limit(10)
            found += [f"{table.name}/{value} ({name})" for value in self._connection.execute(query).scalars()]
        return found

    @staticmethod
    def _of(row: sa.Row[tuple[object, ...]]) -> KeptObject:
        key = ObjectKey(row.sha256, row.size, row.media_type)
        return KeptObject(key, row.found, row.found_at, row.checked_at, row.versions, row.copied)

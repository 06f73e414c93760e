"""How long dossiers are kept, in PostgreSQL: the rules of procedures, each dossier's own period, each object's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from dossiers.retention import LOCK_AHEAD, PERMANENT, Ending, Kept, Rule, ToLock, Unlocked
from dossiers.types import ObjectKey
from storage.dossiers import seen_by
from storage.holds import objects_by_dossier
from storage.rows import from_row, many, to_row
from storage.tables import dossiers, holds, kept_objects, procedures, retention_rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from dossiers.types import Actor

_FOR_EVER = 32_000
#: Of so many dossiers objects are counted.
_LOOKED_INTO = 200
#: Ended, and without a period of its own; also after it was taken up again and has ended once more.
_UNSETTLED = (
    dossiers.c.finished_at.is_not(None),
    dossiers.c.kept_until.is_(None),
    dossiers.c.kept_years.is_distinct_from(PERMANENT),
)


def _in_force() -> sa.Subquery:
    """The newest rule of each procedure."""
    table = retention_rules
    newest = sa.select(table).ext(distinct_on(table.c.procedure))
    return newest.order_by(table.c.procedure, table.c.set_at.desc(), table.c.id).subquery()


def _length(years: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """To compare periods by: for ever is longer than any."""
    return sa.case((years == PERMANENT, _FOR_EVER), else_=years)


def _end_of(years: sa.ColumnElement[int]) -> sa.ColumnElement[Any]:
    """The end of a dossier's period: counted from the first day of the year after it ended, so never too short."""
    year = sa.cast(sa.extract("year", sa.func.timezone("Asia/Ho_Chi_Minh", dossiers.c.finished_at)), sa.Integer)
    end = sa.func.make_timestamptz(year + 1 + years, 1, 1, 0, 0, 0, "Asia/Ho_Chi_Minh")
    return sa.case((years == PERMANENT, sa.null()), else_=end)


class PostgresRetention:
    """`dossiers.retention.Retention`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def rules(self, procedure: str) -> Sequence[Rule]:
        """All there ever were for it, the one in force first."""
        table = retention_rules
        query = sa.select(table).where(table.c.procedure == procedure).order_by(table.c.set_at.desc(), table.c.id)
        return many(Rule, self._connection, query)

    def in_force(self) -> dict[str, Rule]:
        """By procedure, where there is one."""
        rows = self._connection.execute(sa.select(_in_force())).mappings()
        return {row["procedure"]: from_row(Rule, row) for row in rows}

    def add(self, rule: Rule) -> None:
        """A new one, in force from now on."""
        self._connection.execute(sa.insert(retention_rules).values(to_row(rule, retention_rules)))

    def settle(self, default: int, *, procedure: str | None = None, limit: int | None = None) -> int:
        """Give dossiers that have ended the period in force; of one procedure, or of all. How many."""
        rule = _in_force()
        decided = sa.func.coalesce(rule.c.years, default)
        old = dossiers.c.kept_years
        years = sa.case((sa.or_(old.is_(None), _length(decided) > _length(old)), decided), else_=old)
        chosen = sa.select(dossiers.c.id, years.label("years")).select_from(
            dossiers.outerjoin(rule, rule.c.procedure == dossiers.c.procedure)
        )
        chosen = chosen.where(*_UNSETTLED).order_by(dossiers.c.id).limit(limit)
        if procedure is not None:
            chosen = chosen.where(dossiers.c.procedure == procedure)
        return self._give(chosen)

    def lengthen(self, *, at: datetime, limit: int) -> int:
        """Give dossiers that ended earlier the longer periods decided since, a slice of them; how many."""
        total = 0
        for rule in self.in_force().values():
            if rule.reached_at is not None:
                continue
            chosen = sa.select(dossiers.c.id, sa.literal(rule.years).label("years")).where(
                dossiers.c.procedure == rule.procedure,
                dossiers.c.finished_at.is_not(None),
                _length(dossiers.c.kept_years) < _length(sa.literal(rule.years)),
            )
            count = self._give(chosen.order_by(dossiers.c.id).limit(limit))
            if count < limit:
                table = retention_rules
                self._connection.execute(sa.update(table).where(table.c.id == rule.id).values(reached_at=at))
            total += count
        return total

    def _give(self, chosen: sa.Select[Any]) -> int:
        """Give dossiers these periods, after whoever is busy with one of them."""
        given = chosen.with_for_update(of=dossiers, key_share=True).cte("given")
        years = given.c.years
        change = sa.update(dossiers).where(dossiers.c.id == given.c.id)
        values = {"kept_years": years, "kept_until": _end_of(years), "lock_checked_at": sa.null()}
        return self._connection.execute(change.values(values)).rowcount

    def to_lock(self, *, before: datetime, limit: int) -> Sequence[ToLock]:
        """Finished dossiers not gone through since then, those never gone through first; no one blocks the rest."""
        table = dossiers
        query = sa.select(table.c.id, table.c.receiving, table.c.kept_years, table.c.kept_until).where(
            table.c.finished_at.is_not(None),
            table.c.kept_years.is_not(None),
            sa.or_(table.c.lock_checked_at.is_(None), table.c.lock_checked_at < before),
        )
        query = query.order_by(table.c.lock_checked_at.asc().nulls_first(), sa.func.random()).limit(limit)
        return [ToLock(*row) for row in self._connection.execute(query)]

    def short_of(self, dossier_id: UUID, until: datetime) -> Sequence[ObjectKey]:
        """Objects of a dossier that aren't known to be locked until then."""
        named = objects_by_dossier().subquery()
        joined = named.outerjoin(kept_objects, kept_objects.c.sha256 == named.c.sha256)
        lock = kept_objects.c.locked_until
        query = sa.select(named.c.sha256, named.c.size, named.c.media_type).select_from(joined)
        query = query.where(named.c.dossier_id == dossier_id, sa.or_(lock.is_(None), lock < until))
        return [ObjectKey(*row) for row in self._connection.execute(query.distinct().order_by(named.c.sha256))]

    def note_lock(self, key: ObjectKey, until: datetime) -> None:
        """An object is locked until then."""
        row = {"sha256": key.sha256, "size": key.size, "media_type": key.media_type, "locked_until": until}
        new = insert(kept_objects).values(row)
        later = sa.func.greatest(kept_objects.c.locked_until, new.excluded.locked_until)
        self._connection.execute(new.on_conflict_do_update(index_elements=["sha256"], set_={"locked_until": later}))

    def walked(self, one: ToLock, *, at: datetime) -> None:
        """All its objects are locked; unless its period was lengthened meanwhile."""
        same = dossiers.c.kept_until.is_not_distinct_from(one.until)
        change = sa.update(dossiers).where(dossiers.c.id == one.id, dossiers.c.kept_years == one.years, same)
        self._connection.execute(change.where(dossiers.c.finished_at.is_not(None)).values(lock_checked_at=at))

    def of_dossier(self, dossier_id: UUID, default: int) -> Kept:
        """How long it is kept. The caller has asked for the dossier."""
        rule = _in_force()
        table = dossiers
        joined = table.outerjoin(rule, rule.c.procedure == table.c.procedure)
        query = sa.select(
            table.c.kept_years,
            sa.func.coalesce(rule.c.years, default).label("decided"),
            table.c.kept_until,
            table.c.lock_checked_at,
            sa.and_(*_UNSETTLED).label("unsettled"),
            table.c.finished_at,
        ).select_from(joined)
        row = self._connection.execute(query.where(table.c.id == dossier_id)).one()
        settled = row.finished_at is not None and not row.unsettled
        years = row.kept_years if settled else row.decided
        return Kept(years, settled, row.kept_until if settled else None, row.lock_checked_at if settled else None)

    def ending(self, actor: Actor | None, *, by: datetime, limit: int = 200) -> Sequence[Ending]:
        """Dossiers whose period ends by then, the first first; of what the actor may see, or of all."""
        table = dossiers
        held = sa.exists().where(holds.c.dossier_id == table.c.id, holds.c.released_at.is_(None))
        query = (
            sa.select(table.c.id, table.c.code, procedures.c.name, table.c.kept_until, held)
            .select_from(table.join(procedures))
            .where(table.c.kept_until <= by)
            .order_by(table.c.kept_until, table.c.id)
            .limit(limit)
        )
        if actor is not None:
            query = query.where(seen_by(actor))
        return [Ending(*row) for row in self._connection.execute(query)]

    def unlocked(self, *, ended_before: datetime) -> int:
        """How many dossiers ended before then and aren't known to be locked for their period."""
        which = (dossiers.c.lock_checked_at.is_(None), dossiers.c.finished_at < ended_before)
        return self._connection.execute(sa.select(sa.func.count()).where(*which)).scalar_one()

    def unlocked_now(self, *, at: datetime) -> Unlocked:
        """Whatever isn't known to be locked for its period, also what ended a moment ago."""
        table, kept = dossiers, kept_objects
        # Each half has its partial index: those with a period, and those to which the timer hasn't come yet.
        which = (
            table.c.finished_at.is_not(None),
            table.c.lock_checked_at.is_(None),
            sa.or_(table.c.kept_years.is_not(None), sa.and_(*_UNSETTLED[1:])),
        )
        count = self._connection.execute(sa.select(sa.func.count()).where(*which)).scalar_one()
        settled = sa.select(table.c.id).where(*which[:2], table.c.kept_years.is_not(None)).limit(_LOOKED_INTO)
        chosen = list(self._connection.execute(settled).scalars())
        if not chosen:
            return Unlocked(count, 0)
        named = objects_by_dossier().subquery()
        joined = named.join(table, table.c.id == named.c.dossier_id)
        joined = joined.outerjoin(kept, kept.c.sha256 == named.c.sha256)
        enough = sa.func.coalesce(table.c.kept_until, at + LOCK_AHEAD)
        short = sa.or_(kept.c.locked_until.is_(None), kept.c.locked_until < enough)
        query = sa.select(sa.func.count(named.c.sha256.distinct())).select_from(joined)
        query = query.where(named.c.dossier_id.in_(chosen), enough > at, short)
        return Unlocked(count, self._connection.execute(query).scalar_one())

    def finished(self, procedure: str) -> int:
        """How many dossiers of this procedure have ended."""
        which = (dossiers.c.procedure == procedure, dossiers.c.finished_at.is_not(None))
        return self._connection.execute(sa.select(sa.func.count()).where(*which)).scalar_one()

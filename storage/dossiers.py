"""Dossiers, asked for on somebody's behalf. The one place that decides which dossiers an actor may see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY, insert

from dossiers.types import Dossier, DossierState, Within
from storage.page_index import note_dossier
from storage.rows import keep_version, many, one
from storage.tables import day_ordinals, dossiers
from storage.words import all_of_query, folded, vector, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from dossiers.types import Actor, Applicant

#: What is known of a dossier that has ended, and of no other.
_OF_THE_END = ("finished_at", "archived_at", "kept_until", "lock_checked_at")
_FINISHED = (DossierState.RETURNED, DossierState.REFUSED, DossierState.CANCELLED)


def seen_by(actor: Actor) -> sa.ColumnElement[bool]:
    """Which dossiers the actor's agency has a part in: it took them in, decides them, or helped at its counter."""
    return sa.or_(
        dossiers.c.receiving == actor.agency,
        dossiers.c.competent == actor.agency,
        dossiers.c.helped_at == actor.agency,
    )


def fits(within: Within) -> list[sa.ColumnElement[bool]]:
    """Which dossiers a search within these bounds is about: all of it holds."""
    conditions: list[sa.ColumnElement[bool]] = []
    if within.agency:
        conditions.append(sa.or_(dossiers.c.receiving == within.agency, dossiers.c.competent == within.agency))
    if within.procedure:
        conditions.append(dossiers.c.procedure == within.procedure)
    since, until = within.moments()
    if since is not None:
        conditions.append(dossiers.c.opened_at >= since)
    if until is not None:
        conditions.append(dossiers.c.opened_at < until)
    return conditions


class PostgresDossiers:
    """`dossiers.ports.Dossiers`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, actor: Actor, dossier_id: UUID) -> Dossier:
        """Raises NotFound: there is none, or the actor's agency has no part in it."""
        return one(Dossier, self._connection, self._seen(actor).where(dossiers.c.id == dossier_id))

    def some(self, actor: Actor, dossier_ids: Iterable[UUID]) -> Mapping[UUID, Dossier]:
        """Of several at once; those that `of` wouldn't find are left out."""
        query = self._seen(actor).where(dossiers.c.id.in_(dossier_ids))
        return {dossier.id: dossier for dossier in many(Dossier, self._connection, query)}

    def lock(self, actor: Actor, dossier_id: UUID) -> Dossier:
        """As `of`, held against other writers until the block ends."""
        query = self._seen(actor).where(dossiers.c.id == dossier_id)
        # Not FOR UPDATE: that would also wait for, and deadlock with, rows that merely refer to this one.
        return one(Dossier, self._connection, query.with_for_update(key_share=True))

    def for_job(self, dossier_id: UUID) -> Dossier:
        """As `lock`, for the service itself at work on somebody's earlier request. Raises NotFound."""
        query = sa.select(dossiers).where(dossiers.c.id == dossier_id)
        return one(Dossier, self._connection, query.with_for_update(key_share=True))

    def seen_by_job(self, dossier_id: UUID) -> Dossier:
        """As `for_job`, and nobody is kept waiting for it. Raises NotFound."""
        return one(Dossier, self._connection, sa.select(dossiers).where(dossiers.c.id == dossier_id))

    def by_code(self, code: str) -> Dossier:
        """For the citizen's look-up only; the caller checks the second secret. Raises NotFound."""
        return one(Dossier, self._connection, sa.select(dossiers).where(dossiers.c.code == code))

    def queue(
        self,
        actor: Actor,
        *,
        states: Iterable[DossierState] | None = None,
        after: UUID | None = None,
        limit: int = 50,
    ) -> Sequence[Dossier]:
        """The actor's dossiers, most urgent first: by promised date, those without one last, finished ones after all.

        Args:
            actor: Who is asking.
            states: Only these; None for all.
            after: The last one already shown.
            limit: At most so many.
        """
        urgency = sa.tuple_(
            dossiers.c.state.in_(_FINISHED),
            sa.func.coalesce(dossiers.c.due_on, sa.literal_column("'infinity'::date")),
            dossiers.c.opened_at,
            dossiers.c.id,
        )
        query = self._seen(actor).order_by(*urgency).limit(limit)
        if states is not None:
            query = query.where(dossiers.c.state.in_(list(states)))
        if after is not None:
            last = sa.select(*urgency).where(dossiers.c.id == after).correlate(None)
            query = query.where(urgency > last.scalar_subquery())
        return many(Dossier, self._connection, query)

    def to_send(self, actor: Actor, *, limit: int = 200) -> Sequence[Dossier]:
        """Dossiers whose paper the actor's agency holds and another one may want, received first first."""
        query = self._seen(actor).where(
            dossiers.c.paper_at == actor.agency,
            dossiers.c.transfer.is_(None),
            dossiers.c.received_at.is_not(None),
            dossiers.c.state.not_in((DossierState.REFUSED, DossierState.CANCELLED)),
            sa.or_(dossiers.c.helped_at == actor.agency, dossiers.c.competent != actor.agency),
        )
        return many(Dossier, self._connection, query.order_by(dossiers.c.received_at, dossiers.c.id).limit(limit))

    def find(self, actor: Actor, text: str, *, within: Within | None = None, limit: int = 20) -> Sequence[Dossier]:
        """The actor's dossiers whose applicant's name or code has all these words: with accents first, then without.

        The last word may be only begun. Within each, the newest first. A text without a letter or digit finds nothing.
        """
        exactly = all_of_query(written(text))
        roughly = all_of_query(folded(text), last_is_begun=True)
        if not exactly or not roughly:
            return []
        bounds = fits(within or Within())
        is_exact = dossiers.c.written.bool_op("@@")(sa.cast(exactly, TSQUERY))
        is_rough = dossiers.c.folded.bool_op("@@")(sa.cast(roughly, TSQUERY))
        # Two questions, as for pages: the second, longer one is asked only when there is room left.
        found = self._newest(actor, sa.and_(is_exact, *bounds), limit)
        if len(found) < limit:
            found += self._newest(actor, sa.and_(is_rough, sa.not_(is_exact), *bounds), limit - len(found))
        return found

    def newest(self, actor: Actor, within: Within, *, skip: int, take: int) -> Sequence[UUID]:
        """The actor's dossiers within these bounds, the newest first; the procedure isn't looked at.

        Each of the three ways to have a part in a dossier has an index in this order. Asked with "or", all dossiers of
        the agency would be put in order first, and a big one has a hundred thousand a year.
        """
        bounds = fits(replace(within, procedure=""))
        ways = [
            sa.select(dossiers.c.id, dossiers.c.opened_at)
            .where(part == actor.agency, *bounds)
            .order_by(dossiers.c.opened_at.desc(), dossiers.c.id)
            .limit(skip + take)
            .subquery()
            for part in (dossiers.c.receiving, dossiers.c.competent, dossiers.c.helped_at)
        ]
        seen = sa.union(*(sa.select(way.c.id, way.c.opened_at) for way in ways)).subquery()
        query = sa.select(seen.c.id).order_by(seen.c.opened_at.desc(), seen.c.id).offset(skip).limit(take)
        return list(self._connection.execute(query).scalars())

    def _newest(self, actor: Actor, which: sa.ColumnElement[bool], limit: int) -> list[Dossier]:
        query = self._seen(actor).where(which).order_by(dossiers.c.opened_at.desc(), dossiers.c.id).limit(limit)
        return many(Dossier, self._connection, query)

    def still_open(self, actor: Actor, procedure: str, applicant: Applicant, *, limit: int = 3) -> Sequence[Dossier]:
        """The actor's unfinished dossiers of the same person for the same procedure, newest first."""
        same_person = (
            dossiers.c.applicant_id_number == applicant.id_number
            if applicant.id_number
            else sa.and_(
                sa.func.lower(dossiers.c.applicant_name) == applicant.name.lower(),
                dossiers.c.applicant_phone == applicant.phone,
            )
        )
        query = self._seen(actor).where(
            dossiers.c.procedure == procedure, dossiers.c.state.not_in(_FINISHED), same_person
        )
        return many(Dossier, self._connection, query.order_by(dossiers.c.opened_at.desc(), dossiers.c.id).limit(limit))

    def next_ordinal(self, agency: str, day: date) -> int:
        """The day's next number for dossiers of this agency, from 1. The day's row is held until the block ends."""
        new = insert(day_ordinals).values(agency=agency, day=day, last=1)
        statement = new.on_conflict_do_update(
            index_elements=["agency", "day"], set_={"last": day_ordinals.c.last + 1}
        ).returning(day_ordinals.c.last)
        ordinal: int = self._connection.execute(statement).scalar_one()
        return ordinal

    def keep(self, dossier: Dossier) -> Dossier:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        named = f"{dossier.applicant.name} {dossier.code}"
        since = sa.func.now() if dossier.version == 0 else sa.func.coalesce(dossiers.c.finished_at, sa.func.now())
        ends = {"finished_at": since} if dossier.state in _FINISHED else dict.fromkeys(_OF_THE_END)
        kept = keep_version(
            self._connection,
            dossiers,
            dossier,
            written=vector(written(named)),
            folded=vector(folded(named)),
            **ends,
        )
        if dossier.version:
            note_dossier(self._connection, dossier.id)
        return kept

    @staticmethod
    def _seen(actor: Actor) -> sa.Select[tuple[object, ...]]:
        return sa.select(dossiers).where(seen_by(actor))

"""What pages are found by: their marks, and the places their dossier is in, in one narrow table with one index.

A question names places (an agency's year, a procedure) and marks (`words.page_marks`), and PostgreSQL's index brings
the lists of both together; no page is opened for that. What it gives back has everything that was asked for, but
perhaps in another order, or in a dossier that only nearly fits: whoever finds by it reads the pages after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, array, insert

from dossiers.calendar import VIETNAM
from storage.tables import components, dossiers, page_index
from storage.words import page_marks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from dossiers.types import Actor, Within

#: A question about more years asks for the agency as a whole, and leaves the rest to the days.
_MOST_YEARS = 5

_YEAR = sa.func.to_char(sa.func.timezone(VIETNAM.key, dossiers.c.opened_at), "YYYY")
_AGENCIES = (dossiers.c.receiving, dossiers.c.competent, dossiers.c.helped_at)
#: As `_asked_places` asks for them.
_NAMES: list[sa.ColumnElement[str]] = [
    *_AGENCIES,
    *(agency + "/" + _YEAR for agency in _AGENCIES),
    sa.literal(":") + dossiers.c.procedure,
]
_PLACES = sa.func.array_remove(sa.cast(array(_NAMES), ARRAY(sa.Text)), None, type_=ARRAY(sa.Text))


def note_page(connection: sa.Connection, page_id: UUID, component_id: UUID, text: str) -> None:
    """Make a page findable by its present text, and no longer by an earlier one."""
    marks = page_marks(text)
    if not marks:
        connection.execute(sa.delete(page_index).where(page_index.c.page_id == page_id))
        return
    noted = (
        sa.select(
            sa.literal(page_id, page_index.c.page_id.type),
            dossiers.c.id,
            dossiers.c.opened_at,
            _PLACES,
            sa.literal(marks, page_index.c.marks.type),
        )
        .select_from(components.join(dossiers))
        .where(components.c.id == component_id)
    )
    statement = insert(page_index).from_select(["page_id", "dossier_id", "opened_at", "places", "marks"], noted)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["page_id"],
            set_={"places": new.places, "opened_at": new.opened_at, "marks": new.marks},
            where=sa.or_(page_index.c.marks != new.marks, page_index.c.places != new.places),
        )
    )


def note_dossier(connection: sa.Connection, dossier_id: UUID) -> None:
    """After a change of a dossier: have its pages found where it is now."""
    now = sa.select(dossiers.c.id, dossiers.c.opened_at, _PLACES.label("places")).where(dossiers.c.id == dossier_id)
    there = now.subquery()
    connection.execute(
        sa.update(page_index)
        .values(places=there.c.places, opened_at=there.c.opened_at)
        .where(
            page_index.c.dossier_id == there.c.id,
            sa.or_(page_index.c.places != there.c.places, page_index.c.opened_at != there.c.opened_at),
        )
    )


def candidates(
    connection: sa.Connection, actor: Actor, within: Within, marks: Sequence[int], *, skip: int, take: int
) -> list[UUID]:
    """Pages that have all these marks, of the newest dossiers first, whole dossiers.

    Args:
        connection: To the database.
        actor: Who is asking; only places of the actor's agency are looked at.
        within: Places and days.
        marks: `words.phrase_marks`.
        skip: So many were given already.
        take: As many as this, and the rest of the last one's dossier.
    """
    query = (
        sa.select(page_index.c.page_id)
        .where(*_asked_places(actor, within), page_index.c.marks.contains(marks))
        .order_by(page_index.c.opened_at.desc(), page_index.c.dossier_id)
        .offset(skip)
        .fetch(take, with_ties=True)
    )
    # PostgreSQL can't know how rarely two common words stand side by side, and might read every page instead.
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    found = connection.execute(query).scalars().all()
    connection.exec_driver_sql("SET LOCAL enable_seqscan = on")
    return list(found)


def _asked_places(actor: Actor, within: Within) -> list[sa.ColumnElement[bool]]:
    places = page_index.c.places
    years = _years(within)
    asked = []
    for agency in dict.fromkeys([actor.agency, within.agency or actor.agency]):
        if years:
            asked.append(places.overlap([f"{agency}/{year:04d}" for year in years]))
        else:
            asked.append(places.contains([agency]))
    if within.procedure:
        asked.append(places.contains([f":{within.procedure}"]))
    since, until = within.moments()
    if since is not None:
        asked.append(page_index.c.opened_at >= since)
    if until is not None:
        asked.append(page_index.c.opened_at < until)
    return asked


def _years(within: Within) -> range:
    """The years it is about; none: too many to name them."""
    if within.since is None or within.until is None or within.until.year - within.since.year >= _MOST_YEARS:
        return range(0)
    return range(within.since.year, within.until.year + 1)

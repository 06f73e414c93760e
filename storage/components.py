"""Components, their pages and fields, and the register of signed copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY, insert

from dossiers import record
from dossiers.reader_report import FieldTally, FlagTally
from dossiers.types import Component, ComponentState, ExtractedField, NotFound, Page, PageGlance, PageState
from storage.page_index import note_page
from storage.rows import from_row, keep_version, many, one, to_row, upsert
from storage.tables import MARKED, components, extracted_fields, pages
from storage.words import folded, phrase_query, vector, written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from uuid import UUID

    from dossiers.types import ObjectKey

_SETTLED = (PageState.READ, PageState.REVIEWED, PageState.SET_ASIDE)
_FROM_MACHINE = "ocr"


class PostgresComponents:
    """`dossiers.ports.Components`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of_dossier(self, dossier_id: UUID) -> Sequence[Component]:
        """By ordinal, replaced ones left out."""
        query = sa.select(components).where(
            components.c.dossier_id == dossier_id, components.c.state != ComponentState.REPLACED
        )
        return many(Component, self._connection, query.order_by(components.c.ordinal))

    def of_dossiers(self, dossier_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[Component]]:
        """Of several dossiers at once, each by ordinal, replaced ones left out."""
        query = sa.select(components).where(
            components.c.dossier_id.in_(dossier_ids), components.c.state != ComponentState.REPLACED
        )
        found: dict[UUID, list[Component]] = {}
        for component in many(Component, self._connection, query.order_by(components.c.ordinal)):
            found.setdefault(component.dossier_id, []).append(component)
        return found

    def ever_of(self, dossier_id: UUID) -> Sequence[UUID]:
        """Every paper that ever was in it, replaced ones too, by ordinal."""
        query = sa.select(components.c.id).where(components.c.dossier_id == dossier_id)
        return self._connection.execute(query.order_by(components.c.ordinal)).scalars().all()

    def last_ordinal(self, dossier_id: UUID) -> int:
        """The highest ordinal given so far, replaced components counted; 0 when there is none."""
        query = sa.select(sa.func.coalesce(sa.func.max(components.c.ordinal), 0))
        last: int = self._connection.execute(query.where(components.c.dossier_id == dossier_id)).scalar_one()
        return last

    def of(self, component_id: UUID, *, within: UUID | None = None) -> Component:
        """Raises NotFound, also if it isn't a paper of the dossier `within`. Jobs ask without one."""
        return one(Component, self._connection, _component(component_id, within))

    def lock(self, component_id: UUID, *, within: UUID | None = None) -> Component:
        """As `of`, held until the block ends: serialises the fan-in of its pages."""
        return one(Component, self._connection, _component(component_id, within).with_for_update(key_share=True))

    def with_scan(self, dossier_id: UUID, sha256: str) -> Component | None:
        """A component of this dossier that came with these bytes; one that was replaced only if there is no other.

        A scan that separator sheets have parted is found as well: by its first paper.
        """
        query = (
            sa.select(components)
            .where(
                components.c.dossier_id == dossier_id,
                sa.or_(components.c.scan_sha256 == sha256, components.c.whole_sha256 == sha256),
            )
            .order_by(components.c.state == ComponentState.REPLACED, components.c.scanned_at, components.c.ordinal)
            .limit(1)
        )
        return next(iter(many(Component, self._connection, query)), None)

    def out_of(self, dossier_id: UUID, sha256: str) -> Sequence[Component]:
        """The papers of this dossier that came with these bytes or as a part of them, replaced ones too."""
        query = sa.select(components).where(
            components.c.dossier_id == dossier_id,
            sa.or_(components.c.scan_sha256 == sha256, components.c.whole_sha256 == sha256),
        )
        return many(Component, self._connection, query.order_by(components.c.ordinal, components.c.scanned_at))

    def keep(self, component: Component) -> Component:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        return keep_version(self._connection, components, component)

    def pages(self, component_id: UUID) -> Sequence[Page]:
        """By number."""
        query = _PAGE.where(pages.c.component_id == component_id).order_by(pages.c.number)
        return many(Page, self._connection, query)

    def page(self, page_id: UUID) -> Page:
        """Raises NotFound."""
        return one(Page, self._connection, _PAGE.where(pages.c.id == page_id))

    def keep_page(self, page: Page) -> None:
        """Insert or change, and make its text findable."""
        row = to_row(page, pages) | {
            "written": vector(written(page.text)),
            "folded": vector(folded(page.text)),
            "touched_at": sa.func.now(),
        }
        upsert(self._connection, pages, row)
        note_page(self._connection, page.id, page.component_id, page.text)

    def glance(self, component_ids: Iterable[UUID]) -> Sequence[PageGlance]:
        """The pages of these components, by number within each: one query, however many there are."""
        query = _GLANCE.where(pages.c.component_id.in_(component_ids))
        return many(PageGlance, self._connection, query.order_by(pages.c.component_id, pages.c.number))

    def that_say(self, component_ids: Iterable[UUID], phrases: Iterable[str]) -> Collection[UUID]:
        """Those of these components on one of whose pages one of these phrases stands, with any accents."""
        asked = " | ".join(phrase_query(folded(phrase)) for phrase in phrases)
        query = sa.select(pages.c.component_id).distinct()
        query = query.where(
            pages.c.component_id.in_(component_ids), pages.c.folded.bool_op("@@")(sa.cast(asked, TSQUERY))
        )
        return self._connection.execute(query).scalars().all()

    def marked(self, component_ids: Iterable[UUID]) -> Sequence[PageGlance]:
        """Of these components' pages those that somebody left out or linked with a note: mostly none."""
        query = _GLANCE.where(pages.c.component_id.in_(component_ids), MARKED)
        return many(PageGlance, self._connection, query.order_by(pages.c.component_id, pages.c.number))

    def keep_look(
        self, page_id: UUID, thumbnail: ObjectKey, *, flags: Sequence[str], measured: Mapping[str, float]
    ) -> None:
        """Keep a page's small picture, and what was seen on it unless it has been read since.

        Whether it has is asked in the statement itself: what a reading found is never overwritten by a late look.
        """
        unread = pages.c.state == PageState.RECEIVED
        seen = {pages.c.flags: tuple(flags), pages.c.measured: dict(measured)}
        looked = sa.update(pages).where(pages.c.id == page_id)
        looked = looked.values(
            {column: sa.case((unread, sa.literal(value, column.type)), else_=column) for column, value in seen.items()}
        )
        looked = looked.values(
            thumbnail_sha256=thumbnail.sha256,
            thumbnail_size=thumbnail.size,
            thumbnail_media_type=thumbnail.media_type,
            touched_at=sa.func.now(),
        )
        self._connection.execute(looked)

    def begin_attempt(self, page_id: UUID) -> int:
        """Count one more attempt at reading; gives the new count. Raises NotFound."""
        return self._begun(page_id, pages.c.attempts)

    def end_attempt(self, page_id: UUID) -> None:
        """The reader came through this attempt alive: don't count it against the page."""
        self._survived(page_id, pages.c.attempts)

    def begin_assembly(self, component_id: UUID) -> int:
        """Count one more attempt at making the PDF; gives the new count. Raises NotFound."""
        counted = sa.update(components).where(components.c.id == component_id)
        counted = counted.values(assemblies=components.c.assemblies + 1)
        count: int | None = self._connection.execute(counted.returning(components.c.assemblies)).scalar_one_or_none()
        if count is None:
            raise NotFound("không có giấy tờ này")
        return count

    def end_assembly(self, component_id: UUID) -> None:
        """Whoever made it came through alive, or a person wants it tried anew: count from nothing again."""
        self._connection.execute(sa.update(components).where(components.c.id == component_id).values(assemblies=0))

    def begin_look(self, page_id: UUID) -> int:
        """Count one more look; gives the new count. Raises NotFound."""
        return self._begun(page_id, pages.c.looks)

    def end_look(self, page_id: UUID) -> None:
        """Whoever looked came through it alive."""
        self._survived(page_id, pages.c.looks)

    def _begun(self, page_id: UUID, counter: sa.Column[int]) -> int:
        statement = (
            sa.update(pages)
            .where(pages.c.id == page_id)
            .values({counter: counter + 1, pages.c.touched_at: sa.func.now()})
        )
        count: int | None = self._connection.execute(statement.returning(counter)).scalar_one_or_none()
        if count is None:
            raise NotFound("không có trang này")
        return count

    def _survived(self, page_id: UUID, counter: sa.Column[int]) -> None:
        fewer = {counter: sa.func.greatest(counter - 1, 0)}
        self._connection.execute(sa.update(pages).where(pages.c.id == page_id).values(fewer))

    def unread(self, component_id: UUID) -> int:
        """How many pages are neither read, reviewed nor set aside."""
        query = sa.select(sa.func.count()).where(pages.c.component_id == component_id, pages.c.state.not_in(_SETTLED))
        return self._connection.execute(query).scalar_one()

    def fields(self, component_id: UUID) -> Sequence[ExtractedField]:
        """By key."""
        query = sa.select(extracted_fields).where(extracted_fields.c.component_id == component_id)
        return many(ExtractedField, self._connection, query.order_by(extracted_fields.c.key))

    def keep_fields(self, component_id: UUID, fields: Sequence[ExtractedField]) -> None:
        """Replace what the machine read; what a person typed, corrected or confirmed stays."""
        read = sa.delete(extracted_fields).where(
            extracted_fields.c.component_id == component_id,
            extracted_fields.c.origin == _FROM_MACHINE,
            extracted_fields.c.by == "",
        )
        self._connection.execute(read)
        if fields:
            rows = [to_row(field, extracted_fields) for field in fields]
            self._connection.execute(insert(extracted_fields).on_conflict_do_nothing(), rows)

    def keep_field(self, field: ExtractedField) -> None:
        """Set one value."""
        upsert(self._connection, extracted_fields, to_row(field, extracted_fields))

    def tally_fields(self, *, sure_from: float, by_hand: Mapping[str, str]) -> Sequence[FieldTally]:
        """Values of reviewed pages, counted; of a key in `by_hand` none is sure on a page with that flag."""
        field = extracted_fields.c
        inked = sa.or_(
            *(sa.and_(field.key == key, sa.literal(flag) == sa.any_(pages.c.flags)) for key, flag in by_hand.items())
        )
        sure = sa.and_(field.confidence >= sure_from, sa.not_(inked)).label("sure")
        looked_at = (field.by != "").label("looked_at")
        # What was read and isn't on the paper was read wrongly.
        denied = sa.and_(field.origin.in_(record.ANSWERS.values()), field.raw != "")
        origin = sa.case((denied, "corrected"), else_=field.origin).label("origin")
        query = (
            sa.select(field.key, sure, origin, looked_at, sa.func.count().label("count"))
            .join(pages, sa.and_(pages.c.component_id == field.component_id, pages.c.number == field.page))
            .where(pages.c.state == PageState.REVIEWED)
            .group_by(field.key, sure, origin, looked_at)
        )
        return [FieldTally(**row) for row in self._connection.execute(query).mappings()]

    def tally_flags(self) -> Sequence[FlagTally]:
        """Reviewed pages by flag, and the words that people changed or confirmed on them."""
        words = sa.select(sa.func.count()).select_from(sa.func.jsonb_object_keys(pages.c.corrections)).scalar_subquery()
        flag = sa.func.unnest(
            sa.case((sa.func.cardinality(pages.c.flags) == 0, sa.cast([""], pages.c.flags.type)), else_=pages.c.flags)
        )
        each = sa.select(flag.label("flag"), words.label("words")).where(pages.c.state == PageState.REVIEWED).subquery()
        query = sa.select(
            each.c.flag,
            sa.func.count().label("pages"),
            sa.func.count().filter(each.c.words > 0).label("touched_pages"),
            sa.func.coalesce(sa.func.sum(each.c.words), 0).label("touched_words"),
        ).group_by(each.c.flag)
        return [
            FlagTally(row["flag"], row["pages"], row["touched_pages"], int(row["touched_words"]))
            for row in self._connection.execute(query).mappings()
        ]


#: The page without its search vectors, which are as big as its text.
_PAGE = sa.select(*(column for column in pages.c if column.name not in {"written", "folded"}))
_WEIGHTY = {"written", "folded", "text", "measured", "corrections"}
_BEGINNING = 200
_GLANCE = sa.select(
    *(column for column in pages.c if column.name not in _WEIGHTY),
    sa.func.left(pages.c.text, _BEGINNING).label("beginning"),
)


def _component(component_id: UUID, within: UUID | None) -> sa.Select[Any]:
    query = sa.select(components).where(components.c.id == component_id)
    return query if within is None else query.where(components.c.dossier_id == within)


class PostgresRegister:
    """`dossiers.ports.Register`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def copy_with(self, sha256: str) -> Component | None:
        """The component whose signed copy has exactly these bytes, of any agency."""
        query = sa.select(components).where(components.c.copy_sha256 == sha256)
        query = query.order_by(components.c.state == ComponentState.REPLACED, components.c.scanned_at).limit(1)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else from_row(Component, row)

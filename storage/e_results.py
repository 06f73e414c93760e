"""E-results, the number register, and the attempts at signing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dossiers.types import EResult, NotFound, ObjectKey, ResultState
from storage.rows import keep_version, many, one, refuse_duplicates
from storage.tables import e_result_documents, e_results, number_registers, numbers, signature_attempts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from dossiers.types import Actor

_PUBLISHED = (ResultState.ISSUED, ResultState.WITHDRAWN, ResultState.SUPERSEDED)
_OVER = (*_PUBLISHED, ResultState.DISCARDED)
_ITS_DOCUMENT = sa.and_(
    e_result_documents.c.e_result_id == e_results.c.id,
    e_result_documents.c.document_sha256 == e_results.c.document_sha256,
)
#: What came signed is kept byte for byte as it came.
_OURS_AND_OUT = (
    e_results.c.state.in_(_PUBLISHED),
    e_results.c.came_signed.is_(False),
    e_results.c.document_sha256.is_not(None),
)


class PostgresEResults:
    """`dossiers.ports.EResults`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, actor: Actor, e_result_id: UUID) -> EResult:
        """Raises NotFound: there is none, or it is another agency's."""
        return one(EResult, self._connection, self._own(actor).where(e_results.c.id == e_result_id))

    def some(self, actor: Actor, e_result_ids: Iterable[UUID]) -> Mapping[UUID, EResult]:
        """Of several at once; those that `of` wouldn't find are left out."""
        query = self._own(actor).where(e_results.c.id.in_(e_result_ids))
        return {e_result.id: e_result for e_result in many(EResult, self._connection, query)}

    def lock(self, actor: Actor, e_result_id: UUID) -> EResult:
        """As `of`, held until the block ends."""
        query = self._own(actor).where(e_results.c.id == e_result_id)
        return one(EResult, self._connection, query.with_for_update(key_share=True))

    def for_job(self, e_result_id: UUID) -> EResult:
        """As `lock`, for the service itself at work on somebody's earlier request. Raises NotFound."""
        query = sa.select(e_results).where(e_results.c.id == e_result_id)
        return one(EResult, self._connection, query.with_for_update(key_share=True))

    def of_dossier(self, dossier_id: UUID) -> Sequence[EResult]:
        """By ordinal."""
        query = sa.select(e_results).where(e_results.c.dossier_id == dossier_id)
        return many(EResult, self._connection, query.order_by(e_results.c.ordinal))

    def of_dossiers(self, dossier_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[EResult]]:
        """Of several dossiers at once, each by ordinal."""
        query = sa.select(e_results).where(e_results.c.dossier_id.in_(dossier_ids)).order_by(e_results.c.ordinal)
        found: dict[UUID, list[EResult]] = {}
        for e_result in many(EResult, self._connection, query):
            found.setdefault(e_result.dossier_id, []).append(e_result)
        return found

    def waiting(self, actor: Actor) -> Sequence[EResult]:
        """Results of the actor's agency that are on their way to being issued, oldest first."""
        query = self._own(actor).where(e_results.c.state.not_in(_OVER))
        return many(EResult, self._connection, query.order_by(e_results.c.begun_at, e_results.c.id))

    def published(self, actor: Actor, *, after: UUID | None = None, limit: int = 30) -> Sequence[EResult]:
        """Results of the actor's agency that were issued, what happened last first: issued, withdrawn or superseded.

        Args:
            actor: Who is asking.
            after: The last one already shown.
            limit: At most so many.
        """
        age = sa.tuple_(sa.func.coalesce(e_results.c.closed_at, e_results.c.issued_at), e_results.c.id)
        query = self._own(actor).where(e_results.c.state.in_(_PUBLISHED))
        if after is not None:
            last = self._own(actor).with_only_columns(*age).where(e_results.c.id == after).correlate(None)
            query = query.where(age < last.scalar_subquery())
        return many(EResult, self._connection, query.order_by(*(c.desc() for c in age)).limit(limit))

    def by_document(self, sha256: str) -> EResult | None:
        """The result whose file has, or had before its evidence was renewed, exactly these bytes, once issued.

        Of several registrations of the same file, one that is in force answers before those that no longer are.
        """
        earlier = sa.select(e_result_documents.c.e_result_id).where(e_result_documents.c.document_sha256 == sha256)
        return self._published(sa.or_(e_results.c.document_sha256 == sha256, e_results.c.id.in_(earlier)))

    def unweighed(self, limit: int) -> Sequence[EResult]:
        """Published results of our own making of whose document nobody noted how long its evidence lasts."""
        query = sa.select(e_results).outerjoin(e_result_documents, _ITS_DOCUMENT)
        query = query.where(e_result_documents.c.e_result_id.is_(None), *_OURS_AND_OUT)
        return many(EResult, self._connection, query.order_by(e_results.c.issued_at, e_results.c.id).limit(limit))

    def ageing(self, before: datetime, limit: int) -> Sequence[EResult]:
        """Published results whose document's evidence ends before this moment, the first to end first."""
        query = sa.select(e_results).join(e_result_documents, _ITS_DOCUMENT)
        query = query.where(e_result_documents.c.evidence_until < before, *_OURS_AND_OUT)
        ordered = query.order_by(e_result_documents.c.evidence_until, e_results.c.id)
        return many(EResult, self._connection, ordered.limit(limit))

    def keep_evidence(self, e_result_id: UUID, document: ObjectKey, until: datetime) -> None:
        """Note for ever that this was its document, and until when its evidence lasts; said twice, it is noted once."""
        row = {
            "e_result_id": e_result_id,
            "document_sha256": document.sha256,
            "document_size": document.size,
            "document_media_type": document.media_type,
            "evidence_until": until,
        }
        self._connection.execute(insert(e_result_documents).values(row).on_conflict_do_nothing())

    def documents(self, e_result_id: UUID) -> Sequence[ObjectKey]:
        """Every document it was given out as so far, the oldest first."""
        columns = [e_result_documents.c[f"document_{part}"] for part in ("sha256", "size", "media_type")]
        query = sa.select(*columns).where(e_result_documents.c.e_result_id == e_result_id)
        rows = self._connection.execute(query.order_by(e_result_documents.c.recorded_at))
        return [ObjectKey(*row) for row in rows]

    def by_lookup_code(self, lookup_code: str) -> EResult | None:
        """The result with this printed code, of any agency, once issued."""
        return self._published(sa.and_(e_results.c.lookup_code == lookup_code, e_results.c.lookup_code != ""))

    def keep(self, e_result: EResult) -> EResult:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        return keep_version(self._connection, e_results, e_result)

    def take_number(self, agency: str, symbol: str, year: int, e_result_id: UUID) -> int:
        """The next number of this agency, symbol and year, from 1, without gaps but for voided ones.

        The register is held until the block ends, so that a number rolled back is the next one's.

        Raises:
            Duplicate: The result holds a number that was not voided.
        """
        register = {"agency": agency, "symbol": symbol, "year": year}
        new = insert(number_registers).values(register | {"last": 1})
        statement = new.on_conflict_do_update(
            index_elements=list(register), set_={"last": number_registers.c.last + 1}
        ).returning(number_registers.c.last)
        with self._connection.begin_nested():  # a refused taker must not use up a number
            number: int = self._connection.execute(statement).scalar_one()
            taken = sa.insert(numbers).values(register | {"number": number, "e_result_id": e_result_id})
            refuse_duplicates(self._connection, taken)
        return number

    def void_number(self, agency: str, symbol: str, year: int, number: int, reason: str) -> None:
        """The number was taken and never issued; it is not given out again.

        Raises:
            NotFound: It was never taken, or is void already.
        """
        statement = (
            sa.update(numbers)
            .where(
                numbers.c.agency == agency,
                numbers.c.symbol == symbol,
                numbers.c.year == year,
                numbers.c.number == number,
                numbers.c.voided_at.is_(None),
            )
            .values(voided_at=sa.func.now(), void_reason=reason)
        )
        if self._connection.execute(statement).rowcount != 1:
            raise NotFound("số này chưa được cấp, hoặc đã hủy")

    def begin_attempt(self, subject_id: UUID, place: str, revision: int) -> bool:
        """Record that a signature is about to be made; False when one was begun before."""
        row = {"subject_id": subject_id, "place": place, "revision": revision}
        statement = insert(signature_attempts).values(row).on_conflict_do_nothing()
        return self._connection.execute(statement.returning(signature_attempts.c.begun_at)).one_or_none() is not None

    def finish_attempt(self, subject_id: UUID, place: str, revision: int, document: ObjectKey) -> None:
        """The signature of this attempt was verified and recorded.

        Raises:
            NotFound: It was never begun.
        """
        statement = (
            sa.update(signature_attempts)
            .where(
                signature_attempts.c.subject_id == subject_id,
                signature_attempts.c.place == place,
                signature_attempts.c.revision == revision,
            )
            .values(
                finished_at=sa.func.now(),
                document_sha256=document.sha256,
                document_size=document.size,
                document_media_type=document.media_type,
            )
        )
        if self._connection.execute(statement).rowcount != 1:
            raise NotFound("lần ký này chưa được bắt đầu")

    def attempt_begun(self, subject_id: UUID, place: str, revision: int) -> bool:
        """Whether this signature may be in the making, or was made."""
        query = sa.select(
            sa.exists().where(
                signature_attempts.c.subject_id == subject_id,
                signature_attempts.c.place == place,
                signature_attempts.c.revision == revision,
            )
        )
        return bool(self._connection.execute(query).scalar_one())

    @staticmethod
    def _own(actor: Actor) -> sa.Select[tuple[object, ...]]:
        return sa.select(e_results).where(e_results.c.agency == actor.agency)

    def _published(self, which: sa.ColumnElement[bool]) -> EResult | None:
        query = (
            sa.select(e_results)
            .where(which, e_results.c.state.in_(_PUBLISHED))
            .order_by(e_results.c.state != ResultState.ISSUED, e_results.c.issued_at.desc())
            .limit(1)
        )
        return next(iter(many(EResult, self._connection, query)), None)

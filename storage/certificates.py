"""Signing certificates of people and agencies, and the trust material around them, as DER."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dossiers.anchors import AnchorState, TrustAnchor
from dossiers.types import CertificateRecord
from storage.rows import keep_version, many, one, to_row, upsert
from storage.tables import certificates, crls, trust_anchors, trust_certificates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

_SEAL = ""  # the owner of an agency's certificate


class PostgresCertificates:
    """`dossiers.ports.Certificates`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def for_person(self, username: str) -> CertificateRecord:
        """The active one. Raises NotFound."""
        query = sa.select(certificates).where(
            certificates.c.active, certificates.c.owner == username, certificates.c.owner != _SEAL
        )
        return one(CertificateRecord, self._connection, query)

    def for_agency(self, agency: str) -> CertificateRecord:
        """The active seal. Raises NotFound."""
        query = sa.select(certificates).where(
            certificates.c.active, certificates.c.owner == _SEAL, certificates.c.agency == agency
        )
        return one(CertificateRecord, self._connection, query)

    def of_person(self, username: str) -> Sequence[CertificateRecord]:
        """All that ever were this person's, the active one first."""
        return self._of(certificates.c.owner == username, certificates.c.owner != _SEAL)

    def of_agency(self, agency: str) -> Sequence[CertificateRecord]:
        """All that ever were this agency's seal, the active one first."""
        return self._of(certificates.c.owner == _SEAL, certificates.c.agency == agency)

    def _of(self, *which: sa.ColumnElement[bool]) -> Sequence[CertificateRecord]:
        newest = (certificates.c.active.desc(), certificates.c.valid_from.desc(), certificates.c.id)
        return many(CertificateRecord, self._connection, sa.select(certificates).where(*which).order_by(*newest))

    def keep(self, record: CertificateRecord) -> None:
        """Insert or change; a new active one retires the owner's earlier one."""
        if record.active:
            # A person has one certificate wherever they work; a seal belongs to its agency.
            same_owner = (
                certificates.c.owner == record.owner
                if record.owner
                else sa.and_(certificates.c.owner == _SEAL, certificates.c.agency == record.agency)
            )
            retire = sa.update(certificates).where(same_owner, certificates.c.id != record.id).values(active=False)
            self._connection.execute(retire)
        upsert(self._connection, certificates, to_row(record, certificates))

    def all(self) -> Sequence[CertificateRecord]:
        """By agency, then owner."""
        query = sa.select(certificates).order_by(
            certificates.c.agency, certificates.c.owner, certificates.c.valid_from, certificates.c.id
        )
        return many(CertificateRecord, self._connection, query)


class PostgresTrustMaterial:
    """`dossiers.ports.TrustMaterial`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def anchors(self) -> Sequence[TrustAnchor]:
        """Every decision ever taken about an anchor: by store, in each the newest first."""
        query = sa.select(trust_anchors).order_by(
            trust_anchors.c.store, trust_anchors.c.proposed_at.desc(), trust_anchors.c.id
        )
        return many(TrustAnchor, self._connection, query)

    def trusted_anchors(self) -> Sequence[TrustAnchor]:
        """Those that a second administrator confirmed, also when their trust has ended since."""
        confirmed = (AnchorState.TRUSTED, AnchorState.RETIRED)
        query = sa.select(trust_anchors).where(trust_anchors.c.state.in_(confirmed))
        order = (trust_anchors.c.sha256, trust_anchors.c.proposed_at, trust_anchors.c.id)
        return many(TrustAnchor, self._connection, query.order_by(*order))

    def anchor(self, anchor_id: UUID) -> TrustAnchor:
        """Raises NotFound."""
        query = sa.select(trust_anchors).where(trust_anchors.c.id == anchor_id)
        return one(TrustAnchor, self._connection, query)

    def keep_anchor(self, anchor: TrustAnchor) -> TrustAnchor:
        """Insert or change. Raises Changed, Duplicate."""
        return keep_version(self._connection, trust_anchors, anchor)

    def intermediates(self) -> Sequence[bytes]:
        """Certificates that help to build paths; trusted for nothing by themselves."""
        query = sa.select(trust_certificates.c.der).order_by(trust_certificates.c.sha256)
        return self._connection.execute(query).scalars().all()

    def crls(self) -> Sequence[bytes]:
        """The newest list of each distribution point."""
        return self._connection.execute(sa.select(crls.c.der).order_by(crls.c.url)).scalars().all()

    def crl_at(self, url: str) -> bytes | None:
        """The list of this distribution point, held until the transaction ends; None when there is none yet."""
        query = sa.select(crls.c.der).where(crls.c.url == url).with_for_update()
        return self._connection.execute(query).scalar_one_or_none()

    def holds_demo(self) -> bool:
        """Whether a certificate of a demo trust service was ever added."""
        helper, anchor = sa.exists().where(trust_certificates.c.demo), sa.exists().where(trust_anchors.c.demo)
        return bool(self._connection.execute(sa.select(sa.or_(helper, anchor))).scalar_one())

    def add_certificate(self, der: bytes, *, demo: bool = False) -> None:
        """Insert once; the same certificate again is no error, and what was once marked as demo stays marked."""
        row = {"sha256": hashlib.sha256(der).hexdigest(), "der": der, "demo": demo}
        new = insert(trust_certificates).values(row)
        marked = trust_certificates.c.demo | new.excluded.demo
        self._connection.execute(new.on_conflict_do_update(index_elements=["sha256"], set_={"demo": marked}))

    def keep_crl(self, url: str, der: bytes, *, fetched_at: datetime) -> None:
        """Replace the list of this distribution point."""
        upsert(self._connection, crls, {"url": url, "der": der, "fetched_at": fetched_at})

"""Signing certificates of people and agencies, and the trust material around them, as DER."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dossiers.types import CertificateRecord
from storage.rows import many, one, to_row, upsert
from storage.tables import certificates, crls, trust_certificates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

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

    def anchors(self) -> Sequence[bytes]:
        """Trust anchors an administrator added."""
        return self._certificates(trust_certificates.c.anchor)

    def intermediates(self) -> Sequence[bytes]:
        """CA certificates that help to build paths; trusted for nothing by themselves."""
        return self._certificates(~trust_certificates.c.anchor)

    def crls(self) -> Sequence[bytes]:
        """The newest list of each distribution point."""
        return self._connection.execute(sa.select(crls.c.der).order_by(crls.c.url)).scalars().all()

    def crl_at(self, url: str) -> bytes | None:
        """The list of this distribution point, held until the transaction ends; None when there is none yet."""
        query = sa.select(crls.c.der).where(crls.c.url == url).with_for_update()
        return self._connection.execute(query).scalar_one_or_none()

    def holds_demo(self) -> bool:
        """Whether a certificate of a demo trust service was ever added."""
        query = sa.select(sa.exists().where(trust_certificates.c.demo))
        return bool(self._connection.execute(query).scalar_one())

    def add_certificate(self, der: bytes, *, anchor: bool, demo: bool = False) -> None:
        """Insert once; the same certificate again is no error.

        An intermediate that is added as an anchor becomes one; what was once marked as demo stays marked.
        """
        row = {"sha256": hashlib.sha256(der).hexdigest(), "der": der, "anchor": anchor, "demo": demo}
        new = insert(trust_certificates).values(row)
        statement = new.on_conflict_do_update(
            index_elements=["sha256"],
            set_={
                "anchor": trust_certificates.c.anchor | new.excluded.anchor,
                "demo": trust_certificates.c.demo | new.excluded.demo,
            },
        )
        self._connection.execute(statement)

    def keep_crl(self, url: str, der: bytes, *, fetched_at: datetime) -> None:
        """Replace the list of this distribution point."""
        upsert(self._connection, crls, {"url": url, "der": der, "fetched_at": fetched_at})

    def _certificates(self, which: sa.ColumnElement[bool]) -> Sequence[bytes]:
        query = sa.select(trust_certificates.c.der).where(which)
        return self._connection.execute(query.order_by(trust_certificates.c.sha256)).scalars().all()

"""Signing certificates of people and agencies, and the trust material around them, as DER."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dossiers.anchors import AnchorState, TrustAnchor
from dossiers.authorities import Authority
from dossiers.trust_upkeep import KeptAnswer, KeptList
from dossiers.types import CertificateRecord
from storage.rows import keep_version, many, one, to_row, upsert
from storage.tables import certificates, crls, ocsp_answers, timestamp_authorities, trust_anchors, trust_certificates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

#: Lists by their digest, shared by all connections of this process; some old ones stay for who is at work with them.
_LISTS: dict[str, bytes] = {}
_KEPT_LISTS = 8
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
        """The newest list of each distribution point; of some megabytes, and so fetched once by each process."""
        named = self._connection.execute(sa.select(crls.c.url, crls.c.sha256).order_by(crls.c.url)).all()
        unknown = {sha256 for _, sha256 in named} - _LISTS.keys()
        if unknown:
            query = sa.select(crls.c.sha256, crls.c.der).where(crls.c.sha256.in_(unknown))
            _LISTS.update({sha256: bytes(der) for sha256, der in self._connection.execute(query)})
            for old in [sha256 for sha256 in list(_LISTS) if sha256 not in {now for _, now in named}][:-_KEPT_LISTS]:
                _LISTS.pop(old, None)
        # Meanwhile a list may have been replaced: then it is left out, and the next one to ask gets the new one.
        return [_LISTS[sha256] for _, sha256 in named if sha256 in _LISTS]

    def kept_lists(self) -> Sequence[KeptList]:
        """All lists, with where from and since when."""
        self.crls()
        query = sa.select(crls.c.url, crls.c.fetched_at, crls.c.sha256).order_by(crls.c.url)
        rows = self._connection.execute(query).all()
        return [KeptList(url, _LISTS[sha256], at) for url, at, sha256 in rows if sha256 in _LISTS]

    def kept_answers(self) -> Sequence[KeptAnswer]:
        """What responders last said."""
        return many(KeptAnswer, self._connection, sa.select(ocsp_answers).order_by(ocsp_answers.c.certificate))

    def keep_answer(self, answer: KeptAnswer) -> bool:
        """Keep an answer, unless a newer one about that certificate is there; whether it was kept."""
        row = to_row(answer, ocsp_answers)
        changes = {name: value for name, value in row.items() if name != "certificate"}
        statement = insert(ocsp_answers).values(row)
        newer = statement.on_conflict_do_update(
            index_elements=["certificate"], set_=changes, where=ocsp_answers.c.made <= statement.excluded.made
        )
        return self._connection.execute(newer.returning(ocsp_answers.c.certificate)).one_or_none() is not None

    def authorities(self) -> Sequence[Authority]:
        """Timestamp authorities as the signing worker last noted them, by address."""
        query = sa.select(timestamp_authorities).order_by(timestamp_authorities.c.url)
        return many(Authority, self._connection, query)

    def keep_authorities(self, found: Sequence[Authority]) -> None:
        """Note these, and forget all others."""
        left = timestamp_authorities.c.url.not_in([one.url for one in found])
        self._connection.execute(sa.delete(timestamp_authorities).where(left))
        for one_of_them in found:
            upsert(self._connection, timestamp_authorities, to_row(one_of_them, timestamp_authorities))

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
        sha256 = hashlib.sha256(der).hexdigest()
        upsert(self._connection, crls, {"url": url, "der": der, "fetched_at": fetched_at, "sha256": sha256})

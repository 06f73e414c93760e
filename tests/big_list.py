"""Revocation lists as long as a national authority's, signed by the test PKI's issuing authority."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from asn1crypto import core, crl, x509
from certomancer.services import CRLBuilder

from api.demo.certificates import signature_algorithm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.pki import Pki

_SEED = 20260101
_LIFE = timedelta(days=7)


def long_list(
    pki: Pki,
    entries: int,
    *,
    also: Mapping[int, tuple[datetime, str]] | None = None,
    at: datetime | None = None,
) -> bytes:
    """A list of the issuing authority with `entries` made-up serial numbers of 16 bytes. DER.

    Args:
        also: Serial number → when and why (RFC 5280's word), somewhere in the middle.
        at: When it is made; it is good for seven days.
    """
    at = (at or datetime.now(UTC)).replace(microsecond=0)
    draw = Random(_SEED)  # noqa: S311  made-up numbers
    rows = [_entry(draw.getrandbits(127), at - timedelta(hours=draw.randrange(1, 9000))) for _ in range(entries)]
    rows[entries // 2 : entries // 2] = [_entry(s, when, reason) for s, (when, reason) in (also or {}).items()]
    issuer = pki.trust._issuing  # its key signs
    builder = CRLBuilder(
        issuer_name=issuer.certificate.subject,
        issuer_key=issuer.key,
        signature_algo=signature_algorithm(issuer.key),
        authority_key_identifier=issuer.certificate.key_identifier_value,
    )
    # The builder would encode each of a hundred thousand objects: it gets them as one value, encoded already.
    listed = crl.RevokedCertificates.load(_tagged(b"".join(rows)))
    return bytes(builder.build_crl(int(at.timestamp()), at, at + _LIFE, listed).dump())


def _entry(serial: int, when: datetime, reason: str = "") -> bytes:
    row = core.Integer(serial).dump() + x509.UTCTime(when.replace(microsecond=0)).dump()
    if reason:
        said = crl.CRLEntryExtension({"extn_id": "crl_reason", "extn_value": crl.CRLReason(reason)})
        row += crl.CRLEntryExtensions([said]).dump()
    return _tagged(row)


def _tagged(contents: bytes) -> bytes:
    return bytes(core.Sequence(contents=contents).dump())

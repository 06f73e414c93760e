"""The CMS of a signature put together from parts: pyHanko's, byte by byte, but that no certificate is in it twice."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import pytest
from asn1crypto import cms, parser
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes, Signer

from signing import envelope
from signing.keys import require_strong
from signing.mechanisms import mechanism_for
from tests.pki import LEADER, LEADER_P256, SEAL

if TYPE_CHECKING:
    from api.demo.trust_service import DemoSubject
    from tests.pki import Pki


class Same(envelope.EnvelopeSigner):
    """Signs everything alike, so that what is around the signature can be compared."""

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: FBT001, FBT002 - pyHanko's signature
        return hashlib.new(digest_algorithm, data).digest() * (1 if dry_run else 8)


def same(pki: Pki, who: DemoSubject, *, prefer_pss: bool, digest: str = "sha256") -> Same:
    der = pki.trust.certificate_der(who.id)
    mechanism = mechanism_for(require_strong(der), prefer_pss=prefer_pss, digest=digest)
    return Same(der, (*pki.trust.intermediates_der, pki.trust.anchor_der), prefer_pss=prefer_pss, mechanism=mechanism)


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("prefer_pss", [True, False])
@pytest.mark.parametrize("who", [LEADER, LEADER_P256, SEAL], ids=lambda who: who.id)
def test_it_is_what_pyhanko_would_write_but_for_a_certificate_told_twice(
    pki: Pki, who: DemoSubject, *, prefer_pss: bool, digest: str
) -> None:
    signer = same(pki, who, prefer_pss=prefer_pss, digest=digest)
    settings = PdfCMSSignedAttributes()
    for number in (1, 2):  # the second from parts encoded before
        value = bytes([number]) * hashlib.new(digest).digest_size
        ours = asyncio.run(signer.async_sign(value, digest, use_pades=True, signed_attr_settings=settings))
        theirs = asyncio.run(Signer.async_sign(signer, value, digest, use_pades=True, signed_attr_settings=settings))
        certificates = theirs["content"]["certificates"]
        theirs["content"]["certificates"] = cms.CertificateSet(
            {one.chosen.dump(): one for one in certificates}.values()
        )
        assert ours.dump() == theirs.dump(force=True)


def test_a_key_without_a_chain_and_what_isn_t_a_signature_of_a_pdf_go_the_same_way(pki: Pki) -> None:
    der = pki.trust.certificate_der(SEAL.id)
    alone = Same(der, mechanism=mechanism_for(require_strong(der)))
    plain = asyncio.run(alone.async_sign(bytes(32), "sha256", is_pdf_sig=False))
    assert {one.chosen.dump() for one in plain["content"]["certificates"]} == {der}


@pytest.fixture(scope="module")
def made(pki: Pki) -> bytes:
    signer = same(pki, LEADER, prefer_pss=True)
    return asyncio.run(signer.async_sign(bytes(32), "sha256", use_pades=True)).dump()


@pytest.fixture(scope="module")
def token(pki: Pki) -> cms.ContentInfo:
    return asyncio.run(pki.timestamper().async_timestamp(bytes(32), "sha256"))


def encoded_again(content: bytes, token: cms.ContentInfo) -> bytes:
    """As asn1crypto puts the timestamp in, encoding everything anew."""
    message = cms.ContentInfo.load(content)
    info = message["content"]["signer_infos"][0]
    attribute = cms.CMSAttribute({"type": "signature_time_stamp_token", "values": [token]})
    info["unsigned_attrs"] = cms.CMSAttributes([*(info["unsigned_attrs"] or ()), attribute])
    encoded: bytes = message.dump()
    return encoded


def test_a_timestamp_is_put_in_and_nothing_else_changes(made: bytes, token: cms.ContentInfo) -> None:
    once = envelope.stamped(made + bytes(500), token.dump())
    assert once == encoded_again(made, token)
    twice = envelope.stamped(once, token.dump())
    assert twice == encoded_again(once, token)


def left_open(encoded: bytes, levels: int) -> bytes:
    """The same object with lengths left open (BER), as Java's libraries write it."""
    if not levels or not encoded[0] & 0x20:
        return encoded
    *_, content, _ = parser.parse(encoded)
    parts = [left_open(part, levels - 1) for part in envelope._children(encoded)] if content else []
    return encoded[:1] + b"\x80" + b"".join(parts) + b"\x00\x00"


def test_a_signature_in_ber_keeps_what_was_signed(made: bytes, token: cms.ContentInfo) -> None:
    filled = envelope.stamped(left_open(made, 3), token.dump())
    assert filled is not None
    before = cms.ContentInfo.load(made)["content"]["signer_infos"][0]
    after = cms.ContentInfo.load(filled)["content"]["signer_infos"][0]
    for part in ("signed_attrs", "signature", "signature_algorithm", "sid"):
        assert after[part].dump() == before[part].dump()
    assert [one["type"].native for one in after["unsigned_attrs"]] == ["signature_time_stamp_token"]


@given(st.data())
def test_what_cannot_be_taken_apart_is_left_alone(made: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(made) - 1))
    assert envelope.stamped(made[:at], b"\x30\x00") is None
    changed = made[:at] + bytes([made[at] ^ data.draw(st.integers(1, 255))]) + made[at + 1 :]
    envelope.stamped(changed, b"\x30\x00")  # whatever it makes of it, it raises nothing
    envelope.stamped(data.draw(st.binary(max_size=64)), b"\x30\x00")

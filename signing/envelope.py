"""The CMS object of a signature (RFC 5652, ETSI EN 319 142-1), put together from encoded parts.

Of a signer's objects nearly everything is the same each time: certificates, names, algorithms. Encoding them anew, as
asn1crypto does, cost a third of a signature. Here they are encoded once for a key, and only the digest and what was
signed are put between them. The parts, their order and their encoding are pyHanko's, byte by byte, but that it brings
the signer's certificate twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asn1crypto import algos, cms, core, parser, x509
from pyhanko.sign.general import as_signing_certificate_v2
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
    from pyhanko.sign.timestamps import TimeStamper

_SEQUENCE, _SET = 16, 17


@dataclass(frozen=True)
class _Parts:
    """What doesn't change from one signature of a key to the next, for one digest; DER.

    Attributes:
        attributes: Signed attributes but for the message digest.
        head: Of the signed data, up to the certificates.
        signer_head: Of the signer's part, up to the signed attributes.
        algorithm: How it signs.
    """

    attributes: tuple[bytes, ...]
    head: bytes
    signer_head: bytes
    algorithm: bytes


class EnvelopeSigner(Signer):
    """A signer for pyHanko that packs its signatures itself; whoever holds the key only says how it signs.

    Args:
        certificate_der: The signer's.
        chain: Certificates to go along.
        prefer_pss: For RSA.
        mechanism: How the key signs, where it signs in one way only.
    """

    def __init__(
        self,
        certificate_der: bytes,
        chain: Iterable[bytes] = (),
        *,
        prefer_pss: bool = False,
        mechanism: algos.SignedDigestAlgorithm | None = None,
    ) -> None:
        certificate = x509.Certificate.load(certificate_der)
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register_multiple([certificate, *(x509.Certificate.load(der) for der in chain)])
        super().__init__(
            prefer_pss=prefer_pss, signing_cert=certificate, cert_registry=registry, signature_mechanism=mechanism
        )
        self._certificate_der = certificate_der
        self._brought = tuple(dict.fromkeys((certificate_der, *chain)))
        self._parts: dict[str, _Parts] = {}

    async def async_sign(
        self,
        data_digest: bytes,
        digest_algorithm: str,
        dry_run: bool = False,  # noqa: FBT001, FBT002 - pyHanko's signature, here and below
        use_pades: bool = False,  # noqa: FBT001, FBT002
        timestamper: TimeStamper | None = None,
        signed_attr_settings: PdfCMSSignedAttributes | None = None,
        is_pdf_sig: bool = True,  # noqa: FBT001, FBT002
        encap_content_info: Any = None,
    ) -> cms.ContentInfo:
        """A PAdES B-B signature; anything else is pyHanko's business."""
        if not use_pades or timestamper is not None or not is_pdf_sig or encap_content_info is not None:
            return await super().async_sign(
                data_digest,
                digest_algorithm,
                dry_run=dry_run,
                use_pades=use_pades,
                timestamper=timestamper,
                signed_attr_settings=signed_attr_settings,
                is_pdf_sig=is_pdf_sig,
                encap_content_info=encap_content_info,
            )
        parts = self._parts.get(digest_algorithm) or self._encoded(digest_algorithm)
        attributes = b"".join(sorted((*parts.attributes, _attribute("message_digest", _octets(data_digest)))))
        signature = await self.async_sign_raw(_universal(_SET, attributes), digest_algorithm, dry_run)
        signer = _universal(_SEQUENCE, parts.signer_head, _tagged(0, attributes), parts.algorithm, _octets(signature))
        signed = _universal(_SEQUENCE, parts.head, _universal(_SET, signer))
        return cms.ContentInfo.load(_universal(_SEQUENCE, cms.ContentType("signed_data").dump(), _tagged(0, signed)))

    def _encoded(self, digest: str) -> _Parts:
        """Encode what stays the same for signatures over this digest."""
        certificate = x509.Certificate.load(self._certificate_der)
        algorithm = algos.DigestAlgorithm({"algorithm": digest}).dump()
        owner = cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": certificate.serial_number})
        parts = _Parts(
            attributes=(
                _attribute("content_type", cms.ContentType("data").dump()),
                _attribute("signing_certificate_v2", as_signing_certificate_v2(certificate).dump()),
            ),
            head=b"".join(
                (
                    cms.CMSVersion("v1").dump(),
                    _universal(_SET, algorithm),
                    cms.ContentInfo({"content_type": "data"}).dump(),
                    _tagged(0, *sorted(self._brought)),
                )
            ),
            signer_head=cms.CMSVersion("v1").dump() + owner.dump() + algorithm,
            algorithm=self.get_signature_mechanism_for_digest(digest).dump(),
        )
        self._parts[digest] = parts
        return parts


def stamped(content: bytes, token: bytes) -> bytes | None:
    """A signature with a timestamp among its unsigned attributes.

    All else stays as it is byte by byte, but for the lengths of what encloses it.

    Args:
        content: A CMS object with one signer; what fills its room up may follow.
        token: The timestamp, DER.

    Returns:
        The CMS object, or None where `content` is none that can be taken apart.
    """
    try:
        kind, tagged = _children(content)
        (signed,) = _children(tagged)
        *head, signers = _children(signed)
        (signer,) = _children(signers)
        *parts, last = _children(signer)
        before = _children(last) if last[0] == _UNSIGNED else ()
    except ValueError:
        return None
    attributes = sorted((*before, _attribute("signature_time_stamp_token", token)))
    kept = parts if last[0] == _UNSIGNED else (*parts, last)
    filled = _universal(_SET, _universal(_SEQUENCE, *kept, _tagged(1, *attributes)))
    return _universal(_SEQUENCE, kind, _tagged(0, _universal(_SEQUENCE, *head, filled)))


def signer_of(signed: cms.SignedData) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """The certificate of an object's one signer, and all others it brings.

    Raises:
        ValueError: It doesn't bring its signer's.
    """
    certificates = tuple(choice.chosen for choice in signed["certificates"])
    named = signed["signer_infos"][0]["sid"]
    if named.name == "issuer_and_serial_number":
        # Names are nearly always spelt alike; asn1crypto's comparison prepares each letter of both.
        number, issuer, spelt = (
            named.chosen["serial_number"].native,
            named.chosen["issuer"],
            named.chosen["issuer"].dump(),
        )
        found = (
            one
            for one in certificates
            if one.serial_number == number and (one.issuer.dump() == spelt or one.issuer == issuer)
        )
    else:
        found = (one for one in certificates if one.key_identifier == named.chosen.native)
    signer = next(found, None)
    if signer is None:
        raise ValueError("không kèm chứng thư của người ký")
    return signer, tuple(other for other in certificates if other is not signer and other.dump() != signer.dump())


#: The first byte of a signer's unsigned attributes.
_UNSIGNED = 0xA1


def _children(encoded: bytes) -> list[bytes]:
    """What an encoded object holds, each as it is encoded there; lengths may be left open (BER).

    Raises:
        ValueError: It is cut short, or holds nothing.
    """
    *_, content, _ = parser.parse(encoded)
    found = []
    while content:
        *_, header, inside, trailer = parser.parse(content)
        length = len(header) + len(inside) + len(trailer)
        found.append(content[:length])
        content = content[length:]
    return found


def _attribute(name: str, value: bytes) -> bytes:
    return _universal(_SEQUENCE, cms.CMSAttributeType(name).dump(), _universal(_SET, value))


def _octets(value: bytes) -> bytes:
    encoded: bytes = core.OctetString(value).dump()
    return encoded


def _universal(tag: int, *parts: bytes) -> bytes:
    encoded: bytes = parser.emit(0, 1, tag, b"".join(parts))
    return encoded


def _tagged(tag: int, *parts: bytes) -> bytes:
    encoded: bytes = parser.emit(2, 1, tag, b"".join(parts))
    return encoded

"""The oldest encoding of a PDF signature, `adbe.x509.rsa_sha1`: RSA's result alone, the certificates beside it.

It says the same as a CMS without signed attributes: the digest of the covered bytes, signed by the certificate's key
(RFC 5652, 5.4). So it is written as one, and everything that judges signatures judges it too. The digest is SHA-1, as
the name says: such a signature tells whether the file was changed, and never proves who signed.

Source: ISO 32000-1, 12.8.3.2 and table 252 (Cert).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asn1crypto import algos, cms, core, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pyhanko.pdf_utils import generic
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.types import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyhanko.pdf_utils.reader import PdfFileReader

ENCODING = "/adbe.x509.rsa_sha1"
_MOST_CERTIFICATES = 20


class _Unchecked(Exception):
    """It can't be checked, and why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def read(reader: PdfFileReader, field: Any, name: str) -> BareSignature | Reason:
    """Give the signature, or why it can't be checked: it brings no certificate of an RSA key, or signs another digest.

    Raises exceptions of many classes for what is no such signature at all.
    """
    try:
        return BareSignature(reader, field, name)
    except _Unchecked as unchecked:
        return unchecked.reason


def is_bare(field: Any) -> bool:
    """Whether a filled field holds one."""
    return bool(_itself(field)["/V"].get("/SubFilter") == ENCODING)


def _itself(field: Any) -> generic.DictionaryObject:
    found: Any = field.get_object() if isinstance(field, generic.IndirectObject) else field  # type: ignore[no-untyped-call]
    if not isinstance(found, generic.DictionaryObject):
        raise TypeError(type(found))
    return found


class BareSignature(EmbeddedPdfSignature):
    """Such a signature as any other."""

    def __init__(self, reader: PdfFileReader, field: Any, name: str) -> None:
        field = _itself(field)
        kept = field.raw_get("/V")
        written = kept.get_object()
        contents = written.raw_get("/Contents").original_bytes
        signature = core.OctetString.load(contents).native
        certificates = _certificates(written)
        _must_be_sha1(certificates[0], signature)
        shown = generic.DictionaryObject(written)  # type: ignore[no-untyped-call]  # untyped in 0.38
        shown["/Contents"] = generic.ByteStringObject(_as_cms(signature, certificates).dump())
        super().__init__(reader, _With(field, _Kept(kept, shown)), name)  # type: ignore[arg-type]  # all it asks for
        self.sig_field = field
        self.sig_object = written
        self.pkcs7_content = contents  # what stands in the file: coverage is measured by it


class _Kept:
    """A reference that leads to another object than the one in the file."""

    def __init__(self, reference: Any, leads_to: generic.DictionaryObject) -> None:
        self.reference = reference.reference
        self._leads_to = leads_to

    def get_object(self) -> generic.DictionaryObject:
        return self._leads_to


class _With:
    """A field whose value is another than in the file."""

    def __init__(self, field: generic.DictionaryObject, value: _Kept) -> None:
        self._field, self._value = field, value

    def raw_get(self, key: str) -> Any:
        return self._value if key == "/V" else self._field.raw_get(key)


def _certificates(written: generic.DictionaryObject) -> Sequence[x509.Certificate]:
    """The signer's first."""
    given = written.get("/Cert")
    listed = list(given) if isinstance(given, generic.ArrayObject) else [given]
    strings = (generic.ByteStringObject, generic.TextStringObject)
    ders = [bytes(one.original_bytes) for one in listed if isinstance(one, strings)]
    if not ders or len(ders) > _MOST_CERTIFICATES:
        raise _Unchecked(Reason.NO_CERTIFICATE)
    found = [x509.Certificate.load(der) for der in ders]
    if found[0].public_key.algorithm != "rsa":
        raise _Unchecked(Reason.NO_CERTIFICATE)
    return found


def _must_be_sha1(certificate: x509.Certificate, signature: bytes) -> None:
    """Look at what was signed. One that isn't this key's at all is left to whoever checks it.

    Readers allow other digests since PDF 1.6; nobody was seen to write them.

    Raises:
        _Unchecked: It is another digest.
    """
    key = load_der_public_key(certificate.public_key.dump())
    if not isinstance(key, RSAPublicKey):
        raise _Unchecked(Reason.NO_CERTIFICATE)
    try:
        signed = key.recover_data_from_signature(signature, PKCS1v15(), None)
    except InvalidSignature:
        return
    if algos.DigestInfo.load(signed)["digest_algorithm"]["algorithm"].native != "sha1":
        raise _Unchecked(Reason.UNSUPPORTED_SIGNATURE)


def _as_cms(signature: bytes, certificates: Sequence[x509.Certificate]) -> cms.ContentInfo:
    signer = certificates[0]
    number = cms.IssuerAndSerialNumber({"issuer": signer.issuer, "serial_number": signer.serial_number})
    info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier("issuer_and_serial_number", number),
            "digest_algorithm": {"algorithm": "sha1"},
            "signature_algorithm": {"algorithm": "rsassa_pkcs1v15"},
            "signature": signature,
        }
    )
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha1"}],
            "encap_content_info": {"content_type": "data"},
            "certificates": list(certificates),
            "signer_infos": [info],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": data})

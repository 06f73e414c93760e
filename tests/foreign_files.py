"""Synthetic twins of what government systems really write: old digests, old encodings, many signatures, two tables."""

from __future__ import annotations

import asyncio
import hashlib
import re
from io import BytesIO
from typing import TYPE_CHECKING

from asn1crypto import core, x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from pyhanko.pdf_utils.generic import ArrayObject, ByteStringObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import PdfSignedData

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.demo.trust_service import DemoSubject
    from tests.pki import Pki


def signer(pki: Pki, who: DemoSubject) -> SimpleSigner:
    """Somebody's key as pyHanko takes it."""
    p12, passphrase = pki.trust.p12(who.id)
    found = SimpleSigner.load_pkcs12(str(p12), passphrase=passphrase.read_bytes())
    assert found is not None
    return found


def signed_in_old_ways(
    pki: Pki,
    source: bytes,
    *,
    who: DemoSubject,
    field: str = "Signature1",
    digest: str = "sha256",
    encoding: SigSeedSubFilter = SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
) -> bytes:
    """One more signature, without any timestamp; also in files that strict readers refuse."""
    metadata = PdfSignatureMetadata(field_name=field, md_algorithm=digest, subfilter=encoding)
    hand = PdfSigner(metadata, signer(pki, who), new_field_spec=SigFieldSpec(field))
    return bytes(hand.sign_pdf(IncrementalPdfFileWriter(BytesIO(source), strict=False)).getbuffer())


def signed_over_sha1(pki: Pki, source: bytes, *, who: DemoSubject, digest: str = "sha256") -> bytes:
    """`adbe.pkcs7.sha1`: the SHA-1 of the bytes is put inside the signature and signed in their place."""
    writer = IncrementalPdfFileWriter(BytesIO(source))
    embedding = PdfCMSEmbedder(new_field_spec=SigFieldSpec("Signature1")).write_cms("Signature1", writer)
    next(embedding)
    placeholder = PdfSignedData(pdf_name("/Sig"), SigSeedSubFilter.ADOBE_PKCS7_DETACHED, bytes_reserved=16384)
    placeholder[pdf_name("/SubFilter")] = pdf_name("/adbe.pkcs7.sha1")
    embedding.send(SigObjSetup(sig_placeholder=placeholder))
    prepared, output = embedding.send(SigIOSetup(md_algorithm="sha1", in_place=False))
    signing = signer(pki, who).async_sign_general_data(prepared.document_digest, digest, detached=False)
    signed = asyncio.run(signing)
    embedding.send(signed)
    assert len(prepared.document_digest) == hashlib.sha1(usedforsecurity=False).digest_size
    return bytes(output.getbuffer())


def signed_bare(
    pki: Pki,
    source: bytes,
    *,
    who: DemoSubject,
    digest: str = "sha1",
    certificates: Sequence[bytes] | None = None,
) -> bytes:
    """`adbe.x509.rsa_sha1`: the result of RSA alone, and the certificates beside it.

    Args:
        certificates: Given instead of the signer's and its issuer's.
    """
    p12, passphrase = pki.trust.p12(who.id)
    listed = certificates
    if listed is None:
        listed = (pki.trust.certificate_der(who.id), *pki.trust.intermediates_der)
    writer = IncrementalPdfFileWriter(BytesIO(source))
    embedding = PdfCMSEmbedder(new_field_spec=SigFieldSpec("Signature1")).write_cms("Signature1", writer)
    next(embedding)
    placeholder = PdfSignedData(pdf_name("/Sig"), SigSeedSubFilter.ADOBE_PKCS7_DETACHED, bytes_reserved=2048)
    placeholder[pdf_name("/SubFilter")] = pdf_name("/adbe.x509.rsa_sha1")
    if listed:
        given = ArrayObject([ByteStringObject(one) for one in listed])
        placeholder[pdf_name("/Cert")] = given if len(listed) > 1 else given[0]
    embedding.send(SigObjSetup(sig_placeholder=placeholder))
    prepared, output = embedding.send(SigIOSetup(md_algorithm=digest, in_place=False))
    key = load_pkcs12(p12.read_bytes(), passphrase.read_bytes()).key
    assert isinstance(key, RSAPrivateKey)
    kind = {"sha1": SHA1, "sha256": SHA256}[digest]()
    signed = key.sign(prepared.document_digest, PKCS1v15(), Prehashed(kind))
    embedding.send(core.OctetString(signed).dump())
    return bytes(output.getbuffer())


def signed_with_an_old_certificate(pki: Pki, source: bytes, *, who: DemoSubject) -> bytes:
    """A signature over SHA-256, by a certificate that its issuer signed with SHA-1."""
    old = x509.Certificate.load(pki.trust.certificate_der(who.id))
    issuer = load_der_private_key((pki.trust.folder / "issuing.key").read_bytes(), None)
    if isinstance(issuer, RSAPrivateKey):
        name, resign = "sha1_rsa", lambda told: issuer.sign(told, PKCS1v15(), SHA1())  # noqa: S303
    else:
        assert isinstance(issuer, EllipticCurvePrivateKey)
        name, resign = "sha1_ecdsa", lambda told: issuer.sign(told, ECDSA(SHA1()))  # noqa: S303
    old["tbs_certificate"]["signature"] = old["signature_algorithm"] = {"algorithm": name}
    old["signature_value"] = resign(old["tbs_certificate"].dump(force=True))
    given = signer(pki, who)
    hand = SimpleSigner(
        signing_cert=x509.Certificate.load(old.dump(force=True)),
        signing_key=given.signing_key,
        cert_registry=given.cert_registry,
    )
    metadata = PdfSignatureMetadata(field_name="Signature1", md_algorithm="sha256")
    signing = PdfSigner(metadata, hand, new_field_spec=SigFieldSpec("Signature1"))
    return bytes(signing.sign_pdf(IncrementalPdfFileWriter(BytesIO(source))).getbuffer())


def with_two_tables(source: bytes) -> bytes:
    """The file with a second table of contents beside the first, as Word writes it (ISO 32000-1, 7.5.8.4)."""
    start = int(re.findall(rb"startxref\s+(\d+)", source)[-1])
    size = int(re.findall(rb"/Size (\d+)", source)[-1])
    root = re.findall(rb"/Root (\d+ \d+ R)", source)[-1]
    hidden, at = size, len(source)
    entry = b"\x01" + at.to_bytes(4, "big") + b"\x00"
    stream = (
        b"%d 0 obj\n<</Type/XRef/Size %d/W[1 4 1]/Index[%d 1]/Root %s/Length %d>>stream\n%s\nendstream\nendobj\n"
        % ((hidden, size + 1, hidden, root, len(entry), entry))
    )
    table = at + len(stream)
    tail = b"xref\n0 0\ntrailer\n<</Size %d/Root %s/Prev %d/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        (size + 1, root, start, at, table)
    )
    return source + stream + tail

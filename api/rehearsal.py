"""A signature on a test page with a key that lives for a minute: proves that signing and verifying work here."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typst
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from signing.keys import open_pkcs12
from signing.prepare import add_fields
from signing.sign import sign
from signing.trust import TrustStore
from signing.types import Integrity, Place, SignaturePlace, Verdict
from signing.verify import verify

_PAGE = b"#set page(width: 100mm, height: 60mm)\nHoso rehearsal"
_PASSPHRASE = b"one minute"


def rehearse() -> str | None:
    """Sign a page, verify it, change a byte and verify again. None when all went as it must, else what didn't."""
    with tempfile.TemporaryDirectory(prefix="hoso-rehearsal-") as name:
        folder = Path(name)
        page, prepared, signed, altered = (folder / f"{step}.pdf" for step in ("page", "prepared", "signed", "altered"))
        p12, trust = _key_and_trust(folder)
        page.write_bytes(typst.compile(_PAGE))
        place = SignaturePlace(Place.COPY, 1, (20.0, 20.0, 200.0, 80.0))
        add_fields(page, prepared, [place])
        sign(prepared, signed, place=place, key=open_pkcs12(p12, _PASSPHRASE), trust=trust, timestamper=None)
        content = bytearray(signed.read_bytes())
        content[len(content) // 8] ^= 1
        altered.write_bytes(content)

        found = verify(signed, trust=trust)
        if found.integrity is not Integrity.INTACT or found.verdict is Verdict.ALTERED:
            return f"{found.verdict}: {', '.join(found.reasons)}"
        if verify(altered, trust=trust).verdict not in {Verdict.ALTERED, Verdict.UNREADABLE}:
            return "a changed byte went unnoticed"
    return None


def _key_and_trust(folder: Path) -> tuple[Path, TrustStore]:
    """A root, a signer below it and the root's empty revocation list; none of them outlives the test."""
    now = datetime.now(UTC)
    root_key, signer_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Hoso rehearsal root")])

    def certificate(name: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> x509.Certificate:
        usage = dict.fromkeys(
            ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
        )
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(root_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(minutes=5))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not authority,
                    content_commitment=not authority,
                    key_cert_sign=authority,
                    crl_sign=authority,
                    **usage,
                ),
                critical=True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
            .sign(root_key, hashes.SHA256())
        )

    root = certificate(root_name, root_key, authority=True)
    signer = certificate(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Hoso rehearsal")]), signer_key, authority=False
    )
    revoked_nobody = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root_name)
        .last_update(now - timedelta(minutes=5))
        .next_update(now + timedelta(minutes=5))
        .sign(root_key, hashes.SHA256())
    )
    p12 = folder / "key.p12"
    p12.touch(mode=0o600)
    p12.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"rehearsal", signer_key, signer, [root], serialization.BestAvailableEncryption(_PASSPHRASE)
        )
    )
    der = serialization.Encoding.DER
    return p12, TrustStore(anchors=(root.public_bytes(der),), crls=(revoked_nobody.public_bytes(der),))

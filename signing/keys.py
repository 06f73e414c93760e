"""Open a signer's key, and say in words why it won't open.

Kept in memory are the parsed key and its chain; the passphrase isn't. A key is opened by the one process that
signs with it.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asn1crypto import algos, x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from cryptography.x509 import load_der_x509_certificate

from signing.envelope import EnvelopeSigner
from signing.mechanisms import DIGEST, digest_for, hash_of, longest, mechanism_for
from signing.types import SigningRefused

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pyhanko.sign.signers.pdf_cms import Signer

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

#: TT 15/2025/TT-BKHCN, as collected in requirements.md 3.2.
_LEAST_RSA_BITS = 2048
_CURVES = ("secp256r1", "secp384r1", "secp521r1")

_UNREADABLE = (
    "Không mở được tệp khóa {name}: tệp hỏng, không phải PKCS#12, hoặc được bảo vệ bằng thuật toán cũ (RC2, 3DES). "
    "Chưa có gì được ký. Hãy xuất lại tệp .p12 với mã hóa AES-256, hoặc đổi bằng: "
    "openssl pkcs12 -legacy -in CU.p12 -nodes | openssl pkcs12 -export -out MOI.p12"
)
_WRONG_PASSPHRASE = "Sai mật khẩu của tệp khóa {name}. Chưa có gì được ký. Hãy nhập lại."  # noqa: S105 - words
_WEAK_KEY = (
    "Khóa của {subject} quá yếu ({kind}); quy định đòi hỏi RSA từ 2048 bit hoặc ECDSA từ 256 bit. "
    "Chưa có gì được ký. Hãy xin cấp chứng thư mới."
)


@dataclass(frozen=True)
class SigningKey:
    """A key ready to sign, with the certificate that vouches for it.

    Attributes:
        signer: For pyHanko; holds the private key.
        certificate_der: The signer's certificate.
        chain_der: What else the file brought along: issuing authorities, maybe the root.
        subject: Common name, or the organisation's where there is none.
        organization: Organisation in the certificate, or "".
        valid_from, valid_to: Aware.
        digest: What it signs: "sha256", "sha384" or "sha512".
    """

    signer: Signer
    certificate_der: bytes
    chain_der: tuple[bytes, ...]
    subject: str
    organization: str
    valid_from: datetime
    valid_to: datetime
    digest: str = DIGEST


def open_pkcs12(path: Path, passphrase: bytes, *, prefer_pss: bool = True, digest: str | None = None) -> SigningKey:
    """Open a PKCS#12 file.

    Args:
        path: A `.p12` or `.pfx` file.
        passphrase: As the owner typed it, UTF-8.
        prefer_pss: RSASSA-PSS, as TT 15/2025 asks; False for PKCS#1 v1.5, which older readers expect.
        digest: "sha256", "sha384" or "sha512"; by default what goes with the key.

    Raises:
        ValueError: Another digest.
        SigningRefused: "wrong_passphrase", "unreadable_key" or "weak_key".
        OSError: The file can't be read at all.
    """
    content = path.read_bytes()
    try:
        bundle = pkcs12.load_pkcs12(content, passphrase)
    except UnsupportedAlgorithm as error:
        raise SigningRefused("unreadable_key", _UNREADABLE.format(name=path.name)) from error
    except ValueError as error:
        if _is_wrong_passphrase(error):
            raise SigningRefused("wrong_passphrase", _WRONG_PASSPHRASE.format(name=path.name)) from error
        raise SigningRefused("unreadable_key", _UNREADABLE.format(name=path.name)) from error
    if bundle.key is None or bundle.cert is None:
        raise SigningRefused("unreadable_key", _UNREADABLE.format(name=path.name))
    certificate_der = bundle.cert.certificate.public_bytes(Encoding.DER)
    chain_der = tuple(other.certificate.public_bytes(Encoding.DER) for other in bundle.additional_certs)
    signer = _SoftwareSigner(
        strong(bundle.key, subject_of(certificate_der)),
        certificate_der,
        chain_der,
        prefer_pss=prefer_pss,
    )
    digest = digest or digest_for(require_strong(certificate_der))
    hash_of(digest)
    return key_of(signer, certificate_der, chain_der, digest=digest)


def key_of(
    signer: Signer, certificate_der: bytes, chain_der: tuple[bytes, ...] = (), *, digest: str = DIGEST
) -> SigningKey:
    """A key with what its certificate says of its owner."""
    certificate = x509.Certificate.load(certificate_der)
    return SigningKey(
        signer=signer,
        certificate_der=certificate_der,
        chain_der=chain_der,
        subject=subject_of(certificate_der),
        organization=_one(certificate.subject.native.get("organization_name")),
        valid_from=certificate.not_valid_before,
        valid_to=certificate.not_valid_after,
        digest=digest,
    )


def subject_of(certificate_der: bytes) -> str:
    """Common name of a certificate's owner, or the organisation's where there is none."""
    names = x509.Certificate.load(certificate_der).subject.native
    return _one(names.get("common_name")) or _one(names.get("organization_name"))


def require_strong(certificate_der: bytes) -> PublicKey:
    """The public key of a certificate, strong enough to sign with.

    Raises:
        SigningRefused: "weak_key".
    """
    public = load_der_x509_certificate(certificate_der).public_key()
    key: PublicKey = strong(public, subject_of(certificate_der))
    return key


def read_passphrase_file(path: Path) -> bytes:
    """Read a passphrase nobody else on the machine can read: mode 0600 or 0400, one trailing newline ignored.

    Raises:
        SigningRefused: "unreadable_key": others may read the file, or it is empty.
        OSError: The file can't be read at all.
    """
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o177:
            raise SigningRefused(
                "unreadable_key",
                f"Tệp mật khẩu {path.name} cho người khác đọc được. Chưa có gì được ký. "
                f"Hãy chạy: chmod 600 {path.name}",
            )
        passphrase = file.read(4096).removesuffix(b"\n").removesuffix(b"\r")
    if not passphrase:
        raise SigningRefused("unreadable_key", f"Tệp mật khẩu {path.name} rỗng. Chưa có gì được ký.")
    return passphrase


def _is_wrong_passphrase(error: ValueError) -> bool:
    """OpenSSL's and cryptography's own words: there is no class for it."""
    return "password" in str(error).lower()


def _one(value: str | list[str] | None) -> str:
    """asn1crypto gives a list where a name has a part twice; the first is the one that counts."""
    if isinstance(value, list):
        return value[0] if value else ""
    return value or ""


def strong(key: object, subject: str) -> Any:
    """A private or public key, unless the rules don't allow its kind any more.

    Raises:
        SigningRefused: "weak_key".
    """
    match key:
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            if key.key_size >= _LEAST_RSA_BITS:
                return key
            kind = f"RSA {key.key_size}"
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            if key.curve.name in _CURVES:
                return key
            kind = f"ECDSA {key.curve.name}"
        case _:
            kind = type(key).__name__
    raise SigningRefused("weak_key", _WEAK_KEY.format(subject=subject, kind=kind))


class _SoftwareSigner(EnvelopeSigner):
    """Signs with a parsed key. pyHanko's own parses and checks it anew each time: 30 ms with RSA-2048."""

    def __init__(
        self,
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
        certificate_der: bytes,
        chain: tuple[bytes, ...],
        *,
        prefer_pss: bool,
    ) -> None:
        super().__init__(certificate_der, chain, prefer_pss=prefer_pss)
        self._key = key

    def get_signature_mechanism_for_digest(self, digest_algorithm: str | None) -> algos.SignedDigestAlgorithm:
        """As other readers expect it."""
        if digest_algorithm is None:
            return super().get_signature_mechanism_for_digest(digest_algorithm)
        return mechanism_for(self._key.public_key(), prefer_pss=self.prefer_pss, digest=digest_algorithm)

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: FBT001, FBT002 - pyHanko's signature
        digest = hash_of(digest_algorithm)
        if dry_run:
            return bytes(longest(self._key.public_key()))
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return self._key.sign(data, ec.ECDSA(digest))
        if self.prefer_pss:
            mask = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
            return self._key.sign(data, mask, digest)
        return self._key.sign(data, padding.PKCS1v15(), digest)

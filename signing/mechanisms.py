"""Which algorithm a key signs with, and whether a raw signature is really that key's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asn1crypto import algos
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from signing.types import SigningRefused

if TYPE_CHECKING:
    from signing.keys import PublicKey

DIGEST: Final = "sha256"
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
#: RFC 5758 pairs a curve with the digest of its strength.
_OF_CURVE: Final = {"secp384r1": "sha384", "secp521r1": "sha512"}

_NOT_THIS_KEY = (
    "Chữ ký nhận được không phải do khóa của chứng thư đã ghi tạo ra, hoặc ký nội dung khác. Chưa có gì được ghi nhận. "
    "Hãy kiểm tra đúng thiết bị, đúng khóa."
)


def digest_for(public: PublicKey) -> str:
    """The digest that goes with a key; never a weaker one than SHA-256."""
    return _OF_CURVE.get(public.curve.name, DIGEST) if isinstance(public, ec.EllipticCurvePublicKey) else DIGEST


def hash_of(digest: str) -> hashes.HashAlgorithm:
    """The digest by its name.

    Raises:
        ValueError: It is SHA-1, or another that isn't allowed (any more).
    """
    if digest not in _HASHES:
        raise ValueError(f"thuật toán băm không được phép: {digest}")
    return _HASHES[digest]


def mechanism_for(public: PublicKey, *, prefer_pss: bool = True, digest: str = DIGEST) -> algos.SignedDigestAlgorithm:
    """How this key signs such a digest.

    Args:
        digest: "sha256", "sha384" or "sha512".
        prefer_pss: RSASSA-PSS with a salt as long as the digest (RFC 4055, 3.1), what other readers expect; False for
            PKCS#1 v1.5, for tokens and readers that don't know PSS.
    """
    hash_of(digest)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return algos.SignedDigestAlgorithm({"algorithm": f"{digest}_ecdsa"})
    if not prefer_pss:
        return algos.SignedDigestAlgorithm({"algorithm": f"{digest}_rsa"})
    named = {"algorithm": digest}
    return algos.SignedDigestAlgorithm(
        {
            "algorithm": "rsassa_pss",
            "parameters": {
                "hash_algorithm": named,
                "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": named},
                "salt_length": hash_of(digest).digest_size,
            },
        }
    )


def longest(public: PublicKey) -> int:
    """Bytes of the longest signature this key can give: for ECDSA in DER."""
    size = (public.key_size + 7) // 8
    return 2 * size + 16 if isinstance(public, ec.EllipticCurvePublicKey) else size


def must_be_signed_by(public: PublicKey, signature: bytes, data: bytes, mechanism: algos.SignedDigestAlgorithm) -> None:
    """Check a raw signature over `data`, before anything is made of it.

    Raises:
        SigningRefused: "wrong_certificate": another key signed, or signed something else.
    """
    digest = hash_of(mechanism.hash_algo)
    try:
        match public:
            case ec.EllipticCurvePublicKey():
                public.verify(signature, data, ec.ECDSA(digest))
            case rsa.RSAPublicKey() if mechanism["algorithm"].native == "rsassa_pss":
                mask = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
                public.verify(signature, data, mask, digest)
            case rsa.RSAPublicKey():
                public.verify(signature, data, padding.PKCS1v15(), digest)
    except InvalidSignature as error:
        raise SigningRefused("wrong_certificate", _NOT_THIS_KEY) from error

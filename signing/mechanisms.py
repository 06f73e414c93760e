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
_SALT_BYTES: Final = hashes.SHA256.digest_size

_NOT_THIS_KEY = (
    "Chữ ký nhận được không phải do khóa của chứng thư đã ghi tạo ra, hoặc ký nội dung khác. Chưa có gì được ghi nhận. "
    "Hãy kiểm tra đúng thiết bị, đúng khóa."
)


def mechanism_for(public: PublicKey, *, prefer_pss: bool = True) -> algos.SignedDigestAlgorithm:
    """How this key signs a SHA-256 digest.

    Args:
        prefer_pss: RSASSA-PSS with a salt as long as the digest (RFC 4055, 3.1), what other readers expect; False for
            PKCS#1 v1.5, for tokens and readers that don't know PSS.
    """
    if isinstance(public, ec.EllipticCurvePublicKey):
        return algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})
    if not prefer_pss:
        return algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"})
    digest = {"algorithm": DIGEST}
    return algos.SignedDigestAlgorithm(
        {
            "algorithm": "rsassa_pss",
            "parameters": {
                "hash_algorithm": digest,
                "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": digest},
                "salt_length": _SALT_BYTES,
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
    try:
        match public:
            case ec.EllipticCurvePublicKey():
                public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
            case rsa.RSAPublicKey() if mechanism["algorithm"].native == "rsassa_pss":
                mask = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=_SALT_BYTES)
                public.verify(signature, data, mask, hashes.SHA256())
            case rsa.RSAPublicKey():
                public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise SigningRefused("wrong_certificate", _NOT_THIS_KEY) from error

"""Keys and passphrases: what opens, what is refused, and in which words."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

from signing.keys import open_pkcs12, read_passphrase_file
from signing.types import SigningRefused

if TYPE_CHECKING:
    from pathlib import Path


def self_signed(key: Any, *, name: str = "Lê Thị Ánh", organization: str = "Xã Thử") -> bytes:
    """A certificate (DER) that nobody trusts, for a day."""
    return _self_signed(key, name, organization).public_bytes(Encoding.DER)


def _self_signed(key: Any, name: str, organization: str) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
        ]
    )
    now = datetime.now(UTC).replace(microsecond=0)
    return (x509.CertificateBuilder(subject, subject, key.public_key(), 7, now, now + timedelta(days=1))).sign(
        key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    )


def bundle(path: Path, key: Any, *, name: str = "Lê Thị Ánh", organization: str = "Xã Thử") -> Path:
    certificate = _self_signed(key, name, organization)
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"x", key, certificate, None, BestAvailableEncryption(b"mk"))
    )
    return path


def refusal(path: Path, passphrase: bytes = b"mk") -> str:
    with pytest.raises(SigningRefused) as caught:
        open_pkcs12(path, passphrase)
    assert "Chưa có gì được ký" in str(caught.value)
    return caught.value.reason


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize("prefer_pss", [True, False])
def test_an_rsa_key_signs_with_pss_by_default_and_v15_by_choice(
    tmp_path: Path, rsa_key: rsa.RSAPrivateKey, *, prefer_pss: bool
) -> None:
    opened = open_pkcs12(bundle(tmp_path / "k.p12", rsa_key), b"mk", prefer_pss=prefer_pss)
    assert (opened.subject, opened.organization) == ("Lê Thị Ánh", "Xã Thử")
    assert opened.valid_to - opened.valid_from == timedelta(days=1)
    signature = asyncio.run(opened.signer.async_sign_raw(b"content", "sha256"))
    mask = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if prefer_pss else padding.PKCS1v15()
    rsa_key.public_key().verify(signature, b"content", mask, hashes.SHA256())
    mechanism = opened.signer.get_signature_mechanism_for_digest("sha256")
    assert mechanism.signature_algo == ("rsassa_pss" if prefer_pss else "rsassa_pkcs1v15")
    assert len(asyncio.run(opened.signer.async_sign_raw(b"content", "sha256", dry_run=True))) == len(signature)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_an_elliptic_curve_key_signs(tmp_path: Path, curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    opened = open_pkcs12(bundle(tmp_path / "k.p12", key), b"mk")
    signature = asyncio.run(opened.signer.async_sign_raw(b"content", "sha256"))
    key.public_key().verify(signature, b"content", ec.ECDSA(hashes.SHA256()))


def test_sha1_is_never_signed_with(tmp_path: Path) -> None:
    opened = open_pkcs12(bundle(tmp_path / "k.p12", ec.generate_private_key(ec.SECP256R1())), b"mk")
    with pytest.raises(ValueError, match="sha1"):
        asyncio.run(opened.signer.async_sign_raw(b"content", "sha1"))


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),  # noqa: S505 - to be refused
        ec.generate_private_key(ec.SECP224R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["rsa-1024", "p-224", "secp256k1", "ed25519"],
)
def test_keys_the_rules_do_not_allow_are_refused(tmp_path: Path, key: Any) -> None:
    assert refusal(bundle(tmp_path / "k.p12", key)) == "weak_key"


def test_a_wrong_passphrase_is_told_from_a_broken_file(tmp_path: Path) -> None:
    file = bundle(tmp_path / "k.p12", ec.generate_private_key(ec.SECP256R1()))
    assert refusal(file, b"wrong") == "wrong_passphrase"
    for content in (b"", b"junk", file.read_bytes()[:-40]):
        file.write_bytes(content)
        assert refusal(file) == "unreadable_key"


def test_a_file_without_a_private_key_is_unreadable(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    whole = pkcs12.load_pkcs12(bundle(tmp_path / "k.p12", key).read_bytes(), b"mk")
    assert whole.cert is not None
    only = pkcs12.serialize_key_and_certificates(
        None, None, None, [whole.cert.certificate], BestAvailableEncryption(b"mk")
    )
    (tmp_path / "only.p12").write_bytes(only)
    assert refusal(tmp_path / "only.p12") == "unreadable_key"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o700])
def test_a_passphrase_others_could_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "passphrase"
    file.write_text("secret")
    file.chmod(mode)
    with pytest.raises(SigningRefused) as caught:
        read_passphrase_file(file)
    assert caught.value.reason == "unreadable_key"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("written", ["mật khẩu", "mật khẩu\n", "mật khẩu\r\n"])
def test_a_passphrase_is_read_without_its_line_end(tmp_path: Path, written: str) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(written.encode())
    file.chmod(0o400)
    assert read_passphrase_file(file) == "mật khẩu".encode()


def test_an_empty_passphrase_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("\n")
    file.chmod(0o600)
    with pytest.raises(SigningRefused):
        read_passphrase_file(file)

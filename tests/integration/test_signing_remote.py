"""Keys with a remote signing service: the real CSC server of certomancer, in a process of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import threading
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from api.pin_desk import PinDesk
from dossiers.types import CertificateRecord, KeyHeld, PinAsked
from signing.keys import subject_of
from signing.locators import RemoteKey
from signing.mechanisms import must_be_signed_by
from signing.pin import Pin
from signing.remote import RemoteSession, credentials
from signing.types import PinRefused, SigningRefused, TrustServiceUnavailable
from tests.csc import ACCESS, CREDENTIAL, PIN, lay_out, running_csc
from tests.unit.test_signing_keys import self_signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", params=["rsa", "ec"])
def laid_out(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("csc")
    signer: Any = (
        rsa.generate_private_key(65537, 2048) if request.param == "rsa" else ec.generate_private_key(ec.SECP256R1())
    )
    lay_out(folder, _pem(signer), _pem(ec.generate_private_key(ec.SECP256R1())))
    return folder


def _pem(key: Any) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


@pytest.fixture(scope="module")
def service(laid_out: Path) -> Iterator[str]:
    """One that asks for no PIN, 20 signatures at most."""
    with running_csc(laid_out, "--most", "20") as address:
        yield address


def certificate_at(service: str) -> bytes:
    """What the service itself tells of the credential."""
    asked = urllib.request.Request(
        f"{service}/csc/v1/credentials/info",
        json.dumps({"credentialID": CREDENTIAL}).encode(),
        {"Authorization": f"Bearer {ACCESS}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked) as answer:
        told = json.load(answer)
    return base64.b64decode(told["cert"]["certificates"][0])


def public_of(certificate: bytes) -> Any:
    return x509.load_der_x509_certificate(certificate).public_key()


def signs(session: RemoteSession, certificate: bytes, content: bytes = b"content") -> None:
    key = session.key(certificate)
    signature = asyncio.run(key.signer.async_sign_raw(content, "sha256"))
    assert len(asyncio.run(key.signer.async_sign_raw(content, "sha256", dry_run=True))) >= len(signature)
    mechanism = key.signer.get_signature_mechanism_for_digest("sha256")
    must_be_signed_by(public_of(certificate), signature, content, mechanism)


def test_one_authorisation_signs_as_often_as_was_asked_for(service: str) -> None:
    assert CREDENTIAL in credentials(service, ACCESS)
    certificate = certificate_at(service)
    session = RemoteSession(RemoteKey(service, CREDENTIAL), ACCESS, None, count=3)
    for content in (b"1", b"2", b"3"):
        signs(session, certificate, content)
    session.close()
    with pytest.raises(SigningRefused) as closed:
        signs(session, certificate)
    assert closed.value.reason == "pin_needed"


def test_more_than_the_service_allows_is_refused_beforehand(service: str) -> None:
    with pytest.raises(SigningRefused) as refused:
        RemoteSession(RemoteKey(service, CREDENTIAL), ACCESS, None, count=21)
    assert refused.value.reason == "remote_refused"
    assert "20" in str(refused.value)


def test_a_wrong_token_or_credential_or_certificate_is_told_in_words(service: str) -> None:
    for credential, access in ((CREDENTIAL, "another"), ("testing/nobody", ACCESS), ("nothing", ACCESS)):
        with pytest.raises(SigningRefused) as refused:
            RemoteSession(RemoteKey(service, credential), access, None)
        assert refused.value.reason == "remote_refused"
        assert "Chưa có gì được ký" in str(refused.value)
        assert access not in str(refused.value)
    session = RemoteSession(RemoteKey(service, CREDENTIAL), ACCESS, None)
    with pytest.raises(SigningRefused) as other:
        session.key(self_signed(ec.generate_private_key(ec.SECP256R1())))
    assert other.value.reason == "wrong_certificate"


def test_a_redirection_is_followed_nowhere(service: str) -> None:
    with pytest.raises(SigningRefused) as refused:
        RemoteSession(RemoteKey(f"{service}/moved", CREDENTIAL), ACCESS, None)
    assert refused.value.reason == "remote_refused"


def test_a_service_with_a_pin_gets_it_once_and_a_wrong_one_is_said(laid_out: Path) -> None:
    with running_csc(laid_out, "--pin", PIN) as service:
        at, certificate = RemoteKey(service, CREDENTIAL), certificate_at(service)
        with pytest.raises(PinRefused) as wrong:
            RemoteSession(at, ACCESS, Pin(b"000000"), count=2)
        assert wrong.value.reason == "pin_wrong"
        assert "000000" not in str(wrong.value)
        pin = Pin(PIN.encode())
        session = RemoteSession(at, ACCESS, pin, count=2)
        pin.wipe()  # the right to sign is granted: the PIN isn't needed any more
        signs(session, certificate)
        signs(session, certificate)


def test_a_service_that_ties_each_right_to_a_hash_is_asked_each_time(laid_out: Path) -> None:
    with running_csc(laid_out, "--pin", PIN, "--scal", "2") as service:
        certificate = certificate_at(service)
        session = RemoteSession(RemoteKey(service, CREDENTIAL), ACCESS, Pin(PIN.encode()), count=2)
        signs(session, certificate, b"1")
        signs(session, certificate, b"2")
        wrong = RemoteSession(RemoteKey(service, CREDENTIAL), ACCESS, Pin(b"1"), count=2)
        with pytest.raises(PinRefused):
            signs(wrong, certificate)


def test_a_service_that_is_gone_is_worth_another_try(laid_out: Path) -> None:
    with running_csc(laid_out) as service:
        at, certificate = RemoteKey(service, CREDENTIAL), certificate_at(service)
        session = RemoteSession(at, ACCESS, None)
    with pytest.raises(TrustServiceUnavailable):
        RemoteSession(at, ACCESS, None)
    with pytest.raises(TrustServiceUnavailable):
        signs(session, certificate)


def test_a_leader_types_the_code_once_for_a_batch(laid_out: Path, tmp_path: Path) -> None:
    with running_csc(laid_out, "--pin", PIN) as service:
        certificate = certificate_at(service)
        access = tmp_path / "remote.cer.pass"
        access.write_text(ACCESS)
        access.chmod(0o600)
        record = _record(certificate, RemoteKey(service, CREDENTIAL))
        pins = PinDesk(tmp_path)
        first, second = _ids(2)
        with pytest.raises(PinRefused):
            pins.open(record, {first: "0" * 64, second: "1" * 64}, Pin(b"1"))
        pins.open(record, {first: "0" * 64, second: "1" * 64}, Pin(PIN.encode()))
        for subject, sha256 in ((first, "0" * 64), (second, "1" * 64)):
            key = pins.key(record, subject, sha256)
            assert asyncio.run(key.signer.async_sign_raw(b"x", "sha256"))
            with pytest.raises(SigningRefused):
                asyncio.run(key.signer.async_sign_raw(b"y", "sha256"))
        with pytest.raises(SigningRefused):
            pins.key(record, first, "0" * 64)


def _ids(count: int) -> list[Any]:
    import uuid

    return [uuid.uuid4() for _ in range(count)]


def _record(certificate: bytes, at: RemoteKey) -> CertificateRecord:
    now = datetime.now(UTC)
    return CertificateRecord(
        id=_ids(1)[0],
        agency="A",
        owner="lanhdao",
        subject=subject_of(certificate),
        issuer="",
        serial="",
        sha256=hashes_of(certificate),
        valid_from=now,
        valid_to=now + timedelta(days=1),
        key_file="remote.cer",
        held=KeyHeld.REMOTE,
        locator=str(at),
        pin_asked=PinAsked.BATCH,
        der=certificate,
    )


def hashes_of(content: bytes) -> str:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    return digest.finalize().hex()


def test_a_service_nobody_vouches_for_is_not_spoken_to(tmp_path: Path) -> None:
    """TLS of a certificate that no authority of this machine signed: refused, and nothing was sent."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    own = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "tls.pem").write_bytes(own.public_bytes(Encoding.PEM) + _pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.pem")
    got: list[bytes] = []

    def answer(listener: socket.socket) -> None:
        caller, _ = listener.accept()
        with caller:
            try:
                with context.wrap_socket(caller, server_side=True) as line:
                    got.append(line.recv(100))
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        at = RemoteKey(f"https://localhost:{listener.getsockname()[1]}", CREDENTIAL)
        with pytest.raises(SigningRefused) as refused:
            RemoteSession(at, ACCESS, Pin(PIN.encode()))
        thread.join()
    assert refused.value.reason == "remote_refused"
    assert got in ([], [b""])

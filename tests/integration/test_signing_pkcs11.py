"""Keys on a token: a real SoftHSM, and what goes wrong with it, in words."""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pkcs11 import Attribute, CertificateType, Mechanism, ObjectClass
from pyhanko.pdf_utils.reader import PdfFileReader

from signing import pkcs11, verify
from signing.locators import TokenKey
from signing.mechanisms import must_be_signed_by
from signing.pin import Pin
from signing.pkcs11 import Token
from signing.prepare import add_fields
from signing.sign import sign
from signing.types import PinRefused, Place, SignaturePlace, SigningRefused, Verdict
from tests.pki import LEADER, LEADER_P256
from tests.pki.paper import paper
from tests.softhsm import MODULE, PIN
from tests.unit.test_signing_keys import self_signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.pki import Pki
    from tests.softhsm import Shelf

KINDS: dict[str, Callable[[], Any]] = {
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-3072": lambda: rsa.generate_private_key(65537, 3072),
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p-384": lambda: ec.generate_private_key(ec.SECP384R1()),
}
#: Of a token in Vietnamese, with what breaks naive programs.
ODD = "Bà “Ánh”; ký/duyệt=1?"


def pin(typed: str = PIN) -> Pin:
    return Pin(typed.encode())


def on_token(shelf: Shelf, kind: str, *, label: str = "khóa") -> tuple[TokenKey, bytes, Any]:
    """A new token with one key on it, and its certificate."""
    private = KINDS[kind]()
    token = f"t-{uuid.uuid4().hex[:12]}"
    shelf.token(token)
    file = shelf.folder / f"{token}.p8"
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return shelf.put(token, file, label=label), self_signed(private), private.public_key()


def refused(at: TokenKey, typed: str = PIN) -> SigningRefused:
    with pytest.raises(SigningRefused) as caught:
        Token(at, pin(typed))
    assert "Chưa có gì được ký" in str(caught.value)
    assert typed not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("prefer_pss", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key_signs(softhsm: Shelf, kind: str, *, prefer_pss: bool) -> None:
    at, certificate, public = on_token(softhsm, kind)
    with Token(at, pin()) as token:
        key = token.key(certificate, prefer_pss=prefer_pss)
        signature = asyncio.run(key.signer.async_sign_raw(b"content", "sha256"))
        room = asyncio.run(key.signer.async_sign_raw(b"content", "sha256", dry_run=True))
    assert len(room) >= len(signature)
    match public:
        case ec.EllipticCurvePublicKey():
            public.verify(signature, b"content", ec.ECDSA(hashes.SHA256()))
        case _ if prefer_pss:
            public.verify(signature, b"content", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        case _:
            public.verify(signature, b"content", padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("hashing", ["on the token", "here"])
@pytest.mark.parametrize("subject", [LEADER, LEADER_P256])
def test_a_document_signed_on_a_token_is_genuine(
    softhsm: Shelf,
    pki: Pki,
    tmp_path: Path,
    subject: Any,
    hashing: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An odd label, and a token that can only sign what was hashed before, as SoftHSM with ECDSA."""
    if hashing == "here":
        monkeypatch.setattr(pkcs11, "_abilities", lambda _: {Mechanism.RSA_PKCS, Mechanism.ECDSA})
    label = f"“Ánh”;/=?{uuid.uuid4().hex[:4]}"
    softhsm.token(label)
    at = softhsm.put(label, softhsm.key_of(pki, subject.id), label=ODD)
    place = SignaturePlace(Place.COPY, 1, (60, 60, 260, 120))
    source, fielded, signed = (tmp_path / f"{name}.pdf" for name in ("source", "fielded", "signed"))
    source.write_bytes(paper())
    add_fields(source, fielded, [place])
    with Token(TokenKey.parse(str(at)), pin()) as token:
        key = token.key(pki.trust.certificate_der(subject.id))
        sign(fielded, signed, place=place, key=key, trust=pki.store(), timestamper=pki.timestamper())
    assert verify.verify(signed, trust=pki.store()).verdict is Verdict.GENUINE
    with signed.open("rb") as file:
        (made,) = PdfFileReader(file).embedded_regular_signatures
        used = made.signer_info["signature_algorithm"]["algorithm"].native
    assert used == ("sha256_ecdsa" if subject is LEADER_P256 else "rsassa_pss" if hashing != "here" else "sha256_rsa")


def test_a_wrong_pin_is_presented_once_and_what_the_token_tells_is_told(
    softhsm: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, certificate, _ = on_token(softhsm, "p-256")
    assert pkcs11.look(at) == pkcs11.TokenLook(None, failed_before=False, locked=False)
    wrong = refused(at, "000000")
    assert isinstance(wrong, PinRefused)
    assert (wrong.reason, wrong.tries_left) == ("pin_wrong", None)
    assert "lần thử" not in str(wrong), "SoftHSM doesn't tell how many are left"
    assert pkcs11.look(at).failed_before
    with Token(at, pin()) as token:
        token.key(certificate)
    assert not pkcs11.look(at).failed_before, "the right one clears it"

    _fault_flags(monkeypatch, pkcs11.TokenFlag.USER_PIN_FINAL_TRY)
    assert pkcs11.look(at).tries_left == 1
    last = refused(at, "000001")
    assert isinstance(last, PinRefused)
    assert last.tries_left == 1
    assert "còn 1 lần thử" in str(last)

    _fault_flags(monkeypatch, pkcs11.TokenFlag.USER_PIN_LOCKED)
    assert pkcs11.look(at).locked
    assert refused(at, "000002").reason == "pin_locked"


def _fault_flags(monkeypatch: pytest.MonkeyPatch, flag: pkcs11.TokenFlag) -> None:
    """A fault SoftHSM can't have: it never locks. Its tokens tell one flag more."""
    real = pkcs11._find

    class Telling:
        def __init__(self, token: Any) -> None:
            self._token = token
            self.flags = token.flags | flag

        def __getattr__(self, name: str) -> Any:
            return getattr(self._token, name)

    monkeypatch.setattr(pkcs11, "_find", lambda *asked: Telling(real(*asked)))


def test_a_token_opened_by_one_is_not_open_to_another_pin(softhsm: Shelf) -> None:
    at, certificate, _ = on_token(softhsm, "p-256")
    with Token(at, pin()) as first:
        assert refused(at, "135790").reason == "pin_wrong"
        assert not pkcs11.look(at).failed_before, "the token itself wasn't asked"
        with Token(at, pin()) as second:
            second.key(certificate)
        key = first.key(certificate)  # still open for the first
        assert asyncio.run(key.signer.async_sign_raw(b"x", "sha256"))
    assert refused(at, "135790").reason == "pin_wrong", "and closed when the last has gone"
    assert pkcs11.look(at).failed_before


def test_a_closed_token_signs_no_more(softhsm: Shelf) -> None:
    at, certificate, _ = on_token(softhsm, "p-256")
    token = Token(at, pin())
    key = token.key(certificate)
    token.close()
    token.close()
    with pytest.raises(SigningRefused):
        asyncio.run(key.signer.async_sign_raw(b"x", "sha256"))
    with pytest.raises(SigningRefused) as caught:
        token.key(certificate)
    assert caught.value.reason == "pin_needed"


def test_what_is_missing_is_named(softhsm: Shelf, tmp_path: Path) -> None:
    at, certificate, _ = on_token(softhsm, "rsa-2048")
    (tmp_path / "not-a-module.so").write_bytes(b"text")
    assert refused(TokenKey(str(tmp_path / "not-a-module.so"), "x", "y")).reason == "token_module"
    assert refused(TokenKey(str(tmp_path / "nowhere.so"), "x", "y")).reason == "token_module"
    absent = refused(TokenKey(MODULE, "Không có", "y"))
    assert absent.reason == "token_absent"
    assert "Không có" in str(absent)
    with Token(TokenKey(MODULE, at.token, "khóa khác"), pin()) as token, pytest.raises(SigningRefused) as missing:
        token.key(certificate)
    assert missing.value.reason == "token_key_missing"
    assert "khóa khác" in str(missing.value)


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
def test_a_key_that_isnt_the_certificates_makes_no_signature(softhsm: Shelf, kind: str) -> None:
    at, _, _ = on_token(softhsm, kind)
    anothers = self_signed(KINDS[kind]())
    with Token(at, pin()) as token, pytest.raises(SigningRefused) as caught:
        asyncio.run(token.key(anothers).signer.async_sign_raw(b"x", "sha256"))
    assert caught.value.reason == "wrong_certificate"


def test_a_session_lost_in_the_middle_is_opened_once_more(softhsm: Shelf) -> None:
    at, certificate, public = on_token(softhsm, "p-256")
    with Token(at, pin()) as token:
        key = token.key(certificate)
        asyncio.run(key.signer.async_sign_raw(b"before", "sha256"))
        softhsm.anew()  # pulled out and put back
        signature = asyncio.run(key.signer.async_sign_raw(b"after", "sha256"))
    public.verify(signature, b"after", ec.ECDSA(hashes.SHA256()))


def test_a_token_that_is_gone_in_the_middle_is_told_and_its_pin_not_tried_on_another(softhsm: Shelf) -> None:
    at, certificate, _ = on_token(softhsm, "p-256")
    with Token(at, pin()) as token:
        key = token.key(certificate)
        asyncio.run(key.signer.async_sign_raw(b"before", "sha256"))
        softhsm.lose(at.token)
        softhsm.token(at.token, pin="999999")  # another one of the same name
        with pytest.raises(SigningRefused) as caught:
            asyncio.run(key.signer.async_sign_raw(b"after", "sha256"))
        assert caught.value.reason == "token_absent"
        assert not pkcs11.look(at).failed_before


def test_many_threads_sign_each_in_a_session_of_its_own(softhsm: Shelf) -> None:
    at, certificate, public = on_token(softhsm, "rsa-2048")
    with Token(at, pin()) as token:
        key = token.key(certificate)

        def one(number: int) -> None:
            content = f"{number}".encode()
            signature = asyncio.run(key.signer.async_sign_raw(content, "sha256"))
            must_be_signed_by(public, signature, content, key.signer.get_signature_mechanism_for_digest("sha256"))

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(one, range(80)))


def test_a_pin_is_shown_by_nothing_and_wiped() -> None:
    held = pin("112233")
    assert "112233" not in repr(held)
    with pytest.raises(TypeError):
        held.__reduce__()
    assert held.text() == "112233"
    held.wipe()
    assert not held
    with pytest.raises(ValueError, match="no PIN"):
        held.text()


def test_certificates_on_a_token_are_found_without_its_pin_those_of_the_key_first(softhsm: Shelf) -> None:
    at, certificate, _ = on_token(softhsm, "p-256")
    assert pkcs11.certificates(at) == []
    another = self_signed(KINDS["p-256"](), name="Nơi cấp")
    with pkcs11._turn(at):
        session = pkcs11._find(at).open(rw=True, user_pin=PIN)
        for der, label, key_id in ((another, "CA", b"\xff"), (certificate, "khóa", b"\x0a")):
            session.create_object(
                {
                    Attribute.CLASS: ObjectClass.CERTIFICATE,
                    Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
                    Attribute.TOKEN: True,
                    Attribute.PRIVATE: False,
                    Attribute.LABEL: label,
                    Attribute.ID: key_id,
                    Attribute.SUBJECT: label.encode(),
                    Attribute.VALUE: der,
                }
            )
        session.close()
    assert pkcs11.certificates(at) == [certificate, another]

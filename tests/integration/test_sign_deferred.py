"""Digest out, signature in: between the two lie minutes and another process, and nothing is taken on trust."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.pdf_utils.reader import PdfFileReader

from signing.deferred import Prepared, finish, prepare
from signing.prepare import add_fields
from signing.types import Integrity, Place, SignaturePlace, SigningRefused, Verdict
from signing.verify import verify
from tests.pki import CLERK, EXPIRED, LEADER, LEADER_P256, running_pki
from tests.pki.paper import paper

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pki import Pki

PLACE = SignaturePlace(Place.LEADER, 1, (60, 60, 260, 120))


@pytest.fixture
def fielded(tmp_path: Path) -> Path:
    source, target = tmp_path / "source.pdf", tmp_path / "fielded.pdf"
    source.write_bytes(paper())
    add_fields(source, target, [PLACE])
    return target


def device(pki: Pki, subject: Any, prepared: Prepared, *, raw: bool = False) -> bytes:
    """What a token does: it is given the digest and knows nothing of PDF."""
    p12, passphrase = pki.trust.p12(subject.id)
    key: Any = pkcs12.load_pkcs12(p12.read_bytes(), passphrase.read_bytes().strip()).key
    digest = utils.Prehashed(hashes.SHA256())
    match prepared.algorithm:
        case "sha256_ecdsa":
            signature: bytes = key.sign(prepared.digest, ec.ECDSA(digest))
            if raw:
                size = (key.key_size + 7) // 8
                return b"".join(part.to_bytes(size, "big") for part in utils.decode_dss_signature(signature))
            return signature
        case "sha256_rsa":
            v15: bytes = key.sign(prepared.digest, padding.PKCS1v15(), digest)
            return v15
    pss: bytes = key.sign(prepared.digest, padding.PSS(padding.MGF1(hashes.SHA256()), 32), digest)
    return pss


@pytest.mark.parametrize(
    ("subject", "pss", "raw"),
    [(LEADER, True, False), (LEADER, False, False), (LEADER_P256, True, False), (LEADER_P256, True, True)],
)
def test_a_signature_made_elsewhere_counts_like_one_made_here(
    pki: Pki, tmp_path: Path, fielded: Path, subject: Any, *, pss: bool, raw: bool
) -> None:
    waiting, target = tmp_path / "waiting.pdf", tmp_path / "signed.pdf"
    certificate = pki.trust.certificate_der(subject.id)
    asked = prepare(fielded, waiting, place=PLACE, certificate_der=certificate, trust=pki.store(), prefer_pss=pss)
    kept = Prepared.from_text(asked.as_text())
    assert kept == asked
    assert kept.digest == hashlib.sha256(kept.data).digest()
    assert verify(waiting, trust=pki.store()).verdict is not Verdict.GENUINE

    finish(waiting, kept, device(pki, subject, kept, raw=raw), target)

    assert target.read_bytes().startswith(fielded.read_bytes())
    found = verify(target, trust=pki.store())
    assert found.integrity is Integrity.INTACT
    (report,) = found.signatures
    assert report.certificate_sha256 == hashlib.sha256(certificate).hexdigest()
    assert found.verdict is Verdict.UNCONFIRMED, "nobody proved the time yet"
    with target.open("rb") as file:
        (signature,) = PdfFileReader(file).embedded_regular_signatures
        signature.compute_integrity_info()
        assert signature.signer_info["signature_algorithm"]["algorithm"].native == kept.algorithm
        assert len(signature.pkcs7_content) * 2 < signature.byte_range[2] - signature.byte_range[1], "room for a time"


def test_it_is_finished_by_another_process(pki: Pki, tmp_path: Path, fielded: Path) -> None:
    waiting, target = tmp_path / "waiting.pdf", tmp_path / "signed.pdf"
    certificate = pki.trust.certificate_der(LEADER_P256.id)
    asked = prepare(fielded, waiting, place=PLACE, certificate_der=certificate, trust=pki.store())
    (tmp_path / "kept").write_text(asked.as_text())
    (tmp_path / "signature").write_bytes(device(pki, LEADER_P256, asked))
    program = (
        "import sys; from pathlib import Path; from signing.deferred import Prepared, finish; f = Path(sys.argv[1]); "
        "finish(f/'waiting.pdf', Prepared.from_text((f/'kept').read_text()), (f/'signature').read_bytes(),"
        " f/'signed.pdf')"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    assert verify(target, trust=pki.store()).integrity is Integrity.INTACT
    once = target.read_bytes()
    finish(waiting, asked, (tmp_path / "signature").read_bytes(), target)
    assert target.read_bytes() == once, "done twice it is the same"


def test_anothers_signature_or_one_over_something_else_is_refused(pki: Pki, tmp_path: Path, fielded: Path) -> None:
    waiting, target = tmp_path / "waiting.pdf", tmp_path / "signed.pdf"
    certificate = pki.trust.certificate_der(LEADER_P256.id)
    asked = prepare(fielded, waiting, place=PLACE, certificate_der=certificate, trust=pki.store())
    other = Prepared(b"something else", asked.algorithm, certificate, asked.file_sha256, asked.signed_at)
    good = device(pki, LEADER_P256, asked)
    for signature in (device(pki, CLERK, asked), device(pki, LEADER_P256, other), b"", b"\0" * 64, good[:-1]):
        with pytest.raises(SigningRefused) as refused:
            finish(waiting, asked, signature, target)
        assert refused.value.reason == "wrong_certificate"
        assert not target.exists()
    with pytest.raises(SigningRefused) as refused:
        finish(waiting, other, device(pki, LEADER_P256, other), target)
    assert refused.value.reason == "document_changed", "what was signed isn't what the document says"
    assert not target.exists()
    finish(waiting, asked, good, target)


def test_a_waiting_file_that_was_touched_isnt_finished(pki: Pki, tmp_path: Path, fielded: Path) -> None:
    waiting, target = tmp_path / "waiting.pdf", tmp_path / "signed.pdf"
    certificate = pki.trust.certificate_der(LEADER_P256.id)
    asked = prepare(fielded, waiting, place=PLACE, certificate_der=certificate, trust=pki.store())
    content = bytearray(waiting.read_bytes())
    content[200] ^= 1
    waiting.write_bytes(content)
    with pytest.raises(SigningRefused) as refused:
        finish(waiting, asked, device(pki, LEADER_P256, asked), target)
    assert refused.value.reason == "document_changed"
    assert not target.exists()


def test_who_may_not_sign_is_told_before_their_device_is_asked(pki: Pki, tmp_path: Path, fielded: Path) -> None:
    waiting = tmp_path / "waiting.pdf"
    with pytest.raises(SigningRefused) as refused:
        prepare(
            fielded,
            waiting,
            place=PLACE,
            certificate_der=pki.trust.certificate_der(EXPIRED.id),
            trust=pki.store(),
        )
    assert refused.value.reason == "certificate_expired"
    with running_pki(tmp_path / "pki", [LEADER_P256]) as own:
        own.trust.revoke(LEADER_P256.id)
        with pytest.raises(SigningRefused) as refused:
            prepare(
                fielded,
                waiting,
                place=PLACE,
                certificate_der=own.trust.certificate_der(LEADER_P256.id),
                trust=own.store(),
            )
    assert refused.value.reason == "certificate_revoked"
    assert not waiting.exists()

"""What is found out once says what pyHanko says each time, and never more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import algos, keys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner

from signing import chains, proof
from signing.chains import Remembering
from signing.types import Verdict
from signing.verify import verify
from tests import attacks
from tests import pki as people
from tests.attack_chains import BROKEN, TIMESTAMPING_ONLY, Chain, made
from tests.pki.paper import paper
from tests.signed_files import issued, signed_by_hand

if TYPE_CHECKING:
    from pathlib import Path

    from signing.trust import TrustStore
    from signing.types import FileVerdict
    from tests.pki import Pki

_NOW = datetime.now(UTC)
_MOMENTS = [timedelta(0), timedelta(days=-400), timedelta(days=2), timedelta(days=500), timedelta(days=5000)]


@pytest.fixture(scope="module")
def good(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An issued e-result."""
    return issued(pki, tmp_path_factory.mktemp("good"))


def _slowly(file: Path, trust: TrustStore, at: datetime) -> FileVerdict:
    """The verdict with every question asked of pyHanko, and every signature's mathematics done each time."""

    async def nothing(*_: Any) -> None:
        return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof.Court, "_path", nothing)
        patch.setattr(Remembering, "validate_signature", chains.DefaultSignatureValidator.validate_signature)
        return verify(file, trust=trust, at=at)


def _agree(file: Path, trust: TrustStore, at: datetime = _NOW) -> FileVerdict:
    found = verify(file, trust=trust, at=at)
    assert found == _slowly(file, trust, at)
    return found


def test_looks_up_each_certificate_once(pki: Pki, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    looking = chains.find_valid_path

    async def counted(cert: Any, *more: Any, **given: Any) -> Any:
        asked.append(cert.sha256)
        return await looking(cert, *more, **given)

    async def never(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(chains, "find_valid_path", counted)
    monkeypatch.setattr(proof, "ades_basic_validation", never)
    monkeypatch.setattr(proof, "ades_timestamp_validation", never)
    assert verify(good, trust=pki.store()).verdict is Verdict.GENUINE
    assert len(asked) == len(set(asked)) == 3  # leader, seal, and the authority of all three timestamps


@pytest.mark.parametrize("later", _MOMENTS)
def test_a_result_is_judged_alike_at_any_time(pki: Pki, good: Path, later: timedelta) -> None:
    lists = pki.store(at=_NOW + later)
    for trust in (
        lists,
        pki.store(),
        replace(lists, crls=()),
        replace(lists, anchors=()),
        replace(lists, intermediates=()),
    ):
        _agree(good, trust, _NOW + later)


@pytest.mark.parametrize("rule", [None, *BROKEN, "timestamping only"])
def test_chains_are_judged_alike(tmp_path: Path, rule: str | None) -> None:
    chain = Chain() if rule is None else BROKEN.get(rule, TIMESTAMPING_ONLY)
    signer, trust = made(chain)
    metadata = PdfSignatureMetadata(field_name="S", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    hand = PdfSigner(metadata, signer, new_field_spec=SigFieldSpec("S"))
    file = tmp_path / "a.pdf"
    file.write_bytes(hand.sign_pdf(IncrementalPdfFileWriter(BytesIO(paper()))).getbuffer())
    assert (_agree(file, trust).verdict is Verdict.GENUINE) == (rule is None)


@pytest.mark.parametrize("change", attacks.CMS)
def test_tricks_with_a_signature_are_judged_alike(pki: Pki, tmp_path: Path, change: str) -> None:
    file = signed_by_hand(pki, paper(), tmp_path / "a.pdf", who=people.LEADER, timestamper=pki.timestamper())
    file.write_bytes(attacks.resigned(file.read_bytes(), attacks.CMS[change]))
    _agree(file, pki.store())


def test_only_a_good_signature_is_remembered_and_only_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[bytes] = []

    class Counting(chains.DefaultSignatureValidator):
        def validate_signature(self, signature: bytes, *more: Any, **given: Any) -> None:
            done.append(signature)
            super().validate_signature(signature, *more, **given)

    monkeypatch.setattr(chains, "DefaultSignatureValidator", Counting)
    one, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    public, foreign = (
        keys.PublicKeyInfo.load(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        for key in (one, other)
    )
    made_by_one = one.sign(b"signed", ec.ECDSA(SHA256()))
    way = algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})
    remembering = Remembering()
    for _ in range(3):
        remembering.validate_signature(made_by_one, b"signed", public, way)
    assert len(done) == 1
    for _ in range(2):
        for asked in ((b"changed", public), (b"signed", foreign)):
            with pytest.raises(InvalidSignature):
                remembering.validate_signature(made_by_one, *asked, way)
    assert len(done) == 5

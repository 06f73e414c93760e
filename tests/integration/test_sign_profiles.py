"""One document of each profile, judged by five that share no code: ours, veraPDF, poppler, OpenSSL, PDFBox."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader

from api.demo import artwork
from api.demo.trust_service import DemoSubject
from signing import appearance, keys, prepare
from signing.sign import sign
from signing.templates import render
from signing.types import Kind, Place, Profile, SigningRefused, Verdict
from signing.verify import verify
from tests.pdfbox import judged
from tests.pki import CLERK, LEADER, LEADER_P256, SCANNER, SEAL, running_pki
from tests.pki.paper import COPY_PLACE, SCANNER_PLACE, paper
from tests.signed_files import DECISION
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.pki import Pki

LEADER_P384 = DemoSubject("leader-p384", "Đỗ Thị Quế", LEADER.organization, key="p-384")
_ANNEX_PLACE = replace(COPY_PLACE, place=Place.ANNEX)


@dataclass(frozen=True)
class Made:
    """A finished document.

    Attributes:
        steps: As it was after each signature.
        signers: How many signatures; document timestamps come on top.
    """

    file: Path
    steps: tuple[Path, ...]
    signers: int


def result(
    pki: Pki, folder: Path, *, profile: Profile = Profile.CERTIFIED, by: DemoSubject = LEADER, **how: Any
) -> Made:
    rendered = render("decision", DECISION)
    plain, fielded, signed, sealed = (folder / f"{step}.pdf" for step in ("plain", "fielded", "signed", "sealed"))
    plain.write_bytes(rendered.pdf)
    prepare.add_fields(plain, fielded, rendered.places, profile=profile)
    given: dict[str, Any] = {"trust": pki.store(), "timestamper": pki.timestamper()}
    look = appearance.leader(by.name, artwork.handwriting(by.name))
    sign(fielded, signed, place=rendered.places[0], key=pki.key(by, **how), appearance=look, **given)
    look = appearance.seal(SEAL.name, artwork.seal(SEAL.name))
    sign(signed, sealed, place=rendered.places[1], key=pki.key(SEAL, **how), appearance=look, **given)
    assert len(given["timestamper"].tokens) == 3
    return Made(sealed, (signed, sealed), 2)


def paper_signed(pki: Pki, folder: Path, signers: Sequence[tuple[Any, DemoSubject, appearance.Appearance]]) -> Made:
    """The plain page with these signatures, one after the other."""
    plain, fielded = folder / "plain.pdf", folder / "fielded.pdf"
    plain.write_bytes(paper())
    prepare.add_fields(plain, fielded, [place for place, _, _ in signers])
    steps: list[Path] = [fielded]
    for number, (place, who, look) in enumerate(signers):
        target = folder / f"step-{number}.pdf"
        given: dict[str, Any] = {"trust": pki.store(), "timestamper": pki.timestamper()}
        sign(steps[-1], target, place=place, key=pki.key(who), appearance=look, **given)
        steps.append(target)
    return Made(steps[-1], tuple(steps[1:]), len(signers))


_SCANNED = (SCANNER_PLACE, SCANNER, appearance.scanner(SCANNER.name))
_COPIED = (COPY_PLACE, SEAL, appearance.copy(SEAL.name))
_MAKERS = {
    "certified": result,
    "approval": lambda pki, folder: result(pki, folder, profile=Profile.APPROVAL),
    "pkcs1": lambda pki, folder: result(pki, folder, prefer_pss=False),
    "sha512": lambda pki, folder: result(pki, folder, digest="sha512"),
    "p-256": lambda pki, folder: result(pki, folder, by=LEADER_P256),
    "copy": lambda pki, folder: paper_signed(pki, folder, [_COPIED]),
    "scanner": lambda pki, folder: paper_signed(pki, folder, [_SCANNED]),
    "scanner and copy": lambda pki, folder: paper_signed(pki, folder, [_SCANNED, _COPIED]),
    "annex": lambda pki, folder: paper_signed(pki, folder, [(_ANNEX_PLACE, SEAL, appearance.annex("05/QĐ-TTPVHCC"))]),
}


@pytest.fixture(scope="module", params=list(_MAKERS))
def made(request: pytest.FixtureRequest, pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("profile")
    return _MAKERS[request.param](pki, folder)


def test_our_verifier_finds_every_signature_genuine(made: Made, pki: Pki) -> None:
    found = verify(made.file, trust=pki.store())
    assert {s.verdict for s in found.signatures} == {Verdict.GENUINE}, found.reasons
    assert len(found.signatures) == made.signers
    assert all(s.timestamp for s in found.signatures)
    assert found.verdict is Verdict.GENUINE, found.reasons


def test_pdfa_stands_after_the_last_signature(made: Made) -> None:
    assert_pdfa(made.file, flavour="2a")
    assert_pdfa(made.file, flavour="ua1")


def test_pdfbox_and_bouncy_castle_agree_on_each(made: Made) -> None:
    for step in made.steps:
        found = judged(step)
        signatures = [one for one in found if one.subfilter == "ETSI.CAdES.detached"]
        assert found
        assert all(one.good for one in found)
        assert all(one.stamped for one in signatures)
    assert len(signatures) == made.signers


def test_poppler_agrees_on_each(made: Made) -> None:
    said = subprocess.run(["pdfsig", made.file], capture_output=True, text=True, check=False).stdout
    assert said.count("Signature is Valid.") == made.signers, said
    assert said.count("ETSI.CAdES.detached") == made.signers


def test_openssl_agrees_on_each(made: Made, pki: Pki, tmp_path: Path) -> None:
    root = x509.load_der_x509_certificate(pki.trust.anchor_der).public_bytes(Encoding.PEM)
    (tmp_path / "root.pem").write_bytes(root)
    content = made.file.read_bytes()
    with made.file.open("rb") as file:
        for embedded in PdfFileReader(file).embedded_regular_signatures:
            start, length, again, rest = embedded.byte_range
            (tmp_path / "signed").write_bytes(content[start : start + length] + content[again : again + rest])
            (tmp_path / "cms.der").write_bytes(embedded.pkcs7_content)
            asked = "cms -verify -cades -binary -inform DER -in cms.der -content signed -CAfile root.pem -purpose any"
            said = subprocess.run(
                ["openssl", *asked.split(), "-out", "out"], cwd=tmp_path, capture_output=True, text=True, check=False
            )
            assert "Verification successful" in said.stderr, said.stderr


def test_the_certified_profile_locks_and_the_approval_profile_forbids_nothing(pki: Pki, tmp_path: Path) -> None:
    for profile in Profile:
        (tmp_path / profile).mkdir()
        sealed = result(pki, tmp_path / profile, profile=profile)
        with pikepdf.open(sealed.file) as pdf:
            by_name = {str(field.T): field for field in pdf.Root.AcroForm.Fields}
            leader, seal = by_name["HoSoSo_NguoiKy"], by_name["HoSoSo_CoQuan"]
            if profile is Profile.APPROVAL:
                assert "/Perms" not in pdf.Root
                assert all("/Lock" not in field and "/Reference" not in field.V for field in (leader, seal))
                continue
            assert pdf.Root.Perms.DocMDP.objgen == leader.V.objgen
            assert leader.V.Reference[0].TransformParams.P == 2
            (lock,) = [one for one in seal.V.Reference if one.TransformMethod == "/FieldMDP"]
            assert (lock.TransformParams.Action, lock.TransformParams.P) == ("/All", 1)
            assert (seal.Lock.Action, seal.Lock.P) == ("/All", 1)


def test_an_annex_and_a_copy_are_never_called_a_result(pki: Pki, tmp_path: Path) -> None:
    for name in ("annex", "copy"):
        (tmp_path / name).mkdir()
        found = verify(_MAKERS[name](pki, tmp_path / name).file, trust=pki.store())
        assert found.kind is not Kind.E_RESULT


def test_a_key_of_p384_signs_with_sha384(tmp_path: Path) -> None:
    with running_pki(tmp_path / "pki", [LEADER_P384, SEAL]) as pki:
        made = result(pki, tmp_path, by=LEADER_P384)
        found = verify(made.file, trust=pki.store())
        assert found.verdict is Verdict.GENUINE, found.reasons
        assert next(s.algorithm for s in found.signatures) == "sha384/ecdsa"
        assert all(one.good for one in judged(made.file))


def test_sha1_is_refused_before_any_key_is_touched(pki: Pki, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sha1"):
        pki.key(CLERK, digest="sha1")
    p12, passphrase = pki.trust.p12(CLERK.id)
    with pytest.raises(ValueError, match="md5"):
        keys.open_pkcs12(p12, keys.read_passphrase_file(passphrase), digest="md5")


def test_nothing_can_follow_the_seal_of_either_profile(pki: Pki, tmp_path: Path) -> None:
    for profile in Profile:
        (tmp_path / profile).mkdir()
        sealed = result(pki, tmp_path / profile, profile=profile)
        with pytest.raises(SigningRefused) as refused:
            sign(
                sealed.file,
                tmp_path / "again.pdf",
                place=render("decision", DECISION).places[1],
                key=pki.key(CLERK),
                trust=pki.store(),
                timestamper=None,
            )
        assert refused.value.reason == "already_signed"

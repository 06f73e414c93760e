"""A leader signs, the agency seals, and others than us agree that it is well done."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.dss import DocumentSecurityStore

from api.demo import artwork
from signing import appearance, prepare
from signing.sign import Signed, sign
from signing.timestamp import Timestamper, authority_of
from signing.trust import TrustStore
from signing.types import Place, Verdict
from signing.verify import verify
from tests.pki import CLERK, LEADER, LEADER_P256, SCANNER, SEAL, running_pki
from tests.pki.paper import COPY_PLACE, LEADER_PLACE, SCANNER_PLACE, SEAL_PLACE, paper
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from pathlib import Path

    from asn1crypto import cms

    from tests.pki import Pki


@dataclass(frozen=True)
class EResult:
    source: Path
    prepared: Path
    signed: Path
    sealed: Path
    leader: Signed
    seal: Signed


def make(pki: Pki, folder: Path, *, by=LEADER, at: datetime | None = None) -> EResult:
    source, prepared, signed, sealed = (folder / f"{name}.pdf" for name in ("source", "prepared", "signed", "sealed"))
    source.write_bytes(paper())
    prepare.add_fields(source, prepared, [LEADER_PLACE, SEAL_PLACE])
    trust, timestamper = pki.store(at=at), pki.timestamper(at=at)
    leader = sign(
        prepared,
        signed,
        place=LEADER_PLACE,
        key=pki.key(by),
        trust=trust,
        timestamper=timestamper,
        appearance=appearance.leader(by.name, artwork.handwriting(by.name)),
        at=at,
    )
    seal = sign(
        signed,
        sealed,
        place=SEAL_PLACE,
        key=pki.key(SEAL),
        trust=trust,
        timestamper=timestamper,
        appearance=appearance.seal(SEAL.name, artwork.seal(SEAL.name)),
        at=at,
    )
    assert len(timestamper.tokens) == 3
    return EResult(source, prepared, signed, sealed, leader, seal)


@pytest.fixture(scope="module")
def e_result(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> EResult:
    return make(pki, tmp_path_factory.mktemp("e-result"))


def test_the_leader_reaches_b_lt_and_the_seal_b_lta(e_result: EResult) -> None:
    assert (e_result.leader.level, e_result.seal.level) == ("B-LT", "B-LTA")
    assert e_result.leader.timestamp is not None
    assert abs(e_result.leader.timestamp - e_result.leader.signed_at) < timedelta(seconds=30)


def test_pdfa_and_accessibility_survive_every_step(e_result: EResult) -> None:
    for step in (e_result.prepared, e_result.signed, e_result.sealed):
        assert_pdfa(step, flavour="2a")
        assert_pdfa(step, flavour="ua1")


def test_an_elliptic_curve_signs_as_well_and_keeps_pdfa(pki: Pki, tmp_path: Path) -> None:
    made = make(pki, tmp_path, by=LEADER_P256)
    assert_pdfa(made.sealed, flavour="2a")
    assert verify(made.sealed, trust=pki.store()).verdict is Verdict.GENUINE


def test_each_step_only_appends(e_result: EResult) -> None:
    for before, after in ((e_result.prepared, e_result.signed), (e_result.signed, e_result.sealed)):
        assert after.read_bytes().startswith(before.read_bytes())
        assert not list(after.parent.glob(".*.part"))


def test_both_fields_were_there_before_the_first_signature(e_result: EResult) -> None:
    with pikepdf.open(e_result.prepared) as pdf:
        assert {str(field.T) for field in pdf.Root.AcroForm.Fields} == {"HoSoSo_NguoiKy", "HoSoSo_CoQuan"}
        assert all("/V" not in field for field in pdf.Root.AcroForm.Fields)
    with pikepdf.open(e_result.signed) as pdf:
        certification = pdf.Root.Perms.DocMDP
        assert certification.Reference[0].TransformParams.P == 2
        assert certification.SubFilter == "/ETSI.CAdES.detached"


def test_poppler_finds_two_valid_signatures_and_a_timestamp_over_the_whole_file(e_result: EResult) -> None:
    said = subprocess.run(["pdfsig", e_result.sealed], capture_output=True, text=True, check=False).stdout
    assert said.count("Signature is Valid.") == 2
    assert said.count("ETSI.CAdES.detached") == 2
    last = said.split("Signature #3:")[1]
    assert "Total document signed" in last
    assert LEADER.name in said


@pytest.mark.parametrize("index", [0, 1])
def test_openssl_agrees_on_signature_and_chain(e_result: EResult, pki: Pki, tmp_path: Path, index: int) -> None:
    with e_result.sealed.open("rb") as file:
        embedded = PdfFileReader(file).embedded_regular_signatures[index]
        start, length, again, rest = embedded.byte_range
        content = e_result.sealed.read_bytes()
        (tmp_path / "signed").write_bytes(content[start : start + length] + content[again : again + rest])
        (tmp_path / "cms.der").write_bytes(embedded.pkcs7_content)
    root = x509.load_der_x509_certificate(pki.trust.anchor_der).public_bytes(Encoding.PEM)
    (tmp_path / "root.pem").write_bytes(root)
    said = subprocess.run(
        [
            "openssl",
            "cms",
            "-verify",
            "-cades",
            "-binary",
            "-inform",
            "DER",
            "-in",
            "cms.der",
            "-content",
            "signed",
            "-CAfile",
            "root.pem",
            "-purpose",
            "any",
            "-out",
            "out",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Verification successful" in said.stderr


def test_certificates_and_lists_of_everybody_travel_with_the_file(e_result: EResult, pki: Pki) -> None:
    with e_result.sealed.open("rb") as file:
        store = DocumentSecurityStore.read_dss(PdfFileReader(file))
        held = {reference.get_object().data for reference in store.certs.values()}
        lists = [x509.load_der_x509_crl(reference.get_object().data) for reference in store.crls]
    everybody = {pki.trust.certificate_der(LEADER.id), pki.trust.certificate_der(SEAL.id), pki.trust.anchor_der}
    assert everybody | set(pki.trust.intermediates_der) <= held
    assert {str(listed.issuer.rfc4514_string()) for listed in lists} == {
        x509.load_der_x509_certificate(der).subject.rfc4514_string()
        for der in (pki.trust.anchor_der, *pki.trust.intermediates_der)
    }


def test_the_blocks_use_our_embedded_typeface_only(pki: Pki, tmp_path: Path) -> None:
    source, prepared, signed = tmp_path / "s.pdf", tmp_path / "p.pdf", tmp_path / "o.pdf"
    source.write_bytes(paper())
    prepare.add_fields(source, prepared, [COPY_PLACE])
    sign(
        prepared,
        signed,
        place=COPY_PLACE,
        key=pki.key(CLERK),
        trust=pki.store(),
        timestamper=pki.timestamper(),
        appearance=appearance.copy(SEAL.name),
    )
    said = subprocess.run(["pdffonts", signed], capture_output=True, text=True, check=True).stdout
    fonts = [line.split() for line in said.splitlines()[2:]]
    assert fonts
    assert all("LiberationSerif" in font[0] for font in fonts)
    assert_pdfa(signed, flavour="2a")


def test_the_scanner_signs_first_and_a_copy_may_still_be_certified(pki: Pki, tmp_path: Path) -> None:
    source, prepared, scanned, copied = (tmp_path / f"{step}.pdf" for step in "abcd")
    source.write_bytes(paper())
    prepare.add_fields(source, prepared, [SCANNER_PLACE, COPY_PLACE])
    trust, timestamper = pki.store(), pki.timestamper()
    first = sign(prepared, scanned, place=SCANNER_PLACE, key=pki.key(SCANNER), trust=trust, timestamper=timestamper)
    second = sign(
        scanned, copied, place=COPY_PLACE, key=pki.key(CLERK), trust=trust, timestamper=timestamper, reason="Sao y"
    )
    assert (first.level, second.level) == ("B-LT", "B-LTA")
    with pikepdf.open(scanned) as pdf:
        assert "/Perms" not in pdf.Root
    assert_pdfa(copied, flavour="2a")
    assert {s.verdict for s in verify(copied, trust=trust).signatures} == {Verdict.GENUINE}


def test_it_verifies_an_hour_later_with_the_trust_service_down(tmp_path: Path) -> None:
    with running_pki(tmp_path / "pki", [LEADER, SEAL]) as pki:
        made, cached = make(pki, tmp_path), pki.store()
    later = datetime.now(UTC) + timedelta(hours=1)
    for trust in (cached, cached.with_crls(())):
        found = verify(made.sealed, trust=trust, at=later)
        assert found.verdict is Verdict.GENUINE, found.reasons


def test_it_verifies_years_later_when_the_signers_certificates_have_expired(pki: Pki, tmp_path: Path) -> None:
    then = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
    made = make(pki, tmp_path, at=then)
    assert made.leader.timestamp == then
    later = datetime.now(UTC) + timedelta(days=800)  # certificates live three years and began two years ago
    found = verify(made.sealed, trust=pki.store(at=later), at=later)
    assert found.verdict is Verdict.GENUINE, found.reasons
    assert [s.timestamp for s in found.signatures] == [then, then]


def test_a_leader_revoked_after_signing_leaves_the_result_genuine(tmp_path: Path) -> None:
    with running_pki(tmp_path / "pki", [LEADER, SEAL]) as pki:
        signed_then = datetime.now(UTC) - timedelta(days=2)
        made = make(pki, tmp_path, at=signed_then)
        pki.trust.revoke(LEADER.id)
        found = verify(made.sealed, trust=pki.store())
    assert found.verdict is Verdict.GENUINE, found.reasons


class _FailingOver(Timestamper):
    """After the first token another authority has to answer."""

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        token = await super().async_timestamp(message_digest, md_algorithm)
        self._urls = self._urls[1:] or self._urls
        return token


def test_evidence_is_that_of_the_authorities_that_really_answered(pki: Pki, tmp_path: Path) -> None:
    source, prepared, sealed = (tmp_path / f"{step}.pdf" for step in "abc")
    source.write_bytes(paper())
    prepare.add_fields(source, prepared, [SEAL_PLACE])
    ours = pki.store()
    with running_pki(tmp_path / "second", [], organization="Dịch vụ thứ hai") as second:
        theirs = second.store()
        both = TrustStore(ours.anchors + theirs.anchors, ours.intermediates + theirs.intermediates, ours.crls)
        failing_over = _FailingOver([pki.trust.tsa_url, second.trust.tsa_url])
        sign(prepared, sealed, place=SEAL_PLACE, key=pki.key(SEAL), trust=both, timestamper=failing_over)
    issuers = [authority_of(token)[0].issuer.native["organization_name"] for token in failing_over.tokens]
    assert issuers == ["Dịch vụ chứng thực demo", "Dịch vụ thứ hai"]
    found = verify(sealed, trust=both.with_crls(()), at=datetime.now(UTC) + timedelta(hours=1))
    assert [s.verdict for s in found.signatures] == [Verdict.GENUINE], found.reasons


def test_certificates_name_the_place_they_sign_in(e_result: EResult) -> None:
    with e_result.sealed.open("rb") as file:
        embedded = PdfFileReader(file).embedded_regular_signatures
        assert [s.field_name for s in embedded] == ["HoSoSo_NguoiKy", "HoSoSo_CoQuan"]
        assert [s.signer_cert.subject.native["common_name"] for s in embedded] == [LEADER.name, SEAL.name]
        assert [s.field_name for s in embedded if s.sig_object.get("/Name") == LEADER.name] == [LEADER_PLACE.field_name]
    assert LEADER_PLACE.place is Place.LEADER

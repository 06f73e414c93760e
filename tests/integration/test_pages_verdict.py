"""What a verdict tells beside its sentence: versions, codes in words, the policy, and when to come again."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from api.demo import centre
from signing.isolation import Judges, JudgesBusy
from tests import attacks, signed_files
from tests.integration.test_api_e_results import digitised_dossier, document, issued
from tests.integration.test_ten_files import page_added
from tests.papers import page_pdf

if TYPE_CHECKING:
    from pathlib import Path

    from tests.office import Office


@pytest.fixture(scope="module")
def foreign(office: Office, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Another system's document with two signatures, the second by somebody else."""
    folder: Path = tmp_path_factory.mktemp("foreign")
    first, second = (signer.subject for signer in centre.SIGNERS[:2])
    stamp = office.pki.timestamper()
    one = signed_files.signed_by_hand(
        office.pki, page_pdf("Văn bản nơi khác"), folder / "a.pdf", who=first, timestamper=stamp
    )
    two = signed_files.signed_by_hand(
        office.pki, one.read_bytes(), folder / "b.pdf", who=second, field="Signature2", timestamper=stamp
    )
    return two.read_bytes()


def _checked(office: Office, content: bytes, language: str = "vi") -> str:
    with closing(TestClient(office.client.app, client=("10.13.1.1", 50000))) as client:  # its lifespan is the office's
        client.get(f"/ngon-ngu/{language}")
        return client.post("/kiem-tra", files={"file": ("a.pdf", content)}).text


def test_an_earlier_signature_is_valid_for_its_version(office: Office, foreign: bytes) -> None:
    assert "Hợp lệ cho phiên bản 1; sau đó có thêm chữ ký khác." in _checked(office, foreign)
    english = _checked(office, foreign, "en")
    assert "Valid for version 1; another signature was added later." in english
    assert "Valid for version 2" not in english
    assert "Unit managing the certificate" in english


def test_what_was_changed_stands_on_the_page(office: Office, foreign: bytes) -> None:
    changed = attacks.updated(foreign, attacks.stamp_over_the_page)
    assert "Đã thấy: có ghi chú hoặc hình che lên trang." in _checked(office, changed)
    assert "Seen: notes or shapes were laid over a page." in _checked(office, changed, "en")
    longer = _checked(office, attacks.updated(foreign, page_added))
    assert "Đã thấy: số trang hoặc thứ tự trang đã đổi; nội dung trang đã đổi." in longer


def test_programs_get_the_conclusion_the_policy_and_all_of_each_signature(office: Office, foreign: bytes) -> None:
    said = office.ask("", "POST", "/verifications", files={"file": ("a.pdf", foreign)}).json()
    assert said["conclusion"] == "valid_elsewhere"
    assert said["policy"] == {"name": "hoso-1", "url": f"{office.services.verify_url}/chinh-sach"}
    first, last = said["signatures"]
    assert (first["later"], first["revision"], first["covers_whole_file"]) == (["signature"], 2, False)
    assert (last["later"], last["revision"], last["covers_whole_file"]) == ([], 3, True)
    assert {first["certificate_at_signing"], first["time_source"]} == {"valid", "timestamp"}
    assert first["encoding"] == "ETSI.CAdES.detached"


def test_the_policy_can_be_read(office: Office) -> None:
    page = office.open("", "/kiem-tra/chinh-sach")
    assert page.status_code == 200
    assert "hoso-1" in page.text


def test_whoever_comes_while_many_wait_is_told_when_to_come_again(
    office: Office, foreign: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Judges) -> None:
        raise JudgesBusy(20)

    monkeypatch.setattr(Judges, "_take", full)  # the fault injected: the line is full
    said = office.ask("", "POST", "/verifications", files={"file": ("a.pdf", foreign)})
    assert (said.status_code, said.headers["retry-after"], said.json()["code"]) == (503, "20", "judges_busy")
    assert said.json()["seconds"] == 20
    assert "Đang có nhiều tệp chờ kiểm tra." in _checked(office, foreign)


def test_a_seal_of_no_certificate_on_record_for_the_agency_is_not_confirmed(office: Office) -> None:
    dossier = digitised_dossier(office)
    result = issued(office, dossier)
    pdf = document(office, result)
    first = _checked(office, pdf)
    assert "TÀI LIỆU THẬT, CÒN HIỆU LỰC." in first, first[first.find("<main") :][:1500]
    with office.services.begin() as work:
        seal = work.certificates.for_agency(work.e_results.for_job(UUID(result["id"])).agency)
        other = next(agency.code for agency in work.agencies.all() if agency.code != seal.agency)
    try:
        with office.services.begin() as work:
            work.certificates.keep(replace(seal, active=False))
        retired = _checked(office, pdf)
        with office.services.begin() as work:
            work.certificates.keep(replace(seal, agency=other, active=False))
        vi, en = _checked(office, pdf), _checked(office, pdf, "en")
        said = office.ask("", "POST", "/verifications", files={"file": ("a.pdf", pdf)}).json()
    finally:
        with office.services.begin() as work:
            work.certificates.keep(seal)

    assert "TÀI LIỆU THẬT, CÒN HIỆU LỰC." in retired, "past certificates of the agency count"
    assert "CHƯA XÁC NHẬN ĐƯỢC." in vi
    assert "con dấu trong tệp không phải của chứng thư nào đã ghi cho cơ quan phát hành" in vi
    assert "its seal is of no certificate on record for the agency" in en
    assert '<li class="good">' not in vi, "nothing about it is green"
    assert (said["verdict"], said["conclusion"]) == ("unconfirmed", "unconfirmed")
    assert said["reasons"][0] == "seal_not_on_record"

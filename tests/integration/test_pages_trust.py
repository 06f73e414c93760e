"""The administrator's pages: certificates with their days left, and anchors that two people bring in."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from api.demo import centre
from api.wiring import utc_now
from dossiers import anchors
from dossiers.trust_upkeep import refresh_answers, refresh_revocation_lists
from signing.certificates import facts, grouped
from tests.pki import CLERK, running_pki

if TYPE_CHECKING:
    from pathlib import Path

    from httpx2 import Response

    from dossiers.types import CertificateRecord
    from tests.office import Office

FIRST, SECOND = "quantri", "quantri2"


def offer(office: Office, der: bytes, who: str = FIRST, **fields: str) -> Response:
    given = {"store": "cipher", "reason": "tải từ ca.gov.vn"} | fields
    return office.send(who, "/quan-tri/goc-tin-cay", given, files={"file": ("ca.cer", der)}, follow_redirects=False)


@pytest.fixture
def strange(tmp_path: Path) -> bytes:
    """An authority the office doesn't know."""
    with running_pki(tmp_path / "strange", (CLERK,), organization="Cơ quan khác") as pki:
        return pki.trust.anchor_der


def test_an_anchor_is_added_by_one_and_confirmed_by_another_on_the_pages(own_office: Office, strange: bytes) -> None:
    office = own_office
    added = offer(office, strange)
    assert added.status_code == 303, added.text
    address = added.headers["location"]

    own = office.open(FIRST, address)
    assert "cần quản trị viên khác" in own.text
    assert grouped(facts(strange).sha256) in own.text
    right = {"fingerprint": grouped(facts(strange).sha256), "password": centre.PASSWORD}
    assert office.send(FIRST, f"{address}/xac-nhan", right).status_code == 403

    for wrong, told in (
        ({"fingerprint": "0" * 64}, "không khớp"),
        ({"password": "sai"}, "Mật khẩu không đúng"),
    ):
        refused = office.send(SECOND, f"{address}/xac-nhan", right | wrong)
        assert refused.status_code in {401, 422}
        assert told in refused.text
    assert office.send(SECOND, f"{address}/xac-nhan", right, follow_redirects=False).status_code == 303
    listed = office.open(SECOND, "/quan-tri/goc-tin-cay").text
    assert "được tin" in listed

    bad_day = office.send(FIRST, f"{address}/thoi-tin", {"reason": "x", "at": "32/1/2026", "password": centre.PASSWORD})
    assert "31/12/2030" in bad_day.text
    ended = office.send(
        FIRST, f"{address}/thoi-tin", {"reason": "hết dùng", "password": centre.PASSWORD}, follow_redirects=False
    )
    assert ended.status_code == 303
    shown = office.open(SECOND, address).text
    for said in ("đã thôi tin", "hết dùng", "xác nhận dấu vân tay", "tải từ ca.gov.vn"):
        assert said in shown


@pytest.mark.parametrize(
    ("content", "fields", "told"),
    [
        (b"<html>", {}, "ca.cer"),
        (b"", {}, "ca.cer"),
        (b"0" * 70_000, {}, "quá lớn"),
        (None, {"reason": ""}, "Viết lý do"),
        (None, {"until": "1/1/1990"}, "sau ngày bắt đầu"),
        (None, {"since": "hôm qua"}, "31/12/2030"),
        (None, {"store": "khong-co"}, "31/12/2030"),
    ],
)
def test_what_cannot_be_added_says_which_file_and_why(
    office: Office, strange: bytes, content: bytes | None, fields: dict[str, str], told: str
) -> None:
    before = anchors.every(office.services.begin)
    refused = offer(office, strange if content is None else content, **fields)
    assert refused.status_code == 422
    assert told in refused.text
    assert anchors.every(office.services.begin) == before


def test_an_end_entity_and_what_is_there_already_are_refused(office: Office) -> None:
    trust = office.pki.trust
    assert "không phải cơ quan chứng thực" in offer(office, trust.certificate_der(trust.subject_ids[0])).text
    assert "đã có trong danh sách" in offer(office, trust.anchor_der).text


def test_production_takes_no_demo_anchor_in_on_its_pages(own_office: Office) -> None:
    state = own_office.client.app.state  # type: ignore[attr-defined]
    state.services = replace(own_office.services, in_production=True)
    refused = offer(own_office, own_office.pki.trust.intermediates_der[0])
    assert refused.status_code == 422
    assert "hệ thống thật không nhận" in refused.text


@pytest.mark.parametrize("who", [centre.CLERK, centre.LEADER, centre.POSTAL])
def test_nobody_else_opens_the_administrators_pages(office: Office, who: str) -> None:
    for path in ("/quan-tri", "/quan-tri/goc-tin-cay"):
        assert office.open(who, path).status_code == 403
    assert offer(office, office.pki.trust.anchor_der, who).status_code == 403


def test_the_page_shows_what_the_store_was_seen_to_do(office: Office) -> None:
    page = office.open("quantri", "/quan-tri").text
    assert office.services.capabilities.server in page
    for does in ("từ chối xóa tệp đang khóa", "từ chối rút ngắn hạn khóa", "giữ tệp theo lệnh (legal hold)"):
        assert f"✓ có</span> {does}" in page
    assert "✕ KHÔNG" not in page


def test_certificates_show_their_days_left_whether_they_can_sign_and_who_says_so(own_office: Office) -> None:
    refresh_revocation_lists(own_office.services.begin, now=utc_now())
    refresh_answers(own_office.services.begin, now=utc_now())
    shown = own_office.open(FIRST, "/quan-tri").text
    assert shown.count("✓ dùng được") == len(centre.SIGNERS)
    assert len(re.findall(r"còn \d+ ngày", shown)) == len(centre.SIGNERS)
    assert "tệp khóa ở máy chủ" in shown
    assert "OCSP" in shown
    assert "CRL" in shown


def test_whoever_answers_for_a_certificate_is_told_on_the_page_they_come_to_that_it_ends(own_office: Office) -> None:
    office = own_office
    now = utc_now()
    with office.services.begin() as work:
        leaders = work.certificates.for_person(centre.LEADER)
        seal = work.certificates.for_agency(centre.HONG_GAI)

    def told(who: str) -> list[str]:
        shown = re.findall(r'<div class="note (\w+)"[^>]*><p><strong>(.*?)</strong>', office.open(who, "/viec").text)
        return [f"{tone}: {words}" for tone, words in shown if "hứng thư" in words]

    def lasting(record: CertificateRecord, **more: int) -> None:
        with office.services.begin() as work:
            work.certificates.keep(replace(record, valid_to=now + timedelta(**more)))

    everybody = (centre.LEADER, "vanthu.honggai", centre.CLERK, "giamdoc.tinh", FIRST)
    assert [told(who) for who in everybody] == [[]] * 5

    lasting(leaders, days=25, hours=1)
    (owner,), (administrator,) = told(centre.LEADER), told(FIRST)
    assert owner.startswith("warn: Chứng thư của bạn còn 25 ngày")
    assert administrator.startswith(f"warn: Chứng thư của {leaders.subject} còn 25 ngày")
    assert [told(who) for who in everybody[1:4]] == [[]] * 3, "it is nobody else's business"

    lasting(leaders, days=31, hours=1)
    assert told(centre.LEADER) == []
    lasting(leaders, days=-1, hours=1)
    assert "bad: Chứng thư của bạn đã hết hạn" in told(centre.LEADER)[0]

    lasting(seal, days=7, hours=1)
    assert told("vanthu.honggai")[0].startswith(f"bad: Chứng thư của {seal.subject} còn 7 ngày")
    assert len(told(FIRST)) == 2

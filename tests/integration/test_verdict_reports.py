"""A report of a check: asked for by anybody, sealed by the worker, fetched for a day; only ever our own verdict."""

from __future__ import annotations

import hashlib
import itertools
import re
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pypdfium2
import pytest
from fastapi.testclient import TestClient

from api import tickets
from api.demo import centre
from dossiers import verdict_reports
from dossiers.types import NotFound
from storage import queue
from tests import signed_files
from tests.conftest import _database
from tests.integration import test_annexes as annexes
from tests.integration.conftest import bucket
from tests.integration.test_api_e_results import digitised_dossier, document
from tests.office import running_office
from tests.papers import page_pdf
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from api.embedded.s3 import S3Access
    from tests.office import Office

_CENTRE = next(signer.agency for signer in centre.SIGNERS if not signer.username)
_address = itertools.count(1)
_FETCH = "/bien-ban-kiem-tra.pdf"


@pytest.fixture(scope="module")
def office(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str, migrated_template: str, s3_server: S3Access
) -> Iterator[Office]:
    """An office whose first agency seals reports."""
    for dsn in _database(postgres_server, template=migrated_template):
        folder = tmp_path_factory.mktemp("reports")
        with running_office(folder, dsn, bucket(s3_server), reports_by=_CENTRE) as running:
            yield running


@pytest.fixture(scope="module")
def signed(office: Office, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Another system's document, signed by one of our leaders."""
    leader = next(s.subject for s in centre.SIGNERS if s.username == centre.LEADER)
    file = tmp_path_factory.mktemp("signed") / "a.pdf"
    stamp = office.pki.timestamper()
    return signed_files.signed_by_hand(
        office.pki, page_pdf("Văn bản nơi khác"), file, who=leader, timestamper=stamp
    ).read_bytes()


@contextmanager
def browser(office: Office) -> Iterator[TestClient]:
    address = f"10.14.{next(_address)}.1"
    with closing(TestClient(office.client.app, raise_server_exceptions=False, client=(address, 50000))) as client:
        yield client


def offered(client: TestClient, content: bytes) -> str:
    """What the page with the verdict would send."""
    page = client.post("/kiem-tra", files={"file": ("bi-mat-cua-toi.pdf", content)}).text
    found = re.search(r'name="noi_dung" value="([^"]+)"', page)
    return found[1] if found else ""


def ask(client: TestClient, form: str) -> str:
    """Ask for a report; gives the address of the page about it."""
    answer = client.post("/kiem-tra/bien-ban", data={"noi_dung": form}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def made(office: Office, client: TestClient, content: bytes) -> bytes:
    page = ask(client, offered(client, content))
    office.work_off(queue.SIGN)
    answer = client.get(page + _FETCH)
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(BytesIO(pdf)) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


def kept(office: Office) -> int:
    with office.services.database._engine.begin() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM verdict_reports").scalar_one())


def test_a_report_is_asked_for_sealed_by_the_worker_and_fetched(office: Office, signed: bytes, tmp_path: Path) -> None:
    with browser(office) as client:
        page = ask(client, offered(client, signed))
        waiting = client.get(page).text
        assert "Đang lập biên bản" in waiting
        assert '<meta http-equiv="refresh" content="3">' in waiting, "it looks again by itself without scripts"
        assert client.get(page + _FETCH, follow_redirects=False).status_code == 303

        office.work_off(queue.SIGN)

        ready = client.get(page).text
        assert "Biên bản đã lập và ký xong." in ready
        assert "http-equiv" not in ready
        answer = client.get(page + _FETCH)

    assert answer.headers["content-disposition"] == 'attachment; filename="bien-ban-kiem-tra.pdf"'
    (tmp_path / "report.pdf").write_bytes(answer.content)
    assert_pdfa(tmp_path / "report.pdf", "2a")
    text = text_of(answer.content)
    leader = next(login for login in centre.LOGINS if login.username == centre.LEADER)
    for words in (
        "BIÊN BẢN KIỂM TRA CHỮ KÝ SỐ",
        "CHỮ KÝ HỢP LỆ, NHƯNG KHÔNG DO TRUNG TÂM NÀY PHÁT HÀNH.",
        "THE SIGNATURE IS VALID, BUT THIS CENTRE DIDN'T ISSUE IT.",
        leader.name,
        hashlib.sha256(signed).hexdigest(),
        f"{len(signed)} byte",
        "hoso-1 (ETSI EN 319 102-1)",
        "TOTAL-PASSED",
        "dấu thời gian của chữ ký",
        "Số sê-ri",
        "Phủ cả tệp",
        "Hồ sơ số",
        office.services.verify_url,
    ):
        assert words in text, words
    assert "bi-mat-cua-toi" not in text, "the name of a file can be personal"


def test_the_report_is_genuine_and_never_taken_for_a_result_or_a_copy(office: Office, signed: bytes) -> None:
    with browser(office) as client:
        report = made(office, client, signed)
        vi = client.post("/kiem-tra", files={"file": ("a.pdf", report)}).text
        client.get("/ngon-ngu/en")
        en = client.post("/kiem-tra", files={"file": ("a.pdf", report)}).text
        changed = client.post("/kiem-tra", files={"file": ("a.pdf", report + b"\n% more")}).text
    with office.services.begin() as work:
        name = work.agencies.of(_CENTRE).name
    said = office.ask("", "POST", "/verifications", files={"file": ("a.pdf", report)}).json()

    assert '<div class="verdict info">' in vi
    assert f"BIÊN BẢN KIỂM TRA do {name} lập." in vi
    assert "nó không phải là kết quả giải quyết" in vi
    assert f"A REPORT OF A CHECK, made by {name}." in en
    assert (said["kind"], said["conclusion"], said["register"]["code"]) == ("check_report", "check_report", "not_ours")
    (signature,) = said["signatures"]
    assert signature["field"] == "HoSoSo_BienBan"
    assert signature["timestamp"]
    assert '<div class="verdict bad">' in changed


def test_a_report_that_somebody_else_signed_is_not_called_ours(office: Office, tmp_path: Path) -> None:
    leader = next(s.subject for s in centre.SIGNERS if s.username == centre.LEADER)
    file = signed_files.signed_by_hand(
        office.pki,
        page_pdf("Biên bản tự làm"),
        tmp_path / "a.pdf",
        who=leader,
        field="HoSoSo_BienBan",
        timestamper=office.pki.timestamper(),
    )
    said = office.ask("", "POST", "/verifications", files={"file": ("a.pdf", file.read_bytes())}).json()

    assert (said["kind"], said["conclusion"]) == ("check_report", "valid_elsewhere")


def test_nobody_can_have_another_text_sealed(office: Office, signed: bytes) -> None:
    now = datetime.now(UTC)
    secret = office.services.secret
    with browser(office) as client:
        form = offered(client, signed)
        body, _, seal = form.partition(".")
        forged = [
            "",
            f"{body[:-4]}AAAA.{seal}",
            tickets.sealed(b"another secret of another service, long", "verdict-report", "x", until=now + timedelta(1)),
            tickets.sealed(secret, "download", "x", until=now + timedelta(1)),
            tickets.sealed(secret, "verdict-report", "x", until=now - timedelta(seconds=1)),
        ]
        before = kept(office)
        for one in forged:
            answer = client.post("/kiem-tra/bien-ban", data={"noi_dung": one}, follow_redirects=False)
            assert answer.status_code == 410
            assert "Chưa lập biên bản nào." in answer.text
    assert kept(office) == before


def test_after_a_day_it_is_deleted_and_only_a_hash_of_the_ticket_was_ever_kept(office: Office, signed: bytes) -> None:
    with browser(office) as client:
        page = ask(client, offered(client, signed))
        ticket = page.rpartition("/")[2]
        begin = office.services.begin
        asked = verdict_reports.held(begin, ticket, now=datetime.now(UTC))
        assert asked.ticket_sha256 == hashlib.sha256(ticket.encode()).hexdigest()
        over = asked.asked_at + timedelta(hours=24)
        with pytest.raises(NotFound):
            verdict_reports.held(begin, ticket, now=over)
        verdict_reports.forget(begin, now=over - timedelta(seconds=1))
        assert client.get(page).status_code == 200

        verdict_reports.forget(begin, now=over)

        gone = client.get(page)
        assert gone.status_code == client.get(page + _FETCH).status_code == 404
        assert "Không có biên bản nào ở địa chỉ này." in gone.text
    office.work_off(queue.SIGN)  # the job that still waited finds nothing, and that is all right


def test_strangers_cannot_make_the_seal_sign_at_will(
    office: Office, signed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with browser(office) as client:
        form = offered(client, signed)
        answers = [
            client.post("/kiem-tra/bien-ban", data={"noi_dung": form}, follow_redirects=False).status_code
            for _ in range(20)
        ]
        assert 429 in answers, "one address"
    monkeypatch.setattr(verdict_reports, "MOST_AN_HOUR", 0)
    with browser(office) as client:
        answer = client.post("/kiem-tra/bien-ban", data={"noi_dung": offered(client, signed)}, follow_redirects=False)
        assert answer.status_code == 429, "all together"
        assert "Đang có quá nhiều biên bản được yêu cầu." in answer.text


def test_an_agency_without_a_seal_is_told_honestly(office: Office, signed: bytes) -> None:
    with office.services.begin() as work:
        seal = work.certificates.for_agency(_CENTRE)
        work.certificates.keep(replace(seal, active=False))
    try:
        with browser(office) as client:
            page = ask(client, offered(client, signed))
            office.work_off(queue.SIGN)
            told = client.get(page).text
    finally:
        with office.services.begin() as work:
            work.certificates.keep(seal)
    assert "Không lập được biên bản có ký." in told
    assert "chưa có con dấu" in told
    assert "http-equiv" not in told


def test_without_the_setting_no_report_is_offered(office: Office, signed: bytes) -> None:
    app = office.client.app
    services = office.services
    app.state.services = replace(services, reports_by="")  # type: ignore[attr-defined]
    try:
        with browser(office) as client:
            assert offered(client, signed) == ""
    finally:
        app.state.services = services  # type: ignore[attr-defined]


def test_every_kind_of_file_that_the_register_speaks_of_can_have_a_report(office: Office) -> None:
    dossier = digitised_dossier(office)
    result = annexes.issued(office, dossier, "kèm theo")
    for content in (document(office, result), annexes.annex_file(office, result, 1)):
        with browser(office) as client:
            page = client.post("/kiem-tra", files={"file": ("van-ban.pdf", content)})
            assert page.status_code == 200, page.text
            assert result["number"] in text_of(made(office, client, content))

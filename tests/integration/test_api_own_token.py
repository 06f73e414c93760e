"""The whole-PDF round trip by the API: out by a one-time link, back signed, and all that may come back instead."""

from __future__ import annotations

import resource
import subprocess
import threading
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from api.demo import centre
from api.wiring import utc_now
from dossiers import own_token
from dossiers.labels import CODES
from dossiers.own_token import LASTS, MOST_REFUSALS
from signing import isolation
from signing.isolation import Judges, Limits
from signing.returned import Refusal
from signing.types import Place
from storage.signing_links import PostgresSigningLinks
from tests import desktop_tool as tool
from tests.conftest import _database
from tests.integration.conftest import bucket
from tests.integration.test_api_e_results import (
    SEAL_KEEPER,
    approve,
    digitised_dossier,
    document,
    look,
    ok,
    submitted,
    verify,
)
from tests.office import Office, onto_own_token, running_office, seal_onto_own_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from api.embedded.s3 import S3Access
    from signing.keys import SigningKey

BASE = "http://127.0.0.1:8000"
OTHERS_LEADER = "giamdoc.coto"


@dataclass
class Desk:
    """An office whose leader holds the key on a token of his own, and a dossier to decide."""

    office: Office
    key: SigningKey
    dossier: dict[str, Any] = field(default_factory=dict)

    def waiting(self) -> dict[str, Any]:
        """A result that the leader has approved and is to sign."""
        result = submitted(self.office, self.dossier)
        ok(approve(self.office, result))
        return look(self.office, result)

    def link(self, result: dict[str, Any], who: str = centre.LEADER) -> dict[str, Any]:
        return ok(self.office.ask(who, "POST", f"/e-results/{result['id']}/signing-links"))

    def fetch(self, link: dict[str, Any]) -> Any:
        return self.office.client.get(link["document_url"].removeprefix(BASE))

    def send(self, link: dict[str, Any], pdf: bytes, **more: Any) -> Any:
        files = {"uploadfile": ("van-ban.signed.pdf", pdf, "application/pdf")}
        return self.office.client.post(link["upload_url"].removeprefix(BASE), files=files, **more)

    def signed(self, link: dict[str, Any], **how: Any) -> bytes:
        return tool.signed(self.fetch(link).content, self.key, **how)

    def last(self, result: dict[str, Any]) -> dict[str, Any]:
        return ok(self.office.ask(centre.LEADER, "GET", f"/e-results/{result['id']}/signing-links/last"))

    def events(self, result: dict[str, Any]) -> list[str]:
        with self.office.services.begin() as work:
            return [line.event for line in work.audit.of(UUID(result["id"]))]


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str, migrated_template: str, s3_server: S3Access
) -> Iterator[Desk]:
    for dsn in _database(postgres_server, template=migrated_template):
        with running_office(tmp_path_factory.mktemp("own-token"), dsn, bucket(s3_server)) as office:
            desk = Desk(office, onto_own_token(office, centre.LEADER))
            desk.dossier = digitised_dossier(office)
            yield desk


# --- the way it should go ---------------------------------------------------------------------------------------------


def test_approval_leads_to_a_step_with_an_owner_and_no_job(desk: Desk) -> None:
    result = desk.waiting()
    desk.office.work_off()
    waiting = look(desk.office, result)

    assert waiting["state"]["code"] == "approved"
    assert waiting["trouble"] == ""
    assert (waiting["next_step"]["code"], waiting["next_step"]["role"]) == ("sign_with_token", "leader")


def test_the_link_serves_the_exact_bytes_and_says_what_is_expected(desk: Desk) -> None:
    result = desk.waiting()
    link = desk.link(result)
    served = desk.fetch(link)

    assert served.content == document(desk.office, result)
    assert served.headers["content-type"] == "application/pdf"
    assert link["document_sha256"] == result["document_sha256"]
    assert "Đặng Quốc Vỹ" in link["certificate"]["subject"]
    assert link["certificate"]["status_known"] is True
    assert link["command"] == "SignApproved"
    assert link["parameters"]["FileName"] == link["document_url"]
    assert link["parameters"]["FileUploadHandler"] == link["upload_url"]
    assert link["document_url"].endswith(".pdf"), "tools go by the name"


@pytest.mark.parametrize("how", [{}, {"own_field": (60, 60, 230, 90)}], ids=["our field", "a field of its own"])
def test_a_document_signed_with_the_leaders_token_is_issued_and_genuine(desk: Desk, how: dict[str, Any]) -> None:
    result = desk.waiting()
    link = desk.link(result)
    sent = desk.fetch(link).content

    answer = desk.send(link, tool.signed(sent, desk.key, **how))
    taken = look(desk.office, result)
    desk.office.work_off()

    assert answer.json() | {"Message": ""} == {
        "Status": 0,
        "Message": "",
        "FileName": link["document_url"].rpartition("/")[2],
        "FileServer": f"{BASE}/ket-qua/{result['id']}",
    }
    assert taken["next_step"]["code"] == "await_timestamp"
    pdf = document(desk.office, result)
    assert look(desk.office, result)["state"]["code"] == "issued", look(desk.office, result)["trouble"]
    assert pdf.startswith(sent)
    verdict = verify(desk.office, pdf)
    assert (verdict["verdict"], verdict["in_force"]) == ("genuine", True)
    assert [s["field"] for s in verdict["signatures"]] == ["HoSoSo_NguoiKy", "HoSoSo_CoQuan"]
    assert all(s["timestamp"] for s in verdict["signatures"])


def test_the_same_upload_sent_twice_is_done_once(desk: Desk) -> None:
    result = desk.waiting()
    link = desk.link(result)
    signed = desk.signed(link)

    first, again = desk.send(link, signed), desk.send(link, signed)
    desk.office.work_off()
    later = desk.send(link, signed)

    assert [a.json()["Status"] for a in (first, again, later)] == [0, 0, 0]
    assert desk.events(result).count("e_result.token_signed") == 1
    assert desk.events(result).count("e_result.issued") == 1
    assert look(desk.office, result)["state"]["code"] == "issued"


def test_a_used_link_takes_no_other_file_and_serves_none(desk: Desk) -> None:
    result = desk.waiting()
    link = desk.link(result)
    one, other = desk.signed(link), desk.signed(link)
    assert one != other

    desk.send(link, one)

    assert desk.send(link, other).json()["Status"] == 1
    assert "không cần ký lại" in desk.send(link, other).json()["Message"].lower()
    gone = desk.fetch(link)
    assert (gone.status_code, gone.json()["reason"]) == (410, "link_used")


# --- what may come back instead ---------------------------------------------------------------------------------------

BAD: dict[str, tuple[str, Callable[[Desk, bytes], bytes]]] = {
    "unsigned": (Refusal.UNSIGNED, lambda _, sent: sent),
    "no PDF": (Refusal.NOT_A_PDF, lambda *_: b"<html>" * 400),
    "garbage": (Refusal.NOT_A_PDF, lambda *_: bytes(range(256)) * 64),
    "half": (Refusal.CUT_SHORT, lambda _, sent: sent[: len(sent) // 2]),
    "another document": (Refusal.ANOTHER_DOCUMENT, lambda d, sent: tool.signed(tool.another(sent), d.key)),
    "edited, then signed": (Refusal.CONTENT_CHANGED, lambda d, sent: tool.signed(tool.edited(sent), d.key)),
    "signed twice": (
        Refusal.SEVERAL_SIGNATURES,
        lambda d, sent: tool.signed(tool.signed(sent, d.key), d.key, own_field=(60, 60, 230, 90)),
    ),
    "the wrong field": (Refusal.WRONG_FIELD, lambda d, sent: tool.signed(sent, d.key, place=Place.SEAL)),
    "another certificate": (
        Refusal.ANOTHER_CERTIFICATE,
        lambda d, sent: tool.signed(sent, tool.key_of(d.office.pki, OTHERS_LEADER)),
    ),
}


@pytest.mark.parametrize("how", BAD)
def test_what_is_not_the_signed_document_moves_nothing_and_is_told(desk: Desk, how: str) -> None:
    reason, made = BAD[how]
    result = desk.waiting()
    link = desk.link(result)

    answer = desk.send(link, made(desk, desk.fetch(link).content))
    desk.office.work_off()

    assert answer.status_code == 200
    assert answer.json()["Status"] != 0
    assert "không thay đổi, vẫn an toàn" in answer.json()["Message"]
    still = look(desk.office, result)
    assert (still["state"]["code"], still["document_sha256"]) == ("approved", result["document_sha256"])
    assert still["next_step"]["code"] == "sign_with_token"
    last = desk.last(result)
    assert (last["refusal"]["code"], last["refusals"]) == (reason, 1)
    assert last["refusal"]["vi"] == answer.json()["Message"]

    assert desk.send(link, desk.signed(link)).json()["Status"] == 0, "the right one is taken afterwards"
    assert desk.last(result)["refusal"] is None


def test_both_names_are_told_when_another_token_was_in(desk: Desk) -> None:
    link = desk.link(desk.waiting())
    message = desk.send(link, BAD["another certificate"][1](desk, desk.fetch(link).content)).json()["Message"]

    assert "Phạm Hữu Quyết" in message
    assert "Đặng Quốc Vỹ" in message


def test_a_late_upload_is_refused_and_a_new_link_helps(desk: Desk) -> None:
    result = desk.waiting()
    link = desk.link(result)
    signed = desk.signed(link)
    _make_older(desk, link)

    late = desk.send(link, signed)

    assert late.json()["Status"] == 1
    assert "hết hạn" in late.json()["Message"]
    assert desk.fetch(link).json()["reason"] == "link_expired"
    assert desk.send(desk.link(result), signed).json()["Status"] == 0, "the same signed file by a new link"


def test_a_result_returned_meanwhile_is_not_signed(desk: Desk) -> None:
    result = desk.waiting()
    link = desk.link(result)
    signed = desk.signed(link)
    ok(desk.office.ask(centre.LEADER, "POST", f"/e-results/{result['id']}/return", json={"comment": "sửa tên"}))

    answer = desk.send(link, signed)

    assert "không còn chờ chữ ký này" in answer.json()["Message"]
    assert look(desk.office, result)["state"]["code"] == "draft"
    assert desk.fetch(link).json()["reason"] == "link_moved_on"


def test_an_unknown_link_is_told_without_reading_a_file(desk: Desk) -> None:
    nowhere = {"upload_url": f"{BASE}/api/v1/signing-links/{'x' * 43}/signed"}

    answer = desk.send(nowhere, b"%PDF-" + bytes(5_000_000))

    assert answer.json()["Status"] == 1
    assert "không có" in answer.json()["Message"]


def test_a_huge_upload_stops_at_the_limit(desk: Desk) -> None:
    result = desk.waiting()
    link = desk.link(result)

    answer = desk.send(link, b"%PDF-" + bytes(desk.office.services.max_verification_bytes))

    assert answer.json()["Status"] == 1
    assert desk.last(result)["refusal"]["code"] == "upload_too_large"


def test_a_form_without_the_file_is_told(desk: Desk) -> None:
    link = desk.link(desk.waiting())

    answer = desk.office.client.post(link["upload_url"].removeprefix(BASE), files={"file": ("a.pdf", b"%PDF-")})

    assert answer.json()["Status"] == 1
    assert "đứt giữa chừng" in answer.json()["Message"]


def test_a_link_wears_out(desk: Desk) -> None:
    result = desk.waiting()
    link = desk.link(result)
    for _ in range(MOST_REFUSALS):
        desk.send(link, b"not a PDF")

    assert "quá nhiều lần" in desk.send(link, desk.office.client.get("/").content).json()["Message"]
    assert desk.send(desk.link(result), desk.signed(desk.link(result))).json()["Status"] == 0


def test_only_the_one_who_is_to_sign_gets_a_link(desk: Desk) -> None:
    result = desk.waiting()
    path = f"/e-results/{result['id']}/signing-links"

    assert desk.office.ask(centre.CLERK, "POST", path).status_code == 403
    assert desk.office.ask(SEAL_KEEPER, "POST", path).status_code == 403
    assert desk.office.ask(OTHERS_LEADER, "POST", path).status_code == 404
    assert desk.office.ask("", "POST", path).status_code == 401


def test_there_is_no_link_before_approval_nor_after_signing(desk: Desk) -> None:
    result = submitted(desk.office, desk.dossier)
    path = f"/e-results/{result['id']}/signing-links"
    assert desk.office.ask(centre.LEADER, "POST", path).status_code == 409

    ok(approve(desk.office, result))
    link = desk.link(result)
    desk.send(link, desk.signed(link))

    assert desk.office.ask(centre.LEADER, "POST", path).status_code == 409


def test_the_secret_of_a_link_is_kept_nowhere(desk: Desk) -> None:
    link = desk.link(desk.waiting())
    token = link["upload_url"].split("/")[-2]
    with desk.office.services.begin() as work:
        kept = work.signing_links.lock(UUID(link["id"]))

    assert token not in repr(kept)
    assert len(token) >= 43


# --- the seal keeper -------------------------------------------------------------------------------------------------


def test_the_seal_keeper_seals_with_a_token_the_same_way(
    tmp_path: Path, migrated_dsn: str, s3_server: S3Access
) -> None:
    with running_office(tmp_path, migrated_dsn, bucket(s3_server)) as office:
        dossier = digitised_dossier(office)  # before: the same seal signs the copies
        seal = seal_onto_own_token(office, centre.HONG_GAI)
        desk = Desk(office, seal, dossier)
        result = desk.waiting()
        office.work_off()
        waits = look(office, result)
        assert (waits["state"]["code"], waits["next_step"]["code"]) == ("leader_signed", "sign_with_token")
        assert waits["next_step"]["role"] == "seal_keeper"
        assert office.ask(centre.LEADER, "POST", f"/e-results/{result['id']}/signing-links").status_code == 403

        link = desk.link(result, SEAL_KEEPER)
        assert link["command"] == "SignIssued"
        wrong = desk.send(link, tool.signed(desk.fetch(link).content, seal, own_field=(60, 60, 230, 90)))
        assert "khung dành cho người khác" in wrong.json()["Message"]
        assert desk.send(link, desk.signed(link, place=Place.SEAL)).json()["Status"] == 0
        office.work_off()

        assert look(office, result)["state"]["code"] == "issued", look(office, result)["trouble"]
        assert verify(office, document(office, result))["verdict"] == "genuine"


# --- at once, and over a death ----------------------------------------------------------------------------------------


def test_two_uploads_at_once_are_taken_once(desk: Desk) -> None:
    result = desk.waiting()
    link = desk.link(result)
    files = [desk.signed(link) for _ in range(3)] + [b"%PDF-junk"]
    answers: list[int] = []
    start = threading.Barrier(len(files))

    def upload(pdf: bytes) -> None:
        start.wait()
        answers.append(desk.send(link, pdf).json()["Status"])

    threads = [threading.Thread(target=upload, args=(pdf,)) for pdf in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.office.work_off()

    assert sorted(answers) == [0, 1, 1, 1]
    assert desk.events(result).count("e_result.token_signed") == 1
    assert look(desk.office, result)["state"]["code"] == "issued"


def test_two_links_of_one_document_are_taken_once(desk: Desk) -> None:
    result = desk.waiting()
    one, other = desk.link(result), desk.link(result)

    assert desk.send(one, desk.signed(one)).json()["Status"] == 0
    assert (
        "không còn chờ chữ ký này"
        in desk.send(other, tool.signed(document(desk.office, result), desk.key)).json()["Message"]
    )


def test_killed_between_store_and_record_nothing_is_lost_and_nothing_doubled(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault put in: the process is gone after the file was stored, before the commit."""
    result = desk.waiting()
    link = desk.link(result)
    signed = desk.signed(link)

    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    token = link["upload_url"].split("/")[-2]
    office = desk.office.services
    file = office.work_dir / "back.pdf"
    file.write_bytes(signed)
    with monkeypatch.context() as patched:
        patched.setattr(PostgresSigningLinks, "keep", die)
        with pytest.raises(Killed):
            own_token.take(
                office.begin, office.store, token, file, examiner=office.judges, now=utc_now(), work_dir=office.work_dir
            )
    assert look(desk.office, result)["next_step"]["code"] == "sign_with_token"

    assert desk.send(link, signed).json()["Status"] == 0
    desk.office.work_off()
    assert desk.events(result).count("e_result.token_signed") == 1
    assert look(desk.office, result)["state"]["code"] == "issued"


# --- the certificate --------------------------------------------------------------------------------------------------


def test_every_reason_has_words_in_both_languages() -> None:
    for refusal in Refusal:
        vi, en = CODES[refusal.value]
        assert "không thay đổi" in vi
        assert "unchanged" in en


def test_the_leader_may_take_it_back_before_it_is_signed(desk: Desk) -> None:
    result = desk.waiting()
    ok(desk.office.ask(centre.LEADER, "POST", f"/e-results/{result['id']}/return", json={"comment": "thôi"}))

    assert look(desk.office, result)["state"]["code"] == "draft"


def _make_older(desk: Desk, link: dict[str, Any]) -> None:
    with desk.office.services.begin() as work:
        kept = work.signing_links.lock(UUID(link["id"]))
        work.signing_links.keep(
            replace(kept, made_at=kept.made_at - LASTS, expires_at=kept.expires_at - LASTS - timedelta(seconds=1))
        )


def test_a_timestamp_that_the_tool_put_over_it_is_kept(desk: Desk) -> None:
    result = desk.waiting()
    link = desk.link(result)
    signed = tool.stamped(desk.signed(link), desk.office.pki.timestamper())

    assert desk.send(link, signed).json()["Status"] == 0
    desk.office.work_off()

    pdf = document(desk.office, result)
    assert pdf.startswith(signed)
    assert verify(desk.office, pdf)["verdict"] == "genuine"


def test_many_approved_together_lead_to_the_token_one_after_the_other(desk: Desk) -> None:
    results = [submitted(desk.office, desk.dossier) for _ in range(2)]
    for result in results:
        desk.office.send(
            centre.LEADER, f"/ket-qua/{result['id']}/da-doc", {"sha256": look(desk.office, result)["document_sha256"]}
        )
    chosen = [f"{r['id']}:{look(desk.office, r)['document_sha256']}" for r in results]

    page = desk.office.send(centre.LEADER, "/ket-qua/duyet", {"van_ban": chosen, "password": centre.PASSWORD}).text

    assert "Ký 2 văn bản bằng USB token" in page
    assert 'href="/ket-qua/ky-token"' in page
    assert "hx-trigger" not in page.split('id="batch"')[1].split(">")[0], "nothing moves by itself before it is signed"
    assert [look(desk.office, r)["next_step"]["code"] for r in results] == ["sign_with_token"] * 2
    first = desk.office.open(centre.LEADER, "/ket-qua/ky-token")
    assert first.url.path.endswith("/ky-token")
    assert "văn bản khác chờ ký" in first.text


# --- hostile files ----------------------------------------------------------------------------------------------------

#: A judge that some files take over: the fault we inject, for no file is known that does it.
_POSSESSED = """
import os, sys
from signing import judge
honest = judge._Room._examined
def examined(self, asked, descriptor):
    begins = os.pread(descriptor, 5, asked["sent_bytes"])
    while begins == b"%SPIN":
        pass
    if begins == b"%DIES":
        os.abort()
    return honest(self, asked, descriptor)
judge._Room._examined = examined
judge.main(sys.argv[1])
"""


@contextmanager
def _judged_by(desk: Desk, monkeypatch: pytest.MonkeyPatch, folder: Path, **limits: float) -> Iterator[Judges]:
    """Judges of this test alone, which some files take over."""
    program = folder / "possessed.py"
    program.write_text(_POSSESSED)
    real = subprocess.Popen

    def instead(command: list[str], **how: Any) -> Any:
        return real([command[0], str(program), command[-1]], **how)

    judges = Judges(1, limits=Limits(**limits))  # type: ignore[arg-type]
    app: Any = desk.office.client.app
    with monkeypatch.context() as patched:
        patched.setattr(isolation.subprocess, "Popen", instead)
        app.state.services = replace(desk.office.services, judges=judges)
        try:
            yield judges
        finally:
            app.state.services = desk.office.services
            judges.close()


@pytest.mark.parametrize("begins", [b"%SPIN", b"%DIES"])
def test_a_returned_file_that_kills_who_reads_it_leaves_the_web_alive_and_the_link_open(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, begins: bytes
) -> None:
    result = desk.waiting()
    link = desk.link(result)
    with _judged_by(desk, monkeypatch, tmp_path, cpu_s=1):
        answer = desk.send(link, begins + bytes(1000))
        assert (answer.status_code, answer.json()["Status"]) == (200, 1)
        assert "quá phức tạp" in answer.json()["Message"]
        assert "không thay đổi, vẫn an toàn" in answer.json()["Message"]
        assert desk.last(result)["refusal"]["code"] == Refusal.TOO_COMPLEX
        assert look(desk.office, result)["next_step"]["code"] == "sign_with_token"
        assert desk.send(link, desk.signed(link)).json()["Status"] == 0, "the right one is taken by the same link"


def test_a_bomb_as_returned_file_is_refused_within_the_limits(desk: Desk) -> None:
    """Two hundred megabytes in a few hundred bytes, as the list of objects of a revision added to the sent document."""
    result = desk.waiting()
    link = desk.link(result)
    sent = desk.fetch(link).content
    inner = zlib.compressobj()
    packed = zlib.compress(b"".join(inner.compress(bytes(1 << 20)) for _ in range(200)) + inner.flush())
    head = b"\n99 0 obj\n<</Type/XRef/Size 9/W[1 2 1]/Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n"
    bomb = head % len(packed) + packed + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % (len(sent) + 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    answer = desk.send(link, sent + bomb)

    assert (answer.status_code, answer.json()["Status"]) == (200, 1)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 * 1024, "kilobytes: nothing of it was unpacked in the web's own process"
    assert desk.last(result)["refusal"]["code"] in (Refusal.DAMAGED, Refusal.TOO_COMPLEX)
    assert desk.send(link, desk.signed(link)).json()["Status"] == 0


def test_while_all_judges_are_busy_nothing_is_counted_against_the_link(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = desk.waiting()
    link = desk.link(result)
    signed = desk.signed(link)
    with _judged_by(desk, monkeypatch, tmp_path, line=0) as judges:
        with judges._a_judge():  # the only one is at work
            answer = desk.send(link, signed)
            page = desk.office.send(
                centre.LEADER, f"/ket-qua/{result['id']}/ky-token/tai-len", files={"file": ("a.pdf", signed)}
            )
        assert (answer.status_code, answer.json()["Status"]) == (503, 1)
        assert int(answer.headers["retry-after"]) > 0
        assert "không cần ký lại" in answer.json()["Message"]
        assert page.status_code == 503
        assert "Đang có nhiều tệp chờ kiểm tra" in page.text
        assert desk.send(link, signed).json()["Status"] == 0
        assert desk.last(result)["refusals"] == 0

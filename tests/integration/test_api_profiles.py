"""The two ways to sign a digitised copy, scans that arrive signed, and pages that can't be read."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pypdf
import pytest

from api.demo import centre
from api.wiring import utc_now
from dossiers import digitization
from dossiers.ports import ObjectMissing, StoreUnavailable
from storage import queue
from tests.integration.test_api_e_results import PASSWORD, ok, verify
from tests.integration.test_api_intake import add, open_dossier
from tests.papers import scan_pdf, scan_png
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from pathlib import Path

    from tests.office import Office

UONG_BI = "motcua.uongbi"


def component_of(office: Office, dossier: dict[str, Any], component: dict[str, Any], who: str = centre.CLERK) -> Any:
    return ok(office.ask(who, "GET", f"/dossiers/{dossier['id']}/components/{component['id']}"))


def file_of(office: Office, dossier: dict[str, Any], component: dict[str, Any], what: str, who: str) -> bytes:
    return office.ask(who, "GET", f"/dossiers/{dossier['id']}/components/{component['id']}/{what}").content


def test_in_the_capture_profile_the_scanning_person_signs_before_anything_is_extracted(
    office: Office, tmp_path: Path
) -> None:
    dossier = open_dossier(office, UONG_BI)
    component = ok(add(office, dossier, "a.png", scan_png("Số: 12/QĐ-UBND", str(uuid.uuid4()), dpi=300), who=UONG_BI))
    office.work_off()
    path = f"/dossiers/{dossier['id']}/components/{component['id']}"

    signed = file_of(office, dossier, component, "copy", UONG_BI)
    history = [line["event"] for line in ok(office.ask(UONG_BI, "GET", f"/dossiers/{dossier['id']}/history"))]
    ok(office.ask(UONG_BI, "POST", f"{path}/review", json={"words": {"1": {"0": "Sửa"}}, "fields": {"number": "12"}}))
    office.work_off()

    verdict = verify(office, signed)
    file = tmp_path / "copy.pdf"
    file.write_bytes(signed)
    fields = ok(office.ask(UONG_BI, "GET", f"{path}/fields"))
    assert (verdict["verdict"], verdict["kind"]) == ("genuine", "electronic_copy")
    assert [s["field"] for s in verdict["signatures"]] == ["HoSoSo_NguoiQuet"]
    assert verdict["signatures"][0]["signer"] == "Bùi Đình Hiếu"
    assert "copy.signed" in history
    assert {f["key"]: f["value"] for f in fields}["number"] == "12"
    # The correction lives beside the signed file, which stays as it was.
    assert file_of(office, dossier, component, "copy", UONG_BI) == signed
    assert component_of(office, dossier, component, UONG_BI)["state"]["code"] == "digitized"
    assert ok(office.ask(UONG_BI, "GET", f"{path}/text"))["pages"][0]["text"].startswith("Sửa")
    assert_pdfa(file, "2b")


def test_a_scan_that_arrives_signed_is_kept_byte_for_byte_with_a_derivative_that_says_so(
    office: Office, tmp_path: Path
) -> None:
    first = open_dossier(office, UONG_BI)
    paper = ok(add(office, first, "a.png", scan_png("Giấy xác nhận", str(uuid.uuid4())), who=UONG_BI))
    office.work_off()
    signed = file_of(office, first, paper, "copy", UONG_BI)

    dossier = open_dossier(office)
    component = ok(add(office, dossier, "da-ky.pdf", signed))
    office.work_off()
    ok(office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/components/{component['id']}/review", json={}))
    office.work_off()

    seen = component_of(office, dossier, component)
    derivative = tmp_path / "derivative.pdf"
    derivative.write_bytes(file_of(office, dossier, component, "searchable", centre.CLERK))
    reader = pypdf.PdfReader(derivative)
    assert seen["signed_scan"]
    assert seen["state"]["code"] == "digitized"
    assert seen["copy_sha256"] == hashlib.sha256(signed).hexdigest()
    assert file_of(office, dossier, component, "copy", centre.CLERK) == signed
    assert "không có chữ ký số" in reader.pages[0].extract_text()
    assert "/AcroForm" not in reader.trailer["/Root"]


def test_a_page_that_cannot_be_read_is_set_aside_and_taken_up_again(office: Office) -> None:
    dossier = open_dossier(office)
    half = scan_pdf("Trang một", "Trang hai", "Trang ba")
    component = ok(add(office, dossier, "a.pdf", half))
    with office.services.begin() as work:
        poison = work.components.pages(UUID(component["id"]))[1].id
        for _ in range(digitization.MAX_ATTEMPTS):
            work.components.begin_attempt(poison)  # as if the page had killed its reader three times
    office.work_off()

    aside = component_of(office, dossier, component)
    path = f"/dossiers/{dossier['id']}/components/{component['id']}"
    pages = ok(office.ask(centre.CLERK, "GET", f"{path}/progress"))["pages"]
    ok(office.ask(centre.CLERK, "POST", f"{path}/retry"))
    office.work_off()

    assert (aside["state"]["code"], aside["trouble"]) == ("set_aside", "reader_died")
    assert [p["state"]["code"] for p in pages] == ["read", "set_aside", "read"]
    assert component_of(office, dossier, component)["state"]["code"] == "read"


def test_a_store_that_lies_for_a_while_costs_nobody_a_word_and_one_that_goes_on_is_told_of(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.png", scan_png("Giấy", str(uuid.uuid4()))))

    def lying(*_: object, **__: object) -> None:
        raise ObjectMissing("other bytes")

    def again(attempts: int) -> None:
        """The next try is due; so many have been."""
        with psycopg.connect(office.services.dsn) as connection:
            due = "update procrastinate_jobs set scheduled_at = now(), attempts = %s"
            mine = " where status = 'todo' and task_name = %s"
            assert connection.execute(due + mine, [attempts, queue.READ_PAGE]).rowcount > 0
        office.work_off()

    with monkeypatch.context() as patched:
        patched.setattr(office.services.store, "fetch", lying)
        office.work_off()
        waiting = component_of(office, dossier, component)
        again(6)
        still = component_of(office, dossier, component)
        again(7)
        aside = component_of(office, dossier, component)
    assert [seen["state"]["code"] for seen in (waiting, still, aside)] == ["received", "received", "set_aside"]
    assert aside["trouble"] == "object_missing"

    ok(office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/components/{component['id']}/retry"))
    with monkeypatch.context() as patched:
        patched.setattr(office.services.store, "fetch", lying)
        office.work_off()
    again(1)
    assert component_of(office, dossier, component)["state"]["code"] == "read"


def test_a_paper_whose_pdf_kills_whoever_makes_it_is_set_aside_while_the_dossier_goes_on(office: Office) -> None:
    dossier = open_dossier(office)
    poison = ok(add(office, dossier, "a.png", scan_png("Giấy thứ nhất", str(uuid.uuid4()))))
    other = ok(add(office, dossier, "b.png", scan_png("Giấy thứ hai", str(uuid.uuid4()))))
    with office.services.begin() as work:
        for _ in range(digitization.MAX_ATTEMPTS):
            work.components.begin_assembly(UUID(poison["id"]))  # as if it had killed its worker three times
    office.work_off()

    aside = component_of(office, dossier, poison)
    assert (aside["state"]["code"], aside["trouble"]) == ("set_aside", "assembly_died")
    assert component_of(office, dossier, other)["state"]["code"] == "read"
    ok(office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/components/{poison['id']}/retry"))
    office.work_off()
    assert component_of(office, dossier, poison)["state"]["code"] == "read"


def test_a_pdf_that_fails_without_killing_anybody_isnt_counted(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.png", scan_png("Giấy", str(uuid.uuid4()))))
    really = digitization._made
    tries: list[int] = []

    def away(*given: Any, **more: Any) -> Any:
        with office.services.begin() as work:
            tries.append(work.components.begin_assembly(UUID(component["id"])))
        raise StoreUnavailable

    monkeypatch.setattr(digitization, "_made", away)
    office.work_off(queue.PAGE, queue.PAPER)
    services = office.services
    for _ in range(digitization.MAX_ATTEMPTS + 1):
        with pytest.raises(StoreUnavailable):
            digitization.assemble(
                services.begin,
                services.store,
                UUID(component["id"]),
                0,
                now=utc_now(),
                work_dir=services.work_dir,
            )
    monkeypatch.setattr(digitization, "_made", really)

    assert set(tries) == {2}  # this one and its own count: nothing was left over from the one before
    assert component_of(office, dossier, component)["state"]["code"] == "received"


def test_a_rescan_takes_the_place_of_the_first_scan_and_both_are_kept(office: Office) -> None:
    dossier = open_dossier(office)
    old = ok(add(office, dossier, "mo.png", scan_png("Bản mờ", str(uuid.uuid4()), dpi=120)))
    with_replacement = office.ask(
        centre.CLERK,
        "POST",
        f"/dossiers/{dossier['id']}/components",
        data={"kind": "", "name": "Bản quét lại", "replaces": old["id"]},
        files={"file": ("ro.png", scan_png("Bản rõ", str(uuid.uuid4()), dpi=300))},
    )
    office.work_off()

    new = ok(with_replacement)
    listed = ok(office.ask(centre.CLERK, "GET", f"/dossiers/{dossier['id']}"))["components"]
    assert [c["id"] for c in listed] == [new["id"]]
    assert new["ordinal"] == old["ordinal"] + 1
    assert file_of(office, dossier, old, "scan", centre.CLERK)


@pytest.mark.parametrize("twice", ["read_page", "assemble", "sign_copy"])
def test_every_job_may_run_twice(office: Office, twice: str) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.png", scan_png("Chạy hai lần", str(uuid.uuid4()))))
    path = f"/dossiers/{dossier['id']}/components/{component['id']}"
    office.work_off()
    ok(office.ask(centre.CLERK, "POST", f"{path}/review", json={}))
    office.work_off()
    ok(office.ask(centre.CLERK, "POST", f"{path}/copy", json=PASSWORD))
    office.work_off()
    before = component_of(office, dossier, component)

    with office.services.begin() as work:
        page = work.components.pages(UUID(component["id"]))[0].id
        {
            "read_page": lambda: work.jobs.read_page(page),
            "assemble": lambda: work.jobs.assemble(UUID(component["id"]), 1),
            "sign_copy": lambda: work.jobs.sign_copy(UUID(component["id"]), 1),
        }[twice]()
    office.work_off()

    assert before["state"]["code"] == "digitized"
    assert component_of(office, dossier, component) == before

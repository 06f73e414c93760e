"""The inbox's page: files that name no dossier are attached or set aside, machines are paired and revoked."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from api.demo import centre
from tests.integration.test_api_parcels import a_scan, begun, by_desk, draft, paired, papers, receipt, send

if TYPE_CHECKING:
    from tests.office import Office


def waiting(office: Office, filename: str) -> str:
    """A file laid into the clerk's inbox; its id."""
    scan = a_scan()
    where = begun(office, scan, filename=filename)
    assert send(office, where, scan, 0).status_code == 204
    found: str = receipt(office, where)["id"]
    return found


def test_a_file_of_the_inbox_is_attached_by_the_code_of_a_receipt(office: Office) -> None:
    name = f"Scan {uuid.uuid4()}.pdf"
    parcel, dossier = waiting(office, name), draft(office)
    assert name in office.open(centre.CLERK, "/hop-nhan").text

    typed = f"https://vi.du/tra-cuu#hs={dossier['code']}&ma=4820117390556"
    led_to = office.send(centre.CLERK, f"/hop-nhan/{parcel}/gan", {"dossier": typed})

    assert led_to.url.path == f"/ho-so/{dossier['id']}"
    assert "Đã gắn tệp vào hồ sơ." in led_to.text
    assert [paper["filename"] for paper in papers(office, dossier)] == [name]
    assert name not in office.open(centre.CLERK, "/hop-nhan").text


def test_a_wrong_code_is_said_beside_the_file_and_kept_as_typed(office: Office) -> None:
    parcel = waiting(office, "a.pdf")

    nonsense = office.send(centre.CLERK, f"/hop-nhan/{parcel}/gan", {"dossier": "không phải mã"})
    unknown = office.send(centre.CLERK, f"/hop-nhan/{parcel}/gan", {"dossier": "000.00.01.H49-200101-9999"})

    assert (nonsense.status_code, unknown.status_code) == (422, 404)
    assert "Mã hồ sơ không đúng dạng." in nonsense.text
    assert 'value="không phải mã"' in nonsense.text
    assert "không thuộc cơ quan này" in unknown.text
    assert office.open(centre.CLERK, f"/hop-nhan/{parcel}/tep").content.startswith(b"%PDF")
    assert office.open("motcua.coto", f"/hop-nhan/{parcel}/tep").status_code == 404


def test_what_belongs_nowhere_is_set_aside_with_a_reason_only(office: Office) -> None:
    name = f"Thử máy {uuid.uuid4()}.pdf"
    parcel = waiting(office, name)

    without = office.send(centre.CLERK, f"/hop-nhan/{parcel}/de-rieng", {"reason": " "})
    assert (without.status_code, name in without.text) == (422, True)
    done = office.send(centre.CLERK, f"/hop-nhan/{parcel}/de-rieng", {"reason": "trang thử máy quét"})

    assert "Đã để tệp riêng." in done.text
    assert name not in office.open(centre.CLERK, "/hop-nhan").text


def test_a_machine_is_paired_with_the_code_of_the_page_and_revoked_there(office: Office) -> None:
    name = f"Quầy {uuid.uuid4()}"
    shown = office.send(centre.CLERK, "/hop-nhan/may", {"name": name}).text
    (code,) = re.findall(r"\d{4}-\d{4}-\d{4}-\d", shown)
    assert code not in office.open(centre.CLERK, "/hop-nhan").text, "shown this once"
    token = office.ask("", "POST", "/desks/pair", json={"code": code}).json()["token"]
    told = by_desk(office, token, a_scan(), filename="của máy.pdf")
    assert told["state"]["code"] == "waiting"

    page = office.open(centre.CLERK, "/hop-nhan").text
    assert token not in page
    row = next(row for row in page.split("<tr>")[1:] if name in row)
    (machine,) = re.findall(r"/hop-nhan/may/([0-9a-f-]+)/thu-hoi", row)
    done = office.send(centre.CLERK, f"/hop-nhan/may/{machine}/thu-hoi")

    assert "Đã thu hồi." in done.text
    bearer = {"authorization": f"Bearer {token}", "tus-resumable": "1.0.0"}
    assert office.ask("", "HEAD", f"/parcels/{told['id']}", headers=bearer).status_code == 401
    assert office.send("motcua.coto", f"/hop-nhan/may/{machine}/thu-hoi").status_code == 404


def test_who_brings_in_no_papers_sees_no_inbox(office: Office) -> None:
    paired(office)
    assert office.open(centre.LEADER, "/hop-nhan").status_code == 403
    assert "/hop-nhan" not in office.open(centre.LEADER, "/viec").text

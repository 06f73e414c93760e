"""At the counter, through the API: what is taken, what is refused, and what a refusal says."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pypdf
import pytest

from api.demo import centre
from dossiers import digitization
from dossiers.calendar import VIETNAM
from tests.papers import BAD_FILES, decision_pdf, scan_pdf, scan_png, scanned

if TYPE_CHECKING:
    from tests.office import Office

APPLICANT = {"name": "Nguyễn Thị Thử", "id_number": "022185000123"}


def open_dossier(office: Office, who: str = centre.CLERK) -> dict[str, Any]:
    answer = office.ask(who, "POST", "/dossiers", json={"procedure": "1.001612", "applicant": APPLICANT})
    assert answer.status_code == 201, answer.text
    return answer.json()


def add(office: Office, dossier: dict[str, Any], name: str, content: bytes, *, kind: str = "", who: str = "") -> Any:
    return office.ask(
        who or centre.CLERK,
        "POST",
        f"/dossiers/{dossier['id']}/components",
        data={"kind": kind, "name": "Giấy thử"},
        files={"file": (name, content)},
    )


def unique_scan() -> bytes:
    return scan_png(f"Đơn đề nghị {uuid.uuid4()}")


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_gets_its_reason_and_leaves_the_dossier_as_it_was(office: Office, case: str) -> None:
    name, make, reasons = BAD_FILES[case]
    dossier = open_dossier(office)

    answer = add(office, dossier, name, make())

    body = answer.json()
    assert answer.status_code == 422, answer.text
    assert body["reason"] in reasons
    assert body["safe"]
    assert body["next"]
    assert office.ask(centre.CLERK, "GET", f"/dossiers/{dossier['id']}").json()["components"] == []


def test_what_is_received_can_be_fetched_back_byte_for_byte(office: Office) -> None:
    dossier, content = open_dossier(office), unique_scan()

    component = add(office, dossier, "don.png", content).json()
    back = office.ask(centre.CLERK, "GET", f"/dossiers/{dossier['id']}/components/{component['id']}/scan")

    assert back.content == content


def test_the_same_bytes_twice_are_told_where_they_are(office: Office) -> None:
    dossier, content = open_dossier(office), unique_scan()
    add(office, dossier, "don.png", content)

    answer = add(office, dossier, "ten-khac.png", content)

    assert answer.status_code == 409
    assert answer.json()["of"] == f"{dossier['code']}.001"


def test_a_hostile_name_is_cleaned_and_kept_readable(office: Office) -> None:
    answer = add(office, open_dossier(office), "../../etc/đơn\u202exfdp\x07.png", unique_scan())

    name = answer.json()["filename"]
    assert answer.status_code == 201
    assert "đơn" in name
    assert not set("/\\\x07\u202e") & set(name)


def test_a_file_over_the_limit_is_refused_before_it_is_kept(office: Office) -> None:
    most = office.services.limits.max_bytes
    dossier = open_dossier(office)

    answer = office.ask(
        centre.CLERK,
        "POST",
        f"/dossiers/{dossier['id']}/components",
        content=b"--x\r\n",
        headers={"content-type": "multipart/form-data; boundary=x", "content-length": str(most * 2)},
    )

    assert answer.status_code == 413
    assert answer.json()["limit_bytes"] == most


def test_an_upload_without_a_file_is_a_clear_error(office: Office) -> None:
    dossier = open_dossier(office)

    answer = office.ask(
        centre.CLERK,
        "POST",
        f"/dossiers/{dossier['id']}/components",
        content=b"garbage",
        headers={"content-type": "multipart/form-data; boundary=x"},
    )

    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_upload"


def test_a_stranger_s_upload_is_refused_before_it_is_read(office: Office) -> None:
    dossier = open_dossier(office)

    answer = office.ask("", "POST", f"/dossiers/{dossier['id']}/components", files={"file": ("a.png", b"x" * 10_000)})

    assert answer.status_code == 401


def test_nothing_is_received_while_required_papers_are_missing_and_all_are_named(office: Office) -> None:
    dossier = open_dossier(office)
    procedure = next(p for p in office.ask("", "GET", "/procedures").json() if p["code"] == dossier["procedure"])

    answer = office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/receive")

    assert answer.status_code == 422
    assert [e["message"] for e in answer.json()["errors"]] == [
        c["name"] for c in procedure["components"] if c["required"]
    ]


def test_another_agency_s_clerk_sees_nothing(office: Office) -> None:
    other = next(x.username for x in centre.LOGINS if x.agency == centre.UONG_BI and "clerk" in {*x.roles})
    dossier = open_dossier(office)
    component = add(office, dossier, "don.png", scan_png("Bí mật của Hồng Gai")).json()
    office.work_off()

    for path in (
        f"/dossiers/{dossier['id']}",
        f"/dossiers/{dossier['id']}/history",
        f"/dossiers/{dossier['id']}/components/{component['id']}",
        f"/dossiers/{dossier['id']}/components/{component['id']}/scan",
        f"/dossiers/{dossier['id']}/components/{component['id']}/text",
    ):
        assert office.ask(other, "GET", path).status_code == 404, path
    assert office.ask(other, "GET", "/search", params={"q": "Bí mật của Hồng Gai"}).json() == []
    assert dossier["id"] not in [d["id"] for d in office.ask(other, "GET", "/dossiers").json()["items"]]


def test_a_page_is_found_with_and_without_its_accents_exact_first(office: Office) -> None:
    dossier = open_dossier(office)
    add(office, dossier, "a.png", scan_png("Ông Nguyễn Đình Dương ở phường Hồng Gai"))
    office.work_off()

    exact = office.ask(centre.CLERK, "GET", "/search", params={"q": "Nguyễn Đình Dương"}).json()
    folded = office.ask(centre.CLERK, "GET", "/search", params={"q": "nguyen dinh duong"}).json()

    assert dossier["code"] in [h["dossier_code"] for h in exact if h["exact"]]
    assert dossier["code"] in [h["dossier_code"] for h in folded]


def test_number_and_date_are_read_as_fields(office: Office) -> None:
    dossier = open_dossier(office)
    paper = scanned(decision_pdf(number=215, dated=date(2026, 3, 5)))
    component = add(office, dossier, "qd.png", paper).json()
    office.work_off()

    found = office.ask(centre.CLERK, "GET", f"/dossiers/{dossier['id']}/components/{component['id']}/fields").json()

    values = {f["key"]: f["value"] for f in found}
    assert (values["number"], values["symbol"], values["issued_on"]) == ("215", "QĐ-UBND", "2026-03-05")


def test_a_page_to_be_scanned_again_blocks_the_review_until_a_reason_is_given(office: Office) -> None:
    dossier = open_dossier(office)
    component = add(office, dossier, "mo.png", scan_png("Bản quét độ phân giải thấp", dpi=120)).json()
    office.work_off()
    path = f"/dossiers/{dossier['id']}/components/{component['id']}/review"

    blocked = office.ask(centre.CLERK, "POST", path, json={})
    kept = office.ask(centre.CLERK, "POST", path, json={"keep_reason": "Bản gốc chỉ có vậy"})

    assert blocked.status_code == 422
    assert "low_resolution" in blocked.json()["errors"][0]["message"]
    assert kept.status_code == 200


def test_progress_streams_until_the_paper_is_at_rest(office: Office) -> None:
    dossier = open_dossier(office)
    component = add(office, dossier, "hai-trang.pdf", scan_pdf("Trang một", "Trang hai")).json()
    office.work_off()

    stream = office.ask(centre.CLERK, "GET", f"/dossiers/{dossier['id']}/components/{component['id']}/events")

    assert stream.headers["content-type"].startswith("text/event-stream")
    assert '"done":2,"total":2' in stream.text


def test_a_corrected_word_is_in_the_text_layer_and_the_raw_reading_is_kept(office: Office) -> None:
    dossier = open_dossier(office)
    component = add(office, dossier, "chu.png", scan_png("Tờ khai lệ phí trước bạ")).json()
    with office.services.begin() as work:
        after_scan = work.components.of(UUID(component["id"])).scanned_at.astimezone(VIETNAM)
    office.work_off()
    path = f"/dossiers/{dossier['id']}/components/{component['id']}"
    raw = office.ask(centre.CLERK, "GET", f"{path}/pages/1/words").json()["words"]

    answer = office.ask(centre.CLERK, "POST", f"{path}/review", json={"words": {"1": {"0": "Phiếu"}}})
    office.work_off()

    assert answer.status_code == 200, answer.text
    after = office.ask(centre.CLERK, "GET", f"{path}/pages/1/words").json()["words"]
    assert (after[0]["text"], after[0]["raw"]) == ("Phiếu", raw[0]["text"])
    assert office.ask(centre.CLERK, "GET", f"{path}/text").json()["pages"][0]["text"].startswith("Phiếu")
    layer = pypdf.PdfReader(io.BytesIO(office.ask(centre.CLERK, "GET", f"{path}/searchable").content)).pages[0]
    printed = layer.extract_text()
    assert "Phiếu" in printed
    # Decree 137/2024: made from paper, when, by whom.
    assert f"Bản điện tử chuyển đổi từ văn bản giấy · {after_scan:%H:%M %d/%m/%Y} · Vũ Thị Mỹ Duyên" in printed


def test_the_words_that_mark_a_copy_as_converted_from_paper_are_the_centres_own(office: Office) -> None:
    dossier = open_dossier(office)
    component = add(office, dossier, "chu.png", scan_png("Tờ khai lệ phí")).json()
    office.work_off()
    path = f"/dossiers/{dossier['id']}/components/{component['id']}"
    assert office.ask(centre.CLERK, "POST", f"{path}/review", json={"words": {"1": {"0": "Phiếu"}}}).status_code == 200
    with office.services.begin() as work:
        revision = work.components.of(UUID(component["id"])).revision

    digitization.assemble(
        office.services.begin,
        office.services.store,
        UUID(component["id"]),
        revision,
        now=datetime.now(UTC),
        work_dir=office.services.work_dir,
        conversion_words="Tài liệu số hóa từ bản giấy",
    )

    made = io.BytesIO(office.ask(centre.CLERK, "GET", f"{path}/searchable").content)
    assert "Tài liệu số hóa từ bản giấy · " in pypdf.PdfReader(made).pages[0].extract_text()
    assert "Bản điện tử chuyển đổi" not in pypdf.PdfReader(made).pages[0].extract_text()


def test_a_nul_in_any_text_is_refused_and_never_an_error_of_ours(office: Office) -> None:
    dossier = open_dossier(office)
    nul = {"procedure": "1.001612", "applicant": {"name": "A\0B"}}

    assert office.ask(centre.CLERK, "POST", "/dossiers", json=nul).status_code == 422
    assert office.ask(centre.CLERK, "GET", "/search", params={"q": "a\0b"}).status_code == 422
    assert office.ask("", "POST", "/session", json={"username": "a\0", "password": "\0"}).status_code == 422
    draft = {"template": "certificate", "leader": centre.LEADER, "data": {"facts": [["a\0", "b"]]}}
    assert office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/e-results", json=draft).status_code == 422


def test_a_page_too_few_blocks_the_review_until_a_reason_is_given(office: Office) -> None:
    dossier = open_dossier(office)
    component = office.ask(
        centre.CLERK,
        "POST",
        f"/dossiers/{dossier['id']}/components",
        data={"kind": "", "name": "Giấy thử", "pages_declared": "2"},
        files={"file": ("mot-trang.png", unique_scan())},
    ).json()
    office.work_off()
    path = f"/dossiers/{dossier['id']}/components/{component['id']}/review"

    blocked = office.ask(centre.CLERK, "POST", path, json={})
    kept = office.ask(centre.CLERK, "POST", path, json={"keep_reason": "Trang sau để trắng, không quét"})

    assert blocked.status_code == 422
    assert blocked.json()["errors"] == [{"message": "2 ≠ 1"}]
    assert kept.status_code == 200

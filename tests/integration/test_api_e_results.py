"""From the digitised dossier to the register and out of force again, with real keys, timestamps and lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from api.demo import centre
from api.demo.story import altered
from api.wiring import utc_now
from dossiers import verification
from tests.integration.test_api_intake import add, open_dossier, unique_scan
from tests.papers import page_pdf
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from pathlib import Path

    from tests.office import Office

SEAL_KEEPER = next(x.username for x in centre.LOGINS if x.agency == centre.HONG_GAI and "seal_keeper" in {*x.roles})
DATA = {
    "subject": "Đăng ký hộ kinh doanh",
    "opening": ["Căn cứ hồ sơ đã tiếp nhận,"],
    "facts": [["Chủ hộ", "Nguyễn Thị Thử"]],
    "closing": ["Giấy này có giá trị kể từ ngày ký"],
}
PASSWORD = {"password": centre.PASSWORD}


def ok(answer: Any) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


def digitised_dossier(office: Office) -> dict[str, Any]:
    """A received dossier whose required papers are all signed copies, taken into work."""
    dossier = open_dossier(office)
    here = f"/dossiers/{dossier['id']}"
    procedure = next(p for p in ok(office.ask("", "GET", "/procedures")) if p["code"] == dossier["procedure"])
    for kind in (c["code"] for c in procedure["components"] if c["required"]):
        ok(add(office, dossier, f"{kind}.png", unique_scan(), kind=kind))
    dossier["receipt"] = ok(office.ask(centre.CLERK, "POST", f"{here}/receive"))
    office.work_off()
    for component in ok(office.ask(centre.CLERK, "GET", here))["components"]:
        ok(office.ask(centre.CLERK, "POST", f"{here}/components/{component['id']}/review", json={}))
    office.work_off()
    for component in ok(office.ask(centre.CLERK, "GET", here))["components"]:
        ok(office.ask(centre.CLERK, "POST", f"{here}/components/{component['id']}/copy", json=PASSWORD))
    office.work_off()
    ok(office.ask(centre.CLERK, "POST", f"{here}/process"))
    return dossier


@pytest.fixture(scope="module")
def dossier(office: Office) -> dict[str, Any]:
    return digitised_dossier(office)


def drafted(office: Office, dossier: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"template": "certificate", "leader": centre.LEADER, "data": DATA} | changes
    return ok(office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/e-results", json=body))


def submitted(office: Office, dossier: dict[str, Any]) -> dict[str, Any]:
    return ok(office.ask(centre.CLERK, "POST", f"/e-results/{drafted(office, dossier)['id']}/submit"))


def approve(office: Office, result: dict[str, Any], who: str = centre.LEADER) -> Any:
    body = PASSWORD | {"document_sha256": result["document_sha256"]}
    return office.ask(who, "POST", f"/e-results/{result['id']}/approve", json=body)


def look(office: Office, result: dict[str, Any]) -> dict[str, Any]:
    return ok(office.ask(centre.CLERK, "GET", f"/e-results/{result['id']}"))


def document(office: Office, result: dict[str, Any]) -> bytes:
    return office.ask(centre.CLERK, "GET", f"/e-results/{result['id']}/document").content


def issued(office: Office, dossier: dict[str, Any]) -> dict[str, Any]:
    result = submitted(office, dossier)
    ok(approve(office, result))
    office.work_off()
    result = look(office, result)
    assert result["state"]["code"] == "issued", result["trouble"]
    return result


def verify(office: Office, pdf: bytes) -> dict[str, Any]:
    return ok(office.ask("", "POST", "/verifications", files={"file": ("a.pdf", pdf)}))


def test_an_issued_result_is_genuine_and_in_force_and_pdf_a(
    office: Office, dossier: dict[str, Any], tmp_path: Path
) -> None:
    pdf = document(office, issued(office, dossier))
    file = tmp_path / "result.pdf"
    file.write_bytes(pdf)

    verdict = verify(office, pdf)

    assert (verdict["verdict"], verdict["kind"], verdict["register"]["code"]) == ("genuine", "e_result", "issued")
    assert verdict["in_force"]
    assert verdict["sentence"]["vi"]["headline"] == "TÀI LIỆU THẬT, CÒN HIỆU LỰC."
    assert [s["field"] for s in verdict["signatures"]] == ["HoSoSo_NguoiKy", "HoSoSo_CoQuan"]
    assert all(s["timestamp"] and s["indication"] == "TOTAL-PASSED" for s in verdict["signatures"])
    assert_pdfa(file, "2a")


def test_the_citizen_downloads_it_byte_for_byte_with_both_codes(office: Office, dossier: dict[str, Any]) -> None:
    pdf = document(office, issued(office, dossier))
    codes = {"dossier_code": dossier["receipt"]["code"], "lookup_code": dossier["receipt"]["lookup_code"]}

    view = ok(office.ask("", "POST", "/citizen/look-up", json=codes))
    newest = view["results"][-1]
    got = office.client.get(newest["download"])

    assert got.content == pdf
    assert f"{newest['code']}.pdf" in got.headers["content-disposition"]


def test_a_digitised_copy_is_genuine_and_never_called_a_result(
    office: Office, dossier: dict[str, Any], tmp_path: Path
) -> None:
    here = f"/dossiers/{dossier['id']}"
    component = ok(office.ask(centre.CLERK, "GET", here))["components"][0]
    file = tmp_path / "copy.pdf"
    file.write_bytes(office.ask(centre.CLERK, "GET", f"{here}/components/{component['id']}/copy").content)

    verdict = verify(office, file.read_bytes())

    assert (verdict["verdict"], verdict["kind"]) == ("genuine", "electronic_copy")
    assert verdict["digitised_copy"]
    assert "không phải là kết quả" in verdict["sentence"]["vi"]["reason"]
    assert verdict["register"]["code"] == "not_ours"
    assert not verdict["in_force"]
    assert_pdfa(file, "2b")


def test_a_changed_byte_is_altered_and_a_withdrawn_result_is_not(office: Office, dossier: dict[str, Any]) -> None:
    result = issued(office, dossier)
    pdf = document(office, result)

    assert verify(office, altered(pdf))["verdict"] == "altered"
    ok(office.ask(centre.LEADER, "POST", f"/e-results/{result['id']}/withdraw", json={"reason": "Cấp nhầm"}))

    verdict = verify(office, pdf)
    assert (verdict["verdict"], verdict["register"]["code"]) == ("genuine", "withdrawn")
    assert not verdict["in_force"]
    assert verdict["sentence"]["vi"]["headline"].startswith("THẬT, NHƯNG ĐÃ BỊ THU HỒI ngày ")
    assert verdict["sentence"]["en"]["headline"].startswith("GENUINE, BUT WITHDRAWN on ")


def test_a_superseded_result_points_to_the_one_in_its_place(office: Office, dossier: dict[str, Any]) -> None:
    old, new = issued(office, dossier), issued(office, dossier)
    body = {"replacement": new["id"], "reason": "Sai địa chỉ"}
    ok(office.ask(SEAL_KEEPER, "POST", f"/e-results/{old['id']}/supersede", json=body))

    verdict = verify(office, document(office, old))

    assert (verdict["verdict"], verdict["register"]["code"]) == ("genuine", "superseded")
    assert verdict["e_result"]["superseded_by_number"] == new["number"]
    assert new["number"] in verdict["sentence"]["vi"]["next_step"]


def test_it_still_verifies_an_hour_later_and_without_the_trust_service(own_office: Office, tmp_path: Path) -> None:
    dossier = digitised_dossier(own_office)
    file = tmp_path / "result.pdf"
    file.write_bytes(document(own_office, issued(own_office, dossier)))
    own_office.pki.stop()

    for later in (timedelta(hours=1), timedelta(days=3)):
        judged = verification.judge(
            own_office.services.begin, file, judge=own_office.services.judges, now=utc_now() + later
        )
        assert judged.in_force, judged.file.reasons


def test_a_revoked_leader_cannot_sign_and_the_seal_keeper_is_told(own_office: Office) -> None:
    dossier = digitised_dossier(own_office)
    result = submitted(own_office, dossier)
    subject = next(s.subject.id for s in centre.SIGNERS if s.username == centre.LEADER)
    own_office.pki.trust.revoke(subject)
    own_office.refresh_lists()
    ok(approve(own_office, result))

    own_office.work_off()

    stopped = look(own_office, result)
    assert (stopped["state"]["code"], stopped["trouble"]) == ("approved", "certificate_revoked")
    assert stopped["next_step"]["role"] == "seal_keeper"


def test_a_return_voids_the_number_and_the_next_submission_gets_another(
    office: Office, dossier: dict[str, Any]
) -> None:
    first = submitted(office, dossier)
    path = f"/e-results/{first['id']}"

    returned = ok(office.ask(centre.LEADER, "POST", f"{path}/return", json={"comment": "Thiếu căn cứ"}))
    again = ok(office.ask(centre.CLERK, "POST", f"{path}/submit"))

    assert (returned["state"]["code"], returned["number"], returned["comment"]) == ("draft", "", "Thiếu căn cứ")
    assert int(again["number"].split("/")[0]) > int(first["number"].split("/")[0])


def test_only_the_bytes_that_were_read_can_be_approved(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)

    other_bytes = approve(office, result | {"document_sha256": "0" * 64})
    no_password = office.ask(
        centre.LEADER,
        "POST",
        f"/e-results/{result['id']}/approve",
        json={"password": "sai", "document_sha256": result["document_sha256"]},
    )

    assert other_bytes.status_code == 412
    assert no_password.status_code == 401
    assert look(office, result)["state"]["code"] == "submitted"


def test_nobody_approves_what_they_drafted_nor_signs_for_another_agency(
    office: Office, dossier: dict[str, Any]
) -> None:
    elsewhere = next(x.username for x in centre.LOGINS if x.agency == centre.UONG_BI and "leader" in {*x.roles})
    result = submitted(office, dossier)
    draft = {"template": "certificate", "leader": elsewhere, "data": DATA}

    assert approve(office, result, who=centre.CLERK).status_code == 403
    assert approve(office, result, who=elsewhere).status_code == 404
    assert office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/e-results", json=draft).status_code == 403


def test_all_that_a_draft_lacks_is_named_at_once_and_no_number_is_lost(office: Office, dossier: dict[str, Any]) -> None:
    before = submitted(office, dossier)
    empty = drafted(office, dossier, data={})

    answer = office.ask(centre.CLERK, "POST", f"/e-results/{empty['id']}/submit")
    after = submitted(office, dossier)

    assert answer.status_code == 422
    assert {"/data/subject", "/data/facts", "/data/closing"} <= {e["pointer"] for e in answer.json()["errors"]}
    assert int(after["number"].split("/")[0]) == int(before["number"].split("/")[0]) + 1


def test_an_uploaded_pdf_is_signed_where_its_title_and_name_stand(office: Office, dossier: dict[str, Any]) -> None:
    leader = next(x for x in centre.LOGINS if x.username == centre.LEADER)
    pdf = page_pdf(
        "Kết quả giải quyết", f"#align(right)[*{leader.title.upper()}*]", "#v(32mm)", f"#align(right)[*{leader.name}*]"
    )
    form = {"leader": centre.LEADER, "title": "Kết quả tải lên"}

    result = ok(
        office.ask(
            centre.CLERK,
            "POST",
            f"/dossiers/{dossier['id']}/e-results/upload",
            data=form,
            files={"file": ("k.pdf", pdf)},
        )
    )
    result = ok(office.ask(centre.CLERK, "POST", f"/e-results/{result['id']}/submit"))
    ok(approve(office, result))
    office.work_off()

    assert verify(office, document(office, look(office, result)))["in_force"]


def test_a_pdf_without_the_signer_s_name_is_refused_in_words(office: Office, dossier: dict[str, Any]) -> None:
    answer = office.ask(
        centre.CLERK,
        "POST",
        f"/dossiers/{dossier['id']}/e-results/upload",
        data={"leader": centre.LEADER},
        files={"file": ("k.pdf", page_pdf("Không có tên ai"))},
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "place_not_found")


def test_a_result_that_came_signed_is_verified_registered_and_delivered_as_it_is(
    office: Office, dossier: dict[str, Any]
) -> None:
    signed_elsewhere = document(office, issued(office, dossier)) + b"\n"
    upload = f"/dossiers/{dossier['id']}/e-results/upload"

    result = ok(office.ask(centre.CLERK, "POST", upload, files={"file": ("k.pdf", signed_elsewhere)}))
    registered = ok(office.ask(SEAL_KEEPER, "POST", f"/e-results/{result['id']}/register"))

    assert (result["came_signed"], registered["state"]["code"]) == (True, "issued")
    assert document(office, registered) == signed_elsewhere
    assert verify(office, signed_elsewhere)["in_force"]


def test_an_altered_signed_result_is_not_taken(office: Office, dossier: dict[str, Any]) -> None:
    pdf = altered(document(office, issued(office, dossier)))

    answer = office.ask(
        centre.CLERK, "POST", f"/dossiers/{dossier['id']}/e-results/upload", files={"file": ("k.pdf", pdf)}
    )

    assert (answer.status_code, answer.json()["reason"]) == (422, "not_genuine")


def test_the_register_tells_anyone_with_the_printed_code_and_nothing_personal(
    office: Office, dossier: dict[str, Any]
) -> None:
    result = issued(office, dossier)
    with office.services.begin() as work:
        code = work.e_results.for_job(UUID(result["id"])).lookup_code

    answer = ok(office.ask("", "GET", f"/register/{code}"))

    assert (answer["status"], answer["e_result"]["number"]) == ("issued", result["number"])
    assert "Nguyễn Thị Thử" not in str(answer)


def test_another_agency_of_the_dossier_sees_a_result_only_once_published(office: Office) -> None:
    dossier = open_dossier(office, centre.POSTAL)
    here = f"/dossiers/{dossier['id']}"
    procedure = next(p for p in ok(office.ask("", "GET", "/procedures")) if p["code"] == dossier["procedure"])
    for kind in (c["code"] for c in procedure["components"] if c["required"]):
        ok(add(office, dossier, f"{kind}.png", unique_scan(), kind=kind, who=centre.POSTAL))
    ok(office.ask(centre.POSTAL, "POST", f"{here}/receive"))
    waiting = ok(office.ask(centre.CLERK, "GET", here))["next_step"]
    office.work_off()
    for component in ok(office.ask(centre.CLERK, "GET", here))["components"]:
        ok(office.ask(centre.CLERK, "POST", f"{here}/components/{component['id']}/review", json={}))
    office.work_off()
    to_sign = ok(office.ask(centre.CLERK, "GET", here))["next_step"]
    for component in ok(office.ask(centre.CLERK, "GET", here))["components"]:
        ok(office.ask(centre.CLERK, "POST", f"{here}/components/{component['id']}/copy", json=PASSWORD))
    office.work_off()
    ok(office.ask(centre.CLERK, "POST", f"{here}/process"))
    result = drafted(office, dossier)

    assert (waiting["code"], waiting["role"]) == ("being_processed", None)
    assert (to_sign["code"], to_sign["role"]) == ("sign_copy", "clerk")
    assert ok(office.ask(centre.POSTAL, "GET", here))["e_results"] == []
    assert [r["id"] for r in ok(office.ask(centre.CLERK, "GET", here))["e_results"]] == [result["id"]]


def test_whoever_had_a_hand_in_the_draft_cannot_be_made_its_leader(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)
    taken_back = ok(office.ask(centre.CLERK, "POST", f"/e-results/{result['id']}/return", json={"comment": "Sửa lại"}))

    assert taken_back["state"]["code"] == "draft"
    with office.services.begin() as work:
        mixed = work.e_results.for_job(UUID(result["id"]))
        work.e_results.keep(replace(mixed, drafters=(*mixed.drafters, centre.LEADER)))
    assert office.ask(centre.CLERK, "POST", f"/e-results/{result['id']}/submit").status_code == 403


def test_a_dossier_is_not_closed_over_a_result_that_is_on_its_way(office: Office) -> None:
    dossier = digitised_dossier(office)
    result = submitted(office, dossier)
    body = {"state": "refused", "reason": "Không đủ điều kiện"}

    pending = office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/close", json=body)
    ok(office.ask(centre.CLERK, "POST", f"/e-results/{result['id']}/return", json={"comment": "Từ chối hồ sơ"}))
    closed = ok(office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/close", json=body))

    assert (pending.status_code, pending.json()["reason"]) == (409, "result_pending")
    assert closed["state"]["code"] == "refused"
    assert office.ask(centre.CLERK, "POST", f"/e-results/{result['id']}/submit").status_code == 409


def test_a_supplement_is_asked_for_and_the_dossier_goes_on(office: Office) -> None:
    dossier = open_dossier(office)
    here = f"/dossiers/{dossier['id']}"
    procedure = next(p for p in ok(office.ask("", "GET", "/procedures")) if p["code"] == dossier["procedure"])
    for kind in (c["code"] for c in procedure["components"] if c["required"]):
        ok(add(office, dossier, f"{kind}.png", unique_scan(), kind=kind))
    ok(office.ask(centre.CLERK, "POST", f"{here}/receive"))
    asked = {"state": "needs_supplement", "reason": "Thiếu bản vẽ"}

    waiting = ok(office.ask(centre.CLERK, "POST", f"{here}/close", json=asked))
    going_on = ok(office.ask(centre.CLERK, "POST", f"{here}/resume"))

    assert waiting["next_step"]["code"] == "await_supplement"
    assert going_on["state"]["code"] == "digitizing"


def test_only_the_receiving_agency_has_its_seal_set_on_a_copy(office: Office) -> None:
    body = {"procedure": "1.001612", "applicant": {"name": "Nguyễn Thị Thử"}, "competent": centre.UONG_BI}
    dossier = ok(office.ask(centre.CLERK, "POST", "/dossiers", json=body))
    component = ok(add(office, dossier, "a.png", unique_scan()))
    path = f"/dossiers/{dossier['id']}/components/{component['id']}"
    office.work_off()
    ok(office.ask(centre.CLERK, "POST", f"{path}/review", json={}))
    office.work_off()

    answer = office.ask("motcua.uongbi", "POST", f"{path}/copy", json=PASSWORD)

    assert (answer.status_code, answer.json()["reason"]) == (403, "receiving")


def test_a_copy_cannot_be_registered_as_a_result_nor_the_same_file_twice(
    office: Office, dossier: dict[str, Any]
) -> None:
    here = f"/dossiers/{dossier['id']}"
    component = ok(office.ask(centre.CLERK, "GET", here))["components"][0]
    copy = office.ask(centre.CLERK, "GET", f"{here}/components/{component['id']}/copy").content
    own = document(office, issued(office, dossier))

    as_result = office.ask(centre.CLERK, "POST", f"{here}/e-results/upload", files={"file": ("k.pdf", copy)})
    again = office.ask(centre.CLERK, "POST", f"{here}/e-results/upload", files={"file": ("k.pdf", own)})

    assert (as_result.status_code, as_result.json()["reason"]) == (422, "not_genuine")
    assert (again.status_code, again.json()["of"]) == (409, "register")

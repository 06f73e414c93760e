"""Annexes in files of their own: bound by the leader's approval, signed after the result, judged by its status."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pikepdf
import pytest

from api.demo import centre
from api.demo.story import altered
from api.wiring import utc_now
from dossiers import annexes, issuance
from dossiers.answers import Conclusion
from dossiers.types import KeyHeld
from signing.types import Place, TrustServiceUnavailable
from tests.integration.test_api_e_results import (
    PASSWORD,
    SEAL_KEEPER,
    digitised_dossier,
    drafted,
    look,
    ok,
    verify,
)
from tests.integration.test_signed_then_stamped import (
    _NOBODY,
    DyingStore,
    _Killed,
    counting,
    events,
    hurry,
    kept,
    signature_values,
)
from tests.papers import page_pdf

if TYPE_CHECKING:
    from dossiers.types import Annex
    from tests.office import Office


@pytest.fixture(scope="module")
def dossier(office: Office) -> dict[str, Any]:
    return digitised_dossier(office)


def bring(office: Office, result: dict[str, Any], text: str, *, title: str = "", who: str = centre.CLERK) -> Any:
    files = {"file": ("phu-luc.pdf", page_pdf(text))}
    data = {"title": title or f"Danh sách {text}"}
    return office.ask(who, "POST", f"/e-results/{result['id']}/annexes", data=data, files=files)


def listed(office: Office, result: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(office.ask(centre.CLERK, "GET", f"/e-results/{result['id']}/annexes"))
    return found


def annex_file(office: Office, result: dict[str, Any], ordinal: int) -> bytes:
    return office.ask(centre.CLERK, "GET", f"/e-results/{result['id']}/annexes/{ordinal}/document").content


def submit(office: Office, result: dict[str, Any]) -> dict[str, Any]:
    submitted: dict[str, Any] = ok(office.ask(centre.CLERK, "POST", f"/e-results/{result['id']}/submit"))
    return submitted


def approve(office: Office, result: dict[str, Any], sha256: str = "") -> Any:
    body = PASSWORD | {"document_sha256": sha256 or result["approval_sha256"]}
    return office.ask(centre.LEADER, "POST", f"/e-results/{result['id']}/approve", json=body)


def with_annexes(office: Office, dossier: dict[str, Any], *texts: str) -> dict[str, Any]:
    result = drafted(office, dossier)
    for text in texts:
        ok(bring(office, result, text))
    return submit(office, result)


def issued(office: Office, dossier: dict[str, Any], *texts: str) -> dict[str, Any]:
    result = with_annexes(office, dossier, *texts)
    ok(approve(office, result))
    office.work_off()
    done = look(office, result)
    assert done["state"]["code"] == "issued", done["trouble"]
    return done


def rows(office: Office, result: dict[str, Any]) -> list[Annex]:
    with office.services.begin() as work:
        return list(work.annexes.of(UUID(result["id"])))


def sealed(office: Office, dossier: dict[str, Any], *texts: str) -> dict[str, Any]:
    """Sealed, its annexes still to be signed."""
    result = with_annexes(office, dossier, *texts)
    ok(approve(office, result))
    desk = office.services.signing_desk(office.keys)
    for place in (Place.LEADER, Place.LEADER, Place.SEAL, Place.SEAL):
        issuance.sign(desk, UUID(result["id"]), place)
    assert kept(office, result).state == "sealed"
    return result


def test_an_annex_is_signed_after_its_result_and_judged_by_its_status(office: Office, dossier: dict[str, Any]) -> None:
    result = issued(office, dossier, "một", "hai")

    first, second = listed(office, result)
    assert [(one["ordinal"], one["title"], one["signed"]) for one in (first, second)] == [
        (1, "Danh sách một", True),
        (2, "Danh sách hai", True),
    ]
    pdf = annex_file(office, result, 2)
    verdict = verify(office, pdf)
    assert (verdict["verdict"], verdict["kind"], verdict["register"]["code"]) == ("genuine", "annex", "issued")
    assert (verdict["conclusion"], verdict["e_result"], verdict["in_force"]) == (Conclusion.ANNEX_CURRENT, None, True)
    assert verdict["annex"]["ordinal"] == 2
    assert verdict["annex"]["main"]["number"] == result["number"]
    said = verdict["sentence"]
    assert f"phụ lục 2 của văn bản số {result['number']} của " in said["vi"]["reason"]
    assert f"Annex 2 of number {result['number']} of " in said["en"]["reason"]
    (signature,) = verdict["signatures"]
    assert signature["field"] == "HoSoSo_PhuLuc"
    assert signature["timestamp"]
    told = office.send("", "/kiem-tra", files={"file": ("pl.pdf", pdf)}).text
    assert "PHỤ LỤC THẬT, VĂN BẢN CHÍNH CÒN HIỆU LỰC." in told
    assert "Danh sách hai" in told

    assert verify(office, altered(pdf))["verdict"] == "altered"
    assert verify(office, pdf + b"\n% a tail")["verdict"] == "altered"

    ok(office.ask(SEAL_KEEPER, "POST", f"/e-results/{result['id']}/withdraw", json={"reason": "Cấp nhầm"}))
    verdict = verify(office, pdf)
    assert (verdict["verdict"], verdict["conclusion"]) == ("genuine", Conclusion.ANNEX_WITHDRAWN)
    assert not verdict["in_force"]
    assert "VĂN BẢN CHÍNH ĐÃ BỊ THU HỒI" in verdict["sentence"]["vi"]["headline"]


def test_an_annex_follows_its_document_when_that_is_superseded(office: Office, dossier: dict[str, Any]) -> None:
    old, new = issued(office, dossier, "cũ"), issued(office, dossier)
    pdf = annex_file(office, old, 1)
    body = {"reason": "Sai danh sách", "replacement": new["id"]}
    ok(office.ask(SEAL_KEEPER, "POST", f"/e-results/{old['id']}/supersede", json=body))
    verdict = verify(office, pdf)
    assert verdict["conclusion"] == Conclusion.ANNEX_SUPERSEDED
    assert verdict["annex"]["main"]["superseded_by_number"] == new["number"]
    assert new["number"] in verdict["sentence"]["en"]["next_step"]


def test_the_block_shows_number_and_time_at_the_top_right_of_the_first_page(
    office: Office, dossier: dict[str, Any]
) -> None:
    result = issued(office, dossier, "khung")
    with pikepdf.open(BytesIO(annex_file(office, result, 1))) as pdf:
        (field,) = [one for one in pdf.Root.AcroForm.Fields if str(one.T) == "HoSoSo_PhuLuc"]
        left, low, right, top = (float(edge) for edge in field.Rect)
        sheet = [float(edge) for edge in pdf.pages[0].mediabox]
        assert field.P.objgen == pdf.pages[0].objgen
        assert left > (sheet[0] + sheet[2]) / 2
        assert low > sheet[3] - 60
        assert right <= sheet[2]
        assert top <= sheet[3]
        assert not [name for name in pdf.pages[0].get("/Resources", {}).get("/XObject", {}) if "seal" in name]


def test_an_annex_that_was_read_cannot_be_swapped(office: Office, dossier: dict[str, Any]) -> None:
    """The very same document submitted again with another annex isn't what the leader read, nor what is approved."""
    result = with_annexes(office, dossier, "đã đọc")
    assert result["approval_sha256"] != result["document_sha256"]
    assert approve(office, result, result["document_sha256"]).status_code == 412  # the document alone isn't all
    assert "Danh sách đã đọc" in office.open(centre.LEADER, f"/ket-qua/{result['id']}").text
    office.send(centre.LEADER, f"/ket-qua/{result['id']}/da-doc", {"sha256": result["approval_sha256"]})
    assert was_read(office, result)

    ok(office.ask(centre.CLERK, "POST", f"/e-results/{result['id']}/return", json={"comment": "Đổi phụ lục"}))
    first = kept(office, result)
    (annex,) = listed(office, result)
    assert office.ask(centre.CLERK, "DELETE", f"/e-results/{result['id']}/annexes/{annex['id']}").status_code == 204
    ok(bring(office, result, "khác", title=annex["title"]))
    again = submit(office, result)
    with office.services.begin() as work:  # preparing a file twice may well give the same bytes
        e_result = work.e_results.for_job(UUID(result["id"]))
        read = next(x.detail["sha256"] for x in work.audit.of(e_result.id) if x.event == "e_result.submitted")
        document = replace(e_result.document, sha256=read) if e_result.document else None
        work.e_results.keep(replace(e_result, document=document))
    assert first.annexes_sha256 == ""
    now = look(office, again)
    assert now["document_sha256"] == result["document_sha256"]
    assert now["approval_sha256"] != result["approval_sha256"]
    assert not was_read(office, result)
    assert approve(office, result).status_code == 412
    assert kept(office, result).state == "submitted"


def was_read(office: Office, result: dict[str, Any]) -> bool:
    with office.services.begin() as work:
        e_result = work.e_results.for_job(UUID(result["id"]))
        return issuance.was_read(e_result, work.audit.of(e_result.id))


def test_annexes_are_fixed_at_submission(office: Office, dossier: dict[str, Any]) -> None:
    result = with_annexes(office, dossier, "cố định")
    assert bring(office, result, "thêm").status_code == 409
    (annex,) = listed(office, result)
    path = f"/e-results/{result['id']}/annexes/{annex['id']}"
    assert office.ask(centre.CLERK, "DELETE", path).status_code == 409

    # Behind the office's back: an annex exchanged after approval signs nothing.
    ok(approve(office, result))
    with office.services.begin() as work:
        (row,) = work.annexes.of(UUID(result["id"]))
        work.annexes.keep(replace(row, source=kept(office, result).document or row.source))
    office.work_off()
    assert (look(office, result)["state"]["code"], look(office, result)["trouble"]) == ("sealed", "document_changed")
    assert look(office, result)["next_step"]["role"] == "seal_keeper"


def test_order_is_kept_and_those_behind_move_up(office: Office, dossier: dict[str, Any]) -> None:
    result = drafted(office, dossier)
    brought = [ok(bring(office, result, text)) for text in ("a", "b", "c")]
    path = f"/e-results/{result['id']}/annexes/{brought[1]['id']}"
    assert office.ask(centre.CLERK, "DELETE", path).status_code == 204
    assert office.ask(centre.CLERK, "DELETE", path).status_code == 404
    assert [(one["ordinal"], one["title"]) for one in listed(office, result)] == [
        (1, "Danh sách a"),
        (2, "Danh sách c"),
    ]
    assert [events(office, result, e) for e in ("e_result.annex_added", "e_result.annex_removed")] == [3, 1]


def test_what_is_no_unsigned_pdf_is_refused_and_the_leader_has_no_hand_in_it(
    office: Office, dossier: dict[str, Any]
) -> None:
    done = issued(office, dossier, "nguồn")
    result = drafted(office, dossier)
    path = f"/e-results/{result['id']}/annexes"
    for name, content in (("anh.png", b"\x89PNG\r\n\x1a\n"), ("hong.pdf", b"%PDF-1.7 broken"), ("rong.pdf", b"")):
        answer = office.ask(centre.CLERK, "POST", path, data={"title": "x"}, files={"file": (name, content)})
        assert answer.status_code == 422, answer.text
    signed = {"file": ("da-ky.pdf", annex_file(office, done, 1))}
    answer = office.ask(centre.CLERK, "POST", path, data={"title": "x"}, files=signed)
    assert (answer.status_code, answer.json()["reason"]) == (422, "signed_annex")
    answer = office.ask(centre.CLERK, "POST", path, files={"file": ("a.pdf", page_pdf("không tên"))})
    assert (answer.status_code, answer.json()["reason"]) == (422, "annex_title")
    assert listed(office, result) == []

    upload = {"file": ("kq.pdf", annex_file(office, done, 1))}  # an annex is never registered as a result
    data = {"leader": centre.LEADER, "title": "Phụ lục"}
    answer = office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/e-results/upload", data=data, files=upload)
    assert (answer.status_code, answer.json()["reason"]) == (422, "not_genuine")


def test_no_more_than_twenty(office: Office, dossier: dict[str, Any]) -> None:
    result = drafted(office, dossier)
    ok(bring(office, result, "đầu"))
    (first,) = rows(office, result)
    with office.services.begin() as work:
        for ordinal in range(2, annexes.MOST + 1):
            work.annexes.keep(replace(first, id=UUID(int=first.id.int ^ ordinal), ordinal=ordinal, version=0))
    answer = bring(office, result, "quá")
    assert (answer.status_code, answer.json()["reason"]) == (422, "too_many_annexes")
    assert len(listed(office, result)) == annexes.MOST


@pytest.mark.parametrize("before", [True, False])
def test_a_worker_killed_at_any_step_signs_each_annex_once(
    office: Office,
    dossier: dict[str, Any],
    before: bool,  # noqa: FBT001
) -> None:
    result = sealed(office, dossier, "x", "y")
    e_result_id = UUID(result["id"])
    desk, keys = counting(office)
    dying = replace(desk, store=DyingStore(desk.store, before=before))

    with pytest.raises(_Killed):  # the first is signed, and not recorded
        issuance.sign(dying, e_result_id, Place.ANNEX)
    assert [one.unstamped for one in rows(office, result)] == [None, None]
    issuance.issue(office.services.begin, e_result_id, now=utc_now())
    assert kept(office, result).state == "sealed"  # not before all are signed

    issuance.sign(desk, e_result_id, Place.ANNEX)
    made = [one.unstamped for one in rows(office, result)]
    assert all(made)
    with pytest.raises(_Killed):  # dies while the time is being added
        issuance.sign(dying, e_result_id, Place.ANNEX)
    assert [one.unstamped for one in rows(office, result)] == made
    issuance.issue(office.services.begin, e_result_id, now=utc_now())
    assert kept(office, result).state == "sealed"
    issuance.sign(desk, e_result_id, Place.ANNEX)
    issuance.sign(desk, e_result_id, Place.ANNEX)  # a job may run twice

    assert keys.opened == 2
    assert all(one.document and not one.unstamped for one in rows(office, result))
    office.work_off()
    assert look(office, result)["state"]["code"] == "issued"
    assert [events(office, result, e) for e in ("e_result.annex_made", "e_result.annex_signed")] == [2, 2]


def test_a_dead_authority_loses_no_annex_and_it_finishes_by_itself(office: Office, dossier: dict[str, Any]) -> None:
    result = sealed(office, dossier, "chờ")
    desk, keys = counting(office)
    without = replace(desk, tsa_urls=_NOBODY)
    issuance.sign(without, UUID(result["id"]), Place.ANNEX)
    with pytest.raises(TrustServiceUnavailable):
        issuance.sign(without, UUID(result["id"]), Place.ANNEX)
    assert look(office, result)["trouble"] == ""
    assert look(office, result)["next_step"]["code"] == "sign_annexes"
    (waiting,) = rows(office, result)
    assert waiting.unstamped
    with office.services.store.open(waiting.unstamped) as stream:
        made = stream.read()
    hurry(office, result, Place.ANNEX)
    assert look(office, result)["state"]["code"] == "issued"
    assert signature_values(annex_file(office, result, 1)) == signature_values(made)
    assert keys.opened == 1


def test_one_that_cannot_be_signed_stops_with_its_reason_and_is_resumed(own_office: Office) -> None:
    result = sealed(own_office, digitised_dossier(own_office), "dừng", "xong")
    with own_office.services.begin() as work:
        agency = work.agencies.of(centre.HONG_GAI)
        work.agencies.keep(replace(agency, name="Cơ Quan Khác", letterhead="Cơ Quan Khác"))
    own_office.work_off()
    stopped = look(own_office, result)
    assert (stopped["state"]["code"], stopped["trouble"]) == ("sealed", "wrong_certificate")
    assert (stopped["next_step"]["code"], stopped["next_step"]["role"]) == ("mend_signing", "seal_keeper")
    assert {one["trouble"] for one in listed(own_office, result)} == {"wrong_certificate"}
    page = own_office.open(SEAL_KEEPER, f"/ket-qua/{result['id']}").text
    assert f"/ket-qua/{result['id']}/ky-tiep" in page

    with own_office.services.begin() as work:
        work.agencies.keep(agency)
    own_office.send(SEAL_KEEPER, f"/ket-qua/{result['id']}/ky-tiep")
    own_office.work_off()
    done = look(own_office, result)
    assert (done["state"]["code"], done["trouble"]) == ("issued", "")
    assert [one["trouble"] for one in listed(own_office, result)] == ["", ""]

    # Whoever's certificate it was: no longer the agency's, no longer genuine.
    pdf = annex_file(own_office, result, 1)
    with own_office.services.begin() as work:
        record = work.certificates.for_agency(centre.HONG_GAI)
        other = next(one.code for one in work.agencies.all() if one.code != centre.HONG_GAI)
        work.certificates.keep(replace(record, agency=other))
    verdict = verify(own_office, pdf)
    assert (verdict["verdict"], verdict["reasons"], verdict["in_force"]) == ("unconfirmed", ["not_the_agency"], False)


def test_a_seal_on_a_token_of_its_own_is_told_at_submission(own_office: Office) -> None:
    result = drafted(own_office, digitised_dossier(own_office))
    ok(bring(own_office, result, "token"))
    with own_office.services.begin() as work:
        record = work.certificates.for_agency(centre.HONG_GAI)
        work.certificates.keep(replace(record, held=KeyHeld.OWN_TOKEN))
    answer = own_office.ask(centre.CLERK, "POST", f"/e-results/{result['id']}/submit")
    assert (answer.status_code, answer.json()["reason"]) == (422, "annex_own_token")
    assert look(own_office, result)["state"]["code"] == "draft"


def test_the_citizen_takes_the_annexes_beside_the_result(office: Office) -> None:
    dossier = digitised_dossier(office)
    result = issued(office, dossier, "để tải")
    codes = {"dossier_code": dossier["receipt"]["code"], "lookup_code": dossier["receipt"]["lookup_code"]}
    (seen,) = ok(office.ask("", "POST", "/citizen/look-up", json=codes))["results"]
    (annex,) = seen["annexes"]
    assert annex["name"] == f"{seen['code']}-PL1.pdf"
    got = office.client.get(annex["download"])
    assert got.content == annex_file(office, result, 1)
    assert annex["name"] in got.headers["content-disposition"]
    form = {"ma_ho_so": codes["dossier_code"], "ma_tra_cuu": codes["lookup_code"]}
    page = office.send("", "/tra-cuu", form).text
    assert "Danh sách để tải" in page
    assert f"/{annex['name']}" in page
    counter = f"/ho-so/{dossier['id']}/tra"
    assert f"{counter}/{result['ordinal']}/1" in office.open(centre.CLERK, counter).text
    printed = office.open(centre.CLERK, f"{counter}/{result['ordinal']}/1")
    assert printed.content == got.content
    assert events(office, result, "e_result.taken_out") == 1
    assert office.open(centre.CLERK, f"{counter}/{result['ordinal']}/2").status_code == 404

    ok(office.ask(SEAL_KEEPER, "POST", f"/e-results/{result['id']}/withdraw", json={"reason": "Cấp nhầm"}))
    assert office.client.get(annex["download"]).status_code == 404
    (seen,) = ok(office.ask("", "POST", "/citizen/look-up", json=codes))["results"]
    assert seen["annexes"][0]["download"] is None


def test_the_page_takes_and_drops_annexes_and_says_what_is_wrong(office: Office, dossier: dict[str, Any]) -> None:
    result = drafted(office, dossier)
    here = f"/ket-qua/{result['id']}"
    page = office.send(
        centre.CLERK, f"{here}/phu-luc", {"annex_title": ""}, files={"file": ("Bảng kê.pdf", page_pdf("bảng"))}
    ).text
    assert "Đã nhận phụ lục." in page
    assert "Bảng kê" in page
    broken = office.send(centre.CLERK, f"{here}/phu-luc", {}, files={"file": ("x.pdf", b"%PDF-1.4 no")})
    assert broken.status_code == 422
    assert "Bảng kê" in broken.text
    (annex,) = listed(office, result)
    page = office.send(centre.CLERK, f"{here}/phu-luc/{annex['id']}/bo").text
    assert "Đã bỏ phụ lục" in page
    assert "Bảng kê" not in page

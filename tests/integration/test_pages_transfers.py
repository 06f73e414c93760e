"""The pages of transfers, as browsers without scripts on both sides meet them. All people are made up."""

from __future__ import annotations

import html
import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from api.demo import centre
from signing import qr
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_transfers import CO_TO_CLERK, received, seen
from tests.integration.test_pages_post_office import text_of

if TYPE_CHECKING:
    import httpx2

    from tests.office import Office

HOSTILE = "<script>alert('thiếu')</script>"


def send(office: Office, *dossiers: dict[str, Any], to: str = centre.HONG_GAI, **more: Any) -> httpx2.Response:
    form = {"receiver": to, "dossiers": [dossier["id"] for dossier in dossiers]}
    return office.send(centre.POSTAL, "/ban-giao", form, **more)


def slip(office: Office, *dossiers: dict[str, Any]) -> str:
    """The address of a new slip."""
    page = send(office, *dossiers)
    assert page.status_code == 200, text_of(page)
    return page.url.path


def test_paper_goes_the_whole_way_and_both_sides_see_how_it_ended(office: Office) -> None:
    whole, short = received(office), received(office)
    ready = office.open(centre.POSTAL, "/ban-giao")
    assert all(f'value="{dossier["id"]}"' in ready.text for dossier in (whole, short))

    sent = send(office, whole, short)
    path = sent.url.path
    code = re.search(r"BG-[\w.-]+", text_of(sent))[0]  # type: ignore[index]
    assert "Đã lập phiếu bàn giao" in text_of(sent)
    assert whole["id"] not in office.open(centre.POSTAL, "/ban-giao").text
    assert code in text_of(office.open(centre.POSTAL, "/ban-giao"))
    arriving = office.open(centre.CLERK, "/ban-giao")
    assert code in text_of(arriving).partition("Hồ sơ giấy đang ở đây")[0]

    counting = office.open(centre.CLERK, path)
    assert counting.text.count('name="arrived"') == 2
    assert "checked" not in counting.text, "somebody counts"
    accepted = office.send(
        centre.CLERK, f"{path}/nhan", {"arrived": whole["id"], f"note-{short['id']}": "thiếu trang 2"}
    )

    assert "Đã nhận bàn giao." in text_of(accepted)
    for who in (centre.CLERK, centre.POSTAL):
        page = text_of(office.open(who, path))
        assert "THIẾU : thiếu trang 2" in page
        assert "Vũ Thị Mỹ Duyên" in page
        assert "Nguyễn Thị Lựu" in page
        assert code in text_of(office.open(who, "/ban-giao")).partition("Phiếu gần đây")[2]
    assert seen(office, centre.CLERK, whole)["paper_at"] == centre.HONG_GAI
    assert seen(office, centre.CLERK, short)["paper_note"] == "thiếu trang 2"
    again = office.open(centre.POSTAL, "/ban-giao")
    assert "bên nhận báo thiếu" in text_of(again)
    assert re.search(rf'value="{short["id"]}"[^>]*checked', again.text) is None, "not sent again without a look"


def test_nothing_is_ticked_before_somebody_lays_it_out(office: Office) -> None:
    dossier = received(office)

    page = office.open(centre.POSTAL, "/ban-giao")

    assert f'value="{dossier["id"]}"' in page.text
    assert not re.search(r'name="dossiers"[^>]* checked', page.text)
    assert "Chọn tất cả" in page.text
    assert send(office).status_code == 422


def test_the_slip_has_what_is_counted_by_and_the_code_that_opens_it(office: Office) -> None:
    one, two = received(office), received(office)

    page = office.open(centre.POSTAL, slip(office, one, two))

    said = text_of(page)
    assert "PHIẾU BÀN GIAO HỒ SƠ GIẤY" in said
    assert "Bên giao Bưu điện Hồng Gai" in said
    assert "Bên nhận Trung tâm Phục vụ hành chính công phường Hồng Gai" in said
    assert one["code"] in said
    assert two["code"] in said
    assert "Cộng 2 hồ sơ 2 4" in said
    assert qr.symbol_for(f"{office.services.base_url}{page.url.path}") in page.text


def test_what_is_missing_without_a_word_is_listed_at_once_and_ticks_and_notes_stay(office: Office) -> None:
    whole, short, lost = (received(office) for _ in range(3))
    path = slip(office, whole, short, lost)

    page = office.send(
        centre.CLERK,
        f"{path}/nhan",
        {"arrived": whole["id"], f"note-{short['id']}": HOSTILE, f"note-{lost['id']}": " "},
    )

    assert page.status_code == 422
    assert re.findall(r'<li><a href="#note-([\w-]+)">', page.text) == [lost["id"]]
    assert re.search(rf'value="{whole["id"]}"[^>]*checked', page.text)
    assert HOSTILE in html.unescape(page.text)
    assert "<script>alert" not in page.text
    assert seen(office, centre.CLERK, whole)["travelling"], "nothing was accepted by halves"


def test_a_slip_is_taken_back_with_a_reason_and_only_by_its_sender(office: Office) -> None:
    dossier = received(office)
    path = slip(office, dossier)

    no_reason = office.send(centre.POSTAL, f"{path}/rut", {"reason": " "})
    not_theirs = office.send(centre.CLERK, f"{path}/rut", {"reason": "x"})
    done = office.send(centre.POSTAL, f"{path}/rut", {"reason": "nhầm túi"})

    assert no_reason.status_code == 422
    assert "Viết lý do rút phiếu." in text_of(no_reason)
    assert not_theirs.status_code == 403
    assert "Đã rút phiếu" in text_of(done)
    assert "nhầm túi" in text_of(office.open(centre.CLERK, path))
    assert "Nhận bàn giao" not in text_of(office.open(centre.CLERK, path))
    late = office.send(centre.CLERK, f"{path}/nhan", {"arrived": dossier["id"]})
    assert late.status_code == 409
    assert "không hợp với trạng thái hiện tại" in text_of(late)


def test_what_keeps_a_dossier_from_going_is_said_in_both_languages_and_the_ticks_stay(office: Office) -> None:
    here, gone = received(office), received(office)
    slip(office, gone)

    page = send(office, here, gone)
    english = send(office, here, gone, cookies={"hoso_language": "en"})
    nobody = send(office)

    assert page.status_code == 422
    assert f"{gone['code']}: hồ sơ giấy đang nằm trong một phiếu bàn giao chưa nhận xong" in text_of(page)
    assert f"{gone['code']}: the paper is on another transfer slip that isn't accepted yet" in text_of(english)
    assert re.search(rf'value="{here["id"]}"[^>]*checked', page.text)
    assert nobody.status_code == 422
    assert "chưa chọn hồ sơ nào để bàn giao" in text_of(nobody)
    assert send(office, here, to="000.99.99.H49").status_code == 404
    assert seen(office, centre.POSTAL, here)["travelling"] is None


def test_others_never_learn_of_a_slip_and_only_the_desk_roles_see_transfers(office: Office) -> None:
    path = slip(office, received(office))

    assert office.open(CO_TO_CLERK, path).status_code == 404
    assert office.send(CO_TO_CLERK, f"{path}/nhan", {}).status_code == 404
    assert office.send(CO_TO_CLERK, f"{path}/rut", {"reason": "x"}).status_code == 404
    assert office.open(centre.LEADER, "/ban-giao").status_code == 403
    assert office.open(centre.LEADER, path).status_code == 403
    assert office.open("", path).url.path == "/dang-nhap"


@pytest.mark.parametrize("form", [{"arrived": "không phải id"}, {"note-không phải id": "x"}])
def test_a_form_that_was_tampered_with_is_a_clear_answer(office: Office, form: dict[str, str]) -> None:
    path = slip(office, received(office))

    assert office.send(centre.CLERK, f"{path}/nhan", form).status_code == 400
    assert office.send(centre.CLERK, f"/ban-giao/{uuid.uuid4()}/nhan", {}).status_code == 404
    assert office.open(centre.CLERK, "/ban-giao/không-phải").status_code == 404
    assert office.send(centre.POSTAL, "/ban-giao", {"receiver": centre.HONG_GAI, "dossiers": "x"}).status_code == 422


def test_the_desk_sends_on_what_another_agency_decides(office: Office) -> None:
    dossier = received(office, centre.CLERK, competent=centre.CO_TO)
    page = office.open(centre.CLERK, "/ban-giao")
    assert "Giao cho Trung tâm Phục vụ hành chính công đặc khu Cô Tô" in text_of(page)

    sent = office.send(centre.CLERK, "/ban-giao", {"receiver": centre.CO_TO, "dossiers": dossier["id"]})
    office.send(CO_TO_CLERK, f"{sent.url.path}/nhan", {"arrived": dossier["id"]})

    assert ok(office.ask(CO_TO_CLERK, "GET", f"/dossiers/{dossier['id']}"))["paper_at"] == centre.CO_TO

"""The counter's pages, as a browser without scripts meets them. All people are made up."""

from __future__ import annotations

import html
import io
import re
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pypdf
import pytest

from api.demo import centre
from api.wiring import utc_now
from dossiers.codes import format_lookup_code
from signing import qr
from storage import queue
from tests.integration.test_api_e_results import digitised_dossier, issued, ok
from tests.papers import BAD_FILES, scan_pdf, scan_png
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import httpx2

    from dossiers.types import ComponentKind
    from tests.office import Office

OTHERS_CLERK = "motcua.coto"
HTMX = {"hx-request": "true"}
CARD = "022190001234|100123456|Nguyễn Thị Lựu|05021990|Nữ|Tổ 3, khu 5, phường Hồng Gai, Quảng Ninh|10052021"
HOSTILE = "\"><script>alert('x')</script>"
COPIES = "2.000908"
BUSINESS = "1.001612"


def text_of(answer: httpx2.Response) -> str:
    """The page as read: tags gone, blanks single."""
    bare = re.sub(r"<(script|template|svg).*?</\1>", "", answer.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def opened(office: Office, who: str = centre.POSTAL, **form: str) -> dict[str, Any]:
    """A dossier opened through the form."""
    answer = office.send(who, "/ho-so/moi", {"name": "Lê Thị Thử", "procedure": COPIES, "anyway": "yes"} | form)
    assert answer.status_code == 200, text_of(answer)
    return ok(office.ask(who, "GET", f"/dossiers/{answer.url.path.rsplit('/', 1)[1]}"))


def bring(office: Office, dossier: dict[str, Any], content: bytes, *, name: str = "don.pdf", **form: str) -> Any:
    who = form.pop("who", centre.POSTAL)
    return office.send(who, f"/ho-so/{dossier['id']}/giay-to", {"kind": "DN"} | form, files={"file": (name, content)})


def scan() -> bytes:
    return scan_png(f"Đơn đề nghị {uuid.uuid4()}")


def received(office: Office, who: str = centre.POSTAL, **form: str) -> dict[str, Any]:
    dossier = opened(office, who, **form)
    assert bring(office, dossier, scan_pdf(f"Đơn {uuid.uuid4()}", "Trang hai"), who=who).status_code == 200
    assert office.send(who, f"/ho-so/{dossier['id']}/tiep-nhan").status_code == 200
    return ok(office.ask(who, "GET", f"/dossiers/{dossier['id']}"))


def papers_of(office: Office, dossier: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(office.ask(centre.CLERK, "GET", f"/dossiers/{dossier['id']}"))["components"]
    return found


def form_text(pdf: bytes) -> str:
    """What a made form says, as one line."""
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())


def rows_of(office: Office, procedure: str) -> Sequence[ComponentKind]:
    with office.services.begin() as work:
        return work.procedures.of(procedure).components


# ── a new dossier


def test_the_form_offers_every_procedure_and_shows_the_receiving_agency(office: Office) -> None:
    page = office.open(centre.POSTAL, "/ho-so/moi")

    assert "Trung tâm Phục vụ hành chính công phường Hồng Gai" in text_of(page)
    assert "Nơi hỗ trợ: Bưu điện Hồng Gai" in text_of(page)
    for procedure in ok(office.ask("", "GET", "/procedures")):
        assert f'value="{procedure["code"]}"' in page.text


@pytest.mark.parametrize("who", [centre.LEADER, "quantri"])
def test_only_people_of_a_counter_open_dossiers(office: Office, who: str) -> None:
    assert office.open(who, "/ho-so/moi").status_code == 403
    assert office.send(who, "/ho-so/moi", {"name": "A", "procedure": COPIES}).status_code == 403


def test_a_chosen_procedure_tells_its_papers_and_the_promised_day(office: Office) -> None:
    due_on = office.services.calendar.due_on(utc_now(), 3)

    piece = office.open(centre.POSTAL, f"/ho-so/moi/thu-tuc?procedure={BUSINESS}", headers=HTMX)

    assert "Hợp đồng thuê kho, mặt bằng" in text_of(piece)
    assert f"Hẹn trả {due_on:%d/%m/%Y} · 3 ngày làm việc" in text_of(piece)
    assert "<html" not in piece.text
    assert "Chọn thủ tục để thấy" in text_of(office.open(centre.POSTAL, "/ho-so/moi/thu-tuc?procedure=9.9"))


def test_all_that_is_wrong_is_said_at_once_and_what_was_typed_stays(office: Office) -> None:
    typed = {"name": "", "id_number": "12ab", "phone": "không có", "address": "Số 1 đường Mẫu", "procedure": ""}

    page = office.send(centre.POSTAL, "/ho-so/moi", typed)

    assert page.status_code == 422
    listed = re.findall(r'<li><a href="#(\w+)">', page.text)
    assert listed == ["name", "id_number", "phone", "procedure"]
    for field, value in (("id_number", "12ab"), ("phone", "không có"), ("address", "Số 1 đường Mẫu")):
        assert re.search(rf'name="{field}"[^>]*value="{value}"', page.text), field
    assert page.text.count("Số định danh cá nhân có 12 chữ số.") == 2  # in the list and beside its field


def test_the_same_is_said_in_english(office: Office) -> None:
    page = office.send(centre.POSTAL, "/ho-so/moi", {"id_number": "1"}, cookies={"hoso_language": "en"})

    assert "Enter the applicant&#39;s full name." in page.text
    assert "12 digits" in text_of(page)
    assert "chữ số" not in text_of(page).replace("12 chữ số", "")


def test_a_name_is_never_taken_for_a_part_of_the_page(office: Office) -> None:
    dossier = opened(office, name=HOSTILE)
    again = office.send(centre.POSTAL, "/ho-so/moi", {"name": HOSTILE, "phone": HOSTILE, "procedure": HOSTILE})
    bring(office, dossier, scan(), name=f"{HOSTILE}.png")
    office.send(centre.POSTAL, f"/ho-so/{dossier['id']}/tiep-nhan")

    pages = [
        again,
        office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-to"),
        office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-hen"),
        office.open(centre.POSTAL, "/ban-giao"),
        office.open(centre.CLERK, f"/ho-so/{dossier['id']}/dung"),
        office.open(centre.POSTAL, f"/ho-so/moi?thu_tuc={HOSTILE}"),
    ]

    for page in pages:
        assert page.status_code in (200, 422), page.url
        assert "<script>alert" not in page.text, page.url
    assert all(HOSTILE in html.unescape(page.text) for page in pages[:5])


def test_what_a_card_reader_types_fills_the_form_and_opens_nothing_yet(office: Office) -> None:
    page = office.send(centre.POSTAL, "/ho-so/moi", {"card": CARD, "procedure": COPIES})

    assert page.status_code == 200
    assert page.url.path == "/ho-so/moi"
    assert re.search(r'name="name"[^>]*value="Nguyễn Thị Lựu"', page.text)
    assert re.search(r'name="id_number"[^>]*value="022190001234"', page.text)
    assert re.search(r'name="address"[^>]*value="Tổ 3, khu 5, phường Hồng Gai, Quảng Ninh"', page.text)
    assert f'value="{COPIES}" selected' in page.text


def test_another_code_than_a_card_s_is_told_beside_the_field(office: Office) -> None:
    page = office.send(centre.POSTAL, "/ho-so/moi", {"card": "https://vi.du", "procedure": COPIES})

    assert page.status_code == 422
    assert "không phải mã QR trên thẻ căn cước" in text_of(page)
    assert 'value="https://vi.du"' in page.text


def test_a_person_who_has_one_open_is_shown_it_and_a_new_one_can_be_opened_anyway(office: Office) -> None:
    form = {"name": "Trần Văn Hai", "id_number": "022 085 004 321", "procedure": COPIES}
    first = opened(office, **form)

    warned = office.send(centre.POSTAL, "/ho-so/moi", form)
    anyway = office.send(centre.POSTAL, "/ho-so/moi", form | {"anyway": "yes"})
    elsewhere = office.send(OTHERS_CLERK, "/ho-so/moi", form)

    assert first["applicant"]["id_number"] == "022085004321"
    assert warned.status_code == 409
    assert f'href="/ho-so/{first["id"]}"' in warned.text
    assert re.search(r'name="name"[^>]*value="Trần Văn Hai"', warned.text)
    assert anyway.url.path.startswith("/ho-so/")
    assert anyway.url.path != warned.url.path
    assert first["code"] not in elsewhere.text, "what other agencies have is not told"
    assert elsewhere.url.path != "/ho-so/moi"


def test_another_agency_may_be_chosen_to_decide_and_a_post_office_may_not(office: Office) -> None:
    dossier = opened(office, competent=centre.CO_TO)
    refused = office.send(
        centre.POSTAL,
        "/ho-so/moi",
        {"name": "A", "procedure": COPIES, "competent": centre.POST_CO_TO},
    )

    assert (dossier["receiving"], dossier["competent"]) == (centre.HONG_GAI, centre.CO_TO)
    assert refused.status_code == 422
    assert 'href="#competent"' in refused.text


# ── the tray


def test_the_tray_says_what_is_missing_and_stays_quiet_about_the_rest(office: Office) -> None:
    dossier = opened(office, procedure=BUSINESS)

    page = office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-to")

    said = text_of(page)
    assert said.count("còn thiếu") == 3
    assert said.count("không bắt buộc") == 4
    assert "Còn thiếu 3 giấy bắt buộc." in said


def test_the_tray_is_asked_for_again_while_the_service_is_at_work_and_rests_with_it(office: Office) -> None:
    dossier = opened(office)
    path = f"/ho-so/{dossier['id']}/giay-to"
    assert 'hx-trigger="papers-changed"' in office.open(centre.POSTAL, path, headers=HTMX).text
    ok(
        office.ask(
            centre.POSTAL,
            "POST",
            f"/dossiers/{dossier['id']}/components",
            data={"kind": "DN", "pages_declared": "3"},
            files={"file": ("don.pdf", scan_pdf(f"Đơn xin {uuid.uuid4()}", "Trang hai"))},
        )
    )

    office.work_off(queue.LOOK)
    at_work = office.open(centre.POSTAL, path, headers=HTMX)
    office.work_off()
    at_rest = office.open(centre.POSTAL, path, headers=HTMX)

    assert "<html" not in at_work.text
    assert 'hx-trigger="papers-changed, every 1s"' in at_work.text
    assert "Đã xong 0/2 trang" in text_of(at_work)
    assert "Rời trang này vẫn an toàn" in text_of(at_work)
    assert text_of(at_work).count("đã nhận, chờ đọc") == 2
    assert at_work.text.count("/thumbnail?v=") == 2
    assert 'hx-trigger="papers-changed"' in at_rest.text
    assert text_of(at_rest).count("✓ đã đọc") == 2
    assert "Đơn xin" in text_of(at_rest)
    assert "đếm tay 3 trang" in text_of(at_rest)
    assert f"/ho-so/{dossier['id']}/giay-to/{papers_of(office, dossier)[0]['id']}" in at_rest.text


def test_a_tray_that_shows_the_same_already_is_not_sent_again(office: Office) -> None:
    dossier = opened(office)
    first = office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-to", headers=HTMX)
    address = html.unescape(re.search(r'hx-get="([^"]+)"', first.text)[1])  # type: ignore[index]

    assert office.open(centre.POSTAL, address, headers=HTMX).status_code == 204
    bring(office, dossier, scan())
    changed = office.open(centre.POSTAL, address, headers=HTMX)
    assert changed.status_code == 200
    assert "don.pdf" in changed.text


def test_a_blurred_or_coarse_page_is_tagged_before_it_is_read(office: Office) -> None:
    dossier = opened(office)
    bring(office, dossier, scan_png(f"Bản quét thưa {uuid.uuid4()}", dpi=120), name="thua.png")
    office.work_off(queue.LOOK)

    page = office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-to")

    assert "⚠ dưới 200 dpi" in text_of(page)
    assert "below 200 dpi" in office.open(centre.POSTAL, page.url.path, cookies={"hoso_language": "en"}).text


def test_silence_is_said_with_the_time_and_that_the_scans_are_safe(office: Office) -> None:
    dossier = opened(office)
    bring(office, dossier, scan())
    (paper,) = papers_of(office, dossier)
    moved_at = utc_now() - timedelta(minutes=5)
    with psycopg.connect(office.services.dsn) as connection:
        connection.execute("UPDATE pages SET touched_at = %s WHERE component_id = %s", [moved_at, paper["id"]])

    page = office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-to", headers=HTMX)

    local = moved_at + timedelta(hours=7)
    assert f"Ảnh gốc đã lưu an toàn. Máy đọc chưa phản hồi từ {local:%H:%M}" in text_of(page)
    assert 'every 5s"' in page.text


def test_a_stopped_paper_says_why_and_offers_to_read_it_again_or_scan_it_again(office: Office) -> None:
    dossier = opened(office)
    bring(office, dossier, scan())
    (paper,) = papers_of(office, dossier)
    with psycopg.connect(office.services.dsn) as connection:
        connection.execute(
            "UPDATE components SET state = 'set_aside', trouble = 'reader_died' WHERE id = %s", [paper["id"]]
        )

    page = office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-to")

    assert "Bản quét vẫn an toàn; xin quét lại trang hoặc thử lại." in text_of(page)
    assert f'action="/ho-so/{dossier["id"]}/giay-to/{paper["id"]}/doc-lai"' in page.text
    assert f'name="replaces" value="{paper["id"]}"' in page.text


def test_a_rescan_takes_the_place_of_the_paper(office: Office) -> None:
    dossier = opened(office)
    bring(office, dossier, scan(), name="mo.png")
    (old,) = papers_of(office, dossier)

    page = bring(office, dossier, scan(), name="ro.png", replaces=old["id"])

    assert page.status_code == 200
    assert [paper["filename"] for paper in papers_of(office, dossier)] == ["ro.png"]


def test_a_paper_in_the_wrong_row_is_moved_and_keeps_its_scan(office: Office) -> None:
    dossier = opened(office, procedure=BUSINESS)
    rows = {kind.code: kind.name for kind in rows_of(office, BUSINESS)}
    right, wrong = list(rows)[:2]
    bring(office, dossier, scan(), name="nham.png", kind=wrong)
    (before,) = papers_of(office, dossier)
    path = f"/ho-so/{dossier['id']}/giay-to"
    form = office.open(centre.POSTAL, path).text
    assert f'action="{path}/{before["id"]}/chuyen"' in form

    page = office.send(centre.POSTAL, f"{path}/{before['id']}/chuyen", {"kind": right})

    (moved,) = papers_of(office, dossier)
    assert "Đã chuyển giấy sang đúng dòng." in text_of(page)
    assert (moved["kind"], moved["name"], moved["id"]) == (right, rows[right], before["id"])
    assert office.send(centre.POSTAL, f"{path}/{before['id']}/chuyen", {"kind": ""}).status_code == 200
    assert papers_of(office, dossier)[0]["name"] == "nham.png"
    assert office.send(centre.POSTAL, f"{path}/{before['id']}/chuyen", {"kind": "LA"}).status_code == 422
    assert office.send(OTHERS_CLERK, f"{path}/{before['id']}/chuyen", {"kind": right}).status_code == 404
    assert office.send(centre.LEADER, f"{path}/{before['id']}/chuyen", {"kind": right}).status_code == 403
    assert office.send(centre.POSTAL, f"{path}/{uuid.uuid4()}/chuyen", {"kind": right}).status_code == 404
    assert papers_of(office, opened(office)) == []


def test_a_reviewed_paper_that_is_moved_has_its_pdf_made_again_under_its_new_name(office: Office) -> None:
    dossier = opened(office, procedure=BUSINESS)
    kinds = [kind.code for kind in rows_of(office, BUSINESS)]
    bring(office, dossier, scan(), kind=kinds[1])
    office.work_off()
    (paper,) = papers_of(office, dossier)
    with psycopg.connect(office.services.dsn) as connection:
        connection.execute("UPDATE components SET state = 'reviewed' WHERE id = %s", [paper["id"]])

    office.send(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-to/{paper['id']}/chuyen", {"kind": kinds[0]})
    office.work_off()

    with psycopg.connect(office.services.dsn) as connection:
        now = connection.execute(
            "SELECT kind, revision, searchable_sha256 FROM components WHERE id = %s", [paper["id"]]
        ).fetchone()
    assert now is not None
    assert now[:2] == (kinds[0], 1)
    assert now[2]


@pytest.mark.parametrize("state", ["signing", "capture_signing", "replaced"])
def test_a_paper_that_is_being_signed_or_is_out_of_the_dossier_is_not_moved(office: Office, state: str) -> None:
    dossier = opened(office, procedure=BUSINESS)
    bring(office, dossier, scan(), kind="")
    (paper,) = papers_of(office, dossier)
    with psycopg.connect(office.services.dsn) as connection:
        connection.execute("UPDATE components SET state = %s WHERE id = %s", [state, paper["id"]])
    path = f"/ho-so/{dossier['id']}/giay-to/{paper['id']}/chuyen"

    assert office.send(centre.POSTAL, path, {"kind": "", "name": "Giấy khác"}).status_code == 409


def test_a_paper_is_taken_out_before_reception_only_and_may_come_again(office: Office) -> None:
    dossier, content = opened(office), scan()
    bring(office, dossier, content)
    (paper,) = papers_of(office, dossier)
    path = f"/ho-so/{dossier['id']}/giay-to/{paper['id']}/bo"
    assert f'action="{path}"' in office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-to").text
    assert office.send(OTHERS_CLERK, path).status_code == 404
    assert office.send(centre.LEADER, path).status_code == 403
    elsewhere = opened(office)
    assert office.send(centre.POSTAL, f"/ho-so/{elsewhere['id']}/giay-to/{paper['id']}/bo").status_code == 404

    page = office.send(centre.POSTAL, path)

    assert "Đã bỏ giấy khỏi hồ sơ." in text_of(page)
    assert papers_of(office, dossier) == []
    assert office.send(centre.POSTAL, path).status_code == 409
    assert bring(office, dossier, content).status_code == 200, "the same file may come again"
    assert office.send(centre.POSTAL, f"/ho-so/{dossier['id']}/tiep-nhan").status_code == 200
    (paper,) = papers_of(office, dossier)
    late = f"/ho-so/{dossier['id']}/giay-to/{paper['id']}"
    assert office.send(centre.POSTAL, f"{late}/bo").status_code == 409
    assert len(papers_of(office, dossier)) == 1
    assert f'action="{late}/bo"' not in office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-to").text


# ── files without scripts


def test_a_file_of_a_plain_form_is_taken_in_with_what_was_counted(office: Office) -> None:
    dossier = opened(office)

    page = bring(office, dossier, scan_pdf(f"Đơn {uuid.uuid4()}", "hai"), pages_declared="2")

    assert page.url.path == f"/ho-so/{dossier['id']}"
    assert "Đã nhận tệp an toàn" in text_of(page)
    (paper,) = papers_of(office, dossier)
    assert (paper["kind"], paper["pages_total"], paper["pages_declared"]) == ("DN", 2, 2)


def test_a_paper_outside_the_checklist_has_the_name_it_was_given(office: Office) -> None:
    dossier = opened(office)

    page = office.send(
        centre.POSTAL,
        f"/ho-so/{dossier['id']}/giay-to",
        {"kind": "", "name": "Giấy cam đoan"},
        files={"file": ("x.png", scan())},
    )

    (paper,) = papers_of(office, dossier)
    assert page.status_code == 200
    assert (paper["kind"], paper["name"]) == ("", "Giấy cam đoan")


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_can_t_be_taken_is_told_beside_the_papers(office: Office, case: str) -> None:
    name, make, _ = BAD_FILES[case]
    dossier = opened(office)

    page = bring(office, dossier, make(), name=name)

    assert page.status_code == 422
    assert "Không đọc được tệp này." in text_of(page)
    assert "tệp trên máy của bạn còn nguyên" in text_of(page)
    assert "Chọn tệp" in text_of(page), "the papers are there to try again"
    assert papers_of(office, dossier) == []


@pytest.mark.parametrize(("language", "words"), [("vi", "có mật khẩu"), ("en", "has a password")])
def test_the_reason_is_said_in_the_person_s_language(office: Office, language: str, words: str) -> None:
    name, make, _ = BAD_FILES["encrypted"]
    dossier = opened(office)

    page = office.send(
        centre.POSTAL,
        f"/ho-so/{dossier['id']}/giay-to",
        {"kind": "DN"},
        files={"file": (name, make())},
        cookies={"hoso_language": language},
    )

    assert words in text_of(page)


def test_the_same_file_twice_is_told_where_it_is(office: Office) -> None:
    dossier, content = opened(office), scan()
    bring(office, dossier, content)

    page = bring(office, dossier, content, name="khac.png")

    assert page.status_code == 409
    assert f"Tệp đã có ở giấy tờ {dossier['code']}.001." in text_of(page)


def test_a_form_sent_without_a_file_says_all_it_lacks(office: Office) -> None:
    """As a browser sends it: the part is there, with no name and no content."""
    dossier = opened(office)
    parts = [
        ('form-data; name="kind"', "DN"),
        ('form-data; name="pages_declared"', "ba"),
        ('form-data; name="file"; filename=""\r\nContent-Type: application/octet-stream', ""),
    ]
    body = "".join(f"--x\r\nContent-Disposition: {head}\r\n\r\n{value}\r\n" for head, value in parts) + "--x--\r\n"

    page = office.send(
        centre.POSTAL,
        f"/ho-so/{dossier['id']}/giay-to",
        content=body.encode(),
        headers={"content-type": "multipart/form-data; boundary=x"},
    )

    assert page.status_code == 422
    assert "Chưa chọn tệp nào." in text_of(page)
    assert "Số trang đếm tay phải là một con số." in text_of(page)
    assert papers_of(office, dossier) == []


def test_a_file_over_the_limit_is_refused_before_it_is_read(office: Office) -> None:
    dossier = opened(office)
    most = office.services.limits.max_bytes

    page = office.send(
        centre.POSTAL,
        f"/ho-so/{dossier['id']}/giay-to",
        content=b"--x\r\n",
        headers={"content-type": "multipart/form-data; boundary=x", "content-length": str(most * 2)},
    )

    assert page.status_code == 413
    assert f"Mỗi tệp nặng nhất {most // 2**20} MB." in text_of(page)


def test_a_broken_form_is_a_clear_answer(office: Office) -> None:
    dossier = opened(office)

    page = office.send(
        centre.POSTAL,
        f"/ho-so/{dossier['id']}/giay-to",
        content=b"garbage",
        headers={"content-type": "multipart/form-data; boundary=x"},
    )

    assert page.status_code == 400
    assert "Tệp gửi lên không trọn vẹn." in text_of(page)
    assert bring(office, dossier, scan(), replaces="không phải id").status_code == 404


# ── receiving it


def test_everything_missing_is_listed_at_once_each_with_its_row(office: Office) -> None:
    dossier = opened(office, procedure=BUSINESS)

    page = office.send(centre.POSTAL, f"/ho-so/{dossier['id']}/tiep-nhan")

    assert page.status_code == 422
    assert re.findall(r'<li><a href="#(kind-\d)">([^<]+)</a>', page.text) == [
        ("kind-1", "Giấy đề nghị đăng ký hộ kinh doanh"),
        ("kind-2", "Giấy tờ về địa điểm kinh doanh"),
        ("kind-3", "Hợp đồng thuê kho, mặt bằng"),
    ]
    assert all(f'id="kind-{number}"' in page.text for number in (1, 2, 3))


def test_the_receipt_has_codes_papers_pages_day_whom_to_ask_and_the_code_to_scan(office: Office) -> None:
    dossier = received(office, name="Phạm Gia Khánh", address="Số 1 đường Mẫu")
    with office.services.begin() as work:
        kept = work.dossiers.by_code(dossier["code"])

    page = office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-hen")

    said = text_of(page)
    for told in (
        dossier["code"],
        format_lookup_code(kept.lookup_code),
        "Phạm Gia Khánh",
        "Số 1 đường Mẫu",
        "Cấp bản sao từ sổ gốc (2.000908)",
        "Giấy đề nghị cấp bản sao 2",
        f"{kept.due_on:%d/%m/%Y}",
        "0203 000 000",
        "Trung tâm không bao giờ hỏi mã OTP",
        "Nguyễn Thị Lựu",
    ):
        assert told in said, told
    address = f"{office.services.base_url}/tra-cuu#hs={dossier['code']}&ma={kept.lookup_code}"
    assert qr.symbol_for(address) in page.text
    assert 'href="/ho-so/moi"' in page.text


def test_the_receipt_is_a_document_too_whatever_was_typed_at_the_counter(office: Office, tmp_path: Path) -> None:
    long_name = "W" * 90 + "😀.pdf"
    dossier = opened(office, name="Lê Thị Thử 漢", address="Tổ 5, phường Hồng Gai")
    assert bring(office, dossier, scan(), name=long_name, kind="").status_code == 200
    assert bring(office, dossier, scan()).status_code == 200
    here = f"/ho-so/{dossier['id']}"
    assert office.open(centre.POSTAL, f"{here}/giay-hen.pdf").status_code == 409
    office.send(centre.POSTAL, f"{here}/tiep-nhan")

    made = office.open(centre.POSTAL, f"{here}/giay-hen.pdf")
    same = office.ask(centre.POSTAL, "GET", f"/dossiers/{dossier['id']}/receipt.pdf")

    assert made.headers["content-type"] == "application/pdf"
    assert made.content == same.content
    printed = form_text(made.content)
    assert "GIẤY TIẾP NHẬN HỒ SƠ VÀ HẸN TRẢ KẾT QUẢ" in printed
    assert dossier["code"] in printed
    assert "Lê Thị Thử ?" in printed
    assert "Đơn" in printed or "Giấy đề nghị" in printed
    assert office.open(centre.POSTAL, f"{here}/phieu.pdf").status_code == 409, "nothing has stopped it"
    (tmp_path / "receipt.pdf").write_bytes(made.content)
    assert_pdfa(tmp_path / "receipt.pdf", "2a")
    assert "giay-hen.pdf" in office.open(centre.POSTAL, f"{here}/giay-hen").text


def test_a_form_is_for_those_with_a_part_in_the_dossier(office: Office) -> None:
    dossier = received(office)

    for path in ("giay-hen.pdf", "phieu.pdf"):
        assert office.open("", f"/ho-so/{dossier['id']}/{path}").headers["content-type"].startswith("text/html")
        assert office.open(OTHERS_CLERK, f"/ho-so/{dossier['id']}/{path}").status_code == 404


def test_a_dossier_that_was_not_received_has_no_receipt(office: Office) -> None:
    dossier = opened(office)

    page = office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-hen")

    assert page.status_code == 409
    assert "không hợp với trạng thái hiện tại" in text_of(page)


@pytest.mark.parametrize("where", ["giay-to", "giay-hen", "dung", "tra", "tra/1"])
def test_another_agency_s_people_find_nothing(office: Office, where: str) -> None:
    dossier = received(office)

    assert office.open(OTHERS_CLERK, f"/ho-so/{dossier['id']}/{where}").status_code == 404
    assert office.open(OTHERS_CLERK, f"/ho-so/{uuid.uuid4()}/{where}").status_code == 404
    assert office.open(OTHERS_CLERK, f"/ho-so/không-phải/{where}").status_code == 404
    assert office.open("", f"/ho-so/{dossier['id']}/{where}").url.path == "/dang-nhap"


def test_another_agency_s_people_change_nothing(office: Office) -> None:
    dossier = opened(office)

    for path, form in (("tiep-nhan", {}), ("tra", {}), ("dung", {"state": "cancelled", "reason": "x"})):
        assert office.send(OTHERS_CLERK, f"/ho-so/{dossier['id']}/{path}", form).status_code == 404
    assert bring(office, dossier, scan(), who=OTHERS_CLERK).status_code == 404
    assert ok(office.ask(centre.POSTAL, "GET", f"/dossiers/{dossier['id']}"))["state"]["code"] == "draft"


# ── stopping it


def test_postal_staff_stop_nothing(office: Office) -> None:
    dossier = received(office)

    assert office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/dung").status_code == 403
    form = {"state": "refused", "reason": "x"}
    assert office.send(centre.POSTAL, f"/ho-so/{dossier['id']}/dung", form).status_code == 403


def test_a_supplement_is_asked_for_with_everything_found_and_papers_go_on_coming(office: Office) -> None:
    dossier = opened(office, procedure=BUSINESS)
    bring(office, dossier, scan_png(f"Thưa {uuid.uuid4()}", dpi=120), kind="TK", pages_declared="2")
    for kind in ("DD", "HD"):
        bring(office, dossier, scan(), kind=kind)
    office.send(centre.POSTAL, f"/ho-so/{dossier['id']}/tiep-nhan")
    office.work_off(queue.LOOK)
    here = f"/ho-so/{dossier['id']}/dung"

    page = office.open(centre.CLERK, here)
    found = [html.unescape(line) for line in re.findall(r'name="found" value="([^"]+)"', page.text)]
    empty = office.send(centre.CLERK, here, {"state": "needs_supplement", "reason": " "})
    stopped = office.send(
        centre.CLERK, here, {"state": "needs_supplement", "reason": "Mời bổ sung trước 30/11.", "found": found}
    )

    assert found == [
        "Giấy đề nghị đăng ký hộ kinh doanh, trang 1: dưới 200 dpi",
        "Giấy đề nghị đăng ký hộ kinh doanh: nhận 1 trang, đếm tay 2 trang",
    ]
    assert empty.status_code == 422
    assert 'href="#reason"' in empty.text
    assert stopped.url.path == f"/ho-so/{dossier['id']}"
    kept = ok(office.ask(centre.POSTAL, "GET", f"/dossiers/{dossier['id']}"))
    assert kept["state"]["code"] == "needs_supplement"
    assert kept["note"] == "\n".join(["Mời bổ sung trước 30/11.", *(f"- {line}" for line in found)])
    form = office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/phieu.pdf")
    assert form.headers["content-disposition"].startswith("attachment; filename=")
    printed = form_text(form.content)
    assert "PHIẾU YÊU CẦU BỔ SUNG, HOÀN THIỆN HỒ SƠ" in printed
    assert all(f"{number}. {line}" in printed for number, line in enumerate(found, 1)), "every item, at once"
    assert "Lý do: Mời bổ sung trước 30/11." in printed
    assert "/phieu.pdf" in office.open(centre.CLERK, f"/ho-so/{dossier['id']}").text
    old = papers_of(office, dossier)[0]
    assert bring(office, dossier, scan(), kind="TK", replaces=old["id"]).status_code == 200
    assert ok(office.ask(centre.POSTAL, "GET", f"/dossiers/{dossier['id']}"))["state"]["code"] == "digitizing"


def test_what_was_typed_stays_when_no_way_of_stopping_was_chosen(office: Office) -> None:
    dossier = received(office)

    page = office.send(centre.CLERK, f"/ho-so/{dossier['id']}/dung", {"state": "returned", "reason": f"Vì {HOSTILE}"})

    assert page.status_code == 422
    assert f"Vì {HOSTILE}" in html.unescape(page.text)
    assert "<script>alert" not in page.text


def test_a_refused_dossier_can_t_be_stopped_again_and_takes_no_papers(office: Office) -> None:
    dossier = received(office)
    office.send(centre.CLERK, f"/ho-so/{dossier['id']}/dung", {"state": "refused", "reason": "Không thuộc thẩm quyền."})

    refusal = form_text(office.ask(centre.CLERK, "GET", f"/dossiers/{dossier['id']}/stopped.pdf").content)
    assert "PHIẾU TỪ CHỐI TIẾP NHẬN, GIẢI QUYẾT HỒ SƠ" in refusal
    assert "Không thuộc thẩm quyền." in refusal
    assert office.open(centre.CLERK, f"/ho-so/{dossier['id']}/dung").status_code == 409
    assert bring(office, dossier, scan()).status_code == 409
    assert 'type="file"' not in office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/giay-to").text


# ── handing over the result


@pytest.fixture(scope="module")
def finished(office: Office) -> Iterator[dict[str, Any]]:
    """A dossier whose result is issued."""
    dossier = digitised_dossier(office)
    dossier["result"] = issued(office, dossier)
    return dossier


def test_the_desk_takes_the_result_out_to_print_and_says_that_it_was_handed_over(
    office: Office, finished: dict[str, Any]
) -> None:
    here = f"/ho-so/{finished['id']}/tra"

    page = office.open(centre.CLERK, here)
    document = office.open(centre.CLERK, f"{here}/1")
    missing = office.open(centre.CLERK, f"{here}/2")
    done = office.send(centre.CLERK, here)

    assert finished["result"]["title"] in text_of(page)
    assert "Nguyễn Thị Thử" in text_of(page)
    assert document.headers["content-disposition"].startswith("attachment")
    assert (
        document.content == office.ask(centre.CLERK, "GET", f"/e-results/{finished['result']['id']}/document").content
    )
    assert missing.status_code == 404
    assert "Đã trả kết quả" in text_of(done)
    kept = ok(office.ask(centre.CLERK, "GET", f"/dossiers/{finished['id']}"))
    assert kept["state"]["code"] == "returned"
    events = [line["event"] for line in ok(office.ask(centre.CLERK, "GET", f"/dossiers/{finished['id']}/history"))]
    assert "e_result.taken_out" in events
    assert office.send(centre.CLERK, here).status_code == 409


def test_there_is_nothing_to_hand_over_before_a_result_is_issued(office: Office) -> None:
    dossier = received(office)

    assert office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/tra").status_code == 409
    assert office.open(centre.POSTAL, f"/ho-so/{dossier['id']}/tra/1").status_code == 404
    assert office.open(centre.LEADER, f"/ho-so/{dossier['id']}/tra").status_code == 403

"""Results through the pages, as a browser meets them: drafted, read, approved one or many, withdrawn, superseded."""

from __future__ import annotations

import html
import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from api.demo import centre
from api.demo.story import altered
from api.pages import leader as leader_pages
from api.wiring import utc_now
from dossiers import batches, codes, issuance
from dossiers.types import ResultState
from tests.integration.test_api_e_results import (
    DATA,
    SEAL_KEEPER,
    digitised_dossier,
    document,
    drafted,
    issued,
    look,
    ok,
    submitted,
    verify,
)
from tests.papers import page_pdf

if TYPE_CHECKING:
    from tests.office import Office

OTHERS_CLERK, OTHERS_LEADER = "motcua.coto", "giamdoc.coto"
PART = {"hx-request": "true"}
FORM = {
    "title": "Giấy chứng nhận thử",
    "leader": centre.LEADER,
    "f.subject": "Đăng ký hộ kinh doanh",
    "f.opening": "Căn cứ hồ sơ đã tiếp nhận,",
    "f.facts.name": ["Chủ hộ", "", "Địa chỉ"],
    "f.facts.value": ["Nguyễn Thị Thử", "", "Phường Hồng Gai"],
    "f.closing": "Giấy này có giá trị kể từ ngày ký",
}


@pytest.fixture(scope="module")
def dossier(office: Office) -> dict[str, Any]:
    return digitised_dossier(office)


def begun(office: Office, dossier: dict[str, Any], **changes: str) -> dict[str, Any]:
    """A draft begun through the form, as the API sees it."""
    form = {"template": "certificate", "leader": centre.LEADER, "title": "Giấy chứng nhận thử"} | changes
    answer = office.send(centre.CLERK, f"/ho-so/{dossier['id']}/ket-qua/moi", form)
    assert answer.status_code == 200, answer.text
    return look(office, {"id": answer.url.path.rsplit("/", 1)[1]})


def save(office: Office, result: dict[str, Any], *, version: int | None = None, **changes: Any) -> Any:
    form = FORM | {"version": str(version or look(office, result)["version"])} | changes
    return office.send(centre.CLERK, f"/ket-qua/{result['id']}/luu", form, headers=PART)


def submit(office: Office, result: dict[str, Any], **changes: Any) -> Any:
    form = FORM | {"version": str(look(office, result)["version"])} | changes
    return office.send(centre.CLERK, f"/ket-qua/{result['id']}/trinh", form)


def read(office: Office, result: dict[str, Any], who: str = centre.LEADER, **more: Any) -> Any:
    form = {"sha256": look(office, result)["document_sha256"]}
    return office.send(who, f"/ket-qua/{result['id']}/da-doc", form, **more)


def approve(office: Office, result: dict[str, Any], password: str = centre.PASSWORD) -> Any:
    form = {"sha256": look(office, result)["document_sha256"], "password": password}
    return office.send(centre.LEADER, f"/ket-qua/{result['id']}/duyet", form)


def said(answer: Any) -> str:
    """What a person reads: without tags, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def events(office: Office, result: dict[str, Any], event: str) -> int:
    with office.services.begin() as work:
        return sum(line.event == event for line in work.audit.of(result["id"]))


# --- drafting ---------------------------------------------------------------------------------------------------------


def test_a_new_result_offers_the_procedures_template_and_the_leader(office: Office, dossier: dict[str, Any]) -> None:
    page = office.open(centre.CLERK, f"/ho-so/{dossier['id']}/ket-qua/moi")

    assert re.search(r'value="certificate" required checked', page.text)
    assert re.search(rf'value="{centre.LEADER}" checked', page.text)
    assert "chứng thư số dùng được đến" in page.text


def test_a_draft_begins_with_what_the_dossier_knows_and_says_where_from(
    office: Office, dossier: dict[str, Any]
) -> None:
    result = begun(office, dossier)
    page = office.open(centre.CLERK, f"/ket-qua/{result['id']}").text

    assert ["Họ và tên", "Nguyễn Thị Thử"] in result["data"]["facts"]
    assert 'value="Nguyễn Thị Thử"' in page
    assert "từ hồ sơ" in page
    assert "từ thủ tục" in page
    assert '<a href="#f-closing">Thiếu nội dung kết thúc</a>' in page, "the words that decide are a person's"


@pytest.mark.parametrize(("left_out", "told"), [("template", "Chưa chọn mẫu"), ("leader", "Chưa chọn người ký")])
def test_what_was_not_chosen_is_said_and_the_rest_kept(
    office: Office, dossier: dict[str, Any], left_out: str, told: str
) -> None:
    form = {"template": "certificate", "leader": centre.LEADER, "title": "Tên <b>riêng</b>"} | {left_out: ""}
    answer = office.send(centre.CLERK, f"/ho-so/{dossier['id']}/ket-qua/moi", form)

    assert answer.status_code == 422
    assert told in answer.text
    assert 'value="Tên &lt;b&gt;riêng&lt;/b&gt;"' in answer.text


def test_a_draft_saves_itself_and_its_picture_follows(office: Office, dossier: dict[str, Any]) -> None:
    result = begun(office, dossier)
    address = f"/ket-qua/{result['id']}/xem-thu/1"
    before = office.open(centre.CLERK, address)

    answer = save(office, result, **{"f.subject": "Đăng ký hộ kinh doanh cá thể"})
    after = office.open(centre.CLERK, address)

    assert answer.status_code == 200
    assert "Đã lưu nháp lúc" in answer.text
    assert "Đủ để trình ký" in answer.text
    assert "<html" not in answer.text, "a piece, not a page"
    kept = look(office, result)
    assert f'{address}?v={kept["version"]}"' in answer.text
    assert kept["data"]["facts"] == [["Chủ hộ", "Nguyễn Thị Thử"], ["Địa chỉ", "Phường Hồng Gai"]]
    assert before.headers["content-type"] == "image/jpeg"
    assert before.content[:3] == after.content[:3] == b"\xff\xd8\xff"
    assert before.content != after.content


def test_an_incomplete_draft_is_shown_with_gaps_and_what_is_missing_is_listed(
    office: Office, dossier: dict[str, Any]
) -> None:
    result = begun(office, dossier)

    answer = save(office, result, **{"f.subject": "", "f.facts.name": ["Chủ hộ"], "f.facts.value": [""]})
    picture = office.open(centre.CLERK, f"/ket-qua/{result['id']}/xem-thu/1")

    assert "Trước khi trình còn 2 mục" in answer.text
    assert '<a href="#f-subject">Thiếu trích yếu</a>' in answer.text
    assert '<a href="#f-facts">' in answer.text
    assert picture.content.startswith(b"\xff\xd8\xff")
    assert "Không thấy tên người nộp" in said(answer)


def test_everything_that_is_missing_at_submission_is_listed_at_once_and_nothing_typed_is_lost(
    office: Office, dossier: dict[str, Any]
) -> None:
    result = begun(office, dossier)
    empty = {"f.subject": "", "f.facts.name": [], "f.facts.value": [], "f.closing": "", "f.opening": "Lời <i>riêng</i>"}

    answer = submit(office, result, **empty)

    assert answer.status_code == 422
    summary = re.search(r'<div class="trouble".*?</div>', answer.text, re.DOTALL)[0]
    assert {f"#f-{key}" for key in ("subject", "facts", "closing")} <= set(re.findall(r'href="(#[^"]+)"', summary))
    assert "Lời &lt;i&gt;riêng&lt;/i&gt;</textarea>" in answer.text
    assert look(office, result)["number"] == ""
    english = office.send(
        centre.CLERK,
        f"/ket-qua/{result['id']}/trinh",
        FORM | empty | {"version": str(look(office, result)["version"])},
        cookies={"hoso_language": "en"},
    )
    assert "Missing: subject" in english.text


def test_two_at_one_draft_lose_nothing_and_a_person_decides(office: Office, dossier: dict[str, Any]) -> None:
    result = begun(office, dossier)
    old = result["version"]
    save(office, result, **{"f.subject": "Của người kia"})

    piece = save(office, result, version=old, **{"f.subject": "Của tôi"})
    page = office.send(
        centre.CLERK,
        f"/ket-qua/{result['id']}/trinh",
        FORM | {"version": str(old), "f.subject": "Của tôi"},
    )

    assert "vừa lưu dự thảo này ở nơi khác" in piece.text
    assert "Đã lưu nháp" not in piece.text
    assert page.status_code == 412
    assert 'value="Của tôi"' in page.text
    kept = look(office, result)
    assert (kept["data"]["subject"], kept["state"]["code"]) == ("Của người kia", "draft")
    over = re.search(r'name="over" value="(\d+)"', page.text)[1]
    save(office, result, version=old, over=over, **{"f.subject": "Của tôi"})
    assert look(office, result)["data"]["subject"] == "Của tôi"


def test_a_draft_that_was_submitted_meanwhile_says_so_and_keeps_what_was_typed(
    office: Office, dossier: dict[str, Any]
) -> None:
    result = begun(office, dossier)
    old = result["version"]
    assert submit(office, result).status_code == 200

    piece = save(office, result, version=old, **{"f.subject": "Muộn"})

    assert "không còn là dự thảo" in piece.text
    assert look(office, result)["data"]["subject"] == FORM["f.subject"]


def test_articles_are_typed_with_an_empty_line_between(office: Office, dossier: dict[str, Any]) -> None:
    result = begun(office, dossier, template="decision")

    save(office, result, **{"f.bases": "Căn cứ một\r\nCăn cứ hai", "f.articles": "Một.\r\nTiếp.\r\n\r\nHai."})

    kept = look(office, result)["data"]
    assert kept["bases"] == ["Căn cứ một", "Căn cứ hai"]
    assert kept["articles"] == ["Một.\nTiếp.", "Hai."]
    assert "Một.\nTiếp.\n\nHai.</textarea>" in office.open(centre.CLERK, f"/ket-qua/{result['id']}").text


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"version": "x" * 500},
        {"version": "-1"},
        {"f.facts.name": ["a", "b"], "f.facts.value": ["1"]},
        {"f.subject": "\x00"},
        {"leader": "khong.co.ai"},
        {"leader": OTHERS_LEADER},
        {"f.unknown": "1", "title": "x" * 5000},
    ],
)
def test_no_form_breaks_the_saving(office: Office, dossier: dict[str, Any], form: dict[str, Any]) -> None:
    result = begun(office, dossier)

    for headers in (PART, {}):
        answer = office.send(centre.CLERK, f"/ket-qua/{result['id']}/luu", form, headers=headers)
        assert answer.status_code < 500, answer.text
    assert office.open(centre.CLERK, f"/ket-qua/{result['id']}").status_code == 200
    assert look(office, result)["leader"] == centre.LEADER


def test_a_draft_made_elsewhere_with_strange_data_can_still_be_opened(office: Office, dossier: dict[str, Any]) -> None:
    data = {"facts": [["một"], 5, ["a", "b"]], "closing": "không phải danh sách", "subject": 7, "opening": [None]}
    result = drafted(office, dossier, data=data)

    page = office.open(centre.CLERK, f"/ket-qua/{result['id']}")

    assert page.status_code == 200
    assert 'value="7"' in page.text


def test_hostile_words_are_shown_as_words(office: Office, dossier: dict[str, Any]) -> None:
    bad = "<script>alert(1)</script>"
    result = begun(office, dossier, title=bad)
    save(office, result, title=bad, **{"f.subject": bad, "f.facts.name": [bad], "f.facts.value": [bad]})
    submit(office, result, title=bad)
    read(office, result)
    with office.services.begin() as work:
        leader = work.accounts.of(centre.LEADER).actor
    batch = batches.keep(
        office.services.begin, uuid.uuid4(), [UUID(result["id"])], {}, by=leader, now=datetime.now(UTC)
    )

    for who, path in (
        (centre.CLERK, f"/ket-qua/{result['id']}"),
        (centre.LEADER, f"/ket-qua/{result['id']}"),
        (centre.LEADER, "/ket-qua"),
        (centre.LEADER, f"/ket-qua/duyet?chon={result['id']}"),
        (centre.LEADER, f"/ket-qua/dot-ky/{batch.id}"),
        (centre.CLERK, f"/ho-so/{dossier['id']}"),
        (centre.CLERK, f"/ho-so/{dossier['id']}/ket-qua/moi"),
    ):
        page = office.open(who, path)
        assert page.status_code == 200, path
        assert bad not in page.text, path
        assert html.escape(bad) in page.text, path


# --- uploads ----------------------------------------------------------------------------------------------------------


def upload(office: Office, dossier: dict[str, Any], pdf: bytes, **form: str) -> Any:
    return office.send(
        centre.CLERK,
        f"/ho-so/{dossier['id']}/ket-qua/tai-len",
        {"leader": centre.LEADER, "title": "Tệp tải lên"} | form,
        files={"file": ("k.pdf", pdf)},
    )


def test_an_uploaded_pdf_shows_its_pages_and_is_submitted(office: Office, dossier: dict[str, Any]) -> None:
    leader = next(x for x in centre.LOGINS if x.username == centre.LEADER)
    pdf = page_pdf("Kết quả", f"#align(right)[*{leader.title.upper()}*]", "#v(32mm)", f"#align(right)[*{leader.name}*]")

    page = upload(office, dossier, pdf)
    result = {"id": page.url.path.rsplit("/", 1)[1]}
    pictures = re.findall(r'src="(/ket-qua/[^"]+/trang/\d+\?v=[0-9a-f]+)"', page.text)
    picture = office.open(centre.CLERK, pictures[0])
    form = {"title": "Tên mới", "leader": centre.LEADER, "version": str(look(office, result)["version"])}
    sent = office.send(centre.CLERK, f"/ket-qua/{result['id']}/trinh", form)

    assert page.status_code == 200
    assert picture.content.startswith(b"\xff\xd8\xff")
    assert "immutable" in picture.headers["cache-control"]
    assert sent.status_code == 200
    assert (look(office, result)["state"]["code"], look(office, result)["title"]) == ("submitted", "Tên mới")


@pytest.mark.parametrize(
    ("pdf", "form", "told"),
    [
        (page_pdf("Không có tên ai"), {}, "Không thấy họ tên người ký"),
        (b"MZ khong phai PDF", {}, "Không phải tệp PDF"),
        (b"", {}, "Tệp rỗng"),
        (page_pdf("Không có tên ai"), {"leader": ""}, "Chưa chọn người ký"),
        (page_pdf("Không có tên ai"), {"leader": OTHERS_LEADER}, "Người ký phải là lãnh đạo của cơ quan này"),
    ],
)
def test_a_pdf_that_cant_be_taken_is_refused_in_words(
    office: Office, dossier: dict[str, Any], pdf: bytes, form: dict[str, str], told: str
) -> None:
    answer = upload(office, dossier, pdf, **form)

    assert answer.status_code in (403, 422)
    assert told in said(answer)
    assert 'value="Tệp tải lên"' in answer.text


def test_an_upload_without_a_file_leads_back_to_its_form(office: Office, dossier: dict[str, Any]) -> None:
    path = f"/ho-so/{dossier['id']}/ket-qua/tai-len"

    answer = office.send(centre.CLERK, path, {"title": "Không tệp"})

    assert answer.status_code == 400
    assert path in answer.text
    assert office.open(centre.CLERK, path).url.path.endswith("/ket-qua/moi")


def test_a_pdf_that_came_signed_is_told_as_such_and_the_seal_keeper_registers_it(
    office: Office, dossier: dict[str, Any]
) -> None:
    signed = document(office, issued(office, dossier)) + b"\n\n"

    page = upload(office, dossier, signed)
    result = {"id": page.url.path.rsplit("/", 1)[1]}
    waiting = office.open(SEAL_KEEPER, "/ket-qua")
    by_clerk = office.send(centre.CLERK, f"/ket-qua/{result['id']}/vao-so")
    registered = office.send(SEAL_KEEPER, f"/ket-qua/{result['id']}/vao-so")
    again = upload(office, dossier, signed)
    broken = upload(office, dossier, altered(signed))

    assert "đến đã có chữ ký" in page.text
    assert "người khác phải vào sổ" in page.text
    assert "Người ký: Đặng Quốc Vỹ" in said(page), "the seal keeper answers for these signatures"
    assert f"/ket-qua/{result['id']}" in waiting.text
    assert by_clerk.status_code == 403
    assert "Đã vào sổ và phát hành" in registered.text
    assert document(office, result) == signed
    assert again.status_code == 409
    assert "đã có trong sổ phát hành" in said(again)
    assert broken.status_code == 422
    assert "không kiểm tra được là thật" in said(broken)


# --- reading and approving --------------------------------------------------------------------------------------------


def test_nothing_is_approved_before_it_was_read_to_its_end(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)

    page = office.open(centre.LEADER, f"/ket-qua/{result['id']}")
    too_early = approve(office, result)

    assert "chưa đọc hết" in page.text
    assert f'action="/ket-qua/{result["id"]}/duyet"' not in page.text
    assert too_early.status_code == 409
    assert "chưa đọc hết văn bản này" in too_early.text
    assert look(office, result)["state"]["code"] == "submitted"


def test_reading_is_noted_once_and_opens_the_way_to_approve(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)

    piece = read(office, result, headers=PART)
    read(office, result)

    assert '<div id="result"' in piece.text
    assert f'action="/ket-qua/{result["id"]}/duyet"' in piece.text
    assert events(office, result, issuance.READ) == 1
    assert "✓ đã đọc" in said(office.open(centre.CLERK, f"/ket-qua/{result['id']}"))


def test_only_the_named_leaders_reading_of_these_very_bytes_counts(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)
    path = f"/ket-qua/{result['id']}/da-doc"

    assert read(office, result, who=centre.CLERK).status_code == 403
    assert read(office, result, who=OTHERS_LEADER).status_code == 404
    assert office.send(centre.LEADER, path, {"sha256": "0" * 64}).status_code == 412
    assert office.send(centre.LEADER, path, {}).status_code == 412
    assert events(office, result, issuance.READ) == 0


def test_the_leader_approves_and_the_page_follows_to_the_register(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)
    read(office, result)

    wrong = approve(office, result, password="sai")
    sent = approve(office, result)
    moving = office.open(centre.LEADER, f"/ket-qua/{result['id']}/tinh-trang?v=0", headers=PART)
    version = look(office, result)["version"]
    same = office.open(centre.LEADER, f"/ket-qua/{result['id']}/tinh-trang?v={version}", headers=PART)
    office.work_off()
    at_rest = office.open(centre.LEADER, f"/ket-qua/{result['id']}/tinh-trang?v={version}", headers=PART)

    assert wrong.status_code == 401
    assert "Đã duyệt." in sent.text
    assert f"tinh-trang?v={version}" in moving.text
    assert "hệ thống đang ký số theo lệnh duyệt của lãnh đạo" in moving.text
    assert same.status_code == 204
    assert "hx-get" not in at_rest.text
    assert look(office, result)["number"] in at_rest.text
    assert f"/api/v1/e-results/{result['id']}/document" in at_rest.text
    assert "phát hành, vào sổ" in at_rest.text


def test_a_return_needs_a_comment_and_the_drafter_reads_it_first(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)
    path = f"/ket-qua/{result['id']}/tra-lai"

    seen = {"sha256": result["document_sha256"]}

    silent = office.send(centre.LEADER, path, seen | {"comment": "  "})
    office.send(centre.LEADER, path, seen | {"comment": "Sai <b>địa chỉ</b>"})
    page = office.open(centre.CLERK, f"/ket-qua/{result['id']}")
    listed = office.open(centre.CLERK, "/ket-qua?loc=dang-soan")

    assert silent.status_code == 422
    assert "Chưa ghi lý do trả lại" in silent.text
    assert "Bị trả lại để sửa" in page.text
    assert "Sai &lt;b&gt;địa chỉ&lt;/b&gt;" in page.text
    assert "Sai &lt;b&gt;địa chỉ&lt;/b&gt;" in listed.text
    assert look(office, result)["number"] == ""


def test_the_drafter_may_take_it_back_and_others_may_not(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)
    path = f"/ket-qua/{result['id']}/tra-lai"

    by_seal_keeper = office.send(SEAL_KEEPER, path, {"comment": "Không phải việc của tôi"})
    by_drafter = office.send(
        centre.CLERK, path, {"comment": "Người soạn rút lại để sửa", "sha256": result["document_sha256"]}
    )

    assert by_seal_keeper.status_code == 403
    assert "Đã rút lại để sửa" in by_drafter.text
    assert look(office, result)["state"]["code"] == "draft"


def test_what_a_leader_has_not_seen_is_not_returned_from_an_old_page(office: Office, dossier: dict[str, Any]) -> None:
    first = submitted(office, dossier)
    ok(office.ask(centre.CLERK, "POST", f"/e-results/{first['id']}/return", json={"comment": "Sửa lại"}))
    ok(office.ask(centre.CLERK, "PATCH", f"/e-results/{first['id']}", json={"data": DATA | {"subject": "Bản khác"}}))
    again = ok(office.ask(centre.CLERK, "POST", f"/e-results/{first['id']}/submit"))

    old_page = {"comment": "Sai địa chỉ", "sha256": first["document_sha256"]}
    answer = office.send(centre.LEADER, f"/ket-qua/{first['id']}/tra-lai", old_page)

    assert answer.status_code == 412
    assert look(office, first)["number"] == again["number"]


# --- many at once -----------------------------------------------------------------------------------------------------


def test_a_batch_signs_what_was_read_and_says_of_each_other_one_why_not(
    office: Office, dossier: dict[str, Any]
) -> None:
    first, second, changed, unread = (submitted(office, dossier) for _ in range(4))
    for result in (first, second, changed):
        read(office, result)
    old_bytes = changed["document_sha256"]
    ok(office.ask(centre.CLERK, "POST", f"/e-results/{changed['id']}/return", json={"comment": "Sửa lại"}))
    ok(office.ask(centre.CLERK, "PATCH", f"/e-results/{changed['id']}", json={"data": DATA | {"subject": "Bản khác"}}))
    changed = ok(office.ask(centre.CLERK, "POST", f"/e-results/{changed['id']}/submit"))
    all_four = [first, second, changed, unread]

    listed = office.open(centre.LEADER, "/ket-qua?chon=da-doc")
    card = office.open(centre.LEADER, "/ket-qua/duyet?" + "&".join(f"chon={r['id']}" for r in all_four))
    shas = [first["document_sha256"], second["document_sha256"], old_bytes, unread["document_sha256"]]
    (batch,) = re.findall(r'name="dot" value="([^"]+)"', card.text)
    form = {"van_ban": [f"{r['id']}:{sha}" for r, sha in zip(all_four, shas, strict=True)], "dot": batch}
    no_password = office.send(centre.LEADER, "/ket-qua/duyet", form | {"password": "sai"})
    progress = office.send(centre.LEADER, "/ket-qua/duyet", form | {"password": centre.PASSWORD})
    repeated = office.send(centre.LEADER, "/ket-qua/duyet", form | {"password": centre.PASSWORD})
    office.work_off()
    done = office.open(centre.LEADER, f"{progress.url.path}/tien-do", headers=PART)

    assert re.search(rf'value="{first["id"]}" checked', listed.text)
    assert not re.search(rf'value="{changed["id"]}" checked', listed.text)
    assert "đã thay đổi sau khi đọc" in listed.text
    assert "Ký và phát hành 2 văn bản?" in card.text
    assert "2 không được ký:" in card.text
    assert "chưa đọc hết:" in said(card)
    assert "đã thay đổi sau khi bạn đọc:" in said(card)
    assert no_password.status_code == 401
    assert "Ký và phát hành 2 văn bản?" in no_password.text
    assert "Đã phát hành 0/2" in progress.text
    assert "Đã phát hành 2/2" in done.text
    assert "hx-get" not in done.text
    assert "đã thay đổi sau khi bạn đọc" in done.text
    assert "chưa đọc hết" in done.text
    assert repeated.url.path == progress.url.path == f"/ket-qua/dot-ky/{batch}"
    states = [look(office, r)["state"]["code"] for r in all_four]
    assert states == ["issued", "issued", "submitted", "submitted"]
    for result in (first, second):
        assert events(office, result, "e_result.approved") == events(office, result, "e_result.sealed") == 1


@pytest.mark.parametrize("query", ["", "chon=khong-phai-ma", "chon=" + "-" * 36, f"chon={uuid.UUID(int=7)}"])
def test_a_batch_of_nothing_asks_for_no_password(office: Office, query: str) -> None:
    card = office.open(centre.LEADER, f"/ket-qua/duyet?{query}")

    assert card.status_code == 200
    assert "Chưa chọn văn bản nào" in card.text
    assert 'type="password"' not in card.text
    assert office.open(centre.LEADER, f"/ket-qua/dot-ky/{uuid.UUID(int=7)}").status_code == 404
    assert office.open(centre.CLERK, "/ket-qua/duyet").status_code == 403


def test_five_hundred_are_signed_at_once_and_no_more(office: Office) -> None:
    asked = [str(uuid.uuid4()) for _ in range(501)]
    card = office.send(centre.LEADER, "/ket-qua/duyet/xem", {"chon": asked})
    assert "Mỗi lần ký nhiều nhất 500 văn bản; 1 văn bản còn lại để lần sau" in card.text
    form = {"van_ban": [f"{one}:{'0' * 64}" for one in asked[:500]], "password": centre.PASSWORD}
    batch = office.send(centre.LEADER, "/ket-qua/duyet", form)
    assert batch.status_code == 200
    with office.services.begin() as work:
        leader = work.accounts.of(centre.LEADER).actor
        kept = work.batches.of(leader, UUID(batch.url.path.rsplit("/", 1)[1]))
    assert (len(kept.items), len(kept.refused)) == (0, 500)
    assert office.open(centre.CLERK, batch.url.path).status_code == 403


def test_a_batchs_page_lists_what_needs_somebody_first_and_asks_no_more_than_it_must(
    office: Office, dossier: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader_pages, "_SHOWN", 2)
    results = [submitted(office, dossier) for _ in range(4)]
    for result in results[:3]:
        read(office, result)
    form = {"van_ban": [f"{r['id']}:{r['document_sha256']}" for r in results], "password": centre.PASSWORD}
    batch = office.send(centre.LEADER, "/ket-qua/duyet", form)
    issuance.give_up(office.services.begin, UUID(results[2]["id"]), "certificate_expired")

    page = office.open(centre.LEADER, batch.url.path)
    (version,) = re.findall(r"tien-do\?v=([0-9a-f]+)", page.text)
    same = office.open(centre.LEADER, f"{batch.url.path}/tien-do?v={version}", headers=PART)
    office.work_off()
    moved = office.open(centre.LEADER, f"{batch.url.path}/tien-do?v={version}", headers=PART)
    everything = office.open(centre.LEADER, f"{batch.url.path}?tat-ca=1")

    listed = re.findall(r'<li><span><a href="/ket-qua/([0-9a-f-]+)"', page.text)
    assert listed == [results[3]["id"], results[2]["id"]], "what isn't signed, and what stopped"
    assert "Và 2 văn bản nữa" in said(page)
    assert (same.status_code, moved.status_code) == (204, 200)
    assert "Đã phát hành 3/3" in moved.text or "Đã phát hành 2/3" in moved.text
    assert len(re.findall(r'<li><span><a href="/ket-qua/', everything.text)) == 4
    assert "Xem tất cả" not in everything.text


def test_the_pages_of_many_ask_the_database_no_oftener_than_those_of_few(
    office: Office, dossier: dict[str, Any]
) -> None:
    results = []
    for _ in range(6):
        with office.services.begin() as work:  # each of a dossier of its own
            first = work.dossiers.for_job(UUID(dossier["id"]))
            ordinal = work.dossiers.next_ordinal(first.receiving, codes.local_day(utc_now()))
            code = codes.dossier_code(first.receiving, codes.local_day(utc_now()), ordinal)
            mine = replace(first, id=uuid.uuid4(), code=code, lookup_code=codes.new_lookup_code(), version=0)
            work.dossiers.keep(mine)
        results.append(submitted(office, dossier | {"id": str(mine.id)}))
    for result in results:
        read(office, result)

    def asked(count: int) -> list[int]:
        chosen = results[:count]
        batch_id = uuid.uuid4()
        with office.services.begin() as work:
            by = work.accounts.of(centre.LEADER).actor
        batches.keep(office.services.begin, batch_id, [UUID(r["id"]) for r in chosen], {}, by=by, now=utc_now())
        return [
            _statements(office, "POST", "/ket-qua/duyet/xem", {"chon": [r["id"] for r in chosen]}),
            _statements(office, "GET", f"/ket-qua/dot-ky/{batch_id}"),
        ]

    assert asked(6) == asked(2)
    before = _statements(office, "GET", "/ket-qua?loc=cho-ky")
    issuance.send_back(office.services.begin, UUID(results[0]["id"]), by=_leader(office), comment="Sửa lại")
    assert _statements(office, "GET", "/ket-qua?loc=cho-ky") == before


def _leader(office: Office) -> Any:
    with office.services.begin() as work:
        return work.accounts.of(centre.LEADER).actor


def _statements(office: Office, method: str, path: str, form: Any = None) -> int:
    """How many statements a page sends to the database."""
    engine, counted = office.services.database._engine, []

    def count(*_: Any) -> None:
        counted.append(1)

    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        answer = office.send(centre.LEADER, path, form) if method == "POST" else office.open(centre.LEADER, path)
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)
    assert answer.status_code == 200
    return len(counted)


# --- trouble on the way -----------------------------------------------------------------------------------------------


def test_a_signing_that_stopped_says_why_and_goes_on_when_let(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)
    read(office, result)
    approve(office, result)
    issuance.give_up(office.services.begin, UUID(result["id"]), "certificate_expired")

    for_clerk = office.open(centre.CLERK, f"/ket-qua/{result['id']}")
    listed = office.open(SEAL_KEEPER, "/ket-qua")
    for_keeper = office.open(SEAL_KEEPER, f"/ket-qua/{result['id']}")
    by_clerk = office.send(centre.CLERK, f"/ket-qua/{result['id']}/ky-tiep")
    resumed = office.send(SEAL_KEEPER, f"/ket-qua/{result['id']}/ky-tiep")
    office.work_off()

    for page in (for_clerk, for_keeper, listed):
        assert "Chứng thư số đã hết hạn" in page.text
    assert "Ký tiếp" not in for_clerk.text
    assert f'action="/ket-qua/{result["id"]}/ky-tiep"' in for_keeper.text
    assert by_clerk.status_code == 403
    assert resumed.status_code == 200
    assert look(office, result)["state"]["code"] == "issued"
    assert office.send(SEAL_KEEPER, f"/ket-qua/{result['id']}/ky-tiep").status_code == 409


# --- out of force -----------------------------------------------------------------------------------------------------


def test_withdrawing_needs_a_reason_and_shows_everywhere_at_once(office: Office, dossier: dict[str, Any]) -> None:
    result = issued(office, dossier)
    path = f"/ket-qua/{result['id']}/thu-hoi"

    before = office.open(SEAL_KEEPER, path)
    silent = office.send(SEAL_KEEPER, path, {"note": "giữ lại chữ này"})
    other = office.send(SEAL_KEEPER, path, {"reason": "other"})
    done = office.send(SEAL_KEEPER, path, {"reason": "mistake", "note": "sai địa chỉ.", "decision": "12/QĐ-TTPVHCC"})
    again = office.open(SEAL_KEEPER, path)
    repeated = office.send(SEAL_KEEPER, path, {"reason": "mistake"})

    assert "Không hoàn tác được" in before.text
    assert "data-key" not in re.search(r"<form class=\"card\".*?</form>", before.text, re.DOTALL)[0]
    assert silent.status_code == other.status_code == 422
    assert '<a href="#reason">Chọn lý do</a>' in silent.text
    assert "giữ lại chữ này</textarea>" in silent.text
    assert '<a href="#note">' in other.text
    assert "Đã thu hồi. Sổ và trang kiểm tra đã đổi." in done.text
    kept = look(office, result)
    assert kept["closed_reason"] == "Nội dung có sai sót. sai địa chỉ. Quyết định số 12/QĐ-TTPVHCC"
    assert not verify(office, document(office, result))["in_force"]
    assert "<form" not in re.search(r"<main.*</main>", again.text, re.DOTALL)[0]
    assert repeated.status_code == 409
    assert office.open(centre.CLERK, path).status_code == 403


def test_superseding_picks_an_issued_result_of_the_same_dossier_and_leads_to_the_newest(
    office: Office, dossier: dict[str, Any]
) -> None:
    old, new, newest = (issued(office, dossier) for _ in range(3))
    path = f"/ket-qua/{old['id']}/thay-the"

    page = office.open(centre.LEADER, path)
    silent = office.send(centre.LEADER, path, {"reason": "mistake", "replacement": str(uuid.uuid4())})
    done = office.send(centre.LEADER, path, {"reason": "mistake", "replacement": new["id"]})
    office.send(centre.LEADER, f"/ket-qua/{new['id']}/thay-the", {"reason": "mistake", "replacement": newest["id"]})
    replaced = office.open(centre.LEADER, path)

    assert f'value="{new["id"]}"' in page.text
    assert f'value="{old["id"]}"' not in page.text
    assert silent.status_code == 422
    assert '<a href="#replacement">' in silent.text
    assert f"/ket-qua/{new['id']}" in done.text
    assert look(office, old)["superseded_by"] == new["id"]
    assert f"/ket-qua/{newest['id']}" in replaced.text, "the end of the chain, not its next link"


def test_without_a_replacement_the_way_to_one_is_said(office: Office) -> None:
    alone = digitised_dossier(office)
    result = issued(office, alone)

    page = office.open(SEAL_KEEPER, f"/ket-qua/{result['id']}/thay-the")

    assert "Chưa có bản thay thế nào đã phát hành" in page.text
    assert "soạn bản đúng trong cùng hồ sơ" in page.text


# --- who sees what ----------------------------------------------------------------------------------------------------


def test_another_agency_finds_nothing_and_no_address_breaks(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)
    here = f"/ket-qua/{result['id']}"

    for path in ("", "/tinh-trang", "/trang/1", "/xem-thu/1"):
        assert office.open(OTHERS_CLERK, here + path).status_code == 404
    for path in ("/luu", "/trinh", "/tra-lai"):
        assert office.send(OTHERS_CLERK, here + path, {"comment": "x"}).status_code == 404
    for path in ("/da-doc", "/duyet"):
        assert office.send(OTHERS_LEADER, here + path, {"sha256": "x", "password": "x"}).status_code == 404
    for path in ("/thu-hoi", "/thay-the"):
        assert office.open(OTHERS_LEADER, here + path).status_code == 404
    assert office.open(OTHERS_CLERK, f"/ho-so/{dossier['id']}/ket-qua/moi").status_code == 404
    for path in ("/ket-qua/abc", f"/ket-qua/{uuid.uuid4()}", here + "/trang/0", here + "/trang/99", here + "/trang/x"):
        assert office.open(centre.CLERK, path).status_code == 404, path
    assert office.open(centre.CLERK, here + "/xem-thu/99").status_code == 404
    assert office.open("", here).url.path == "/dang-nhap"


def test_the_list_shows_each_role_its_own_work(office: Office, dossier: dict[str, Any]) -> None:
    draft = begun(office, dossier)
    waiting = submitted(office, dossier)
    out = issued(office, dossier)

    def ids(who: str, query: str = "") -> set[str]:
        return set(re.findall(r'id="row-([0-9a-f-]{36})"', office.open(who, f"/ket-qua{query}").text))

    assert waiting["id"] in ids(centre.LEADER)
    assert draft["id"] not in ids(centre.LEADER)
    assert draft["id"] in ids(centre.CLERK)
    assert out["id"] in ids(centre.CLERK, "?loc=da-phat-hanh")
    assert out["id"] not in ids(centre.CLERK, f"?loc=da-phat-hanh&sau={out['id']}")
    assert ids(OTHERS_CLERK, "?loc=da-phat-hanh") == set()
    assert ids(centre.POSTAL) == set()
    assert office.open(centre.CLERK, "/ket-qua?loc=khong-co").status_code == 200
    stamp = re.search(r"v=([0-9a-f]{16})", office.open(centre.LEADER, "/ket-qua").text)[1]
    again = office.open(centre.LEADER, f"/ket-qua/danh-sach?loc=cho-ky&v={stamp}", headers=PART)
    assert again.status_code == 204
    read(office, waiting)
    changed = office.open(centre.LEADER, f"/ket-qua/danh-sach?loc=cho-ky&v={stamp}&chon={waiting['id']}", headers=PART)
    assert re.search(rf'value="{waiting["id"]}" checked', changed.text), "what was chosen stays chosen"


def test_a_dossiers_page_lists_its_results_and_where_they_lead(office: Office, dossier: dict[str, Any]) -> None:
    result = issued(office, dossier)

    page = office.open(centre.CLERK, f"/ho-so/{dossier['id']}")

    assert f'href="/ket-qua/{result["id"]}"' in page.text
    assert result["number"] in page.text
    assert f"/ho-so/{dossier['id']}/ket-qua/moi" in page.text


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_state_has_a_page_in_both_languages(office: Office, dossier: dict[str, Any], language: str) -> None:
    result = UUID(submitted(office, dossier)["id"])
    for state in ResultState:
        with office.services.begin() as work:
            kept = work.e_results.for_job(result)
            object.__setattr__(kept, "state", state)
            work.e_results.keep(kept)
        for who in (centre.CLERK, centre.LEADER, SEAL_KEEPER):
            page = office.open(who, f"/ket-qua/{result}", cookies={"hoso_language": language})
            assert page.status_code == 200, (state, who)
            assert 'aria-current="step"' in page.text or state is ResultState.ISSUED


def test_a_draft_is_given_up_by_its_author_with_a_reason_and_nothing_is_deleted(
    office: Office, dossier: dict[str, Any]
) -> None:
    result = begun(office, dossier)
    here = f"/ket-qua/{result['id']}"
    assert "Bỏ dự thảo này" in office.open(centre.CLERK, here).text
    nobody = office.send(centre.LEADER, f"{here}/bo-du-thao", {"reason": "x"})
    assert nobody.status_code == 403
    silent = office.send(centre.CLERK, f"{here}/bo-du-thao", {"reason": "  "})
    assert silent.status_code == 422
    assert look(office, result)["state"]["code"] == "draft"

    page = office.send(centre.CLERK, f"{here}/bo-du-thao", {"reason": "Soạn nhầm mẫu"})

    assert "Đã bỏ dự thảo" in page.text
    assert "Soạn nhầm mẫu" in page.text
    assert "paper-pages" in page.text, "what was given up can still be read"
    gone = look(office, result)
    assert (gone["state"]["code"], gone["next_step"], gone["number"]) == ("discarded", None, "")
    assert events(office, result, "e_result.discarded") == 1
    assert str(result["id"]) not in office.open(centre.CLERK, "/ket-qua?loc=dang-soan").text
    assert str(result["id"]) in office.open(centre.CLERK, f"/ho-so/{dossier['id']}").text
    again = office.ask(centre.CLERK, "POST", f"/e-results/{result['id']}/discard", json={"reason": "lần nữa"})
    assert again.status_code == 409
    assert office.ask(centre.CLERK, "POST", f"/e-results/{result['id']}/submit").status_code == 409
    assert events(office, result, "e_result.discarded") == 1


def test_what_was_submitted_is_taken_back_before_it_is_given_up(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)
    path = f"/e-results/{result['id']}"
    assert office.ask(centre.CLERK, "POST", f"{path}/discard", json={"reason": "thôi"}).status_code == 409
    ok(office.ask(centre.CLERK, "POST", f"{path}/return", json={"comment": "rút lại"}))
    given_up = ok(office.ask(centre.CLERK, "POST", f"{path}/discard", json={"reason": "thôi"}))
    assert given_up["state"]["code"] == "discarded"
    assert submitted(office, dossier)["state"]["code"] == "submitted", "another one can be drafted"


def test_a_result_beside_one_that_is_ready_is_not_hidden_from_its_leader(own_office: Office) -> None:
    office = own_office
    dossier = digitised_dossier(office)
    first = submitted(office, dossier)
    ok(
        office.ask(
            centre.LEADER,
            "POST",
            f"/e-results/{first['id']}/approve",
            json={"password": centre.PASSWORD, "document_sha256": first["document_sha256"]},
        )
    )
    office.work_off()
    assert "Không còn việc chờ bạn" in office.open(centre.LEADER, "/viec").text
    second = submitted(office, dossier)
    desk = said(office.open(centre.LEADER, "/viec"))
    assert "1 văn bản chờ bạn ký." in desk
    assert "Không còn việc chờ bạn" not in desk
    assert second["state"]["code"] == "submitted"

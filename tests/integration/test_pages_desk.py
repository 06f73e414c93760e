"""The frame, the doors and the desk, as a browser meets them."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

import pytest

from api.demo import centre
from api.pages import assets
from tests.conftest import _database
from tests.integration.conftest import bucket
from tests.office import Office, running_office
from tests.papers import scan_png

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.embedded.s3 import S3Access


@pytest.fixture(scope="module")
def office(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str, migrated_template: str, s3_server: S3Access
) -> Iterator[Office]:
    """An office of this module's own: a queue shows so many rows, and others fill the shared one."""
    for dsn in _database(postgres_server, template=migrated_template):
        with running_office(tmp_path_factory.mktemp("desk"), dsn, bucket(s3_server)) as running:
            yield running


SAME = {"sec-fetch-site": "same-origin"}
OTHERS_CLERK = "motcua.coto"


def _dossier(office: Office, name: str = "Lê Thị Hoa Mai") -> dict[str, object]:
    opened = office.ask(centre.POSTAL, "POST", "/dossiers", json={"procedure": "2.000908", "applicant": {"name": name}})
    assert opened.status_code == 201, opened.text
    return opened.json()


def _sign_in(office: Office, **headers: str) -> object:
    office.client.cookies.clear()
    form = {"username": centre.CLERK, "password": centre.PASSWORD, "ve": "/viec"}
    return office.client.post("/dang-nhap", data=form, headers=headers, follow_redirects=False)


def test_signing_in_gives_a_cookie_that_scripts_cant_read_and_leads_on(office: Office) -> None:
    answer = _sign_in(office, **SAME)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/viec"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("hoso_session=")
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"origin": "http://["},
    ],
)
def test_nobody_is_signed_in_by_another_sites_page(office: Office, headers: dict[str, str]) -> None:
    answer = _sign_in(office, **headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "đến từ một trang khác" in answer.text


def test_an_older_browser_that_only_names_the_origin_is_let_in(office: Office) -> None:
    assert _sign_in(office, origin="http://testserver").status_code == 303


def test_a_change_with_the_cookie_must_come_from_our_own_page(office: Office) -> None:
    dossier = _dossier(office)
    path = f"/api/v1/dossiers/{dossier['id']}/close"
    body = {"state": "cancelled", "reason": "thử"}

    forged = office.send(centre.CLERK, path, json=body, headers={"sec-fetch-site": "cross-site"})
    ours = office.send(centre.CLERK, path, json=body)

    assert forged.status_code == 403
    assert forged.json()["code"] == "foreign_origin"
    assert ours.status_code == 200, ours.text


def test_a_wrong_password_keeps_the_name_and_says_nothing_more(office: Office) -> None:
    for username in (centre.LEADER, "khong.co.ai"):
        answer = office.send("", "/dang-nhap", {"username": username, "password": "sai"})

        assert answer.status_code == 401
        assert "Tên đăng nhập hoặc mật khẩu không đúng" in answer.text
        assert f'value="{username}"' in answer.text
        assert 'value="sai"' not in answer.text


@pytest.mark.parametrize(
    "elsewhere",
    ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)", "//["],
)
def test_signing_in_never_leads_to_another_site(office: Office, elsewhere: str) -> None:
    form = {"username": centre.CLERK, "password": centre.PASSWORD, "ve": elsewhere}
    office.client.cookies.clear()

    answer = office.client.post("/dang-nhap", data=form, headers=SAME, follow_redirects=False)

    assert answer.headers["location"] == "/viec"
    assert 'name="ve" value="/viec"' in office.open("", f"/dang-nhap?ve={elsewhere}").text


def test_who_isnt_signed_in_is_led_to_the_door_and_back(office: Office) -> None:
    path = f"/ho-so/{uuid.uuid4()}"
    office.client.cookies.clear()

    page = office.client.get(path, follow_redirects=False)
    piece = office.client.get("/viec/danh-sach", headers={"hx-request": "true"}, follow_redirects=False)

    assert page.status_code == 303
    assert page.headers["location"].startswith("/dang-nhap?ve=%2Fho-so%2F")
    assert piece.status_code == 401
    assert "hx-redirect" not in piece.headers, "the page around it may hold what somebody is typing"


def test_signing_out_ends_the_session_on_the_server(own_office: Office) -> None:
    signed_in = _sign_in(own_office, **SAME)
    token = re.match("hoso_session=([^;]+)", signed_in.headers["set-cookie"])[1]
    own_office.client.cookies.clear()
    cookie = {"cookie": f"hoso_session={token}"}

    left = own_office.client.post("/dang-xuat", headers=cookie | SAME, follow_redirects=False)
    after = own_office.client.get("/viec", headers=cookie, follow_redirects=False)

    assert left.headers["location"] == "/dang-nhap"
    assert left.headers["clear-site-data"] == '"cache"', "pictures of papers stay with nobody"
    assert after.headers["location"].startswith("/dang-nhap")


def test_every_row_of_the_queue_has_an_owner_a_due_date_and_a_next_step(own_office: Office) -> None:
    office = own_office  # the queue shows the first sixty
    name = f"Nguyễn {uuid.uuid4().hex[:8]}"
    dossier = _dossier(office, name)
    before = office.open(centre.POSTAL, "/viec").text
    added = office.ask(
        centre.POSTAL,
        "POST",
        f"/dossiers/{dossier['id']}/components",
        data={"kind": "DN"},
        files={"file": ("a.png", scan_png(f"Giấy đề nghị của {name}"), "image/png")},
    )
    assert added.status_code == 201, added.text
    office.ask(centre.POSTAL, "POST", f"/dossiers/{dossier['id']}/receive")

    after = office.open(centre.POSTAL, "/viec?loc=tat-ca").text

    row = re.search(rf'<tr data-row id="row-{dossier["id"]}">(.*?)</tr>', before, re.DOTALL)[1]
    assert name in row
    assert "thêm giấy tờ" in row
    assert "nhân viên bưu điện, Bưu điện Hồng Gai" in row
    assert "chưa hẹn" in row
    row = re.search(rf'<tr data-row id="row-{dossier["id"]}">(.*?)</tr>', after, re.DOTALL)[1]
    assert re.search(r"hạn hôm nay|còn \d+ ngày", row)
    assert "bàn giao hồ sơ giấy" in row


def test_another_agencys_clerk_sees_nothing_of_it(own_office: Office) -> None:
    office = own_office  # the queue shows the first sixty
    dossier = _dossier(office)

    assert str(dossier["code"]) in office.open(centre.CLERK, "/viec?loc=tat-ca").text
    assert str(dossier["code"]) not in office.open(OTHERS_CLERK, "/viec?loc=tat-ca").text
    answer = office.open(OTHERS_CLERK, f"/ho-so/{dossier['id']}")
    assert answer.status_code == 404
    assert "Không tìm thấy" in answer.text
    assert str(dossier["code"]) not in answer.text


def test_what_a_stranger_types_is_shown_and_never_run(own_office: Office) -> None:
    office = own_office  # the queue shows the first sixty
    hostile = "<script>alert(1)</script>\"'><img src=x>"
    dossier = _dossier(office, hostile)

    for page in ("/viec?loc=tat-ca", f"/ho-so/{dossier['id']}"):
        html = office.open(centre.POSTAL, page).text
        assert "<script>alert" not in html
        assert "<img src=x>" not in html
        assert "&lt;script&gt;alert(1)" in html


def test_pages_speak_vietnamese_until_english_is_chosen(office: Office) -> None:
    office.client.cookies.clear()

    first = office.client.get("/dang-nhap", headers={"accept-language": "en-US,en;q=0.9"})
    chosen = office.client.get("/ngon-ngu/en?ve=/dang-nhap", follow_redirects=False)
    english = office.open("", "/dang-nhap", cookies={"hoso_language": "en"})

    assert '<html lang="vi"' in first.text
    assert chosen.headers["location"] == "/dang-nhap"
    assert "hoso_language=en" in chosen.headers["set-cookie"]
    assert '<html lang="en"' in english.text
    assert "Staff sign-in" in english.text


def test_every_page_carries_the_policy_and_nothing_inline(office: Office) -> None:
    for who, path in (("", "/dang-nhap"), ("", "/giao-dien"), ("", "/khong-co"), (centre.CLERK, "/viec")):
        answer = office.open(who, path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", answer.text), path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text), path


def test_an_asset_is_kept_for_ever_under_its_content_and_not_at_all_otherwise(office: Office) -> None:
    present = office.client.get(assets.address("hoso.css"), headers={"accept-encoding": "gzip"})
    old = office.client.get("/static/000000000000/hoso.css")

    assert "immutable" in present.headers["cache-control"]
    assert present.headers["content-encoding"] == "gzip"
    assert old.headers["cache-control"] == "no-store"
    assert present.text == old.text
    for outside in ("/static/x/..%2f..%2fapp.py", "/static/x/khong-co.js"):
        assert office.client.get(outside).status_code == 404


@pytest.mark.parametrize("path", ["/khong-co", "/ho-so/khong-phai-uuid", f"/ho-so/{uuid.UUID(int=7)}"])
def test_a_page_that_isnt_there_says_so_in_words(office: Office, path: str) -> None:
    answer = office.open(centre.CLERK, path)

    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "Mã theo dõi" in answer.text


def test_an_administrator_is_told_kindly_that_dossiers_are_not_theirs(office: Office) -> None:
    dossier = _dossier(office)

    desk = office.open("quantri", "/viec")

    assert desk.status_code == 200
    assert "không xem giấy tờ của người dân" in desk.text
    assert str(dossier["code"]) not in desk.text
    assert office.open("quantri", f"/ho-so/{dossier['id']}").status_code == 403


@pytest.mark.parametrize("odd", ["//[", "//a\u2100b", "/\ta", "x" * 3000])
def test_an_odd_way_back_is_no_fault_of_ours(office: Office, odd: str) -> None:
    for door in ("/dang-nhap", "/ngon-ngu/en", "/co-chu/large"):
        assert office.client.get(door, params={"ve": odd}, follow_redirects=False).status_code < 400


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page_and_says_so(office: Office) -> None:
    headers = {"referer": "http://testserver/ho-so/moi?thu_tuc=1.001612"}

    answer = office.send("", "/ho-so/moi", {"name": "Lê Thị Hoa Mai"}, headers=headers, follow_redirects=False)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/dang-nhap?ve=%2Fho-so%2Fmoi%3Fthu_tuc%3D1.001612"
    shown = office.open("", "/dang-nhap", cookies={"hoso_told": "session_over"})
    assert "Phiên đã hết nên chưa làm được" in shown.text


def test_the_address_of_a_forms_answer_leads_back_when_it_is_opened_again(office: Office) -> None:
    dossier = _dossier(office)

    answer = office.open(centre.CLERK, f"/ho-so/{dossier['id']}/giai-quyet")

    assert answer.status_code == 200
    assert str(dossier["code"]) in answer.text


def test_reception_is_no_next_step_while_a_required_paper_is_missing(office: Office) -> None:
    body = {"procedure": "1.004873", "applicant": {"name": "Lê Thị Hoa Mai"}}
    dossier = office.ask(centre.POSTAL, "POST", "/dossiers", json=body).json()
    upload = {"file": ("a.png", scan_png(f"Tờ khai {uuid.uuid4()}"), "image/png")}
    path = f"/dossiers/{dossier['id']}/components"
    office.ask(centre.POSTAL, "POST", path, data={"kind": "TK"}, files=upload)

    page = office.open(centre.POSTAL, f"/ho-so/{dossier['id']}").text

    assert "Còn thiếu: Bản chụp giấy tờ tùy thân." in page
    assert re.search(r'id="next-title".*?<strong>thêm giấy tờ</strong>', page, re.DOTALL)


def test_a_row_that_waits_for_the_posts_paper_says_that_first(own_office: Office) -> None:
    office = own_office  # the queue shows the first sixty
    dossier = _dossier(office)
    upload = {"file": ("a.png", scan_png(f"Giấy đề nghị {uuid.uuid4()}"), "image/png")}
    office.ask(centre.POSTAL, "POST", f"/dossiers/{dossier['id']}/components", data={"kind": "DN"}, files=upload)
    office.ask(centre.POSTAL, "POST", f"/dossiers/{dossier['id']}/receive")
    office.work_off()

    page = office.open(centre.POSTAL, "/viec").text

    row = re.search(rf'<tr data-row id="row-{dossier["id"]}">(.*?)</tr>', page, re.DOTALL)[1]
    assert '<a href="/ban-giao"><strong>bàn giao hồ sơ giấy' in row

"""The citizen's door on a telephone: without scripts first, then what scripts add; clean for everybody, and light."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from api.demo import centre
from api.demo.story import altered
from tests.browser import assert_accessible, expecting, key_presses, problems, weight
from tests.papers import page_pdf, scan_png

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page, Request

    from api.demo.story import Story
    from tests.browser import Visits
    from tests.live import Service

PROCEDURE, PAPERS = "1.004873", ("TK", "CC")
DATA = {
    "subject": "Xác nhận tình trạng hôn nhân",
    "opening": ["Căn cứ hồ sơ đã tiếp nhận,"],
    "facts": [["Họ và tên", "Phạm Thị Thử"]],
    "closing": ["Hiện chưa đăng ký kết hôn với ai"],
}


@pytest.fixture(scope="module")
def story(service: Service) -> Iterator[Story]:
    """A dossier whose result is issued."""
    told = service.story()
    client = told.sign_in(centre.CLERK)
    applicant = {"name": "Phạm Thị Thử", "id_number": "022185004321"}
    told.dossier = client.post("/dossiers", json={"procedure": PROCEDURE, "applicant": applicant}).json()
    here = f"/dossiers/{told.dossier['id']}"
    for kind in PAPERS:
        file = (f"{kind}.png", scan_png(f"Giấy tờ {kind} {uuid.uuid4()}"))
        client.post(f"{here}/components", data={"kind": kind}, files={"file": file}).raise_for_status()
    told.receipt = client.post(f"{here}/receive").json()
    told.watch(centre.CLERK)
    told.review(centre.CLERK, keep_reason="giấy thử")
    told.sign_copies(centre.CLERK)
    told.draft(centre.CLERK, leader=centre.LEADER, template="certificate", data=DATA)
    told.approve(centre.LEADER)
    told.await_issue(centre.CLERK)
    yield told
    told.close()


@pytest.fixture(scope="module")
def file(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result as the citizen has it."""
    kept = tmp_path_factory.mktemp("result") / "ket-qua.pdf"
    kept.write_bytes(story.download())
    return kept


def qr_address(story: Story) -> str:
    return f"/tra-cuu#hs={quote(story.receipt['code'])}&ma={quote(story.receipt['lookup_code'])}"


def registered(page: Page, story: Story) -> str:
    """The address of the result in the register, as a telephone finds it."""
    page.goto(qr_address(story))
    page.get_by_role("button", name=re.compile("Xem hồ sơ|See the dossier")).click()
    address = page.locator("article a[href^='/kiem-tra/']").get_attribute("href")
    assert address is not None
    return address


def judged(page: Page, file: Path) -> None:
    page.goto("/kiem-tra")
    page.locator("#file").set_input_files(file)
    page.locator("form[enctype] button").click()
    page.locator(".verdict").wait_for()


def test_a_telephone_without_scripts_finds_takes_and_checks_the_result(visit: Visits, story: Story) -> None:
    page = visit(width=360, height=740, javascript=False)
    page.goto("/")
    page.get_by_role("link", name=re.compile("Tra cứu hồ sơ.+giấy hẹn")).click()
    page.get_by_label("Mã hồ sơ").fill(story.receipt["code"].lower())
    page.get_by_label("Mã tra cứu").fill(story.receipt["lookup_code"].replace("-", " "))
    page.get_by_role("button", name="Xem hồ sơ").click()

    page.wait_for_url("**/tra-cuu/ho-so")
    page.reload()
    button = page.get_by_role("link", name=re.compile(r"TẢI KẾT QUẢ \(PDF, \d+ kB\)"))
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 48
    assert box["y"] + box["height"] < 740, "it is on the first screen"
    with page.expect_download() as downloading:
        button.click()
    taken = downloading.value
    assert taken.suggested_filename == f"{story.receipt['code']}-KQ1.pdf"

    judged(page, taken.path())
    assert page.get_by_role("heading", level=1).inner_text().endswith("TÀI LIỆU THẬT, CÒN HIỆU LỰC.")
    assert not page.get_by_role("button", name="In kết luận này").is_visible(), "a button that could do nothing"
    assert page.get_by_text("TOTAL-PASSED").first.is_hidden()
    page.get_by_text("Chi tiết kỹ thuật").click()
    assert page.get_by_text("TOTAL-PASSED").first.is_visible()


def test_the_receipts_qr_code_fills_in_both_codes_which_no_server_sees(visit: Visits, story: Story) -> None:
    page = visit(width=360, keyboard_only=True)
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.goto(qr_address(story))
    page.get_by_role("status").get_by_text("Đã điền hai mã").wait_for()

    assert page.get_by_label("Mã hồ sơ").input_value() == story.receipt["code"]
    assert page.url.endswith("/tra-cuu"), "the codes don't stay in the address bar"
    secret = story.receipt["lookup_code"]
    assert asked
    assert not [address for address in asked if secret in address or secret.replace("-", "") in address]
    page.keyboard.press("Enter")
    page.wait_for_url("**/tra-cuu/ho-so")
    assert key_presses(page) == 1
    page.go_back()
    assert page.get_by_label("Mã tra cứu").input_value() in ("", secret)
    assert secret not in page.url


def test_the_results_qr_code_is_shown_to_be_compared_and_marked_as_unverified(visit: Visits, story: Story) -> None:
    page = visit(width=360)
    address = registered(page, story)
    page.goto("/")
    page.goto(f"{address}#hs={story.receipt['code']}&id=022185004321&gt=Gi%E1%BA%A5y+%3Cimg+src=x%3E")

    said = page.locator("qr-says")
    assert said.get_by_text("chưa được kiểm tra").is_visible()
    assert said.get_by_text(story.receipt["code"]).is_visible()
    assert said.get_by_text("••••••••4321").is_visible()
    assert said.get_by_text("Giấy <img src=x>").is_visible()
    assert said.locator("[data-qr=pv]").is_hidden()
    assert "022185004321" not in page.content()
    assert "#" not in page.url
    page.reload()
    assert said.get_by_text("••••••••4321").is_visible(), "reloading loses nothing"
    page.goto("/")
    page.goto(address)
    assert said.is_hidden()


def test_a_file_that_is_too_large_is_told_before_it_is_sent_and_the_button_says_what_it_does(
    visit: Visits, file: Path, tmp_path: Path
) -> None:
    page = visit(width=360)
    page.goto("/kiem-tra")
    large = tmp_path / "lon.pdf"
    with large.open("wb") as hole:
        hole.truncate(50_000_001)
    page.locator("#file").set_input_files(large)
    page.get_by_text("Tệp lớn hơn 50 MB").wait_for()
    page.get_by_role("button", name="Kiểm tra tệp này").click()
    assert page.locator(".verdict").count() == 0

    page.locator("#file").set_input_files(file)
    assert page.get_by_text("Tệp lớn hơn 50 MB").is_hidden()
    page.evaluate("addEventListener('submit', event => event.preventDefault(), {once: true})")  # so that it can be seen
    page.get_by_role("button", name="Kiểm tra tệp này").click()
    page.get_by_role("button", name="Đang kiểm tra…").wait_for()
    page.evaluate("document.querySelector('form[enctype]').submit()")
    page.locator(".verdict.good").wait_for()


def test_without_scripts_a_file_that_is_too_large_is_told_all_the_same(visit: Visits, tmp_path: Path) -> None:
    page = visit(width=360, javascript=False)
    page.goto("/kiem-tra")
    large = tmp_path / "lon.pdf"
    with large.open("wb") as hole:
        hole.truncate(60_000_000)
    page.locator("#file").set_input_files(large)
    expecting(page, "413")
    page.get_by_role("button", name="Kiểm tra tệp này").click()
    page.get_by_text("Tệp lớn hơn 50 MB").wait_for()


@pytest.mark.parametrize(("width", "language"), [(360, "vi"), (1280, "en")])
def test_everybody_can_use_every_page_and_nothing_scrolls_sideways(
    visit: Visits, story: Story, file: Path, tmp_path: Path, width: int, language: str
) -> None:
    page = visit(width=width)
    expecting(page, "404", "422", "413")
    page.goto(f"/ngon-ngu/{language}")
    tampered, plain = tmp_path / "sua.pdf", tmp_path / "chua-ky.pdf"
    tampered.write_bytes(altered(file.read_bytes()))
    plain.write_bytes(page_pdf("Chưa ký"))

    def look() -> None:
        for large in (False, True):
            page.evaluate("large => document.documentElement.classList.toggle('large', large)", large)
            assert_accessible(page)
        page.evaluate("document.documentElement.classList.remove('large')")
        for narrow in (width, 320):
            page.set_viewport_size({"width": narrow, "height": 740})
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, f"{page.url} is {over} px too wide at {narrow}"
        page.set_viewport_size({"width": width, "height": 740})

    address = registered(page, story)
    look()
    for path in (
        "/",
        "/tra-cuu",
        "/tra-cuu?het-gio=1",
        "/kiem-tra",
        address,
        "/kiem-tra/0000000000000",
        "/kiem-tra?ma=1",
    ):
        page.goto(path)
        look()
    for one in (file, tampered, plain):
        judged(page, one)
        page.locator("summary").click()
        look()
    page.goto("/tra-cuu")
    page.locator("form[action='/tra-cuu'] button").click()
    page.get_by_role("alert").wait_for()
    look()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    assert [p for p in problems(page) if not re.search("404|422", p)] == []


def test_the_pages_are_light(visit: Visits) -> None:
    for address in ("/", "/tra-cuu", "/kiem-tra"):
        found = weight(visit(width=360), address)
        assert found.total < 60_000, found

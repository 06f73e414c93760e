"""Results by keyboard, in a real browser: drafted while the picture follows, read, signed over a killed worker."""

from __future__ import annotations

import itertools
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from api.demo import centre
from tests.browser import assert_accessible, expecting, key_presses, typed
from tests.papers import page_pdf, scan_png

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from api.demo.story import Story
    from tests.browser import Visits
    from tests.live import Service

PROCEDURE, PAPERS = "1.004873", ("TK", "CC")
CLOSING = "Hiện chưa đăng ký kết hôn với ai"
#: A picture follows within a second on a machine of its own; here others are at work.
PATIENCE_MS = 15_000


@pytest.fixture(scope="module")
def story(service: Service) -> Iterator[Story]:
    """A dossier that a clerk has taken into work; each test makes results of its own."""
    told = service.story()
    client = told.sign_in(centre.CLERK)
    applicant = {"name": f"Phạm Thị {uuid.uuid4().hex[:6]}", "id_number": "022185004321"}
    told.dossier = client.post("/dossiers", json={"procedure": PROCEDURE, "applicant": applicant}).json()
    here = f"/dossiers/{told.dossier['id']}"
    for kind in PAPERS:
        file = (f"{kind}.png", scan_png(f"Giấy tờ {kind} {uuid.uuid4()}"))
        client.post(f"{here}/components", data={"kind": kind}, files={"file": file}).raise_for_status()
    told.receipt = client.post(f"{here}/receive").raise_for_status().json()
    told.watch(centre.CLERK)
    told.review(centre.CLERK, keep_reason="giấy thử")
    told.sign_copies(centre.CLERK)
    client.post(f"{here}/process").raise_for_status()
    yield told
    told.close()


def submitted(story: Story, **changes: Any) -> str:
    """A result that waits for the leader; its address."""
    data = {"subject": "Tình trạng hôn nhân", "facts": [["Họ và tên", "Phạm Thị Thử"]], "closing": [CLOSING]}
    story.draft(centre.CLERK, leader=centre.LEADER, template="confirmation", data=data | changes)
    return f"/ket-qua/{story.result['id']}"


def walk_to(page: Page, address: str) -> None:
    """By J, down the list; others may wait there too."""
    for _ in range(page.locator("[data-row]").count()):
        page.keyboard.press("j")
        if address.endswith(page.evaluate("() => document.activeElement.getAttribute('href')")):
            return
    raise AssertionError(f"{address} isn't in the list")


def read_to_the_end(page: Page) -> None:
    """By Space, until the page says so."""
    give_up = time.monotonic() + PATIENCE_MS / 1000
    while page.locator("#decide .tag.good").count() == 0:
        assert time.monotonic() < give_up, "reading to the end wasn't noticed"
        page.keyboard.press("Space")
        page.wait_for_timeout(100)


def test_a_result_is_drafted_read_and_signed_by_keyboard_alone(story: Story, visit: Visits) -> None:
    clerk = visit(centre.CLERK, keyboard_only=True)
    clerk.goto(f"/ho-so/{story.dossier['id']}")
    clerk.keyboard.press("Control+Enter")
    clerk.wait_for_url("**/ket-qua/moi")
    assert_accessible(clerk)
    clerk.keyboard.press("Control+Enter")
    clerk.locator("#draft").wait_for()
    assert_accessible(clerk)

    before = clerk.locator("#glance-1").get_attribute("src")
    clerk.get_by_role("link", name="Thiếu nội dung kết thúc").focus()
    clerk.keyboard.press("Enter")
    expect(clerk.locator("#f-closing")).to_be_focused()
    typed(clerk, CLOSING)
    expect(clerk.locator("#glance-1")).not_to_have_attribute("src", before, timeout=PATIENCE_MS)
    expect(clerk.locator(".save-line")).to_contain_text("Đã lưu nháp lúc", timeout=PATIENCE_MS)
    expect(clerk.locator("#f-closing")).to_have_value(CLOSING)
    expect(clerk.locator("#f-closing")).to_be_focused()
    typed(clerk, ", đến hôm nay.")
    clerk.keyboard.press("Control+Enter")
    clerk.locator("hoso-reading").wait_for()
    assert_accessible(clerk)
    address = clerk.url

    leader = visit(centre.LEADER, keyboard_only=True)
    leader.goto("/ket-qua")
    rows = leader.locator("[data-row]").count()
    assert_accessible(leader)
    walk_to(leader, address)
    leader.keyboard.press("Enter")
    leader.locator("hoso-reading").wait_for()
    assert leader.url == address
    read_to_the_end(leader)
    leader.locator("#password").focus()
    assert_accessible(leader)
    leader.keyboard.type(centre.PASSWORD)
    leader.keyboard.press("Control+Enter")
    leader.get_by_text("Trong sổ phát hành").wait_for(timeout=60_000)
    assert_accessible(leader)
    assert key_presses(leader) < len(centre.PASSWORD) + 15 + rows

    story.result = {"id": address.rsplit("/", 1)[1]}
    story.await_issue(centre.CLERK)
    assert story.result["data"]["closing"] == [f"{CLOSING}, đến hôm nay."], "the last words were sent along"


def test_typing_goes_on_over_a_lost_line_and_is_saved_by_itself(story: Story, visit: Visits) -> None:
    page = visit(centre.CLERK)
    expecting(page, "ERR_INTERNET_DISCONNECTED", "Failed to fetch")
    page.goto(f"/ho-so/{story.dossier['id']}/ket-qua/moi")
    page.keyboard.press("Control+Enter")
    page.locator("#draft").wait_for()

    page.context.set_offline(True)
    page.locator("#f-closing").fill(CLOSING)
    expect(page.locator(".save-line")).to_contain_text("Chưa lưu được", timeout=PATIENCE_MS)
    page.context.set_offline(False)

    expect(page.locator(".save-line")).to_contain_text("Đã lưu nháp lúc", timeout=PATIENCE_MS)
    page.reload()
    expect(page.locator("#f-closing")).to_have_value(CLOSING)


def test_facts_make_room_and_enter_goes_on(story: Story, visit: Visits) -> None:
    page = visit(centre.CLERK, keyboard_only=True)
    page.goto(f"/ho-so/{story.dossier['id']}/ket-qua/moi")
    page.keyboard.press("Control+Enter")
    rows = page.locator(".pair")
    rows.first.wait_for()
    count = rows.count()

    page.locator("[name='f.facts.name']").last.focus()
    page.keyboard.type("Nghề")
    page.keyboard.press("Enter")
    page.keyboard.type("Thợ may")
    page.keyboard.press("Control+KeyS")

    expect(rows).to_have_count(count + 1)
    expect(page.locator(".save-line")).to_contain_text("Đã lưu nháp lúc", timeout=PATIENCE_MS)
    page.reload()
    expect(page.locator("[name='f.facts.value']").nth(count - 2)).to_have_value("Thợ may")


def test_several_pages_are_read_without_jumping_over_any(story: Story, visit: Visits) -> None:
    address = submitted(story, opening=[f"Đoạn {n}: " + "chữ " * 120 for n in range(12)])
    page = visit(centre.LEADER, keyboard_only=True)
    page.goto(address)
    sheets = page.locator("[data-sheet]")
    assert sheets.count() > 2
    seen = [0.0]
    while page.locator("#decide .tag.good").count() == 0:
        page.keyboard.press("Space")
        page.wait_for_timeout(150)
        seen.append(page.evaluate("() => scrollY"))
        assert len(seen) < 100

    height = page.evaluate("() => innerHeight")
    assert all(later - earlier < height for earlier, later in itertools.pairwise(seen))
    assert all(
        sheets.nth(n).evaluate("(image) => image.complete && image.naturalWidth > 0") for n in range(sheets.count())
    )


def test_many_are_chosen_and_signed_with_one_password_over_a_killed_worker(
    story: Story, visit: Visits, service: Service
) -> None:
    addresses = [submitted(story), submitted(story)]
    page = visit(centre.LEADER, keyboard_only=True)
    for address in addresses:
        page.goto(address)
        read_to_the_end(page)
    page.goto("/ket-qua")
    page.keyboard.press("j")
    chosen = page.locator("[name=chon]:checked")
    page.keyboard.press("x")
    expect(chosen).to_have_count(1)
    page.keyboard.press("x")
    expect(chosen).to_have_count(0)
    page.keyboard.press("a")
    assert chosen.count() >= len(addresses)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#password")).to_be_focused()
    assert_accessible(page)
    service.kill("worker-signing")
    page.keyboard.type(centre.PASSWORD)
    page.keyboard.press("Control+Enter")
    page.locator("#batch").wait_for()
    assert_accessible(page)
    service.await_back("worker-signing")

    page.get_by_text(re.compile(r"Xong: \d+ văn bản đã phát hành")).wait_for(timeout=120_000)
    for address in addresses:
        page.goto(address)
        expect(page.locator("h1 .tag")).to_have_text("đã phát hành")


def test_an_annex_is_brought_approved_signed_and_taken_home_with_its_result(story: Story, visit: Visits) -> None:
    clerk = visit(centre.CLERK, width=320)
    clerk.goto(f"/ho-so/{story.dossier['id']}/ket-qua/moi")
    clerk.keyboard.press("Control+Enter")
    clerk.locator("#draft").wait_for()
    for title, text in (("Danh sách kèm theo", "Danh sách"), ("Bản vẽ", "Bản vẽ mặt bằng")):
        clerk.get_by_text("Thêm phụ lục", exact=True).click()
        clerk.get_by_label("Tên phụ lục").fill(title)
        file = {"name": "phu-luc.pdf", "mimeType": "application/pdf", "buffer": page_pdf(text)}
        clerk.locator("#annex-file").set_input_files(file)
        clerk.get_by_role("button", name="Thêm phụ lục này").click()
        expect(clerk.locator("#annexes")).to_contain_text(title)
    clerk.get_by_role("button", name="Bỏ phụ lục 2: Bản vẽ").click()
    expect(clerk.locator(".annexes li")).to_have_count(1)
    assert clerk.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert_accessible(clerk)
    clerk.locator("#f-closing").fill(CLOSING)
    clerk.keyboard.press("Control+Enter")
    clerk.locator("hoso-reading").wait_for()

    leader = visit(centre.LEADER, keyboard_only=True)
    leader.goto(clerk.url)
    expect(leader.locator("#annexes")).to_contain_text("Mở từng tệp trước khi duyệt")
    expect(leader.locator(".annexes li")).to_contain_text("Danh sách kèm theo")
    assert_accessible(leader)
    read_to_the_end(leader)
    leader.locator("#password").focus()
    leader.keyboard.type(centre.PASSWORD)
    leader.keyboard.press("Control+Enter")
    leader.get_by_text("Trong sổ phát hành").wait_for(timeout=120_000)
    expect(leader.locator(".annexes li")).to_contain_text("cơ quan đã ký")

    (annex,) = story.look_up()["results"][-1]["annexes"]
    assert annex["name"].endswith("-PL1.pdf")
    assert annex["download"]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_fits_a_narrow_screen_and_everybody(story: Story, visit: Visits, language: str) -> None:
    waiting = submitted(story)
    story.approve(centre.LEADER)
    story.await_issue(centre.CLERK)
    issued, waiting = waiting, submitted(story)
    pages = {
        centre.CLERK: ["/ket-qua", f"/ho-so/{story.dossier['id']}/ket-qua/moi", waiting, issued],
        centre.LEADER: [
            "/ket-qua",
            "/ket-qua?loc=da-phat-hanh",
            waiting,
            f"/ket-qua/duyet?chon={waiting.rsplit('/', 1)[1]}",
            f"{issued}/thu-hoi",
            f"{issued}/thay-the",
        ],
    }
    for who, addresses in pages.items():
        page = visit(who, width=320, language=language)
        if language == "en":
            page.goto("/ngon-ngu/en?ve=/ket-qua")
        for address in addresses:
            page.goto(address)
            assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), address
            assert_accessible(page)

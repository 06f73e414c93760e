"""Hours of a clerk's day: papers reviewed beside their pictures, copies signed, all of it by keyboard."""

from __future__ import annotations

import io
import time
import uuid
from datetime import date
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image

from api.demo import centre
from tests.browser import assert_accessible, expecting, key_presses, typed
from tests.integration.test_pen_gate import by_hand
from tests.papers import decision_pdf, scan_png, scanned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx2
    from playwright.sync_api import Page

    from tests.browser import Method, Through, Visits
    from tests.live import Service

PATIENCE_S = 90.0


class Dossier:
    """A dossier in the running service, as the API tells of it."""

    def __init__(self, client: httpx2.Client, *scans: bytes) -> None:
        self._client = client
        applicant = {"name": f"Nguyễn Đình Dương {uuid.uuid4().hex[:6]}"}
        self.name = applicant["name"]
        self.id = self._ok(client.post("/dossiers", json={"procedure": "1.001612", "applicant": applicant}))["id"]
        self.papers = [
            self._ok(
                client.post(
                    f"/dossiers/{self.id}/components",
                    data={"name": f"Giấy số {number}"},
                    files={"file": (f"{number}.png", scan)},
                )
            )["id"]
            for number, scan in enumerate(scans, start=1)
        ]
        self.await_states("read")

    def _ok(self, answer: httpx2.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json()

    def at(self, number: int = 0) -> str:
        return f"/ho-so/{self.id}/giay-to/{self.papers[number]}"

    def states(self) -> list[str]:
        return [c["state"]["code"] for c in self._ok(self._client.get(f"/dossiers/{self.id}"))["components"]]

    def await_states(self, state: str) -> None:
        until(lambda: set(self.states()) == {state})

    def field(self, key: str, number: int = 0) -> dict[str, Any]:
        path = f"/dossiers/{self.id}/components/{self.papers[number]}/fields"
        found: dict[str, Any] = next(f for f in self._ok(self._client.get(path)) if f["key"] == key)
        return found

    def word(self, index: int, number: int = 0) -> dict[str, Any]:
        path = f"/dossiers/{self.id}/components/{self.papers[number]}/pages/1/words"
        found: dict[str, Any] = self._ok(self._client.get(path))["words"][index]
        return found

    def page_text(self) -> str:
        text: str = self._ok(self._client.get(f"/dossiers/{self.id}/components/{self.papers[0]}/text"))["pages"][0][
            "text"
        ]
        return text

    def correct(self, key: str, value: str, seen: str) -> None:
        body = {"fields": [{"key": key, "value": value, "seen": seen}]}
        self._ok(self._client.patch(f"/dossiers/{self.id}/components/{self.papers[0]}/corrections", json=body))


def until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < give_up, "not within the time"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx2.Client]:
    story = service.story()
    yield story.sign_in(centre.CLERK)
    story.close()


def scan(*lines: str) -> bytes:
    return scan_png(*lines, str(uuid.uuid4()))


def decision(number: int) -> bytes:
    return scanned(decision_pdf(number=number, dated=date(2026, 3, 5)), dpi=200)


def saved(page: Page, name: str) -> None:
    """Wait until the page says that this input is kept."""
    page.locator(f".finding:has(#{name})[data-kept=saved] .kept").wait_for()
    assert "đã lưu" in page.locator(f".finding:has(#{name}) .kept").inner_text()


def test_a_dossier_goes_from_reading_to_signed_copies_by_keyboard_alone(visit: Visits, client: httpx2.Client) -> None:
    dossier = Dossier(client, decision(801), scan("Tờ khai lệ phí"))
    page = visit(centre.CLERK, keyboard_only=True)
    page.goto(dossier.at())
    page.locator("paper-review [data-tally]:not(:empty)").wait_for()
    assert_accessible(page)

    page.locator("#f-number").focus()
    page.keyboard.press("Enter")
    saved(page, "f-number")
    assert dossier.field("number")["by"] == centre.CLERK
    assert page.evaluate("document.activeElement.id") == "f-symbol"
    page.keyboard.press("Alt+Enter")
    saved(page, "f-document_type")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**{dossier.at(1)}")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/ho-so/{dossier.id}")
    dossier.await_states("reviewed")

    page.goto(f"/ho-so/{dossier.id}/ky-ban-sao")
    page.locator("#password").wait_for()
    until(lambda: _reloaded(page).get_by_text("Ký 2 bản số hóa").is_visible())
    assert_accessible(page)
    page.keyboard.type(centre.PASSWORD)
    page.keyboard.press("Control+Enter")
    page.get_by_text("Đã ký xong cả 2 giấy").wait_for(timeout=PATIENCE_S * 1000)
    assert_accessible(page)
    page.reload()
    page.get_by_text("Đã ký xong cả 2 giấy").wait_for()

    assert dossier.states() == ["digitized", "digitized"]
    assert key_presses(page) - len(centre.PASSWORD) <= 5


def _reloaded(page: Page) -> Page:
    page.reload()
    page.locator("#password").wait_for()
    return page


def test_a_number_by_hand_is_asked_for_first_beside_its_picture_and_nothing_is_guessed(
    visit: Visits, client: httpx2.Client
) -> None:
    dossier = Dossier(client, by_hand() + uuid.uuid4().bytes)
    page = visit(centre.CLERK, width=360, keyboard_only=True)
    expecting(page, "422")
    page.goto(dossier.at())
    page.locator("#f-number:focus").wait_for()
    assert page.locator("#f-number").input_value() == ""
    assert page.locator(".finding").first.get_attribute("data-key-of") == "number"
    crop = page.locator(".finding:has(#f-number) [data-crop] svg")
    assert crop.evaluate("e => e.getBoundingClientRect().height") > 30
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Còn chữ viết tay chưa ai gõ").wait_for()
    assert_accessible(page)

    page.locator("#f-number").focus()
    page.keyboard.type("27")
    page.keyboard.press("Enter")
    saved(page, "f-number")
    assert dossier.field("number")["value"] == "27"
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/ho-so/{dossier.id}")
    dossier.await_states("reviewed")


def blurred(number: int) -> bytes:
    """A decision so far out of focus that it ought to be scanned again, and is read poorly."""
    pixels = np.asarray(Image.open(io.BytesIO(decision(number))).convert("RGB"))
    soft = cv2.GaussianBlur(pixels, (0, 0), 2.6).astype(np.float32) * 0.6 + 90
    noise = np.random.default_rng(number).normal(0, 3, pixels.shape[:2])[..., None]
    file = io.BytesIO()
    Image.fromarray(np.clip(soft + noise, 0, 255).astype(np.uint8)).save(file, "PNG", dpi=(200, 200))
    return file.getvalue()


def test_a_blurred_page_asks_first_for_what_it_needs_and_is_gone_through_line_by_line(
    visit: Visits, client: httpx2.Client
) -> None:
    dossier = Dossier(client, blurred(811))
    page = visit(centre.CLERK, keyboard_only=True)
    page.goto(dossier.at())
    # What the review can't end without stands before the words, and the page says so.
    page.locator("#keep_reason:focus").wait_for()
    assert "lý do giữ bản quét" in page.locator("[data-blocking]").inner_text()
    page.keyboard.type("bản duy nhất")
    page.keyboard.press("Enter")
    blocking = page.locator("[data-blocks]")
    asked = {"f-number": "811", "f-issued_on": "5/3/2026"}  # number and day may pass for a pen's
    while blocking.is_visible():
        page.keyboard.press("F7")
        name = page.evaluate("document.activeElement.id")
        if name not in asked:  # the last answer arrived between the look and the key: nothing is asked any more
            until(blocking.is_hidden)
            break
        page.keyboard.type(asked.pop(name))
        page.keyboard.press("Enter")
        saved(page, name)
    assert_accessible(page)

    lines = page.locator(".finding.whole-line")
    open_lines = page.locator(".finding.whole-line[data-doubt]")
    total = lines.count()
    assert total > 8
    assert page.locator(".finding.word").count() == 0
    lines.first.locator("textarea").focus()
    page.keyboard.press("End")
    page.keyboard.type(" THỬ")
    page.keyboard.press("Enter")
    saved(page, "l-1-0")
    assert page.locator(".finding.whole-line.looked-at textarea").get_attribute("id") != "l-1-0"
    assert dossier.page_text().splitlines()[0].endswith(" THỬ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    for _ in range(total - 1):
        page.keyboard.press("Enter")
    until(lambda: open_lines.count() == 0)
    assert page.evaluate("document.activeElement.name") == "xong"
    page.reload()
    page.locator("paper-review [data-tally]:not(:empty)").wait_for()
    assert (lines.count(), open_lines.count()) == (total, 0), "what was checked stays checked"
    page.keyboard.press("F7")
    page.keyboard.type("bản duy nhất")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/ho-so/{dossier.id}")
    dossier.await_states("reviewed")


def test_any_page_can_be_gone_through_line_by_line_and_a_word_of_the_picture_opens_its_line(
    visit: Visits, client: httpx2.Client
) -> None:
    dossier = Dossier(client, scan("Tờ khai lệ phí", "trước bạ"))
    page = visit(centre.CLERK)
    page.goto(dossier.at())
    page.locator("paper-review [data-tally]:not(:empty)").wait_for()
    page.keyboard.press("Shift+F9")
    page.locator(".finding.whole-line.looked-at #l-1-0").wait_for()
    assert page.locator("#l-1-0").input_value() == "Tờ khai lệ phí"
    page.locator("#l-1-0").fill("Tờ kê khai lệ phí")
    page.keyboard.press("Enter")
    saved(page, "l-1-0")
    assert dossier.word(0)["text"] == "Tờ kê"
    page.keyboard.press("Shift+F9")
    page.locator(".word-button").first.wait_for()
    assert page.locator(".finding.whole-line").count() == 0
    assert page.locator("#w-1-0").input_value() == "Tờ kê"
    assert_accessible(page)


@pytest.mark.parametrize(("method", "through"), [("telex", "keys"), ("telex", "composition"), ("vni", "keys")])
def test_vietnamese_typed_by_any_method_is_kept_and_presses_no_key_of_ours(
    visit: Visits, client: httpx2.Client, method: Method, through: Through
) -> None:
    dossier = Dossier(client, scan("Giấy ủy quyền"))
    page = visit(centre.CLERK, keyboard_only=True)
    page.goto(dossier.at())
    page.locator("#f-signer").focus()
    typed(page, "Đặng Thị Mơ, khu Ước Mơ", method, through=through)
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate("document.activeElement.id") == "f-signer"
    page.keyboard.press("Tab")

    saved(page, "f-signer")
    assert dossier.field("signer")["value"] == "Đặng Thị Mơ, khu Ước Mơ"
    assert dossier.states() == ["read"]
    assert page.url.endswith(dossier.at())


def test_a_word_of_the_picture_is_opened_changed_and_left_out_and_the_picture_follows(
    visit: Visits, client: httpx2.Client
) -> None:
    dossier = Dossier(client, scan("Tờ khai lệ phí", "trước bạ"))
    page = visit(centre.CLERK)
    page.goto(dossier.at())
    page.get_by_text("Toàn văn trang này").click()
    page.locator(".word-button").first.click()
    page.locator(".finding.looked-at #w-1-0").wait_for()
    assert page.locator(".light-table rect.now").count() == 1
    before = page.locator(".sheet-of-paper").evaluate("e => e.style.transform")
    page.keyboard.press("Escape")
    assert page.locator(".sheet-of-paper").evaluate("e => e.style.transform") != before

    page.locator("#w-1-0").press("F2")
    assert page.locator("#w-1-0").input_value() == "[không đọc được]"
    page.locator("#w-1-0").fill("")
    page.keyboard.press("Enter")
    saved(page, "w-1-0")
    assert dossier.word(0)["text"] == ""


def test_two_clerks_at_one_field_see_both_and_one_of_them_chooses(visit: Visits, client: httpx2.Client) -> None:
    dossier = Dossier(client, scan("Giấy xác nhận"))
    first, second = visit(centre.CLERK), visit(centre.CLERK, language="en")
    expecting(second, "412")
    for page in (first, second):
        page.goto(dossier.at())
        page.locator("paper-review [data-tally]:not(:empty)").wait_for()

    sent: list[str] = []
    first.on("request", lambda request: sent.append(request.method))
    first.locator("#f-signer").fill("Trần Thị Bình")
    first.keyboard.press("Enter")
    saved(first, "f-signer")
    assert sent.count("PATCH") == 1, "Enter keeps it, and leaving the field doesn't keep it again"
    second.locator("#f-signer").fill("Lê Văn Thử")
    second.keyboard.press("Enter")
    both = second.locator(".finding:has(#f-signer) .clash")
    both.wait_for()
    assert "Trần Thị Bình" in both.inner_text()
    assert "Lê Văn Thử" in both.inner_text()
    assert_accessible(second)
    assert dossier.field("signer")["value"] == "Trần Thị Bình"

    second.get_by_role("button", name="Keep mine").click()
    until(lambda: dossier.field("signer")["value"] == "Lê Văn Thử")
    both.wait_for(state="detached")
    first.locator("#f-signer").fill("Đỗ Thị Hoa")
    expecting(first, "412")
    first.keyboard.press("Enter")
    first.get_by_role("button", name="Dùng chữ kia").click()
    assert first.locator("#f-signer").input_value() == "Lê Văn Thử"
    first.keyboard.press("Control+Enter")
    first.wait_for_url(f"**/ho-so/{dossier.id}")
    assert dossier.field("signer")["value"] == "Lê Văn Thử"


def test_what_is_typed_while_the_line_is_lost_is_kept_in_the_page_and_saved_when_it_is_back(
    visit: Visits, client: httpx2.Client
) -> None:
    dossier = Dossier(client, scan("Giấy biên nhận"))
    page = visit(centre.CLERK)
    expecting(page, "ERR_INTERNET_DISCONNECTED", "Failed to fetch")
    page.goto(dossier.at())
    page.locator("paper-review [data-tally]:not(:empty)").wait_for()
    page.context.set_offline(True)
    page.locator("#f-signer").fill("Phạm Thị Lý")
    page.keyboard.press("Enter")
    page.get_by_text("chưa lưu được –").wait_for()
    assert page.locator("#line").is_visible()

    page.context.set_offline(False)
    saved(page, "f-signer")
    assert dossier.field("signer")["value"] == "Phạm Thị Lý"
    assert page.locator("#line").is_hidden()


def test_a_name_is_found_and_its_dossier_opened_from_the_keyboard(visit: Visits, client: httpx2.Client) -> None:
    dossier = Dossier(client, scan("Giấy xác nhận thửa đất"))
    page = visit(centre.CLERK, width=360, keyboard_only=True)
    page.goto("/viec")
    page.keyboard.press("/")
    page.keyboard.type(f"nguyen dinh duong {dossier.name[-6:]}")
    page.keyboard.press("Enter")
    page.get_by_text(dossier.name).wait_for()
    assert_accessible(page)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ho-so/{dossier.id}")


@pytest.mark.parametrize("width", [1280, 360])
def test_what_stood_there_before_is_one_way_off_and_fits_any_screen(
    visit: Visits, client: httpx2.Client, width: int
) -> None:
    dossier = Dossier(client, scan("Tờ khai lệ phí"))
    dossier.correct("signer", "Trần Thị Thử", "")
    dossier.correct("signer", "Lê Văn Thử", "Trần Thị Thử")
    page = visit(centre.CLERK, width=width)
    page.goto(dossier.at())
    page.get_by_role("link", name="trước và sau khi sửa").click()

    assert page.locator("del").all_inner_texts() == ["Trần Thị Thử"]
    assert page.locator("ins").all_inner_texts() == ["Trần Thị Thử", "Lê Văn Thử"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(page)
    page.goto(f"/ho-so/{dossier.id}")
    assert page.get_by_role("link", name="trước và sau", exact=True).count() == 2
    assert_accessible(page)

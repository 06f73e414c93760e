"""The counter in a real browser: dossiers opened and papers laid in by keyboard alone, whatever the line does."""

from __future__ import annotations

import re
import secrets
import uuid
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pypdfium2
import pytest

from api.demo import centre
from tests import stacks
from tests.browser import assert_accessible, expecting, key_presses, typed
from tests.papers import BAD_FILES, scan_pdf, scan_png

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import FilePayload, Page, Request, Route

    from tests.browser import Visits
    from tests.live import Service

PATIENCE_MS = 120_000
MARRIAGE = "1.004873"  # two papers are required
LINE_LOST = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "Failed to fetch", "htmx")


def card() -> str:
    """What a reader types of an identity card nobody has."""
    return f"02219000{secrets.randbelow(10_000):04d}||Lê Thị Thử|05021990|Nữ|Số 1 đường Mẫu|10052021"


def picture(name: str, *words: str) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": scan_png(*words, str(uuid.uuid4()))}


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def choose(page: Page, key: str, file: FilePayload | Path) -> None:
    """Press the key that opens the file chooser, and choose."""
    with page.expect_file_chooser() as chooser:
        press(page, key)
    chooser.value.set_files(file)


def open_dossier(page: Page, *, by: str = "keys") -> None:
    """From the empty form to the dossier's page with the focus in its tray."""
    page.goto("/ho-so/moi")
    page.get_by_role("combobox").wait_for()
    page.keyboard.insert_text(card())
    press(page, "Enter")
    page.get_by_text("Đã đọc thẻ của Lê Thị Thử").wait_for()
    page.keyboard.type("0912 345 678")
    press(page, "Alt+Digit2")
    typed(page, "hôn nhân", "telex", through="composition" if by == "composition" else "keys")
    page.get_by_role("option", name="Cấp giấy xác nhận tình trạng hôn nhân").wait_for()
    press(page, "Enter")
    page.get_by_text("Tờ khai cấp giấy xác nhận").wait_for()
    with page.expect_navigation(url="**/ho-so/*-*"):
        press(page, "Control+Enter")
    page.locator("#kind-1 [data-choose]:focus").wait_for(timeout=PATIENCE_MS)


def await_read(page: Page, pages: int) -> None:
    page.locator(f'#papers[data-done="{pages}"][data-total="{pages}"]').wait_for(timeout=PATIENCE_MS)


@pytest.fixture
def counter(visit: Visits) -> Page:
    """A person of the post office who never touches a mouse."""
    page = visit(centre.POSTAL, keyboard_only=True)
    page.on("filechooser", lambda _: None)  # or the browser would open its own, and no test could answer it
    return page


@pytest.mark.parametrize("by", ["keys", "composition"])
def test_a_procedure_is_found_by_telex_and_without_accents(counter: Page, by: str) -> None:
    open_dossier(counter, by=by)
    counter.goto("/ho-so/moi")
    press(counter, "Alt+Digit2")
    counter.keyboard.type("dat dai")

    assert [option.split("\n")[0] for option in counter.locator(".found [role=option]").all_inner_texts()] == [
        "Đính chính giấy chứng nhận quyền sử dụng đất đã cấp"
    ]
    press(counter, "Escape")
    assert counter.get_by_role("combobox").input_value() == ""
    counter.keyboard.type("khong co gi nhu the")
    counter.get_by_text("Không có thủ tục nào khớp.").first.wait_for()
    press(counter, "Enter")
    assert counter.url.endswith("/ho-so/moi"), "Enter opens no dossier by accident"
    assert_accessible(counter)


def test_two_papers_are_laid_in_by_keyboard_alone_and_the_tray_fills_by_itself(counter: Page) -> None:
    open_dossier(counter)
    assert_accessible(counter)

    choose(counter, "KeyU", picture("to-khai.png", "Tờ khai xác nhận tình trạng hôn nhân"))
    counter.locator("#kind-2 [data-choose]:focus").wait_for(timeout=PATIENCE_MS)
    choose(counter, "Enter", picture("giay-to.png", "Bản chụp giấy tờ tùy thân"))

    counter.locator("#kind-2 .sheet img").wait_for(timeout=PATIENCE_MS)
    await_read(counter, 2)
    assert "Tờ khai xác nhận" in counter.locator("#kind-1").inner_text()
    counter.locator('#papers[hx-trigger="papers-changed"]').wait_for(timeout=PATIENCE_MS)
    assert_accessible(counter)
    before = counter.locator("#papers").text_content()
    counter.reload()
    assert counter.locator("#papers").text_content() == before
    counter.set_viewport_size({"width": 320, "height": 640})
    assert counter.evaluate("document.documentElement.scrollWidth") <= 320
    assert_accessible(counter)
    counter.set_viewport_size({"width": 1280, "height": 800})

    with counter.expect_navigation(url="**/giay-hen"):
        press(counter, "Control+Enter")
    assert key_presses(counter) < 60, "the telephone and the words typed are most of them"
    assert_accessible(counter)
    counter.set_viewport_size({"width": 320, "height": 640})
    assert counter.evaluate("document.documentElement.scrollWidth") <= 320
    assert _runs_over(counter, ".codes", "strong") == []
    _is_one_sheet_with_a_code_a_telephone_reads(counter)


def _is_one_sheet_with_a_code_a_telephone_reads(receipt: Page) -> None:
    code, lookup = receipt.locator(".codes .code").all_inner_texts()
    with pypdfium2.PdfDocument(receipt.pdf(prefer_css_page_size=True)) as printed:
        assert len(printed) == 1
        page = printed[0]
        assert tuple(round(side / 72 * 25.4) for side in page.get_size()) == (210, 297)
        shown = [np.ascontiguousarray(page.render(scale=dpi / 72).to_numpy()) for dpi in (300, 240, 360, 200)]
        page.close()
    # A telephone looks again and again from a little nearer; OpenCV misses about one code in fifty at any one size.
    readers = (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco())
    read = next((text for at in shown for reader in readers if (text := reader.detectAndDecode(at)[0])), "")
    assert read.partition("/tra-cuu")[2] == f"#hs={code}&ma={lookup.replace('-', '')}"


def test_files_dropped_on_the_tray_wait_until_a_number_says_which_paper_they_are(counter: Page) -> None:
    open_dossier(counter)
    _drop(counter, "hs-tray", picture("mot.png"), picture("hai.png"))
    waiting = counter.locator("[data-sending] .item")
    waiting.nth(1).wait_for()
    assert "Đây là giấy gì?" in waiting.nth(0).inner_text()
    assert_accessible(counter)

    press(counter, "Digit2", "Digit1")

    counter.locator("#kind-1 .paper", has_text="hai.png").wait_for(timeout=PATIENCE_MS)
    counter.locator("#kind-2 .paper", has_text="mot.png").wait_for(timeout=PATIENCE_MS)
    _drop(counter, "#kind-3", picture("ba.png"))
    counter.locator("#kind-3 .paper", has_text="ba.png").wait_for(timeout=PATIENCE_MS)
    counter.locator("[data-sending]").wait_for(state="hidden", timeout=PATIENCE_MS)


def _drop(page: Page, where: str, *files: FilePayload) -> None:
    """As the system does it when files are let go over the page."""
    transfer = page.evaluate_handle(
        """files => {
            const transfer = new DataTransfer();
            for (const { name, bytes } of files)
                transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
            return transfer;
        }""",
        [{"name": file["name"], "bytes": list(file["buffer"])} for file in files],
    )
    page.dispatch_event(where, "dragover", {"dataTransfer": transfer})
    page.dispatch_event(where, "drop", {"dataTransfer": transfer})


def test_each_file_that_can_t_be_taken_says_why_and_the_good_one_beside_it_goes_in(counter: Page) -> None:
    expecting(counter, "422", "409")
    open_dossier(counter)
    good = picture("tot.png")
    bad: list[FilePayload] = [
        {"name": name, "mimeType": "application/pdf", "buffer": BAD_FILES[case][1]()}
        for case, name in (("encrypted", "khoa.pdf"), ("wrong type", "la.pdf"), ("empty", "rong.pdf"))
    ]
    with counter.expect_file_chooser() as chooser:
        press(counter, "KeyU")
    chooser.value.set_files([*bad, good])

    counter.locator("#kind-1 .paper", has_text="tot.png").wait_for(timeout=PATIENCE_MS)
    said = counter.locator("[data-sending]").inner_text()
    assert "Tệp có mật khẩu. Xin bỏ mật khẩu rồi gửi lại." in said
    assert "Không phải tệp PDF, JPEG, PNG, WebP hay TIFF." in said
    assert "Tệp rỗng (0 byte)" in said
    assert counter.locator("#kind-1 .paper").count() == 1
    press(counter, "Digit2")
    choose(counter, "KeyU", good)
    counter.get_by_text("Tệp này đã có ở dòng 1, Tờ khai").first.wait_for(timeout=PATIENCE_MS)


def test_a_killed_web_loses_nothing_and_the_page_finds_its_way_back(counter: Page, service: Service) -> None:
    expecting(counter, *LINE_LOST)
    open_dossier(counter)
    choose(counter, "KeyU", picture("truoc.png", "Gửi trước khi mất mạng"))
    counter.locator("#kind-1 .paper").wait_for(timeout=PATIENCE_MS)

    service.kill("web")
    press(counter, "Digit2")
    choose(counter, "KeyU", picture("trong-luc.png", "Gửi trong lúc mất mạng"))
    counter.locator(".item", has_text="Chưa nhận").or_(counter.locator("#kind-2 .paper")).first.wait_for()
    service.await_back()

    counter.locator("#kind-2 .paper", has_text="trong-luc.png").wait_for(timeout=PATIENCE_MS)
    await_read(counter, 2)
    counter.locator("#line").wait_for(state="hidden", timeout=PATIENCE_MS)
    assert "/ho-so/" in counter.url


def test_paper_is_handed_on_by_keyboard_and_counted_by_scanning_receipts(counter: Page, visit: Visits) -> None:
    open_dossier(counter)
    for key, name in (("KeyU", "a.png"), ("Enter", "b.png")):
        choose(counter, key, picture(name))
        counter.locator(".paper", has_text=name).wait_for(timeout=PATIENCE_MS)
        counter.locator(".kind.open [data-choose]:focus, #receive:focus").wait_for(timeout=PATIENCE_MS)
    with counter.expect_navigation(url="**/giay-hen"):
        press(counter, "Control+Enter")
    code = counter.locator(".codes .code").first.inner_text()
    counter.goto("/ban-giao")
    counter.locator("[data-scan]:focus").wait_for()
    assert counter.locator("[name=dossiers]:checked").count() == 0
    assert_accessible(counter)
    press(counter, "Control+Enter")
    counter.get_by_text("Chưa chọn hồ sơ nào.").wait_for()
    assert counter.url.endswith("/ban-giao"), "no slip is made of what nobody laid out"
    counter.set_viewport_size({"width": 320, "height": 640})
    assert _runs_over(counter, "hs-ticks .card", ".code") == []
    counter.set_viewport_size({"width": 1280, "height": 800})
    press(counter, "Escape", "KeyA")
    assert counter.locator("hs-ticks").first.locator("[name=dossiers]:not(:checked)").count() == 0
    counter.reload()
    counter.locator("[data-scan]:focus").wait_for()
    counter.keyboard.insert_text(f"https://vi.du/tra-cuu#hs={code}&ma=1")
    press(counter, "Enter")
    counter.get_by_text(f"Đã đánh dấu {code}").wait_for()
    with counter.expect_navigation(url="**/ban-giao/*-*"):
        press(counter, "Control+Enter")
    assert_accessible(counter)

    clerk = visit(centre.CLERK, keyboard_only=True, width=360)
    expecting(clerk, "422")
    clerk.goto(counter.url)
    assert_accessible(clerk)
    assert clerk.evaluate("document.documentElement.scrollWidth") <= 360
    clerk.set_viewport_size({"width": 320, "height": 640})
    assert clerk.locator(".note-in input").first.evaluate("e => e.getBoundingClientRect().width") > 200
    assert _runs_over(clerk, "hs-ticks .card", ".code") == []
    press(clerk, "F8")
    clerk.keyboard.insert_text(f"https://vi.du/tra-cuu#hs={code}&ma=1")
    press(clerk, "Enter")
    clerk.get_by_text(f"Đã đánh dấu {code}").wait_for()
    assert clerk.locator("[data-code]").count() == 1, "nothing else was laid out"
    with clerk.expect_navigation():
        press(clerk, "Control+Enter")
    clerk.get_by_text("Đã nhận bàn giao.").wait_for()
    assert clerk.locator("tr", has_text=code).inner_text().endswith("✓ đủ")


def _runs_over(page: Page, around: str, within: str) -> list[str]:
    """What is printed over the edge of what it stands in."""
    found: list[str] = page.evaluate(
        """([around, within]) => [...document.querySelectorAll(around)].flatMap((box) => {
            const edge = box.getBoundingClientRect().right;
            const over = [...box.querySelectorAll(within)].filter((one) => {
                const range = document.createRange();
                range.selectNodeContents(one);
                return range.getBoundingClientRect().right > edge;
            });
            return over.map((one) => one.textContent);
        })""",
        [around, within],
    )
    return found


def test_a_paper_in_the_wrong_row_is_moved_and_taken_out_by_keyboard(counter: Page) -> None:
    open_dossier(counter)
    choose(counter, "KeyU", picture("nham.png"))
    counter.locator("#kind-1 .misplaced summary").focus(timeout=PATIENCE_MS)
    press(counter, "Enter", "Tab", "End")
    chosen = counter.locator("#kind-1 .move select")
    assert chosen.evaluate("e => e.selectedOptions[0].textContent") == "Giấy tờ khác"
    await_read(counter, 1)
    assert chosen.evaluate("e => e.selectedOptions[0].textContent") == "Giấy tờ khác", "reading goes on around it"
    press(counter, "Home")
    assert_accessible(counter)
    with counter.expect_navigation():
        press(counter, "Tab", "Enter")

    counter.locator("#kind-2 .paper", has_text="nham.png").wait_for(timeout=PATIENCE_MS)
    counter.locator("#kind-1.open").wait_for()
    counter.locator("#kind-2 .misplaced summary").focus()
    with counter.expect_navigation():
        press(counter, "Enter", "Tab", "Tab", "Tab", "Enter")
    counter.get_by_text("Đã bỏ giấy khỏi hồ sơ.").wait_for()
    assert counter.locator(".paper").count() == 0


def test_seven_papers_are_one_sheet_in_both_languages(counter: Page) -> None:
    open_dossier(counter)
    with counter.expect_file_chooser() as chooser:
        press(counter, "KeyU")
    chooser.value.set_files([picture(f"{number}.png") for number in range(6)])
    counter.locator("#kind-1 .paper").nth(5).wait_for(timeout=PATIENCE_MS)
    press(counter, "Digit2")
    choose(counter, "KeyU", picture("7.png"))
    counter.locator("#kind-2 .paper").wait_for(timeout=PATIENCE_MS)
    with counter.expect_navigation(url="**/giay-hen"):
        press(counter, "Control+Enter")
    assert counter.locator(".lines tbody tr").count() == 7

    _is_one_sheet_with_a_code_a_telephone_reads(counter)
    counter.context.add_cookies([{"name": "hoso_language", "value": "en", "url": counter.url}])
    counter.reload()
    assert counter.locator(".sheet-a4 .also").count() > 10
    _is_one_sheet_with_a_code_a_telephone_reads(counter)


def test_an_upload_on_a_dying_line_is_given_up_held_and_sent_again(counter: Page) -> None:
    expecting(counter, *LINE_LOST, "ERR_ABORTED", "ERR_INTERNET_DISCONNECTED")
    counter.clock.install()
    open_dossier(counter)
    stuck: list[Route] = []
    counter.route("**/parcels", lambda route: route.continue_() if stuck else stuck.append(route))
    choose(counter, "KeyU", picture("tac.png"))
    item = counter.locator(".item", has_text="tac.png")
    counter.wait_for_function("document.querySelector('.item [data-state]').textContent.startsWith('Đang gửi')")

    counter.context.set_offline(True)
    item.get_by_text("Máy này đang mất mạng.").wait_for()
    counter.clock.fast_forward(21_000)
    item.get_by_text("Chưa nhận: mất kết nối.").wait_for()
    counter.context.set_offline(False)

    counter.locator("#kind-1 .paper", has_text="tac.png").wait_for(timeout=PATIENCE_MS)
    assert counter.locator(".paper").count() == 1


def test_a_file_goes_on_where_it_stopped_when_the_page_was_closed_and_the_web_killed(
    counter: Page, service: Service, tmp_path: Path
) -> None:
    expecting(counter, *LINE_LOST, "ERR_ABORTED")
    big = tmp_path / "tờ khai lớn.pdf"
    big.write_bytes(scan_pdf(str(uuid.uuid4())) + b"\n%" + b"x" * 6_000_000 + b"\n%%EOF\n")
    starts: list[str] = []
    unheard: list[Route] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            starts.append(request.headers["upload-offset"])

    def lose_the_first(route: Route) -> None:
        if route.request.method != "HEAD" or unheard:
            route.continue_()
            return
        unheard.append(route)
        route.abort("connectionreset")

    open_dossier(counter)
    dossier = counter.url
    counter.on("request", note)
    network = counter.context.new_cdp_session(counter)
    thin = {"offline": False, "latency": 80, "downloadThroughput": -1, "uploadThroughput": 1_000_000}
    network.send("Network.emulateNetworkConditions", thin)
    choose(counter, "KeyU", big)
    counter.locator(".item", has_text=re.compile(r"Đang gửi [4-9]\d%")).wait_for(timeout=PATIENCE_MS)
    counter.on("dialog", lambda asks: asks.accept())
    counter.goto("about:blank")
    service.kill("web")
    service.await_back()

    network.send("Network.emulateNetworkConditions", thin | {"uploadThroughput": -1, "latency": 0})
    counter.goto(dossier)
    counter.get_by_text("“tờ khai lớn.pdf” đang gửi dở.").wait_for()
    assert_accessible(counter)
    counter.route("**/api/v1/parcels/*", lose_the_first)
    choose(counter, "KeyU", big)
    counter.locator(".item", has_text="SHA-256").wait_for(timeout=PATIENCE_MS)

    assert unheard, "how far it had come was asked for, and nobody answered the first time"
    assert int(starts[0]) == 0
    assert int(starts[1]) >= 1024 * 1024, "what had arrived wasn't sent again"
    counter.locator("#kind-1 .paper", has_text="tờ khai lớn.pdf").wait_for(timeout=PATIENCE_MS)
    assert counter.locator(".paper").count() == 1
    assert counter.locator(".left-over").count() == 0


@pytest.mark.parametrize("path", ["/ho-so/moi", "/ban-giao", "/hop-nhan"])
def test_a_telephone_shows_it_without_scrolling_sideways(visit: Visits, path: str) -> None:
    page = visit(centre.POSTAL, width=320, language="en")
    page.goto(path)

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert_accessible(page)


def test_printed_separator_sheets_part_the_stack_they_are_scanned_in(counter: Page) -> None:
    open_dossier(counter)
    here = counter.url.partition("#")[0]
    counter.goto(f"{here}/to-ngan?giay=TK&giay=CC")
    assert_accessible(counter)
    with pypdfium2.PdfDocument(counter.pdf(prefer_css_page_size=True)) as printed:
        assert [tuple(round(side / 72 * 25.4) for side in page.get_size()) for page in printed] == [(210, 297)] * 2
        sheets = [page.render(scale=stacks.DPI / 72).to_pil().convert("RGB") for page in printed]
    counter.set_viewport_size({"width": 320, "height": 640})
    assert counter.evaluate("document.documentElement.scrollWidth") <= 320
    counter.set_viewport_size({"width": 1280, "height": 800})
    leaning = [sheet.rotate(1.5, fillcolor="white") for sheet in sheets]
    stack = stacks.as_pdf([leaning[0], stacks.paper(), stacks.paper(), leaning[1], stacks.paper()])

    counter.goto(here)
    counter.locator("#kind-1 [data-choose]").focus()
    choose(counter, "KeyU", {"name": "chong.pdf", "mimeType": "application/pdf", "buffer": stack})

    counter.locator("#kind-1 .paper .sheet").nth(1).wait_for(timeout=PATIENCE_MS)
    assert counter.locator("#kind-1 .paper .sheet").count() == 2
    assert counter.locator("#kind-2 .paper .sheet").count() == 1
    assert "trang 2–3 của lượt quét" in " ".join(counter.locator("#kind-1").inner_text().split())
    assert_accessible(counter)

"""The judge of our pages is judged: each thing it must notice is planted on a page of this test's own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.browser import Visits, assert_accessible, axe, expecting, key_presses, problems, raw_keys, typed, weight

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.browser import Method, Through

STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
LISTENER = """
document.querySelector('input').addEventListener('keydown', event => {
  const at = document.querySelector('output');
  at.textContent += `${event.key}/${event.code}/${event.keyCode}/${event.isComposing} `;
});
"""
FILES: dict[str, tuple[str, str]] = {
    "/favicon.ico": ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"/>'),
    "/": (
        "text/html",
        '<form action="/xong"><label>Tên <input name="ten" autofocus></label><button>Gửi</button></form>',
    ),
    "/xong": ("text/html", "<p>Đã nhận.</p>"),
    "/chu-y": ("text/html", '<script src="/loi.js"></script>'),
    "/loi.js": ("text/javascript", "console.error('hỏng rồi')"),
    "/nem": ("text/html", '<script src="/nem.js"></script>'),
    "/nem.js": ("text/javascript", "throw new Error('không ai bắt')"),
    "/chen": ("text/html", "<p>Chèn</p><script>document.title = 'chèn'</script>"),
    "/dang-tai": ("text/html", '<img alt="" src="http://127.0.0.1:1/khong-ai-nghe">'),
    "/khong-nhan": ("text/html", '<main><h1>Tìm</h1><input name="ten"></main>'),
    "/nang": ("text/html", '<link rel="stylesheet" href="/nang.css"><p>Nặng</p>'),
    "/nang.css": ("text/css", "/*" + "." * 70_000 + "*/"),
    "/go": ("text/html", '<label>Tên <input autofocus></label><output></output><script src="/go.js"></script>'),
    "/go.js": ("text/javascript", LISTENER),
}


class Site(BaseHTTPRequestHandler):
    """The pages above, under a policy as strict as ours; what isn't there is broken."""

    def do_GET(self) -> None:
        kind, body = FILES.get(self.path.partition("?")[0], ("", "hỏng"))
        content = f'<!doctype html><html lang="vi"><title>Thử</title>{body}' if kind == "text/html" else body
        self.send_response(200 if kind else 500)
        self.send_header("content-type", f"{kind or 'text/plain'}; charset=utf-8")
        self.send_header("content-security-policy", STRICT)
        self.send_header("content-length", str(len(content.encode())))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *said: object) -> None:
        pass


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A site of this module's own instead of the service."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def doomed(browser: Browser, base_url: str, tmp_path: Path) -> Iterator[Visits]:
    """Visits that a test closes itself, to see them fail."""
    visits = Visits(browser, base_url, tmp_path / "kept")
    yield visits
    assert not visits.open, "the test didn't close them"


def test_a_page_without_a_fault_passes(visit: Visits) -> None:
    page = visit(language="en", width=360)
    page.goto("/")
    page.get_by_label("Tên").fill("Lựu")
    page.get_by_role("button").click()

    assert "ten=L%E1%BB%B1u" in page.url
    assert page.evaluate("[navigator.language, innerWidth]") == ["en-US", 360]
    assert problems(page) == []
    assert_accessible(page)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/chu-y", "console: hỏng rồi"),
        ("/nem", "uncaught: Error: không ai bắt"),
        ("/chen", "Content Security Policy violated: script-src-elem"),
        ("/khong-co", "answered 500: GET"),
    ],
)
def test_a_fault_on_a_page_fails_its_test_and_leaves_a_trace(
    doomed: Visits, tmp_path: Path, address: str, told: str
) -> None:
    page = doomed()
    page.goto("/")
    page.goto(address)
    page.goto("/")

    with pytest.raises(AssertionError, match=told):
        doomed.close()
    assert {file.suffix for file in (tmp_path / "kept").iterdir()} == {".png", ".html", ".zip"}


def test_a_request_that_fails_fails_its_test(doomed: Visits) -> None:
    # Policies stop requests before they fail, so this one leaves from a page that has none.
    doomed().goto("data:text/html,<img alt src=http://127.0.0.1:1/khong-ai-nghe>")
    with pytest.raises(AssertionError, match=r"failed: GET http://127.0.0.1:1/khong-ai-nghe"):
        doomed.close()


def test_what_a_story_expects_is_no_fault_and_everything_else_still_is(doomed: Visits) -> None:
    page = doomed()
    expecting(page, "hỏng rồi")
    page.goto("/chu-y")
    doomed.close()

    page = doomed()
    expecting(page, "hỏng rồi")
    page.goto("/chu-y")
    page.goto("/nem")
    with pytest.raises(AssertionError) as failed:
        doomed.close()
    assert "hỏng rồi" not in str(failed.value)


def test_a_window_that_a_page_opens_is_watched_too(doomed: Visits) -> None:
    page = doomed()
    page.goto("/")
    with page.expect_popup() as opened:
        page.evaluate("window.open('/nem')")
    opened.value.wait_for_load_state()
    with pytest.raises(AssertionError, match="không ai bắt"):
        doomed.close()


def test_a_click_breaks_a_story_by_keyboard(doomed: Visits) -> None:
    page = doomed(keyboard_only=True)
    page.goto("/")
    page.get_by_role("button").click()
    with pytest.raises(AssertionError, match="not by keyboard: pointerdown: <button>Gửi"):
        doomed.close()


def test_a_touch_breaks_a_story_by_keyboard(doomed: Visits) -> None:
    page = doomed(keyboard_only=True)
    page.goto("/")
    box = page.get_by_role("button").bounding_box()
    assert box is not None
    finger = {"x": box["x"] + 5, "y": box["y"] + 5}
    page.context.new_cdp_session(page).send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [finger]})
    with pytest.raises(AssertionError, match="not by keyboard: touchstart: <button>Gửi"):
        doomed.close()


def test_keys_are_counted_across_pages_and_clicks_by_key_are_allowed(visit: Visits) -> None:
    page = visit(keyboard_only=True)
    page.goto("/")
    for key in ("L", "Tab", "Shift+Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**/xong?ten=L")
    page.keyboard.press("Tab")

    assert key_presses(page) == 6


def test_who_scripts_nothing_can_visit_but_not_be_held_to_the_keyboard(visit: Visits) -> None:
    page = visit(javascript=False)
    page.goto("/chu-y")
    page.goto("/nem")

    assert problems(page) == []
    with pytest.raises(ValueError, match="JavaScript"):
        visit(javascript=False, keyboard_only=True)
    with pytest.raises(ValueError, match="JavaScript"):
        axe(page)


def test_axe_finds_a_field_without_a_label(visit: Visits) -> None:
    page = visit()
    page.goto("/khong-nhan")

    (found,) = axe(page)
    assert (found.rule, found.impact) == ("label", "critical")
    with pytest.raises(AssertionError, match=r"label \(critical\).*\n +input"):
        assert_accessible(page)


def test_a_page_is_weighed_with_what_it_loads_each_time(visit: Visits) -> None:
    page = visit()
    first, second = weight(page, "/nang"), weight(page, "/nang")

    assert 70_000 < first.by_type["Stylesheet"] < 71_000
    assert first.by_type["Document"] > 100
    assert first.total == sum(size for _, size in first.loads)
    assert first.loads[0][0].endswith("/nang.css")
    assert abs(first.total - second.total) < 100


@pytest.mark.parametrize(
    ("word", "telex", "vni"),
    [
        ("Đường", "DDuwowngf", "D9u7o7ng2"),
        ("nguyễn", "nguyeenx", "nguye6n4"),
        ("mơ", "m[", "mo7"),
        ("tư", "t]", "tu7"),
        ("Đặng", "DDawngj", "D9a8ng5"),
        ("thủy", "thuyr", "thuy3"),
        ("Ước", "Uwowcs", "U7o7c1"),
        ("một", "mootj", "mo6t5"),
        ("van", "van", "van"),
    ],
)
def test_a_word_takes_the_keys_that_people_press(word: str, telex: str, vni: str) -> None:
    assert raw_keys(word) == telex
    assert raw_keys(word, "vni") == vni


@pytest.mark.parametrize("method", ["telex", "vni"])
@pytest.mark.parametrize("through", ["keys", "composition"])
def test_typing_puts_the_words_into_the_field_by_the_keys_of_its_method(
    visit: Visits, method: Method, through: Through
) -> None:
    text = "Đặng Thị Mơ, số 12 đường Trần Phú"
    page = visit()
    page.goto("/go")
    pressed = typed(page, text, method, through=through)

    assert page.get_by_label("Tên").input_value() == text
    seen = page.locator("output").inner_text().split()
    codes = [key.split("/")[1] for key in seen if not key.startswith("Backspace")]
    assert len(codes) == pressed
    assert ("KeyW" in codes, "BracketLeft" in codes, "Digit7" in codes) == (
        (True, True, False) if method == "telex" else (False, False, True)
    )
    swallowed = [key for key in seen if key.startswith("Process/") and key.split("/")[2] == "229"]
    assert bool(swallowed) == (through == "composition")
    assert any(key.endswith("/true") for key in seen) == (through == "composition")


@pytest.mark.usefixtures("_chromium")
def test_tests_that_hold_no_browser_may_run_a_loop_of_their_own_beside_it() -> None:
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"


def test_a_test_fails_by_its_page_alone_and_says_where_it_kept_it(base_url: str, tmp_path: Path) -> None:
    story = tmp_path / "test_story.py"
    story.write_text(
        f"""
import pytest

@pytest.fixture
def base_url():
    return {base_url!r}

def test_good(visit):
    visit().goto("/")

def test_broken_page(visit):
    visit().goto("/chu-y")

def test_broken_promise(visit):
    visit().goto("/")
    assert False, "nothing wrong with the page"
"""
    )
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.acceptance.conftest", "-c", os.devnull, str(story)],
        env=os.environ | {"HOSO_TEST_ARTIFACTS": str(tmp_path / "kept")},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert "1 failed, 2 passed, 1 error" in ran.stdout, ran.stdout + ran.stderr
    assert "console: hỏng rồi" in ran.stdout
    assert str(tmp_path / "kept" / "test_broken_promise") in ran.stdout
    assert {folder.name for folder in (tmp_path / "kept").iterdir()} == {"test_broken_page", "test_broken_promise"}
    assert (tmp_path / "kept" / "test_broken_promise" / "1-trace.zip").stat().st_size > 1000

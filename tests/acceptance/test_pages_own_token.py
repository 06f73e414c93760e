"""The leader signs with a token, in a real browser beside a stand-in for the desktop tool; and when the tool errs."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import uvicorn
from playwright.sync_api import expect

from api.app import create_app
from api.demo import centre
from tests import desktop_tool
from tests.browser import assert_accessible, expecting
from tests.conftest import _database
from tests.desktop_tool import DesktopTool
from tests.integration.conftest import bucket
from tests.integration.test_api_e_results import approve, digitised_dossier, document, look, ok, submitted, verify
from tests.office import Office, onto_own_token, running_office

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from api.embedded.s3 import S3Access
    from tests.browser import Visits

PATIENCE_MS = 30_000
T = TypeVar("T")


@dataclass
class Site:
    """An office whose leader signs with a token, its pages served on a free port, and the tool on his computer."""

    office: Office
    tool: DesktopTool
    base_url: str
    dossier: dict[str, Any]

    def waiting(self) -> dict[str, Any]:
        """A result that the leader has approved."""
        result = submitted(self.office, self.dossier)
        ok(approve(self.office, result))
        return look(self.office, result)

    def work_off(self) -> None:
        """Do what waits for the workers."""
        elsewhere(self.office.work_off)

    def signed_by_hand(self, sent: bytes) -> bytes:
        """What any program makes of it, with the leader's token in."""
        return elsewhere(lambda: desktop_tool.signed(sent, self.tool.key))


def elsewhere(call: Callable[[], T]) -> T:
    """Done in a thread of its own: the browser keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call).result()


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str, migrated_template: str, s3_server: S3Access
) -> Iterator[Site]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        tool = DesktopTool(key=None)  # type: ignore[arg-type]  # the token is plugged in below
        tool.start()
        for dsn in _database(postgres_server, template=migrated_template):
            more = {"signing_tool_urls": (tool.address,), "public_url": base_url}
            with running_office(tmp_path_factory.mktemp("token-site"), dsn, bucket(s3_server), **more) as office:
                tool.key = onto_own_token(office, centre.LEADER)
                server = uvicorn.Server(uvicorn.Config(create_app(built=office.services), log_config=None))
                thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
                thread.start()
                yield Site(office, tool, base_url, digitised_dossier(office))
                server.should_exit = True
                thread.join()
        tool.stop()


@pytest.fixture
def base_url(site: Site) -> str:
    """Where `visit` goes, in this module."""
    return site.base_url


@pytest.fixture(autouse=True)
def well_behaved(site: Site) -> None:
    """Each test begins with an honest tool and the leader's token in it."""
    site.tool.behaves = desktop_tool.signed
    site.tool.asked.clear()
    site.tool.answers.clear()


def signing_page(page: Page, result: dict[str, Any]) -> None:
    page.goto(f"/ket-qua/{result['id']}/ky-token")
    expect(page.locator(".tool-line")).to_contain_text("Đã thấy công cụ ký", timeout=PATIENCE_MS)


def sign(page: Page) -> None:
    page.keyboard.press("Control+Enter")


def test_a_leader_reads_approves_and_signs_by_keyboard_and_the_result_is_genuine(site: Site, visit: Visits) -> None:
    result = submitted(site.office, site.dossier)
    page = visit(centre.LEADER, keyboard_only=True)
    page.goto(f"/ket-qua/{result['id']}")
    page.locator("hoso-reading").wait_for()
    give_up = time.monotonic() + PATIENCE_MS / 1000
    while page.locator("#decide .tag.good").count() == 0:
        assert time.monotonic() < give_up
        page.keyboard.press("Space")
        page.wait_for_timeout(100)
    page.locator("#password").focus()
    page.keyboard.type(centre.PASSWORD)
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/ky-token")
    expect(page.get_by_text("Chứng thư phải dùng")).to_be_visible()
    expect(page.get_by_text("Đặng Quốc Vỹ").first).to_be_visible()
    expect(page.locator(".tool-line")).to_contain_text("Đã thấy công cụ ký", timeout=PATIENCE_MS)
    assert_accessible(page)

    sign(page)
    expect(page.locator("#signed")).to_contain_text("Đã nhận bản ký", timeout=PATIENCE_MS)
    assert_accessible(page)
    site.work_off()
    expect(page.locator("#signed")).to_contain_text("Đã phát hành", timeout=PATIENCE_MS)

    assert [command for command, _ in site.tool.asked] == ["SignApproved"]
    assert site.tool.answers[0]["Status"] == 0
    verdict = verify(site.office, document(site.office, result))
    assert (verdict["verdict"], verdict["in_force"]) == ("genuine", True)


def test_a_tool_that_sends_the_unsigned_file_back_is_told_and_the_page_says_why(site: Site, visit: Visits) -> None:
    result = site.waiting()
    page = visit(centre.LEADER)
    signing_page(page, result)
    site.tool.behaves = lambda sent, _: sent

    sign(page)

    expect(page.locator("#refusal")).to_contain_text("chưa có chữ ký nào mới", timeout=PATIENCE_MS)
    expect(page.locator("#refusal")).to_contain_text("không thay đổi, vẫn an toàn")
    assert_accessible(page)
    assert look(site.office, result)["next_step"]["code"] == "sign_with_token"

    site.tool.behaves = desktop_tool.signed
    expect(page.locator("[data-sign]")).to_be_enabled(timeout=PATIENCE_MS)
    sign(page)
    expect(page.locator("#signed")).to_contain_text("Đã nhận bản ký", timeout=PATIENCE_MS)


def test_a_tool_closed_without_signing_changes_nothing(site: Site, visit: Visits) -> None:
    result = site.waiting()
    page = visit(centre.LEADER)
    signing_page(page, result)
    site.tool.behaves = None

    sign(page)

    expect(page.locator(".tool-line")).to_contain_text("đã đóng mà chưa gửi gì về", timeout=PATIENCE_MS)
    assert look(site.office, result)["next_step"]["code"] == "sign_with_token"


def test_without_the_tool_the_page_says_so_and_the_file_goes_by_hand(site: Site, visit: Visits, tmp_path: Any) -> None:
    result = site.waiting()
    page = visit(centre.LEADER)
    expecting(page, "WebSocket connection", "422")
    port = site.tool.port
    site.tool.stop()
    try:
        page.goto(f"/ket-qua/{result['id']}/ky-token")
        expect(page.locator(".tool-line")).to_contain_text("Không thấy công cụ ký", timeout=PATIENCE_MS)
        expect(page.locator("[data-look]")).to_be_visible()
    finally:
        site.tool = _again(site.tool, port)
    page.get_by_text("Ký tay bằng ba bước").click()
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Tải văn bản về máy").click()
    sent = fetched.value.path().read_bytes()
    assert sent == document(site.office, result)

    unsigned, signed = tmp_path / "chua-ky.pdf", tmp_path / "da-ky.pdf"
    unsigned.write_bytes(sent)
    signed.write_bytes(site.signed_by_hand(sent))
    page.locator("#signed-file").set_input_files(unsigned)
    page.get_by_role("button", name="Gửi bản đã ký").click()
    expect(page.locator("#refusal")).to_contain_text("chưa có chữ ký nào mới")
    page.locator("#signed-file").set_input_files(signed)
    page.get_by_role("button", name="Gửi bản đã ký").click()
    expect(page.locator("#signed")).to_contain_text("Đã nhận bản ký", timeout=PATIENCE_MS)


def _again(tool: DesktopTool, port: int) -> DesktopTool:
    """The tool started anew where it was."""
    started = DesktopTool(key=tool.key)
    started.start(port)
    return started


def test_several_are_signed_one_after_the_other(site: Site, visit: Visits) -> None:
    site.work_off()
    results = [site.waiting() for _ in range(2)]
    page = visit(centre.LEADER, keyboard_only=True)
    page.goto("/ket-qua/ky-token")
    while True:  # those of other tests that wait still are signed as well
        expect(page.locator(".tool-line")).to_contain_text("Đã thấy công cụ ký", timeout=PATIENCE_MS)
        sign(page)
        expect(page.locator("#signed")).to_be_visible(timeout=PATIENCE_MS)
        if page.locator("#next-one").count() == 0:
            break
        address = page.url
        page.keyboard.press("Control+Enter")
        page.wait_for_url(lambda now, before=address: now != before)
    site.work_off()

    assert [look(site.office, result)["state"]["code"] for result in results] == ["issued", "issued"]


def test_it_fits_a_small_screen_and_works_without_scripts(site: Site, visit: Visits, tmp_path: Any) -> None:
    result = site.waiting()
    page = visit(centre.LEADER, width=1024, height=600, javascript=False)
    page.goto(f"/ket-qua/{result['id']}/ky-token")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_text("Ký tay bằng ba bước").click()
    signed = tmp_path / "da-ky.pdf"
    signed.write_bytes(site.signed_by_hand(document(site.office, result)))
    page.locator("#signed-file").set_input_files(signed)
    page.get_by_role("button", name="Gửi bản đã ký").click()

    expect(page.locator("#signed")).to_contain_text("Đã nhận bản ký")


def test_only_this_page_may_speak_to_the_tool(site: Site, visit: Visits) -> None:
    result = site.waiting()
    page = visit(centre.LEADER)
    answers = {
        path: page.goto(path).headers["content-security-policy"]
        for path in (f"/ket-qua/{result['id']}", f"/ket-qua/{result['id']}/ky-token")
    }

    plain, signing = answers.values()
    assert "ws://" not in plain
    assert f"connect-src 'self' {site.tool.address};" in signing

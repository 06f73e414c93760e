"""Two papers scanned as one, parted at the counter: by keyboard, without scripts, on a small screen."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from api.demo import centre
from digitize.types import Flag
from dossiers.labels import label
from tests import stacks
from tests.browser import assert_accessible, expecting

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2
    from playwright.sync_api import Page

    from tests.browser import Visits
    from tests.live import Service


@pytest.fixture
def client(service: Service) -> Iterator[httpx2.Client]:
    with closing(service.story()) as story:
        yield story.sign_in(centre.CLERK)


@pytest.fixture
def dossier(client: httpx2.Client) -> dict[str, Any]:
    """A dossier with a form, a sheet nobody can read and a contract in one file."""
    applicant = {"name": f"Phạm Thị {uuid.uuid4().hex[:6]}", "id_number": "022185004321"}
    opened: dict[str, Any] = client.post("/dossiers", json={"procedure": "1.001612", "applicant": applicant}).json()
    pages = [stacks.paper(f"Tờ khai {uuid.uuid4()}"), stacks.spoiled_sheet(), stacks.paper("Hợp đồng"), stacks.paper()]
    client.post(
        f"/dossiers/{opened['id']}/components",
        data={"kind": "TK"},
        files={"file": ("chong-giay.pdf", stacks.as_pdf(pages))},
    ).raise_for_status()
    return opened


def press(page: Page, role: str, name: str) -> None:
    page.get_by_role(role, name=name).first.focus()  # type: ignore[arg-type]
    page.keyboard.press("Enter")


def papers(client: httpx2.Client, dossier: dict[str, Any]) -> list[tuple[str, int, list[int]]]:
    found = client.get(f"/dossiers/{dossier['id']}").json()["components"]
    return [(paper["kind"], paper["pages_total"], paper["whole_numbers"]) for paper in found]


def test_a_ruined_sheet_is_found_shown_and_taken_out_by_keyboard_alone(
    visit: Visits, client: httpx2.Client, dossier: dict[str, Any]
) -> None:
    page = visit(centre.CLERK, keyboard_only=True)
    page.goto(f"/ho-so/{dossier['id']}")
    press(page, "link", "Tách giấy")
    expect(page.locator(".marks > li")).to_have_count(4)
    page.locator("#trang-2").get_by_role("link", name="Giấy khác bắt đầu ở đây").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Trang 2 là gì?")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Trang đầu của giấy khác").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_label("Giấy bắt đầu từ đây là").focus()
    page.keyboard.type("Hợp đồng")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("heading", name="Sẽ thành như sau")).to_be_visible()
    expect(page.locator(".outcome > li")).to_have_count(3)
    expect(page.locator(".outcome > li.aside")).to_contain_text("không tính là trang của giấy nào")
    assert_accessible(page)
    assert papers(client, dossier) == [("TK", 4, [])], "looking changes nothing"
    page.keyboard.press("Control+Enter")

    page.wait_for_url(f"**/ho-so/{dossier['id']}#papers")
    expect(page.get_by_text("Đã tách. Bản quét gốc giữ nguyên")).to_be_visible()
    assert papers(client, dossier) == [("TK", 1, [1]), ("HD", 2, [3, 4])]
    expect(page.locator(".history")).to_contain_text("trang 1 và 3–4; tờ ngăn: 2")
    assert_accessible(page)
    expecting(page, "409")  # the page that asks, once its answer was given
    page.go_back()
    page.reload()
    expect(page.get_by_text("Giấy này đã tách, đã thay hoặc đã bỏ rồi")).to_be_visible()


def test_it_works_without_scripts_and_on_a_small_screen(
    visit: Visits, client: httpx2.Client, dossier: dict[str, Any]
) -> None:
    (paper,) = client.get(f"/dossiers/{dossier['id']}").json()["components"]
    page = visit(centre.CLERK, width=320, javascript=False)
    page.goto(f"/ho-so/{dossier['id']}/giay-to/{paper['id']}/trang")
    longest = max((label(flag) for flag in Flag), key=len)
    page.locator(".marks .tag").first.evaluate("(tag, words) => { tag.textContent = words; }", longest)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"/ho-so/{dossier['id']}/giay-to/{paper['id']}/trang/3/tach")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Giấy bắt đầu từ đây là").select_option("")
    page.get_by_label("Tên giấy").fill("Bản vẽ")
    page.get_by_role("button", name="Xem trước").click()
    expect(page.locator(".outcome > li")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Tách thành hai giấy").click()

    expect(page.get_by_text("Đã tách. Bản quét gốc giữ nguyên")).to_be_visible()
    assert papers(client, dossier) == [("TK", 2, [1, 2]), ("", 2, [3, 4])]

"""Legal hold in a real browser beside the running service, whose own worker has the store hold the files."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from api.demo import centre
from tests.browser import assert_accessible
from tests.papers import scan_png

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser import Visits
    from tests.live import Service

KEEPER = "vanthu.honggai"
#: The timer looks every five seconds; others are at work on this machine.
PATIENCE_S = 60


@pytest.fixture
def address(service: Service) -> str:
    """A dossier with a paper in it."""
    with closing(service.story()) as story:
        client = story.sign_in(centre.CLERK)
        applicant = {"name": f"Phạm Thị {uuid.uuid4().hex[:6]}", "id_number": "022185004321"}
        opened = client.post("/dossiers", json={"procedure": "1.004873", "applicant": applicant}).json()
        file = ("to-khai.png", scan_png(f"Tờ khai {uuid.uuid4()}"))
        client.post(
            f"/dossiers/{opened['id']}/components", data={"kind": "TK"}, files={"file": file}
        ).raise_for_status()
        return f"/ho-so/{opened['id']}"


def press(page: Page, role: str, name: str) -> None:
    page.get_by_role(role, name=name, exact=True).focus()  # type: ignore[arg-type]
    page.keyboard.press("Enter")


def held_in_the_store(page: Page) -> None:
    """Until the page says so; it says nothing of the kind before."""
    for _ in range(PATIENCE_S):
        if page.get_by_text("đang giữ cả").count():
            return
        expect(page.get_by_text("mới giữ được")).to_be_visible()
        page.wait_for_timeout(1_000)
        page.reload()
    raise AssertionError("the store didn't hold it in time")


def test_a_hold_is_placed_seen_and_released_by_a_second_person(visit: Visits, address: str) -> None:
    keeper = visit(KEEPER, keyboard_only=True)
    keeper.goto(address)
    press(keeper, "link", "Giữ nguyên theo yêu cầu…")
    keeper.get_by_label("Văn bản yêu cầu").focus()
    keeper.keyboard.type("12/GM-TTr")
    keeper.keyboard.press("Tab")
    keeper.keyboard.type("Thanh tra")
    press(keeper, "button", "Giữ nguyên")
    expect(keeper.get_by_text("Đã đặt lệnh giữ")).to_be_visible()
    held_in_the_store(keeper)
    assert_accessible(keeper)
    clerk = visit(centre.CLERK)
    clerk.goto(address)
    expect(clerk.get_by_text("Hồ sơ đang được giữ nguyên theo yêu cầu")).to_be_visible()
    assert_accessible(clerk)

    keeper.locator("summary", has_text="Xin thôi giữ").focus()
    keeper.keyboard.press("Enter")
    keeper.get_by_label("Lý do thôi giữ").focus()
    keeper.keyboard.type("Thanh tra xong")
    press(keeper, "button", "Xin thôi giữ")
    expect(keeper.get_by_text("cần người khác của cơ quan")).to_be_visible()
    expect(keeper.get_by_role("button", name="Xác nhận thôi giữ")).to_have_count(0)
    assert_accessible(keeper)

    leader = visit(centre.LEADER, keyboard_only=True)
    leader.goto("/nop-luu")
    leader.locator(f"a[href='{address}/giu-nguyen']").focus()
    leader.keyboard.press("Enter")
    expect(leader.get_by_text("Thanh tra xong")).to_be_visible()
    assert_accessible(leader)
    leader.get_by_label("Mật khẩu của bạn").focus()
    leader.keyboard.type(centre.PASSWORD)
    press(leader, "button", "Xác nhận thôi giữ")
    expect(leader.get_by_text("Hồ sơ này không bị giữ")).to_be_visible()
    assert_accessible(leader)


@pytest.mark.parametrize("below", ["", "/giu-nguyen"])
def test_the_pages_of_a_held_dossier_fit_a_telephone(visit: Visits, address: str, below: str) -> None:
    page = visit(KEEPER, width=360, language="en")
    page.goto(f"{address}/giu-nguyen")
    page.get_by_label("The letter that asks for it").fill("12/GM-TTr ngày 30/11/2026 của Thanh tra tỉnh Quảng Ninh")
    page.get_by_label("Reason").fill("Thanh tra")
    page.get_by_role("button", name="Hold it").click()
    page.goto(f"{address}{below}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto("/nop-luu")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

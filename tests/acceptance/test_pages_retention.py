"""Periods of keeping in a real browser: set without a mouse, on a telephone too, and told on a dossier's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from api.demo import centre
from tests.browser import assert_accessible, expecting

if TYPE_CHECKING:
    from tests.browser import Visits

#: A procedure that no other test of pages opens a dossier for.
ONE = "/quan-tri/thoi-han-luu/1.012796"


def test_an_administrator_sets_a_period_by_keys_and_a_slip_loses_nothing(visit: Visits) -> None:
    page = visit("quantri", keyboard_only=True)
    expecting(page, "422")
    page.goto("/quan-tri/thoi-han-luu")
    expect(page.get_by_role("heading", name="Thời hạn lưu theo thủ tục")).to_be_visible()
    assert_accessible(page)
    page.locator(f"a[href='{ONE}']").focus()
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Số năm").focus()
    page.keyboard.type("hai")
    page.keyboard.press("Tab")
    page.keyboard.type("Bang thoi han 12")
    page.keyboard.press("Tab")
    page.keyboard.type(centre.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Viết số năm từ 1 đến 100")).to_be_visible()
    expect(page.get_by_label("Căn cứ")).to_have_value("Bang thoi han 12")
    assert_accessible(page)
    page.get_by_role("textbox", name="Số năm").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("20")
    page.get_by_label("Mật khẩu của bạn").focus()
    page.keyboard.type(centre.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Đã đặt thời hạn lưu.")).to_be_visible()
    expect(page.locator("aside").get_by_text("20 năm")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("path", ["/quan-tri/thoi-han-luu", ONE])
def test_the_pages_of_periods_fit_a_telephone(visit: Visits, path: str) -> None:
    page = visit("quantri", width=320, language="en")
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320

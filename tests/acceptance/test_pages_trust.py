"""The administrator's pages in a real browser: without a mouse, at a telephone's width, for everybody's eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import assert_accessible

if TYPE_CHECKING:
    from tests.browser import Visits


def test_an_administrator_finds_certificates_and_anchors_by_keys(visit: Visits) -> None:
    page = visit("quantri", keyboard_only=True)
    page.goto("/quan-tri")
    expect(page.get_by_role("heading", name="Chứng thư đang dùng để ký")).to_be_visible()
    assert_accessible(page)

    page.goto("/quan-tri/goc-tin-cay")
    expect(page.get_by_text("được tin", exact=True)).to_be_visible()
    assert_accessible(page)
    row = page.locator("tr[data-row]")
    page.keyboard.press("Slash")
    page.keyboard.type("khong co gi nhu vay")
    expect(row).to_be_hidden()
    page.keyboard.press("Control+A")
    page.keyboard.type("goc demo")
    expect(row).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Lịch sử")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("path", ["/quan-tri", "/quan-tri/goc-tin-cay"])
def test_the_administrators_pages_fit_a_telephone(visit: Visits, path: str) -> None:
    page = visit("quantri", width=320, language="en")
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320

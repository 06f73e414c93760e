"""The pages that everybody meets first, on the real service in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.demo import centre
from api.deps import SESSION_COOKIE
from api.pages.doors import DESK
from tests.browser import assert_accessible, expecting, signed_in, weight
from tests.live import SIGN_IN

if TYPE_CHECKING:
    from tests.browser import Visits
    from tests.live import Service


def test_the_form_lets_a_clerk_in_once_the_password_is_right(visit: Visits) -> None:
    page = visit(keyboard_only=True)
    page.goto("/dang-nhap")
    expecting(page, "401")
    assert_accessible(page)
    page.get_by_label("Tên đăng nhập").fill(centre.CLERK)
    page.locator('input[name="password"]').fill("sai")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert_accessible(page)
    signed_in(page, centre.CLERK)
    assert_accessible(page)


def test_a_session_serves_many_visits_and_ends_with_signing_out(visit: Visits) -> None:
    first, second = visit(centre.LEADER), visit(centre.LEADER, language="en")
    cookies = [[c["value"] for c in page.context.cookies() if c["name"] == SESSION_COOKIE] for page in (first, second)]
    assert first.url == second.url
    assert cookies[0] == cookies[1] != []

    second.get_by_role("button", name="Sign out").click()
    second.wait_for_url("**/dang-nhap")
    first.reload()
    assert SIGN_IN in first.url
    assert visit(centre.LEADER).url == second.url.replace(SIGN_IN, DESK)


def test_the_form_weighs_less_than_150_kilobytes(visit: Visits) -> None:
    found = weight(visit(), "/dang-nhap")
    assert found.total < 150_000, found


def test_killed_parts_come_back(service: Service, visit: Visits) -> None:
    service.kill("web", *service.reading_workers)
    service.await_back()
    visit().goto("/dang-nhap")

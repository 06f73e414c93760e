"""One whole service, and one browser beside it, for all tests of pages.

They run one after another on one worker: tests/conftest.py sees to it.
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import live
from tests.browser import Visits

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from playwright.sync_api import Browser

_FAILED = pytest.StashKey[bool]()
_STARTED = {"service", "_chromium"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give whichever test comes first time to start the service and the browser."""
    for item in items:
        if _STARTED.intersection(getattr(item, "fixturenames", ())) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(420))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note that a test has failed, for its pages to be kept, and show what the service said meanwhile."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
        running = getattr(item, "funcargs", {}).get("service")
        if isinstance(running, live.Service):
            report.sections.append(("the service's logs", running.log_tails()))
    return report


@pytest.fixture(scope="session")
def service() -> Iterator[live.Service]:
    """A whole service, started as `make run` starts it. What a test kills it must await back."""
    with live.running_service() as running:
        yield running


@pytest.fixture(scope="session")
def base_url(service: live.Service) -> str:
    """Where `visit` goes."""
    return service.base_url


@pytest.fixture(scope="session")
def _chromium() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    with live.chromium() as browser:
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield browser, loop
        asyncio._set_running_loop(loop)


@pytest.fixture
def browser(_chromium: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """The Chromium that all tests share.

    Playwright calls its loop running for as long as the browser is open, and other tests of this worker couldn't use
    `asyncio.run`. So it is running only while a test holds the browser.
    """
    running, loop = _chromium
    asyncio._set_running_loop(loop)
    yield running
    asyncio._set_running_loop(None)


@pytest.fixture
def visit(
    request: pytest.FixtureRequest, browser: Browser, base_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visits]:
    """Opens pages, one person each; see tests/browser.py."""
    root = os.environ.get("HOSO_TEST_ARTIFACTS")
    folder = Path(root) if root else tmp_path_factory.getbasetemp() / "pages"
    visits = Visits(browser, base_url, folder / re.sub(r"[^\w.-]+", "-", request.node.name)[:100])
    yield visits
    visits.close(failed=request.node.stash.get(_FAILED, False))

"""A whole service and a Chromium to look at it with: what the tests of our pages and the screenshots both stand on.

It is here and not in `scripts/`, since it serves tests first and needs packages that only development has; and not in
`tests/browser.py`, since a picture needs neither pytest nor any of the judging there.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from api import up
from api.commands.demo import service
from api.demo import centre
from api.demo.story import Story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

#: Debian's, since nothing may be downloaded; `scripts/bootstrap.sh test` installs it.
CHROMIUM: Final = "/usr/bin/chromium"
CHROMIUM_ARGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIGN_IN: Final = "/dang-nhap"
LOCALES: Final = {"vi": "vi-VN", "en": "en-US"}

_FOLDERS: Final = "hoso-service-"
_LOG_SHOWN_CHARACTERS = 2000
_LOOK_EVERY_S = 0.1


class NotBack(Exception):
    """A part that was killed isn't running again in time."""


@dataclass
class Service:
    """A running service: the real processes, as `make run` starts them, with the demo centre loaded.

    Attributes:
        base_url: Where the web answers, without a slash at the end.
        data: Its data folder.
    """

    base_url: str
    data: Path
    _killed: dict[str, int] = field(default_factory=dict)

    def story(self) -> Story:
        """One dossier's way through it, by the API; the caller closes it."""
        return Story(self.base_url, centre.PASSWORD)

    def parts(self) -> dict[str, int]:
        """What runs, as its supervisor noted it: "web", "worker-signing", "worker-1", … → process."""
        noted = json.loads((self.data / "children.json").read_text("utf-8"))
        return {name: pid for name, (pid, _) in noted.items()}

    @property
    def reading_workers(self) -> tuple[str, ...]:
        """Names of the parts that read pages."""
        return tuple(name for name in self.parts() if name.startswith("worker-") and name != "worker-signing")

    def kill(self, *names: str) -> None:
        """End these parts at once, without a word (SIGKILL). The supervisor starts them again."""
        parts = self.parts()
        for name in names:
            self._killed[name] = parts[name]
            os.kill(parts[name], signal.SIGKILL)

    def await_back(self, *names: str, within_s: float = 120.0) -> None:
        """Wait until other processes have taken the places of those killed, and the web answers.

        Raises:
            NotBack: Not in time; the ends of the logs are in the message.
        """
        _until(lambda: all(self._is_back(name) for name in names or tuple(self._killed)), self, within_s)
        _until(self.is_ready, self, within_s)

    def is_ready(self) -> bool:
        """Whether the web answers, and the database and the object store answer it."""
        try:
            with urllib.request.urlopen(self.base_url + up.READY, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def log_tails(self) -> str:
        """The ends of all logs, under their names."""
        logs = [self.data / "up.log", *sorted((self.data / "logs").glob("*.log"))]
        return "\n".join(
            f"── {log.name}\n{log.read_text('utf-8', errors='replace')[-_LOG_SHOWN_CHARACTERS:]}"
            for log in logs
            if log.exists()
        )

    def _is_back(self, name: str) -> bool:
        pid = self.parts().get(name)
        return pid is not None and pid != self._killed.get(name)


@contextmanager
def running_service() -> Iterator[Service]:
    """Start a service of its own, on free ports, in a folder of its own; stop it and leave nothing.

    Raises:
        StoryFailed: It doesn't come up within five minutes; the end of what it said is in the message.
    """
    # Not pytest's folder: as root, the database's user must reach it.
    data = Path(tempfile.mkdtemp(prefix=_FOLDERS))
    try:
        with service(data) as base_url:
            yield Service(base_url, data)
    finally:
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a headless Chromium; one browser may hold many people, each in a context of their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        try:
            yield browser
        finally:
            browser.close()


def sign_in(page: Page, username: str, *, password: str = centre.PASSWORD) -> None:
    """Sign in through the form, as a person does, by keyboard alone; ends on the page that the form leads to.

    Raises:
        AssertionError: The form didn't let them in; what the page says is in the message.
    """
    page.goto(SIGN_IN)
    page.locator('input[name="username"]').fill(username)
    field = page.locator('input[name="password"]')
    field.fill(password)
    with page.expect_navigation():
        field.press("Enter")
    if SIGN_IN in page.url:
        raise AssertionError(f"{username} wasn't let in: {page.locator('body').inner_text()}")


def _until(true: Callable[[], bool], running: Service, within_s: float) -> None:
    give_up = time.monotonic() + within_s
    while not true():
        if time.monotonic() > give_up:
            raise NotBack(f"not back within {within_s:.0f} s\n{running.log_tails()}")
        time.sleep(_LOOK_EVERY_S)

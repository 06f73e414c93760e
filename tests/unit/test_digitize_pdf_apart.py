"""A page that takes too long is given up, and the next one is drawn."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from digitize.pdf import apart as pdf_apart
from digitize.pdf import scan as pdf_scan
from digitize.types import UnreadableScan
from tests.papers import BAD_FILES, page_pdf
from tests.unit.test_digitize_pdf_cost import with_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_PIXELS = 180_000_000
SLOW = b"0 0 200 200 re f " * 60_000  # few operators, but each paints the whole sheet


@pytest.fixture(autouse=True)
def helper_ends() -> Iterator[None]:
    yield
    with pdf_apart._HELPER._turn:
        pdf_apart._HELPER._end()


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.pdf"
    file.write_bytes(page_pdf("Kết quả"))
    return file


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    file = tmp_path / "slow.pdf"
    file.write_bytes(with_page(SLOW))
    return file


def apart(file: Path, number: int = 1, within_s: float = 20.0) -> bytes:
    return pdf_apart.page_jpeg(file, number, dpi=1000, max_pixels=MAX_PIXELS, within_s=within_s)


def test_a_page_is_drawn_apart_as_it_is_drawn_here(page: Path) -> None:
    assert apart(page) == pdf_scan.page_jpeg(page, 1, dpi=1000, max_pixels=MAX_PIXELS)


def test_what_is_wrong_with_a_file_is_said_as_it_is_here(tmp_path: Path, page: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(BAD_FILES["truncated pdf"][1]())
    with pytest.raises(UnreadableScan) as here:
        pdf_scan.page_jpeg(file, 1, dpi=100, max_pixels=MAX_PIXELS)
    with pytest.raises(UnreadableScan) as there:
        apart(file)
    with pytest.raises(UnreadableScan, match="không có trang 2"):
        apart(page, 2)

    assert (there.value.reason, str(there.value)) == (here.value.reason, str(here.value))


def test_a_page_that_takes_too_long_is_given_up_and_the_next_is_drawn(slow: Path, page: Path) -> None:
    apart(page)  # the helper is up
    began = time.monotonic()
    with pytest.raises(UnreadableScan, match="quá lâu"):
        apart(slow, within_s=1.0)

    assert time.monotonic() - began < 5
    assert apart(page).startswith(b"\xff\xd8")


def test_other_pdfs_are_read_here_meanwhile(slow: Path, page: Path) -> None:
    apart(page)

    def draw() -> None:
        with suppress(UnreadableScan):
            apart(slow, within_s=3.0)

    drawing = threading.Thread(target=draw)
    drawing.start()
    pdf_scan.page_jpeg(page, 1, dpi=50, max_pixels=MAX_PIXELS)
    still_drawing = drawing.is_alive()
    drawing.join()

    assert still_drawing


def test_a_killed_helper_is_replaced(page: Path) -> None:
    apart(page)
    process = pdf_apart._HELPER._process
    assert process is not None
    process.kill()
    process.wait()

    assert apart(page).startswith(b"\xff\xd8")


@pytest.mark.parametrize("busy", [False, True])
def test_the_helper_ends_with_whoever_started_it(page: Path, slow: Path, *, busy: bool) -> None:
    script = (
        "import os, sys, threading, time\nfrom pathlib import Path\nfrom digitize.pdf import apart as pdf_apart\n"
        "draw = lambda file: pdf_apart.page_jpeg(Path(file), 1, dpi=1000, max_pixels=10**8, within_s=4)\n"
        "draw(sys.argv[1])\nprint(pdf_apart._HELPER._process.pid, flush=True)\n"
        "if len(sys.argv) > 2:\n    threading.Thread(target=draw, args=sys.argv[2:], daemon=True).start()\n"
        "    time.sleep(0.5)\nos._exit(0)\n"
    )
    files = [str(page), str(slow)] if busy else [str(page)]
    done = subprocess.run([sys.executable, "-c", script, *files], capture_output=True, text=True, check=True)
    pid = int(done.stdout)
    gives_up = time.monotonic() + 20
    while _lives(pid) and time.monotonic() < gives_up:
        time.sleep(0.05)

    assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123  gone at any moment
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_fork_has_a_helper_of_its_own(page: Path) -> None:
    apart(page)
    ours = pdf_apart._HELPER._process
    assert ours is not None
    child = os.fork()
    if not child:
        own = pdf_apart._HELPER._running()
        differs = own.pid != ours.pid
        pdf_apart._HELPER._end()
        os._exit(0 if differs else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ours.poll() is None
    assert apart(page).startswith(b"\xff\xd8")

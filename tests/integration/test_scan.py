"""`hoso scan`, with SANE's test scanner and one that speaks eSCL: feeder, both sides, jams, cuts; the real service."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.escl_device import running_device
from tests.integration.test_send import PATIENCE_S, ROOT, code, draft, papers, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.escl_device import Device
    from tests.office import Office

#: The faults this file injects: SANE's test scanner can jam, but at its first page only. This lets three pages through
#: before it does, once; everything is scanned, and the jam reported, by the real scanimage.
_FAULTY = """#!/bin/sh
case "$*" in *--batch=*) ;; *) exec {real} "$@" ;; esac
if [ -e {spent} ]; then exec {real} "$@"; fi
touch {spent}
{real} "$@" --batch-count={before} || exit $?
{then}
"""
#: SANE's test scanner waits for itself for ever at 1 jam in 400; a jam that is a silence too has a test of its own.
_JAM = 'timeout -s KILL 20 {real} "$@" --batch-start=4 --read-return-value SANE_STATUS_JAMMED; exit 6'
_SILENCE = "sleep 1000"
_CUT = "kill -9 $PPID"


@pytest.fixture(scope="module")
def server(office: Office) -> Iterator[int]:
    with served(office) as port:
        yield port


class Counter:
    """A counter's computer with SANE's test scanner."""

    def __init__(self, office: Office, port: int, folder: Path) -> None:
        self.office, self.port, self.folder = office, port, folder
        (folder / "sane").mkdir()
        (folder / "sane" / "dll.conf").write_text("test\n")
        (folder / "sane" / "test.conf").write_text("number_of_devices 1\n")
        (folder / "bin").mkdir()
        self.scans = folder / "da-quet"

    def reaches(self, device: Device) -> None:
        """A network scanner instead, which SANE's driver for eSCL speaks to."""
        (self.folder / "sane/dll.conf").write_text("airscan\n")
        (self.folder / "sane/airscan.conf").write_text(
            f'[devices]\n"Mẫu" = {device.address}, eSCL\n[options]\ndiscovery = disable\nws-discovery = off\n'
        )

    def fails_once(self, then: str, *, before: int = 3) -> None:
        real = shutil.which("scanimage")
        script = self.folder / "bin" / "scanimage"
        told = then.format(real=real)
        script.write_text(_FAULTY.format(real=real, spent=self.folder / "spent", before=before, then=told))
        script.chmod(0o755)

    def scan(self, *more: str, answers: str = "", paired: bool = True) -> subprocess.CompletedProcess[str]:
        given = answers if paired else f"{code(self.office)}\n{answers}"
        return subprocess.run(
            self._command(*more),
            cwd=ROOT,
            env=self._environment(),
            capture_output=True,
            text=True,
            input=given,
            timeout=PATIENCE_S,
            check=False,
        )

    @contextmanager
    def scanning(self, *more: str) -> Iterator[subprocess.Popen[str]]:
        """While it scans; nobody answers."""
        pipe = subprocess.PIPE
        with subprocess.Popen(
            self._command(*more),
            cwd=ROOT,
            env=self._environment(),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
            preexec_fn=_as_in_a_terminal,  # noqa: PLW1509  it takes no lock
        ) as running:
            assert running.stdin is not None
            running.stdin.write(f"{code(self.office)}\n")
            running.stdin.flush()
            try:
                yield running
            finally:
                running.kill()

    def _command(self, *more: str) -> list[str]:
        places = ["--spool", self.folder / "spool", "--keys", self.folder / "desks.json", "--folder", self.scans]
        url = f"http://127.0.0.1:{self.port}"
        return [sys.executable, "-m", "api.cli", "scan", "--to", url, "--dpi", "100", *map(str, places), *more]

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "SANE_CONFIG_DIR": str(self.folder / "sane"),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
        }


def _as_in_a_terminal() -> None:
    """Whoever runs the tests in the background may have them ignore these."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def counter(office: Office, server: int, tmp_path: Path) -> Counter:
    return Counter(office, server, tmp_path)


def pages_of(office: Office, dossier: dict[str, Any]) -> list[int]:
    return [paper["pages_total"] for paper in papers(office, dossier)]


def test_what_the_feeder_takes_is_one_paper_of_its_dossier_with_a_receipt(office: Office, counter: Counter) -> None:
    dossier = draft(office)

    done = counter.scan("--dossier", dossier["code"], paired=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ trang 10 đã giữ" in done.stdout
    assert f"10 trang · hồ sơ {dossier['code']}, giấy số 1" in done.stdout
    assert pages_of(office, dossier) == [10]
    assert list(counter.scans.glob(".dang-quet-*")) == []
    assert [path.suffix for path in sorted((counter.scans / "da-nhan").iterdir())] == [".pdf", ".txt"]


def test_a_jam_loses_no_page_and_the_pile_goes_on_after_it(office: Office, counter: Counter) -> None:
    dossier = draft(office)
    counter.fails_once(_JAM)

    done = counter.scan("--dossier", dossier["code"], answers="\n", paired=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "KẸT GIẤY" in done.stdout
    assert "3 trang đã quét vẫn giữ nguyên" in done.stdout
    assert "từ trang 4" in done.stderr
    assert pages_of(office, dossier) == [13], "three before the jam, ten after it"


def test_a_scanner_that_falls_silent_is_given_up_and_the_pile_goes_on_after_it(
    office: Office, counter: Counter
) -> None:
    dossier = draft(office)
    counter.fails_once(_SILENCE)

    done = counter.scan("--dossier", dossier["code"], "--page-s", "15", answers="\n", paired=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "máy quét không trả lời" in done.stdout
    assert "3 trang đã quét vẫn giữ nguyên" in done.stdout
    assert pages_of(office, dossier) == [13]


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_leaves_in_the_middle_of_a_scan_leaves_no_scanner_held(
    office: Office, counter: Counter, ended_by: signal.Signals, tmp_path: Path
) -> None:
    counter.fails_once(f"echo $$ > {tmp_path}/held; exec sleep 1000")

    with counter.scanning() as running:
        ends = time.monotonic() + PATIENCE_S
        while not (held := (tmp_path / "held").read_text() if (tmp_path / "held").exists() else "").strip():
            assert time.monotonic() < ends
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(ended_by)
        running.communicate(timeout=PATIENCE_S)

    with pytest.raises(ProcessLookupError):
        os.kill(int(held), 0)
    (left,) = counter.scans.glob(".dang-quet-*")
    assert len(list(left.iterdir())) == 3


def test_after_a_jam_a_person_may_send_what_is_there(office: Office, counter: Counter) -> None:
    dossier = draft(office)
    counter.fails_once(_JAM)

    done = counter.scan("--dossier", dossier["code"], answers="g\n", paired=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert pages_of(office, dossier) == [3]


@pytest.mark.parametrize("then", [_JAM, _CUT])
def test_pages_scanned_before_a_power_cut_or_before_everybody_left_are_there_the_next_day(
    office: Office, counter: Counter, then: str
) -> None:
    dossier = draft(office)
    counter.fails_once(then)
    left = counter.scan("--dossier", dossier["code"], paired=False)
    assert left.returncode in (1, -9), left.stdout + left.stderr
    assert pages_of(office, dossier) == []

    done = counter.scan("--dossier", "", answers="g\n")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "đã có 3 trang, còn nguyên" in done.stdout
    assert pages_of(office, dossier) == [3]


def test_a_network_scanner_takes_both_sides_of_each_sheet(office: Office, counter: Counter) -> None:
    dossier = draft(office)
    with running_device(sheets=3) as device:
        counter.reaches(device)

        done = counter.scan("--dossier", dossier["code"], "--duplex", paired=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Lật cả chồng" not in done.stdout, "it takes both sides itself"
    assert pages_of(office, dossier) == [6]
    assert device.asked.count("POST ScanJobs") == 1


@pytest.mark.parametrize(("stops_by", "told"), [("jam", "KẸT GIẤY"), ("line", "xem dây và nguồn")])
def test_a_network_scanner_that_stops_loses_no_page_and_goes_on(
    office: Office, counter: Counter, stops_by: Literal["jam", "line"], told: str
) -> None:
    dossier = draft(office)
    with running_device(sheets=5, stops_after=3, stops_by=stops_by) as device:
        counter.reaches(device)

        done = counter.scan("--dossier", dossier["code"], answers="\n", paired=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert told in done.stdout
    assert "3 trang đã quét vẫn giữ nguyên" in done.stdout
    assert pages_of(office, dossier) == [5]


def test_a_network_scanner_with_an_empty_feeder_says_so_and_nothing_is_sent(office: Office, counter: Counter) -> None:
    dossier = draft(office)
    with running_device(sheets=0) as device:
        counter.reaches(device)

        done = counter.scan("--dossier", dossier["code"], paired=False)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "khay không có giấy" in done.stdout
    assert pages_of(office, dossier) == []


def test_both_sides_are_scanned_by_turning_the_pile_where_the_scanner_has_one_side(
    office: Office, counter: Counter
) -> None:
    dossier = draft(office)

    done = counter.scan("--dossier", dossier["code"], "--duplex", answers="\n", paired=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Đã quét 10 mặt trước" in done.stdout
    assert pages_of(office, dossier) == [20]


def test_sheets_that_stuck_together_are_noticed_and_the_fronts_kept(office: Office, counter: Counter) -> None:
    dossier = draft(office)
    counter.fails_once("exit 0", before=9)  # a front fewer than there are backs

    done = counter.scan("--dossier", dossier["code"], "--duplex", answers="\n", paired=False)

    assert "9 mặt trước nhưng 10 mặt sau" in done.stdout
    assert done.returncode == 1, "nobody is there to scan the backs again"
    assert pages_of(office, dossier) == []
    assert len(list(counter.scans.glob(".dang-quet-*/truoc-*.jpg"))) == 9


def test_a_pane_of_glass_takes_page_after_page_until_the_person_says_so(office: Office, counter: Counter) -> None:
    dossier = draft(office)

    done = counter.scan("--dossier", dossier["code"], "--source", "Flatbed", answers="\n\nx\n", paired=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert pages_of(office, dossier) == [3]


def test_lossless_pages_are_sent_as_they_are(office: Office, counter: Counter) -> None:
    dossier = draft(office)

    done = counter.scan("--dossier", dossier["code"], "--lossless", "--mode", "Gray", paired=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert pages_of(office, dossier) == [10]


def test_scanners_are_told_and_a_wrong_one_is_named(counter: Counter) -> None:
    told = counter.scan("--devices")
    wrong = counter.scan("--device", "test:9")

    assert told.stdout.startswith("test:0\t"), told.stdout + told.stderr
    assert wrong.returncode == 69
    assert "không dùng được máy quét" in wrong.stderr

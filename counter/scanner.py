"""A scanner at the counter, driven through SANE's `scanimage`: pages on the disk one by one, whatever happens next.

Network scanners (eSCL, also called AirScan or Mopria) are reached through SANE's own backends for them; this program
speaks to no scanner itself. A pile that stops half-way, by a jam, an open cover or a power cut, keeps every page that
was whole, and goes on after them.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from counter import stack
from counter.folder import RECEIVED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

#: Exit statuses of scanimage are SANE's: sane/sane.h.
GOOD, BUSY, JAMMED, EMPTY, COVER_OPEN, BROKEN = 0, 3, 6, 7, 8, 9
#: Ours, beyond what a program can end with: no page came for so long that it was ended.
SILENT = 256
#: How long a page may take, with the lamp's warming up, a feeder's turning the sheet and a slow line before it.
PAGE_S = 180.0
_CANCEL_S = 10.0
_PAGE = "{side}-%04d.{kind}"
_FRONT, _BACK = "truoc", "sau"
_PILE = ".dang-quet"
_PAPER_MM = {"x": 210.0, "y": 297.0}
_OPTION = re.compile(r"^\s+--?(?P<name>[a-z-]+)[ =]\[?(?P<choices>[^\[\n]+)", re.MULTILINE)
_RANGE = re.compile(r"^\s+-(?P<name>[xy]) [\d.]+\.\.(?P<most>[\d.]+)mm", re.MULTILINE)


class NoScanner(Exception):
    """`scanimage` isn't installed, or knows no such device. The message is what it said."""


class SidesDiffer(Exception):
    """There are not as many backs as fronts: a sheet stuck to another. `fronts` and `backs` are how many there are."""

    def __init__(self, fronts: int, backs: int) -> None:
        super().__init__(f"{fronts} ≠ {backs}")
        self.fronts, self.backs = fronts, backs


@dataclass(frozen=True)
class Device:
    """A scanner as SANE tells of it."""

    name: str
    what: str


@dataclass(frozen=True)
class Wanted:
    """How to scan.

    Attributes:
        device: SANE's name of it, "" for the first one.
        source: As the scanner calls it; "" for the feeder where it has one.
        lossless: PNG instead of scanimage's JPEG.
        page_s: How long a page may take; a scanner that is silent for longer is taken for dead.
    """

    device: str = ""
    source: str = ""
    mode: str = "Color"
    dpi: int = 300
    lossless: bool = False
    page_s: float = PAGE_S

    @property
    def kind(self) -> str:
        """How a page's file name ends."""
        return "png" if self.lossless else "jpg"


@dataclass(frozen=True)
class Abilities:
    """What a scanner can do, of what we ask for."""

    sources: tuple[str, ...]
    modes: tuple[str, ...]
    most_mm: dict[str, float]

    @property
    def feeder(self) -> str:
        """Its feeder for one side, as the scanner calls it; "" without one."""
        return next((one for one in self.sources if _feeds(one) and "duplex" not in one.lower()), "")

    @property
    def duplex(self) -> str:
        """Its feeder for both sides; "" without one."""
        return next((one for one in self.sources if "duplex" in one.lower()), "")


def devices() -> list[Device]:
    """What SANE finds, in its order. Raises NoScanner: `scanimage` isn't there."""
    found = _asked("-f", "%d|%v %m%n")
    return [Device(name, what) for name, _, what in (line.partition("|") for line in found.splitlines()) if name]


def abilities(device: str) -> Abilities:
    """What a device can do. Raises NoScanner: There is no such device."""
    told = _asked("-d", device, "-A")
    choices = {one["name"]: tuple(one["choices"].strip().split("|")) for one in _OPTION.finditer(told)}
    most = {one["name"]: float(one["most"]) for one in _RANGE.finditer(told)}
    return Abilities(choices.get("source", ()), choices.get("mode", ()), most)


class Pile:
    """Pages being scanned, in a folder of their own that nothing else takes up, until they are one file."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder
        self._place = folder / f"{_PILE}-{name}"
        self._place.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def left(folder: Path) -> list[Pile]:
        """Piles that stopped half-way, the oldest first; what is empty, or a file already, is swept out."""
        piles = [Pile(folder, place.name.removeprefix(f"{_PILE}-")) for place in sorted(folder.glob(f"{_PILE}-*"))]
        left = []
        for pile in piles:
            made = any((place / f"{pile.name}.pdf").exists() for place in (folder, folder / RECEIVED))
            if made or not (pile.fronts or pile.backs):
                pile.drop()
            else:
                left.append(pile)
        return left

    @property
    def fronts(self) -> list[Path]:
        """Pages scanned so far, in order; without their backs where those come in a go of their own."""
        return sorted(self._place.glob(f"{_FRONT}-*.???"))

    @property
    def backs(self) -> list[Path]:
        """Backs scanned so far, the last sheet's first, as they lie when a pile is turned over."""
        return sorted(self._place.glob(f"{_BACK}-*.???"))

    def scan(
        self, wanted: Wanted, can: Abilities, *, backs: bool = False, only: int = 0, tell: Callable[[int], None]
    ) -> int:
        """Scan until the feeder is empty, or something stops it; SANE's status, `GOOD` when the feeder ran empty.

        A scanner whose cable was pulled, or whose driver waits for itself, says nothing: that ends as `SILENT`.

        Every page that is told is durable. scanimage writes a page under another name until it is whole.

        Args:
            only: So many pages and no more: of a scanner without a feeder.
        """
        side, there = (_BACK, self.backs) if backs else (_FRONT, self.fronts)
        command = ["scanimage", "--device-name", wanted.device, "--format", "png" if wanted.lossless else "jpeg"]
        command += ["--resolution", str(wanted.dpi)]
        command += ["--mode", wanted.mode] if wanted.mode in can.modes else []
        command += ["--source", wanted.source] if wanted.source else []
        for name, side_mm in _PAPER_MM.items():
            if name in can.most_mm:
                command += [f"-{name}", f"{min(side_mm, can.most_mm[name]):g}"]
        command += [f"--batch={self._place / _PAGE.format(side=side, kind=wanted.kind)}", "--batch-print"]
        command += [f"--batch-start={len(there) + 1}", *([f"--batch-count={only}"] if only else [])]
        count = len(there)
        with (
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, process_group=0
            ) as running,
            _Patience(running, wanted.page_s) as patience,
        ):
            for line in running.stdout or ():
                patience.begin_again()
                page = self._place / os.path.basename(line.strip())  # noqa: PTH119  whatever it prints, the page is here
                if page.is_file():
                    _flush(page)
                    count += 1
                    tell(count)
        _flush(self._place)
        if patience.lost:
            return SILENT
        return GOOD if running.returncode == EMPTY and count > len(there) else running.returncode

    def pages(self) -> list[Path]:
        """All pages in reading order.

        Raises:
            SidesDiffer: Backs were scanned, and not as many as fronts.
        """
        fronts, backs = self.fronts, self.backs
        if not backs:
            return fronts
        if len(fronts) != len(backs):
            raise SidesDiffer(len(fronts), len(backs))
        return [page for sheet in zip(fronts, reversed(backs), strict=True) for page in sheet]

    def finish(self, pages: Sequence[Path], *, dpi: int) -> Path:
        """Make the pages one file of the folder, and let the pile go; broken off in between it is made again.

        Raises:
            BadPage: A page isn't a whole picture; nothing was let go.
        """
        target = self._folder / f"{self.name}.pdf"
        stack.write(pages, target, dpi=dpi)
        _flush(self._folder)
        self.drop()
        return target

    def drop_backs(self) -> None:
        """Forget the backs, to scan them again."""
        for page in self.backs:
            page.unlink()

    def drop(self) -> None:
        """Forget the pile."""
        shutil.rmtree(self._place, ignore_errors=True)


class _Patience:
    """Ends a scan that tells of no page for so long, and one that its caller leaves, whatever way.

    A driver reads in a process of its own that keeps our end of the pipe open, so the whole group is ended. SIGINT lets
    scanimage put the sheet out; a driver that doesn't hear it is killed.
    """

    def __init__(self, running: subprocess.Popen[str], page_s: float) -> None:
        self.lost = False
        self._running = running
        self._page_s = page_s
        # Its group isn't the terminal's: what ends us there doesn't reach it. Under `nohup` nothing ends us.
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
        self._before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
        for number in self._before:
            signal.signal(number, _leave)
        self._timer = self._started()

    def _started(self) -> threading.Timer:
        timer = threading.Timer(self._page_s, self._lose)
        timer.daemon = True
        timer.start()
        return timer

    def begin_again(self) -> None:
        """A page came: the next one has all the time again."""
        self._timer.cancel()
        self._timer = self._started()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is not None:
                self._end()
            else:
                self._running.wait()
        finally:
            self._timer.cancel()
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def _lose(self) -> None:
        self.lost = True
        self._end()

    def _end(self) -> None:
        try:
            self._tell(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._running.wait(_CANCEL_S)
        finally:  # somebody presses Ctrl-C again
            self._tell(signal.SIGKILL)

    def _tell(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._running.pid, number)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _feeds(source: str) -> bool:
    return any(word in source.lower() for word in ("adf", "feeder"))


def _asked(*arguments: str) -> str:
    try:
        told = subprocess.run(
            ["scanimage", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    except FileNotFoundError:
        raise NoScanner("scanimage") from None
    except subprocess.TimeoutExpired:
        raise NoScanner("SANE") from None
    if told.returncode != GOOD:
        raise NoScanner((told.stderr.strip().splitlines() or ["SANE"])[-1])
    return told.stdout


def _flush(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

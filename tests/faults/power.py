"""A disk whose power can be cut: whatever wasn't flushed by then is lost, as on a real one.

An ext4 filesystem in a file, mounted through a loop device that commits by itself only after minutes. To cut the power
all processes on it are stopped at once, the file is copied as it is (what they wrote without a flush is in the kernel's
memory and not in it), they are killed, and the copy is mounted in its place. Needs root and a loop device.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_COMMITS_BY_ITSELF_S = 300


class Disk:
    """The disk at `place`, with its file beside it."""

    def __init__(self, place: Path, size_mb: int = 3000) -> None:
        self.place = place
        self._file = place.with_suffix(".img")
        with self._file.open("wb") as file:
            file.truncate(size_mb << 20)
        _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", str(self._file))
        place.mkdir()
        self._mount()
        place.chmod(0o711)

    def cut_power(self, *, elsewhere: Collection[int] = ()) -> int:
        """Lose what wasn't flushed, and everybody who was at work; how many processes died.

        Args:
            elsewhere: Processes that only know of this disk, and stand for machines with a power of their own.
        """
        stopped = self._stop_all(elsewhere)
        survived = self._file.with_suffix(".survived")
        _run("cp", "--sparse=always", str(self._file), str(survived))
        for pid in stopped:
            _send(pid, signal.SIGKILL)
        ends = time.monotonic() + 30
        while self._at_work(elsewhere) and time.monotonic() < ends:
            time.sleep(0.05)
        _run("umount", "--lazy", str(self.place))
        survived.replace(self._file)
        self._mount()
        return len(stopped)

    def fill(self) -> Path:
        """Leave no byte free for anybody; delete the file to make room again."""
        filler = self.place / "filler"
        with filler.open("wb") as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        with filler.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(512))
        return filler

    def eject(self) -> None:
        """Unmount it."""
        _run("umount", "--lazy", str(self.place))

    def _mount(self) -> None:
        _run("mount", "-o", f"loop,commit={_COMMITS_BY_ITSELF_S}", str(self._file), str(self.place))

    def _stop_all(self, elsewhere: Collection[int]) -> list[int]:
        """Stop everybody, those begun meanwhile, too."""
        stopped: list[int] = []
        while new := [pid for pid in self._at_work(elsewhere) if pid not in stopped]:
            for pid in new:
                _send(pid, signal.SIGSTOP)
            stopped += new
        return stopped

    def _at_work(self, elsewhere: Collection[int]) -> list[int]:
        """Processes that have this disk in their command or surroundings."""
        wanted, others, found = os.fsencode(self.place), {os.getpid(), *elsewhere}, []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                said = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
                if wanted in said and int(folder.name) not in others and not _is_dead(folder):
                    found.append(int(folder.name))
        return found


@contextmanager
def disk(place: Path, *, size_mb: int = 3000) -> Iterator[Disk]:
    """A disk to cut the power of."""
    made = Disk(place, size_mb)
    try:
        yield made
    finally:
        made.eject()


def can_cut_power() -> bool:
    """Whether this machine lets us make such disks."""
    return os.geteuid() == 0 and Path("/dev/loop-control").exists() and shutil.which("mkfs.ext4") is not None


def _is_dead(process: Path) -> bool:
    return (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0] in "ZX"


def _send(pid: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, what)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)

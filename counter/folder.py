"""The folder that a scanner's own program fills: which of its files are at rest and whole.

Nobody tells when a scan is done. A file counts as done once its size and time have rested for a while, nobody has it
open for writing where that can be told, and it ends as files of its kind end. One that never does is given after all,
much later: the server says what is wrong with it, and waiting for ever would lose it from sight.
"""

from __future__ import annotations

import os
import re
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What scanners write; anything else in the folder is somebody's own business and is left alone.
SCANS = frozenset({".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"})
#: Our own folders in it: what the office has received, and what it couldn't take.
RECEIVED, NOT_TAKEN = "da-nhan", "khong-nhan"
#: Names that programs give to what they haven't finished.
_UNFINISHED = (".", "~")
#: What Python puts for bytes of a name that aren't UTF-8; no screen, paper or server takes them.
_NO_LETTERS = re.compile("[\ud800-\udfff]")

#: How files of a kind begin, and what stands near their end.
_ENDS = {b"%PDF-": b"%%EOF", b"\xff\xd8\xff": b"\xff\xd9", b"\x89PNG": b"IEND", b"\0\0\0\0": b"never"}

_TAIL_BYTES = 2048
_WRITING = 0o3
#: More directories than any scan has, so that a loop of them ends.
_MOST_DIRECTORIES = 100_000
_TIFF_STRIPS, _TIFF_STRIP_BYTES, _TIFF_TILES, _TIFF_TILE_BYTES = 273, 279, 324, 325


@dataclass(frozen=True)
class Found:
    """A file of the folder as it was seen.

    Attributes:
        relative: Its path within the folder, with "/" on every system.
    """

    path: Path
    relative: str
    size: int
    mtime_ns: int


@dataclass
class Folder:
    """The folder, looked at again and again.

    Attributes:
        settle_s: How long a file must have rested.
        patience_s: How long one that doesn't end as it should is waited for.
    """

    root: Path
    settle_s: float = 5.0
    patience_s: float = 120.0
    _since: dict[str, tuple[int, int, float]] = field(default_factory=dict)

    def at_rest(self, now: float) -> list[Found]:
        """Whole files that have rested long enough, the oldest first.

        Args:
            now: Seconds of a clock that only goes forward.
        """
        seen = {found.relative: found for found in self._files()}
        self._since = {name: self._first_seen(found, now) for name, found in seen.items()}
        ready = [found for name, found in seen.items() if self._is_ready(found, now - self._since[name][2])]
        return sorted(ready, key=lambda found: (found.mtime_ns, found.relative))

    @property
    def is_moving(self) -> bool:
        """Whether files were seen at the last look, ready or not."""
        return bool(self._since)

    def _first_seen(self, found: Found, now: float) -> tuple[int, int, float]:
        before = self._since.get(found.relative)
        same = before is not None and before[:2] == (found.size, found.mtime_ns)
        return before if before and same else (found.size, found.mtime_ns, now)

    def _is_ready(self, found: Found, rested_s: float) -> bool:
        if rested_s < self.settle_s or is_open_elsewhere(found.path):
            return False
        return rested_s >= self.patience_s or (found.size > 0 and is_whole(found.path))

    def _files(self) -> Iterator[Found]:
        waiting = [self.root]
        while waiting:
            folder = waiting.pop()
            try:
                entries = list(os.scandir(folder))
            except OSError:  # gone meanwhile, or not ours to see
                continue
            for entry in entries:
                if entry.name.startswith(_UNFINISHED) or entry.is_symlink():
                    continue
                if entry.is_dir():
                    if not (folder == self.root and entry.name in {RECEIVED, NOT_TAKEN}):
                        waiting.append(Path(entry.path))
                elif Path(entry.name).suffix.lower() in SCANS:
                    yield from self._found(Path(entry.path))

    def _found(self, path: Path) -> Iterator[Found]:
        try:
            status = path.stat()
        except OSError:
            return
        yield Found(path, path.relative_to(self.root).as_posix(), status.st_size, status.st_mtime_ns)


def shown(name: str) -> str:
    """A name as people and the server can be given it: what in it is no letter of any script becomes a "�"."""
    return _NO_LETTERS.sub("\N{REPLACEMENT CHARACTER}", name)


def is_open_elsewhere(path: Path) -> bool:
    """Whether another program has the file open to write, as far as this system tells.

    Windows refuses to open what another program hasn't shared. Linux shows whose files are open in /proc, of the
    programs that this user may see.
    """
    if sys.platform == "win32":
        try:
            with path.open("r+b"):
                return False
        except OSError:
            return True
    return any(_writes(fd, path) for fd in _open_files())


def _open_files() -> Iterator[Path]:
    own = str(os.getpid())
    try:
        processes = [one for one in Path("/proc").iterdir() if one.name.isdigit() and one.name != own]
    except OSError:
        return
    for process in processes:
        try:
            yield from (process / "fd").iterdir()
        except OSError:
            continue


def _writes(fd: Path, path: Path) -> bool:
    try:
        if fd.readlink() != path:
            return False
        told = (fd.parent.parent / "fdinfo" / fd.name).read_text("ascii")
    except OSError:
        return False
    flags = next((line.split()[1] for line in told.splitlines() if line.startswith("flags:")), "0")
    return bool(int(flags, 8) & _WRITING)


def is_whole(path: Path) -> bool:
    """Whether a file ends as files of its kind end; what is of no kind we know isn't told apart and is whole."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(16)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
            if head.startswith((b"II", b"MM")):
                return _tiff_is_whole(file, head, size)
    except (OSError, struct.error):
        return False
    if head.startswith(b"RIFF"):
        return size >= int.from_bytes(head[4:8], "little") + 8
    return all(end in tail for start, end in _ENDS.items() if head.startswith(start))


def _tiff_is_whole(file: BinaryIO, head: bytes, size: int) -> bool:
    """Whether everything a TIFF's directories point to lies within the file. Source: TIFF 6.0, section 2; BigTIFF."""
    order = "<" if head.startswith(b"II") else ">"
    big = struct.unpack(order + "H", head[2:4])[0] == 43  # noqa: PLR2004  the number that BigTIFF has in place of 42
    (at,) = struct.unpack(order + "Q", head[8:16]) if big else struct.unpack(order + "I", head[4:8])
    count_form, entry_form, next_form = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    if at == 0:
        return False
    for _ in range(_MOST_DIRECTORIES):
        if at == 0:
            return True
        if at >= size:
            return False
        file.seek(at)
        (count,) = _unpacked(file, order + count_form)
        entries = [_unpacked(file, order + entry_form) for _ in range(min(count, _MOST_DIRECTORIES))]
        (at,) = _unpacked(file, order + next_form)
        if not _strips_lie_within(file, order, entries, size):
            return False
    return False


def _unpacked(file: BinaryIO, form: str) -> tuple[Any, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _strips_lie_within(file: BinaryIO, order: str, entries: list[tuple[Any, ...]], size: int) -> bool:
    numbers = {tag: _numbers(file, order, kind, count, held) for tag, kind, count, held in entries if tag in _TAGS}
    for starts, lengths in ((_TIFF_STRIPS, _TIFF_STRIP_BYTES), (_TIFF_TILES, _TIFF_TILE_BYTES)):
        pairs = zip(numbers.get(starts, ()), numbers.get(lengths, ()), strict=False)
        if any(start + length > size for start, length in pairs):
            return False
    return True


_TAGS = frozenset({_TIFF_STRIPS, _TIFF_STRIP_BYTES, _TIFF_TILES, _TIFF_TILE_BYTES})
_FORMS = {3: "H", 4: "I", 16: "Q"}


def _numbers(file: BinaryIO, order: str, kind: int, count: int, held: bytes) -> tuple[int, ...]:
    """An entry's values, which stand in it when they fit and else where it points."""
    form = f"{order}{count}{_FORMS[kind]}" if kind in _FORMS else ""
    if not form:
        return ()
    length = struct.calcsize(form)
    if length <= len(held):
        return struct.unpack(form, held[:length])
    (at,) = struct.unpack(order + ("Q" if len(held) == 8 else "I"), held)  # noqa: PLR2004  BigTIFF's entries hold eight
    file.seek(at)
    return struct.unpack(form, file.read(length))

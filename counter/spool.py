"""The spool: copies on this computer's own disk, durable before anything is sent, gone when the server has them.

Each scan has a folder: the copy, and `about.json` that says what it is and how far it has come. A folder gets its name
only when all in it is on the disk, so that a power cut leaves either a whole scan or rubbish with a dot in front, which
the next start sweeps out. The original stays where the scanner put it until the server's hash agrees.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import sqlite3
import sys
from dataclasses import asdict, dataclass, replace
from typing import IO, TYPE_CHECKING, Any

from counter.folder import NOT_TAKEN, RECEIVED, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from counter.folder import Found

_COPY, _ABOUT, _LOCK = "scan", "about.json", "lock.sqlite"
_BLOCK = 1024 * 1024
_KEY_LENGTH = 32

SPOOLED, OVER, REFUSED = "spooled", "received", "refused"
#: Why an entry is refused that this computer spoiled, with no original left to copy again. No server says this word.
DAMAGED = "spoiled_here"


class Busy(Exception):
    """Another `hoso send` is at work on this spool."""


@dataclass(frozen=True)
class Entry:
    """A scan in the spool.

    Attributes:
        key: Made of what it is, so that the same file taken again after a break is the same entry.
        relative, mtime_ns: Of the original.
        state: SPOOLED, OVER (the server has it) or REFUSED (it doesn't take it).
        told: The server's receipt, or why it was refused.
    """

    key: str
    relative: str
    size: int
    mtime_ns: int
    sha256: str
    state: str = SPOOLED
    told: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.relative.rpartition("/")[2]

    @property
    def is_damaged(self) -> bool:
        """Whether the copy isn't what was scanned any more, and is the only one."""
        return self.state == REFUSED and (self.told or {}).get("reason") == DAMAGED

    @property
    def folder(self) -> str:
        """Where in the folder it lay; "" at its top."""
        return self.relative.rpartition("/")[0]


class Spool:
    """The spool for one folder, held by one process at a time."""

    def __init__(self, place: Path, root: Path) -> None:
        self._place = place
        self._root = root
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite's lock ends with the process on every system, however it ends; a file with a number in it doesn't.
        self._lock = sqlite3.connect(place / _LOCK, timeout=0, isolation_level=None)
        try:
            self._lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._lock.close()
            raise Busy(str(place)) from error
        for left in place.glob(".new-*"):
            shutil.rmtree(left, ignore_errors=True)

    def close(self) -> None:
        """Let another process have it."""
        self._lock.close()

    def entries(self) -> list[Entry]:
        """Everything in it, as it was taken."""
        return sorted(self._read(), key=lambda entry: (entry.mtime_ns, entry.relative))

    def copy_of(self, entry: Entry) -> Path:
        """The bytes that are sent."""
        return self._place / entry.key / _COPY

    def knows(self, found: Found, entries: list[Entry]) -> bool:
        """Whether this very file was taken before."""
        seen = (found.relative, found.size, found.mtime_ns)
        return any((one.relative, one.size, one.mtime_ns) == seen for one in entries)

    def take(self, found: Found) -> Entry | None:
        """Copy a file durably; None when it changed meanwhile, or can't be read now.

        Raises:
            OSError: This computer's disk is full, or broken.
        """
        new = self._place / f".new-{os.getpid()}"
        shutil.rmtree(new, ignore_errors=True)
        try:
            new.mkdir()
            return self._taken(found, new)
        finally:
            shutil.rmtree(new, ignore_errors=True)  # half a copy on a full disk would keep it full

    def _taken(self, found: Found, new: Path) -> Entry | None:
        try:
            source = found.path.open("rb")
        except OSError:
            return None
        with source, (new / _COPY).open("wb") as target:
            digest = hashlib.sha256()
            while block := source.read(_BLOCK):
                digest.update(block)
                target.write(block)
            _flush(target)
        try:
            status = found.path.stat()
        except OSError:
            return None
        copied = (new / _COPY).stat().st_size
        if (status.st_size, status.st_mtime_ns) != (found.size, found.mtime_ns) or copied != found.size:
            return None
        sha256 = digest.hexdigest()
        said = f"{found.relative}\0{found.size}\0{found.mtime_ns}\0{sha256}"
        key = hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()[:_KEY_LENGTH]
        entry = Entry(key, found.relative, found.size, found.mtime_ns, sha256)
        if self._place / key in {self._place / one.key for one in self._read()}:
            return entry
        shutil.rmtree(self._place / key, ignore_errors=True)  # one whose description the disk has lost
        _write(new / _ABOUT, asdict(entry))
        new.rename(self._place / key)
        _flush_folder(self._place)
        return entry

    def is_sound(self, entry: Entry) -> bool:
        """Whether the copy still has the hash it was taken with: disks fail, too.

        Raises:
            OSError: It can't be read now, which says nothing about what it holds.
        """
        try:
            return _sha256(self.copy_of(entry)) == entry.sha256
        except FileNotFoundError:
            return False

    def mend(self, entry: Entry) -> bool:
        """Copy the original over a damaged copy; False, with all left as it is, where it isn't there any more.

        Raises:
            OSError: The folder is away, the original can't be read now, or the disk is full.
        """
        original, copy = self._root / entry.relative, self.copy_of(entry)
        if not self._is_original(original, entry):
            return False
        new = copy.with_suffix(".new")
        with contextlib.suppress(FileNotFoundError):  # cleared away in this very moment
            _copy(original, new)
            if _sha256(new) == entry.sha256:
                new.replace(copy)
                _flush_folder(copy.parent)
                return True
        new.unlink(missing_ok=True)
        return False

    def keep(self, entry: Entry, state: str, told: dict[str, Any]) -> Entry:
        """Remember durably what the server said."""
        entry = replace(entry, state=state, told=told)
        _write(self._place / entry.key / _ABOUT, asdict(entry))
        return entry

    def forget(self, entry: Entry) -> None:
        """Let the copy go: the original is taken again, or has been put away."""
        gone = self._place / f".new-gone-{entry.key}"
        shutil.rmtree(gone, ignore_errors=True)
        (self._place / entry.key).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def put_away(self, entry: Entry, words: str, *, delete: bool = False) -> None:
        """Move the original out of the way with the words beside it, and forget the entry.

        An original that was written over since it was taken stays: it is another scan. Of a refused one whose original
        is gone the copy is laid down instead, so that somebody can see it.

        Raises:
            OSError: It is open in somebody's viewer, or the folder is away: the entry stays, to be put away later.
        """
        to = self._root / (RECEIVED if entry.state == OVER else NOT_TAKEN)
        original = self._root / entry.relative
        if not entry.is_damaged and self._is_original(original, entry):
            if delete and entry.state == OVER:
                original.unlink()
            else:
                self._moved(original, to / entry.relative, entry, words)
        elif entry.state == REFUSED:
            self._laid_down(to / entry.relative, entry, words)
        self.forget(entry)

    def _is_original(self, path: Path, entry: Entry) -> bool:
        try:
            status = path.stat()
        except FileNotFoundError:
            if not self._root.is_dir():
                raise  # the folder is away, and whether the file is gone nobody knows
            return False
        same = (status.st_size, status.st_mtime_ns) == (entry.size, entry.mtime_ns)
        return same and _sha256(path) == entry.sha256

    def _moved(self, path: Path, wanted: Path, entry: Entry, words: str) -> None:
        """Move the original. The words come first: a break in between leaves the same to be done again."""
        target = _free(wanted)
        target.parent.mkdir(parents=True, exist_ok=True)
        _tell_beside(target, words)
        path.rename(target)
        if _sha256(target) != entry.sha256:
            # The scanner wrote over it in this very moment: it is another scan, and goes back to be taken.
            target.rename(_free(path))
        _flush_folder(target.parent)

    def _laid_down(self, wanted: Path, entry: Entry, words: str) -> None:
        """Lay the copy where the original would have gone, unless it is there since before a break."""
        copy = self.copy_of(entry)
        try:
            held = _sha256(copy)
        except FileNotFoundError:
            wanted.parent.mkdir(parents=True, exist_ok=True)
            _tell_beside(_free(wanted), words)  # somebody took the copy, too: the words are all there is
            return
        if any(_sha256(there) == held for there in itertools.takewhile(lambda name: name.exists(), _names(wanted))):
            return
        target = _free(wanted)
        target.parent.mkdir(parents=True, exist_ok=True)
        _tell_beside(target, words)
        new = target.with_name(f".{target.name}.new")
        _copy(copy, new)  # to another disk, perhaps: what is forgotten here has to be whole there
        new.replace(target)
        _flush_folder(target.parent)

    def _read(self) -> Iterator[Entry]:
        for about in self._place.glob(f"*/{_ABOUT}"):
            if about.parent.name.startswith("."):
                continue
            with contextlib.suppress(OSError, ValueError, TypeError):
                yield Entry(**json.loads(about.read_text("utf-8")))


def receipt_words(entry: Entry, now: datetime) -> str:
    """What a person reads beside a file that was received."""
    told = entry.told or {}
    papers = told.get("papers") or ([told] if told.get("dossier") else [])
    where = "; ".join(f"hồ sơ {one['dossier']}, giấy số {one['ordinal']}" for one in papers)
    where = where or "hộp nhận, chờ gắn hồ sơ"
    again = " (đã có từ trước, không nhận lần nữa)" if told.get("trouble") == "duplicate" else ""
    return (
        f"ĐÃ NHẬN · {entry.name} · {told.get('pages')} trang · {where}{again}\n"
        f"SHA-256 {entry.sha256}\n{now:%d/%m/%Y %H:%M:%S}"
    )


def refusal_words(entry: Entry, now: datetime) -> str:
    """What a person reads beside a file that wasn't taken."""
    told = entry.told or {}
    if entry.is_damaged:
        kept, is_hash = "Phần còn lại nằm ở đây, CHƯA gửi lên hệ thống. Quét lại giấy này.", "SHA-256 lúc quét"
    else:
        kept, is_hash = "Tệp còn nguyên ở đây. Quét lại, hoặc sửa tệp rồi bỏ lại vào thư mục quét.", "SHA-256"
    return (
        f"KHÔNG NHẬN · {entry.name}\nLý do: {told.get('words')}\n{kept}\n"
        f"{is_hash} {entry.sha256}\n{now:%d/%m/%Y %H:%M:%S}"
    )


def _tell_beside(target: Path, words: str) -> None:
    beside = target.with_name(f"{target.name}.txt")
    beside.write_text(shown(words) + "\n", encoding="utf-8-sig")  # Notepad's mark, or it shows Vietnamese wrong


def _names(wanted: Path) -> Iterator[Path]:
    yield wanted
    for number in itertools.count(2):
        yield wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")


def _free(wanted: Path) -> Path:
    """A name beside the wanted one that nobody has."""
    return next(name for name in _names(wanted) if not name.exists())


def _copy(source: Path, target: Path) -> None:
    """Copy a file's bytes, durable when this returns."""
    with source.open("rb") as read, target.open("wb") as written:
        shutil.copyfileobj(read, written, _BLOCK)
        _flush(written)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, said: dict[str, Any]) -> None:
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(said, file, ensure_ascii=True)
        _flush(file)
    new.replace(path)
    _flush_folder(path.parent)


def _flush(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make names durable. Windows can't be asked to, and does so with the file's own flush on NTFS."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

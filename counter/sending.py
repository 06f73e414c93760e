"""The counter's round: look into the folder, take what is whole, send what is taken, put away what was received.

Each file goes its own way. A line that is lost holds all of them for a while; a file that the server can't take now, or
that this computer has trouble with, is tried again later while the others go on; one that the server will never take is
set aside with the reason beside it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from counter.line import LineLost, OutOfPlace, Refused, ServerBusy, SignedOut
from counter.spool import DAMAGED, OVER, REFUSED, SPOOLED, receipt_words, refusal_words

if TYPE_CHECKING:
    from counter.folder import Folder, Found
    from counter.line import Line
    from counter.spool import Entry, Spool

Say = Callable[[str], None]

_FIRST_PART, _LEAST_PART, _MOST_PART = 256 * 1024, 64 * 1024, 4 * 1024 * 1024
#: A part that took less may be larger next time, one that took more smaller: a thin line loses little when it breaks.
_QUICK_S, _SLOW_S = 2.0, 10.0
_LINE_WAITS_S, _FILE_WAITS_S = 60.0, 300.0
_TRIES_IN_PLACE = 3
_SPOILED = (
    "bản chép trên máy này bị hỏng, tệp gốc không còn trong thư mục quét. "
    "Đĩa máy này có thể sắp hỏng: báo người quản trị."
)
#: Answers after which a parcel is over.
_TAKEN, _NOT_TAKEN = frozenset({"taken", "waiting", "set_aside"}), frozenset({"refused"})


@dataclass
class Backoff:
    """When to try again: twice as long after each failure, up to `most_s`, never all at the same moment."""

    most_s: float
    failures: int = 0
    not_before: float = 0.0

    def failed(self, now: float, at_least: float = 0.0) -> float:
        """Count one more; seconds until the next try."""
        self.failures += 1
        waits = min(self.most_s, 2.0 ** min(self.failures - 1, 16)) * random.uniform(0.75, 1.25)  # noqa: S311  spread, no secret
        waits = max(waits, at_least)
        self.not_before = now + waits
        return waits

    def worked(self) -> None:
        """Begin anew."""
        self.failures, self.not_before = 0, 0.0


@dataclass
class Sender:
    """One folder's sending.

    Attributes:
        say: Tells the person at the counter; each line stands for itself.
        delete: Delete what was received instead of moving it aside.
        refused: How many files the server didn't take since the start.
    """

    folder: Folder
    spool: Spool
    line: Line
    say: Say
    delete: bool = False
    refused: int = 0
    _line_waits: Backoff = field(default_factory=lambda: Backoff(_LINE_WAITS_S))
    _files_wait: dict[str, Backoff] = field(default_factory=dict)
    _part_bytes: int = _FIRST_PART

    def round(self) -> bool:
        """Everything that can be done now; whether all is done and nothing waits.

        Raises:
            SignedOut: The machine has to be paired again. Everything taken stays in the spool.
        """
        entries = self.spool.entries()
        for found in self.folder.at_rest(time.monotonic()):
            if not self.spool.knows(found, entries) and self._is_due(found.relative):
                self._go(found.relative, self._take, found)
        for entry in self.spool.entries():
            if self._is_due(entry.key):
                self._go(entry.key, self._carry, entry)
        return not self.spool.entries() and not self.folder.is_moving

    @property
    def line_is_lost(self) -> bool:
        """Whether the last try met nobody."""
        return self._line_waits.failures > 0

    def _go(self, key: str, step: Callable[[Any], None], one: Found | Entry) -> None:
        """Take a step with one file; whatever becomes of it, the others go on.

        Raises:
            SignedOut: That concerns all of them.
        """
        try:
            step(one)
        except SignedOut:
            raise
        except Exception as error:  # noqa: BLE001  one bad file, of a kind nobody thought of, never stops the rest
            wait = self._wait_of(key).failed(time.monotonic())
            why = error.strerror or type(error).__name__ if isinstance(error, OSError) else repr(error)
            self.say(
                f"⚠ {one.relative}: máy này chưa xử lý được ({why}). Tệp vẫn được giữ; thử lại sau {wait:.0f} giây, "
                "các tệp khác vẫn gửi. Nếu lặp lại: xem đĩa còn chỗ không, tệp có đang mở ở chương trình khác không"
            )

    def _take(self, found: Found) -> None:
        entry = self.spool.take(found)
        if entry is not None:
            self._files_wait.pop(found.relative, None)
            self.say(f"· {entry.relative}: đã lấy, {entry.size:,} byte")

    def _carry(self, entry: Entry) -> None:
        """Send one file where the line is there, and put it away where it is over."""
        if entry.state == SPOOLED:
            if time.monotonic() < self._line_waits.not_before:
                return
            entry = self._sent(entry)
        if entry.state != SPOOLED:
            self._put_away(entry)
            self._files_wait.pop(entry.key, None)

    def _sent(self, entry: Entry) -> Entry:
        """Send one file; the entry as it stands afterwards."""
        if not self._is_sound(entry):
            return self.spool.keep(entry, REFUSED, {"reason": DAMAGED, "words": _SPOILED})
        waits = self._wait_of(entry.key)
        try:
            told = self._through(entry)
        except LineLost:
            if not self.line_is_lost:
                self.say("⚠ Mất kết nối tới máy chủ. Tệp đã lấy vẫn an toàn trên máy này; tự gửi tiếp khi có mạng.")
            self._line_waits.failed(time.monotonic())
            return entry
        except (ServerBusy, OutOfPlace) as error:
            self._line_waits.worked()
            seconds = error.seconds if isinstance(error, ServerBusy) else 0
            wait = waits.failed(time.monotonic(), seconds)
            self.say(f"⚠ {entry.relative}: máy chủ chưa nhận được ({error}); gửi lại sau {wait:.0f} giây")
            return entry
        except Refused as error:
            self._line_waits.worked()
            return self.spool.keep(entry, REFUSED, {"reason": error.reason, "words": str(error)})
        if self.line_is_lost:
            self.say("✓ Đã có kết nối lại")
        self._line_waits.worked()
        return self.spool.keep(entry, OVER, told)

    def _is_sound(self, entry: Entry) -> bool:
        """Whether the copy is what was scanned, mended from the original where it has to be.

        Raises:
            OSError: It can't be read now, and there is no original: whether it is whole nobody knows yet.
        """
        try:
            if self.spool.is_sound(entry):
                return True
        except OSError:
            if not self.spool.mend(entry):
                raise
        else:
            if not self.spool.mend(entry):
                return False
        self.say(f"⚠ {entry.relative}: bản chép trên máy này bị hỏng; đã chép lại từ thư mục quét")
        return True

    def _through(self, entry: Entry) -> dict[str, Any]:
        """Send what is missing; the receipt, compared with what we have."""
        for _ in range(_TRIES_IN_PLACE):
            try:
                where = self._all_parts(entry)
                told = self.line.receipt(where)
            except OutOfPlace:
                continue
            state = told["state"]["code"]
            if state in _NOT_TAKEN:
                raise Refused(told["trouble"], told.get("trouble") or "không nhận")
            if state in _TAKEN and told["sha256"] == entry.sha256 and told["size"] == entry.size:
                return told
        raise OutOfPlace("mã băm hoặc dung lượng máy chủ báo chưa khớp với tệp trên máy này; chưa xóa, chưa chuyển gì")

    def _all_parts(self, entry: Entry) -> str:
        said = {"filename": entry.name, "folder": entry.folder, "sha256": entry.sha256}
        where, start = self.line.announce(entry.size, said)
        with self.spool.copy_of(entry).open("rb") as file:
            while True:
                file.seek(start)
                part = file.read(self._part_bytes)
                begun = time.monotonic()
                try:
                    arrived = self.line.send(where, start, part)
                except LineLost:
                    self._part_bytes = max(_LEAST_PART, self._part_bytes // 2)
                    raise
                self._learn(time.monotonic() - begun)
                if arrived >= entry.size:
                    return where
                if arrived <= start:
                    raise OutOfPlace(str(arrived))
                start = arrived

    def _learn(self, took_s: float) -> None:
        if took_s < _QUICK_S:
            self._part_bytes = min(_MOST_PART, self._part_bytes * 2)
        elif took_s > _SLOW_S:
            self._part_bytes = max(_LEAST_PART, self._part_bytes // 2)

    def _put_away(self, entry: Entry) -> None:
        now = datetime.now().astimezone()
        words = receipt_words(entry, now) if entry.state == OVER else refusal_words(entry, now)
        self.spool.put_away(entry, words, delete=self.delete)
        self.refused += entry.state == REFUSED
        self.say(("✓ " if entry.state == OVER else "⚠ ") + " · ".join(words.splitlines()))

    def _is_due(self, key: str) -> bool:
        return time.monotonic() >= self._wait_of(key).not_before

    def _wait_of(self, key: str) -> Backoff:
        return self._files_wait.setdefault(key, Backoff(_FILE_WAITS_S))

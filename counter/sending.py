"""The counter's round: look into the folder, take what is whole, send what is taken, put away what was received.

Each file goes its own way. A line that is lost holds all of them for a while; a file that the server can't take now is
tried again later while the others go on; one that it will never take is set aside with the reason beside it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from counter.line import LineLost, OutOfPlace, Refused, ServerBusy
from counter.spool import OVER, REFUSED, SPOOLED, receipt_words, refusal_words

if TYPE_CHECKING:
    from counter.folder import Folder
    from counter.line import Line
    from counter.spool import Entry, Spool

Say = Callable[[str], None]

_FIRST_PART, _LEAST_PART, _MOST_PART = 256 * 1024, 64 * 1024, 4 * 1024 * 1024
#: A part that took less may be larger next time, one that took more smaller: a thin line loses little when it breaks.
_QUICK_S, _SLOW_S = 2.0, 10.0
_LINE_WAITS_S, _FILE_WAITS_S = 60.0, 300.0
_TRIES_IN_PLACE = 3
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
            if not self.spool.knows(found, entries):
                self._take(found)
        for entry in self.spool.entries():
            now = self._sent(entry) if entry.state == SPOOLED and self._is_due(entry) else entry
            if now.state != SPOOLED:
                self._put_away(now)
        return not self.spool.entries() and not self.folder.is_moving

    @property
    def line_is_lost(self) -> bool:
        """Whether the last try met nobody."""
        return self._line_waits.failures > 0

    def _take(self, found: Any) -> None:
        try:
            entry = self.spool.take(found)
        except OSError as error:
            self.say(f"⚠ {found.relative}: chưa lấy được, đĩa máy này có lỗi ({error.strerror}). Tệp còn nguyên.")
            return
        if entry is not None:
            self.say(f"· {entry.relative}: đã lấy, {entry.size:,} byte")

    def _sent(self, entry: Entry) -> Entry:
        """Send one file; the entry as it stands afterwards."""
        waits = self._wait_of(entry)
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
        if told is None:
            return entry
        self._files_wait.pop(entry.key, None)
        return self.spool.keep(entry, OVER if told["state"]["code"] in _TAKEN else REFUSED, told)

    def _through(self, entry: Entry) -> dict[str, Any] | None:
        """Send what is missing; the receipt, compared with what we have. None when the copy here was damaged."""
        if not self.spool.is_sound(entry):
            self.say(f"⚠ {entry.relative}: bản chép trên máy này bị hỏng; lấy lại từ thư mục quét")
            self.spool.forget(entry)
            return None
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
        raise OutOfPlace("chưa khớp")

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
        if self.spool.put_away(entry, words, delete=self.delete):
            self.refused += entry.state == REFUSED
            self.say(("✓ " if entry.state == OVER else "⚠ ") + " · ".join(words.splitlines()))

    def _is_due(self, entry: Entry) -> bool:
        return time.monotonic() >= max(self._line_waits.not_before, self._wait_of(entry).not_before)

    def _wait_of(self, entry: Entry) -> Backoff:
        return self._files_wait.setdefault(entry.key, Backoff(_FILE_WAITS_S))

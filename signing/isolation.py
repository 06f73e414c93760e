"""Strangers' files are judged in rooms of their own: a few processes that wait, each with one file at a time.

A file that crashes its judge, hangs or wants too much memory costs that process and nothing else: its verdict is
"unreadable: too complex", and the next file finds another judge. Who asks while all are busy waits a little, in a
short line; who finds the line full is told to come again.
"""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Condition, Lock
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, TypeVar

from signing import judge
from signing.returned import Refusal, Returned, fit
from signing.types import FileVerdict, Reason
from signing.verify import MAX_BYTES, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from signing.trust import TrustStore
    from signing.types import Place

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_MIB = 1024 * 1024
_START_S = 60.0


class JudgesBusy(Exception):
    """All judges are at work and enough people wait already: nothing was judged. `seconds` until it is worth asking."""

    def __init__(self, seconds: int) -> None:
        super().__init__(str(seconds))
        self.seconds = seconds


@dataclass(frozen=True)
class Limits:
    """What one file may take, and when a judge is relieved.

    Attributes:
        cpu_s: Seconds of processor time for one file.
        wall_s: Seconds of the clock for one file.
        memory_bytes: Address space for one file, beyond its own size.
        files: A judge is relieved after so many.
        growth_bytes: Or once it has ever held so much more memory than when it began.
        line: How many may wait while all judges are busy; each holds one of the web's forty threads meanwhile.
        patience_s: How long they wait.
    """

    cpu_s: int = 10
    wall_s: float = 40.0
    memory_bytes: int = 512 * _MIB
    files: int = 500
    growth_bytes: int = 256 * _MIB
    line: int = 16
    patience_s: float = 20.0


class _JudgeIsGone(Exception):
    """The process ended before it had taken the file."""


@dataclass(frozen=True)
class _Question(Generic[T]):
    """What a judge is asked about one file, and how its answer is read.

    Attributes:
        trust: By whom signers are trusted, where that is asked.
    """

    asked: dict[str, Any]
    told: Callable[[dict[str, Any]], T]
    trust: TrustStore | None = None


class _Judge:
    """One process that judges, and what it is known to hold."""

    def __init__(self, limits: Limits) -> None:
        ours, theirs = socket.socketpair()
        self._limits = limits
        self._channel = ours
        self._trust: TrustStore | None = None
        self._began_with: int | None = None
        self.judged = 0
        self.resident = 0
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", judge.__name__, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},  # nothing of ours: it needs no settings, no secrets
                start_new_session=True,
            )
        judge.send(ours, {"memory_bytes": limits.memory_bytes})

    @property
    def is_tired(self) -> bool:
        """Whether another should take over: memory that a file once took is never given back entirely."""
        grown = self.resident - (self._began_with or 0)
        return self.judged >= self._limits.files or grown > self._limits.growth_bytes

    def ask(self, file: BinaryIO, question: _Question[T]) -> T:
        """What it says of the file.

        Raises:
            _JudgeIsGone: It was dead before it began; another one can be asked.
            EOFError, TimeoutError, OSError, ValueError, KeyError, TypeError: It didn't survive the file, or talks
                nonsense now.
        """
        try:
            self._be_ready(question.trust)
            file.seek(0)
            asked = question.asked | {"cpu_s": self._limits.cpu_s}
            judge.send(self._channel, asked, descriptor=file.fileno())
            self._answer(_START_S)
        except (EOFError, OSError, ValueError) as error:
            raise _JudgeIsGone from error
        answer = self._answer(self._limits.wall_s)
        found = question.told(answer)
        self.judged += 1
        self.resident = int(answer["resident"])
        return found

    def _be_ready(self, trust: TrustStore | None) -> None:
        if self._began_with is None:
            self._began_with = self.resident = int(self._answer(_START_S)["resident"])
        if trust is not None and trust != self._trust:
            message, raw = judge.trust_message(trust)
            judge.send(self._channel, message, raw)
            self._trust = trust

    def _answer(self, seconds: float) -> dict[str, Any]:
        self._channel.settimeout(seconds)
        message, _, descriptor = judge.receive(self._channel, deadline=time.monotonic() + seconds)
        if descriptor is not None:
            raise ValueError("a judge gives no files")
        self._channel.settimeout(_START_S)
        return message

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._channel.close()
        self.process.kill()
        self.process.wait()


class Judges:
    """A few judges, started when first needed and kept waiting.

    Args:
        count: How many files are judged at once.
        limits: What each of them may take.
    """

    def __init__(self, count: int = 2, *, limits: Limits = Limits()) -> None:
        self._count, self._limits = count, limits
        self._free: deque[_Judge] = deque()
        self._out = 0
        self._line: deque[object] = deque()
        self._closed = False
        self._turn = Condition(Lock())

    def verify(
        self, path: Path, *, trust: TrustStore, at: datetime | None = None, max_bytes: int | None = MAX_BYTES
    ) -> FileVerdict:
        """Judge a file as `signing.verify.verify` does, in a room of its own.

        Raises:
            JudgesBusy: All are at work and the line is full; or no judge can be had at all.
        """
        moment = at or datetime.now(UTC)
        asked = {"do": "judge", "at": moment, "max_bytes": max_bytes}
        try:
            file = path.open("rb")
        except (FileNotFoundError, PermissionError, IsADirectoryError):
            return unreadable(Reason.MISSING_FILE, at=moment)
        with file:
            found = self._asked_of_one(file, _Question(asked, judge.verdict_of, trust))
        return unreadable(Reason.TOO_COMPLEX, at=moment) if found is None else found

    def examine(self, sent: Path, returned: Path, *, place: Place, certificate_sha256: str) -> Returned:
        """Compare what a signer's own tool gave back with what it was sent, as `signing.returned.examine` does.

        Raises:
            JudgesBusy: As `verify`.
            OSError: The disk refused.
        """
        with tempfile.TemporaryFile(dir=returned.parent) as both:
            for one in (sent, returned):
                with one.open("rb") as part:
                    shutil.copyfileobj(part, both, _MIB)
            both.flush()
            asked = {
                "do": "examine",
                "sent_bytes": sent.stat().st_size,
                "place": place.value,
                "certificate_sha256": certificate_sha256,
            }
            found = self._asked_of_one(both, _Question(asked, judge.returned_of))
        # Only the document that we had sent is looked at out here.
        return Returned(Refusal.TOO_COMPLEX) if found is None else fit(sent, found)

    def warm(self) -> None:
        """Start them all, so that the first who asks doesn't wait for that."""
        with self._turn:
            missing = self._count - self._out - len(self._free)
            self._free.extend(_Judge(self._limits) for _ in range(missing))

    def close(self) -> None:
        """End those that wait; those at work end when they are done."""
        with self._turn:
            self._closed = True
            ending = list(self._free)
            self._free.clear()
        for one in ending:
            one.end()

    def _asked_of_one(self, file: BinaryIO, question: _Question[T]) -> T | None:
        """What a judge says of a file; None where it is lost over it.

        Raises:
            JudgesBusy: Nobody could be asked.
        """
        with self._a_judge() as mine:
            try:
                return self._asked(mine, file, question)
            except (EOFError, OSError, ValueError, KeyError, TypeError) as error:
                mine.dismiss()
                _LOG.warning("judge lost: %s, exit %s", type(error).__name__, mine.judge.process.returncode)
                return None

    def _asked(self, mine: _Seat, file: BinaryIO, question: _Question[T]) -> T:
        """Ask; where the judge had died while it waited, ask a new one, once."""
        try:
            return mine.judge.ask(file, question)
        except _JudgeIsGone:
            mine.dismiss()
        mine.judge = self._started()
        try:
            return mine.judge.ask(file, question)
        except _JudgeIsGone as error:
            raise JudgesBusy(round(self._limits.patience_s)) from error

    def _started(self) -> _Judge:
        try:
            return _Judge(self._limits)
        except OSError as error:  # no memory for a process, or none allowed
            raise JudgesBusy(round(self._limits.patience_s)) from error

    @contextmanager
    def _a_judge(self) -> Iterator[_Seat]:
        seat = _Seat(self._take())
        try:
            yield seat
        except BaseException:
            seat.dismiss()
            raise
        finally:
            self._give_back(seat)

    def _take(self) -> _Judge:
        with self._turn:
            if self._line or self._out >= self._count:
                self._stand_in_line()
            self._out += 1
            if self._free:
                return self._free.pop()
        try:
            return self._started()
        except BaseException:
            with self._turn:
                self._out -= 1
                self._turn.notify_all()
            raise

    def _stand_in_line(self) -> None:
        """Wait until it is one's turn: who comes later never gets in before, however often they ask."""
        if len(self._line) >= self._limits.line:
            raise JudgesBusy(round(self._limits.patience_s))
        mine = object()
        self._line.append(mine)
        try:
            in_time = self._turn.wait_for(
                lambda: self._line[0] is mine and self._out < self._count, self._limits.patience_s
            )
        finally:
            self._line.remove(mine)
            self._turn.notify_all()
        if not in_time:
            raise JudgesBusy(round(self._limits.patience_s))

    def _give_back(self, seat: _Seat) -> None:
        if seat.judge.is_tired:
            seat.dismiss()
        with self._turn:
            self._out -= 1
            keep = not self._closed
            if keep and not seat.dismissed:
                self._free.append(seat.judge)
            elif keep:  # the next one starts while nobody waits for it
                with suppress(OSError):
                    self._free.append(_Judge(self._limits))
            self._turn.notify_all()
        if not keep:
            seat.dismiss()


class _Seat:
    """Who judges now; dismissed, the process is ended."""

    def __init__(self, found: _Judge) -> None:
        self._judge = found
        self.dismissed = False

    @property
    def judge(self) -> _Judge:
        return self._judge

    @judge.setter
    def judge(self, found: _Judge) -> None:
        self._judge, self.dismissed = found, False

    def dismiss(self) -> None:
        if not self.dismissed:
            self.dismissed = True
            self._judge.end()

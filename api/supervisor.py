"""Keeps a handful of child processes running, and ends them with us whatever becomes of us.

A child is a program, or a function that runs in a fork of us: what we have imported by then it needn't import again,
which is most of the time that a worker takes to come up. We must be without threads of our own when we fork.

A child that dies is started again, after a wait that doubles while it keeps dying. Each has a process group of its own,
so that Ctrl-C reaches us alone and the children end in the order we choose. When we are killed outright the kernel
tells them (PDEATHSIG), and whoever starts next ends those that linger: they are noted in a file.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_LOG = structlog.get_logger("up")
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
#: A child that lived this long was well; the next death starts counting anew.
_WELL_AFTER_S = 60.0
_LOG_KEPT_BYTES = 10_000_000
_LOG_SHOWN = 1500
_WRITE_LOG = os.O_WRONLY | os.O_CREAT | os.O_APPEND
#: Signals that mean something else to us than to a child.
_OURS = (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)
_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True)
class Part:
    """A program, or a function, to keep running.

    Attributes:
        name: Of its log, unique.
        command: Program (a path, or found on the PATH) and arguments; or what a fork of us is to do.
        ends_within_s: How long it may take to finish what it is at, after SIGTERM.
    """

    name: str
    command: tuple[str, ...] | Callable[[], object]
    ends_within_s: float = 20.0


@dataclass
class _Child:
    part: Part
    pid: int | None = None
    started_at: float = 0.0
    deaths: int = 0
    again_at: float = 0.0


class Supervisor:
    """Runs parts; `tend` often.

    Args:
        folder: For logs (`logs/NAME.log`) and the note of what runs (`children.json`: name → process, when it began).
        environment: Of every child.
        leftovers_within_s: How long the children of one who was killed may take to end, before they are killed too.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], *, leftovers_within_s: float = 10.0) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._children: dict[str, _Child] = {}
        (folder / "logs").mkdir(mode=0o700, exist_ok=True)
        self._end_leftovers(leftovers_within_s)

    def start(self, *parts: Part) -> None:
        """Start these too, and keep them running from now on."""
        for part in parts:
            self._children[part.name] = _Child(part)
            self._spawn(self._children[part.name])

    def tend(self) -> None:
        """Start again what died, if its time has come."""
        now = time.monotonic()
        for child in self._children.values():
            if child.pid is not None and (ended := _end_of(child.pid)):
                child.deaths = 1 if now - child.started_at > _WELL_AFTER_S else child.deaths + 1
                child.again_at = now + min(_FIRST_WAIT_S * 2 ** (child.deaths - 1), _LONGEST_WAIT_S)
                child.pid = None
                _LOG.warning("child_died", part=child.part.name, deaths=child.deaths, by=ended)
            if child.pid is None and now >= child.again_at:
                self._spawn(child)

    def deaths(self, name: str) -> int:
        """How often this part has died lately."""
        return self._children[name].deaths

    def pid(self, name: str) -> int | None:
        """The process of this part, while it runs."""
        return self._children[name].pid

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parts, in the order of their starting."""
        return tuple(self._children)

    def last_words(self, name: str) -> str:
        """The end of its log."""
        with suppress(OSError):
            return self.log(name).read_text(encoding="utf-8", errors="replace")[-_LOG_SHOWN:]
        return ""

    def stop(self, names: Iterable[str] | None = None) -> None:
        """End these parts (all, if none are named): asked first, all at once; those that don't listen are killed."""
        chosen = [self._children.pop(name) for name in list(names or self._children) if name in self._children]
        for child in chosen:
            _send(child.pid, signal.SIGTERM)
        for child in chosen:
            give_up = time.monotonic() + child.part.ends_within_s
            while child.pid is not None and not _end_of(child.pid):
                if time.monotonic() > give_up:
                    _send_group(child.pid, signal.SIGKILL)
                time.sleep(0.02)
            _send_group(child.pid, signal.SIGKILL)  # what it started itself and left behind
        self._note()

    def _spawn(self, child: _Child) -> None:
        log = self.log(child.part.name)
        if log.exists() and log.stat().st_size > _LOG_KEPT_BYTES:
            log.rename(log.with_suffix(".log.1"))
        command = child.part.command
        child.pid = self._fork(command, log) if callable(command) else self._launch(command, log)
        child.started_at = time.monotonic()
        self._note()

    def _launch(self, command: tuple[str, ...], log: Path) -> int:
        program = shutil.which("setpriv") or "/usr/bin/setpriv"
        return os.posix_spawn(
            program,
            [program, "--pdeathsig", "TERM", "--", *command],
            self._environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), _WRITE_LOG, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setpgroup=0,
            setsigdef=_OURS,
        )

    def _fork(self, work: Callable[[], object], log: Path) -> int:
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        if pid := os.fork():
            with suppress(PermissionError, ProcessLookupError):
                os.setpgid(pid, pid)  # in both, since either may be the first to need it
            return pid
        # From here on we are the child, and never return.
        status = 1
        try:
            os.setpgid(0, 0)
            for wish in _OURS:
                signal.signal(wish, signal.SIG_DFL)
            # As every Python has it. By default, who talks to somebody who has just gone would end without a word.
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(status)  # it was killed before we could ask to be told
            for number, file, how in ((0, "/dev/null", os.O_RDONLY), (1, str(log), _WRITE_LOG)):
                opened = os.open(file, how, 0o600)
                os.dup2(opened, number)
                os.close(opened)
            os.dup2(1, 2)
            # Anew, since ours may lead elsewhere, and by line: a log is read while it is written.
            sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", closefd=False)
            sys.stderr = sys.stdout
            os.environ.clear()
            os.environ.update(self._environment)
            tempfile.tempdir = None  # looked up again, in this environment
            work()
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        except BaseException:  # noqa: BLE001  the last chance to say anything
            traceback.print_exc()
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def log(self, name: str) -> Path:
        """Where this part writes."""
        return self._folder / "logs" / f"{name}.log"

    def _note(self) -> None:
        noted = {
            child.part.name: [child.pid, _started(child.pid)]
            for child in self._children.values()
            if child.pid is not None
        }
        file = self._folder / "children.json"
        file.with_suffix(".unfinished").write_text(json.dumps(noted), encoding="utf-8")
        file.with_suffix(".unfinished").rename(file)

    def _end_leftovers(self, within_s: float) -> None:
        """End the children of one who was killed: the kernel has asked them to, but they may take their time."""
        noted: dict[int, str] = {}
        with suppress(OSError, ValueError):
            noted = dict(json.loads((self._folder / "children.json").read_text(encoding="utf-8")).values())
        alive = {pid for pid, started in noted.items() if started and _started(pid) == started}
        for pid in alive:
            _send(pid, signal.SIGTERM)
        give_up = time.monotonic() + within_s
        while alive := {pid for pid in alive if _started(pid) == noted[pid]}:
            if time.monotonic() > give_up:
                for pid in alive:
                    _send_group(pid, signal.SIGKILL)
            time.sleep(0.02)


def seconds_since_start() -> float:
    """How long this process has been running, its loading included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(_started(os.getpid())) / os.sysconf("SC_CLK_TCK")


def _end_of(pid: int) -> str:
    """What ended a child: "signal 9", "status 1", "?" where nobody can tell any more; "" while it runs."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return "?"
    if not ended:
        return ""
    code = os.waitstatus_to_exitcode(status)
    return f"status {code}" if code >= 0 else f"signal {-code}"


def _send(pid: int | None, what: signal.Signals) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, what)


def _send_group(pid: int | None, what: signal.Signals) -> None:
    if pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, what)


def _started(pid: int) -> str:
    """When the process began, in ticks since the machine started (proc(5), field 22); "" for one that is gone."""
    with suppress(OSError):
        state, *fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        if state not in "ZX":
            return fields[18]
    return ""

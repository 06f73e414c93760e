"""The centre as a whole: every server and program a process of its own, each of which can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from api.commands.demo import _free_ports as free_ports
from api.demo import centre
from api.embedded import postgres, s3
from api.up import READY
from api.wiring import utc_now
from counter import key
from dossiers import desks
from storage.database import Database
from storage.objects import MinioObjectStore
from tests.faults.clerks import Clerks
from tests.faults.clock import Clock
from tests.faults.ledger import Account, account
from tests.faults.power import Disk, disk
from tests.faults.shaky_s3 import ShakyS3
from tests.live import Service
from tests.unsteady_authority import InOwnProcess, in_own_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from tests.faults.clerks import Case

_ROOT = Path(__file__).parents[2]
_BUCKET = "hoso"
_SETTLE_S = "0.2"
_START_WITHIN_S, _STOP_WITHIN_S = 300.0, 60.0


@dataclass
class Agent:
    """`hoso send` on the counter's computer, started again whenever it was killed."""

    command: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    _starting: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Start it, unless it runs. Two at once start one: of another nobody would know, and nobody would end it."""
        with self._starting:
            if self.process is not None and self.process.poll() is None:
                return
            with self.log.open("ab") as said:
                self.process = subprocess.Popen(
                    self.command,
                    cwd=_ROOT,
                    env={**os.environ, **self.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                )

    def kill(self) -> None:
        """End it without a word."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Up:
    """`hoso up` at ports that stay the same, started again where it ended by itself, as systemd does."""

    def __init__(self, data: Path, **more: str) -> None:
        port, trust_port = free_ports(2)
        self.base_url = f"http://127.0.0.1:{port}"
        self._log = data.with_name("up.log")
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("HOSO_")} | {
            "HOSO_DATA": str(data),
            "HOSO_LISTEN_PORT": str(port),
            "HOSO_DEMO_TRUST_PORT": str(trust_port),
            **more,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self) -> None:
        """Start it, unless it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        self.starts += 1
        with self._log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "api.cli", "up"],
                cwd=_ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def await_ready(self) -> None:
        """Wait until the web answers, and database and store answer it."""
        ends = time.monotonic() + _START_WITHIN_S
        while not self._is_ready():
            if time.monotonic() > ends:
                raise AssertionError("it doesn't come up:\n" + self._log.read_text("utf-8", "replace")[-3000:])
            time.sleep(0.2)

    def stop(self) -> None:
        """In order."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_WITHIN_S)
            self._process.kill()
            self._process.wait()

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.base_url + READY, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@dataclass
class Running:
    """A centre that runs.

    Attributes:
        shaky: The proxy through which the service reaches its store.
        folder: The counter's.
        disk: What all of it is on, where its power is to be cut.
        clock: The service's, where it is to jump.
    """

    up: Up
    data: Path
    s3_folder: Path
    folder: Path
    shaky: ShakyS3
    authority: InOwnProcess
    agent: Agent
    clerks: Clerks
    disk: Disk | None = None
    clock: Clock | None = None
    _mending: threading.Lock = field(default_factory=threading.Lock)

    @property
    def dsn(self) -> str:
        """The database's address, once it runs."""
        ends = time.monotonic() + _START_WITHIN_S
        while (dsn := postgres.running_dsn(self.data / "postgres")) is None:
            assert time.monotonic() < ends, "the database doesn't come back"
            time.sleep(0.2)
        return dsn

    @property
    def service(self) -> Service:
        """Its parts, to be killed one by one."""
        return Service(self.up.base_url, self.data)

    def account(self, cases: Sequence[Case]) -> Account:
        """What is there of what was handed in, past every proxy."""
        access = s3.start(self.s3_folder)
        store = MinioObjectStore(access.endpoint, access.access_key, access.secret_key, _BUCKET, keep_locked=None)
        try:
            return account(self.dsn, store, cases, folder=self.folder)
        finally:
            store.close()

    def kill(self, what: str) -> str:
        """End a part of it without a word (SIGKILL); gives what was really killed, "" where it was dead.

        A part of the supervisor's by its name there, or "s3", "database", "agent". Whatever keeps it running in real
        life starts it again.
        """
        match what:
            case "agent":
                self.agent.kill()
                self.agent.start()
                return "agent"
            case "s3":
                return "s3" if _killed(_noted(self.s3_folder / "server.pid")) else ""
            case "database":
                return "database" if _killed(_noted(self.data / "postgres/cluster/postmaster.pid")) else ""
            case _:
                parts = self.service.parts()
                return what if what in parts and _killed(parts[what]) else ""

    def mend(self) -> None:
        """Start again whatever a machine's own supervisor would: the S3 server, `hoso up`, the counter's program."""
        with self._mending:
            if not s3.is_alive(self.s3_folder):
                self.shaky.upstream = s3.start(self.s3_folder).endpoint
            self.up.start()
            self.agent.start()

    @property
    def store_program(self) -> str:
        """Which S3 server it is: `minio` where that is installed."""
        return str(json.loads((self.s3_folder / "server.json").read_text())["program"])

    def cut_power(self) -> None:
        """Of all of it at once; then it is switched on again."""
        assert self.disk is not None
        with self._mending:
            self.disk.cut_power(elsewhere=[self.authority.pid])
        self.mend()
        self.up.await_ready()


def _noted(file: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return int(file.read_text("utf-8").split()[0])
    return None


def _killed(pid: int | None) -> bool:
    with suppress(ProcessLookupError):
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            return True
    return False


@contextmanager
def running_centre(*, on_own_disk: bool = False, with_own_clock: bool = False, **more: str) -> Iterator[Running]:
    """Start everything, and leave nothing.

    Args:
        on_own_disk: Put it all on a disk whose power can be cut.
        with_own_clock: Give the service's processes a clock that can jump.
        more: Settings of the service: HOSO_….
    """
    with ExitStack() as parts:
        # Not pytest's folder: as root, the database's user must reach it.
        top = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="hoso-service-", ignore_cleanup_errors=True)))
        top.chmod(0o711)
        own_disk = parts.enter_context(disk(top / "disk")) if on_own_disk else None
        top = own_disk.place if own_disk else top
        data, s3_folder, folder = top / "data", top / "s3", top / "quét"
        folder.mkdir()
        data.mkdir()
        data.chmod(0o711)  # the database's service user must be able to pass through
        access = s3.start(s3_folder)
        parts.callback(s3.stop, s3_folder)
        shaky = parts.enter_context(ShakyS3(access.endpoint).running())
        authority = parts.enter_context(in_own_process(data / "demo-trust"))
        reached = {
            "HOSO_S3_ENDPOINT": shaky.endpoint,
            "HOSO_S3_ACCESS_KEY": access.access_key,
            "HOSO_S3_SECRET_KEY_FILE": str(s3_folder / s3.SECRET_FILE),
            "HOSO_S3_SECURE": "false",
            "HOSO_S3_FOLDER": str(s3_folder),  # as `hoso up` has it for a server that it starts itself
            "HOSO_TSA_URLS": authority.url,
            "HOSO_JUDGES": "1",
        }
        clock = None
        if with_own_clock:
            (top / "clock").mkdir()
            clock = parts.enter_context(contextlib.closing(Clock(top / "clock")))
            reached |= clock.environment
        up = Up(data, **(reached | more))
        clerks = parts.enter_context(contextlib.closing(Clerks(up.base_url, folder)))
        keys, spool = top / "desks.json", top / "spool"
        command = [sys.executable, "-m", "api.cli", "send", str(folder), "--to", up.base_url, "--settle", _SETTLE_S]
        agent = Agent([*command, "--spool", str(spool), "--keys", str(keys)], top / "agent.log")
        running = Running(up, data, s3_folder, folder, shaky, authority, agent, clerks, own_disk, clock)
        parts.callback(up.stop)
        up.start()
        up.await_ready()
        _pair(running.dsn, keys, up.base_url)
        parts.callback(agent.kill)
        with _kept_running(running):
            yield running


def _pair(dsn: str, keys: Path, base_url: str) -> None:
    """What a clerk does once at the counter's computer."""
    database = Database(dsn)
    try:
        with database.begin() as work:
            clerk = work.accounts.of(centre.CLERK).actor
        _, code = desks.announce(database.begin, "Quầy 1", by=clerk, now=utc_now())
        desk, token = desks.pair(database.begin, code, now=utc_now())
    finally:
        database.close()
    key.keep(keys, base_url, {"token": token, "desk": desk.name, "agency": desk.agency})
    os.sync()


@contextmanager
def meanwhile(once: Callable[[], None], *, every_s: float) -> Iterator[None]:
    """Again and again beside the block, as long as it lasts; what fails there fails the block in the end."""
    over = threading.Event()
    failed: list[BaseException] = []

    def repeat() -> None:
        try:
            while not over.wait(every_s):
                once()
        except BaseException as error:  # noqa: BLE001 - told by whoever waits
            failed.append(error)

    beside = threading.Thread(target=repeat)
    beside.start()
    try:
        yield
    finally:
        over.set()
        beside.join()
    if failed:
        raise failed[0]


def _kept_running(running: Running) -> AbstractContextManager[None]:
    def mend() -> None:
        with suppress(s3.S3Unavailable, OSError):
            running.mend()

    return meanwhile(mend, every_s=0.2)

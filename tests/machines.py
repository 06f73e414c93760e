"""Several machines on one computer: network namespaces on a switch of their own, made here and gone at the end.

Each machine has a name, a network card and a disk (a tmpfs that lies over every folder of the others), and reaches the
others by TCP alone. One of them, the store room, has PostgreSQL and the S3 server. A cable is pulled by taking the
switch's end of it down: nobody is told, as with a real one. A machine that is frozen keeps its connections.

Nothing of the computer's own network is touched, so that no address or port of it can be in the way. Needs root and
iproute2.

    with network(folder) as lan:
        room = lan.store_room(options)
        a = lan.host("a", room, "serve", "worker")
        desk = lan.desk()
        desk.ask(a, "GET", "/session")
        a.unplug()
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpx2
import psycopg

from api.embedded import postgres, s3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")

ROOT: Final = Path(__file__).resolve().parent.parent
PORT: Final = 8000
API: Final = "/api/v1"

_NAMES: Final = "hoso-lan-"
_NAMESPACES: Final = Path("/run/netns")
_SUBNET: Final = "10.0.0"
_CLONE_NEWNET: Final = 0x40000000
_PASSWORD: Final = secrets.token_hex(16)
_SHOWN: Final = 3000
_TICKS: Final = os.sysconf("SC_CLK_TCK")

#: What a machine does from its start on: a name, a disk, and parts that a supervisor keeps running as systemd would
#: (Restart=always, RestartSec=2).
_MACHINE: Final = """
set -e
hostname "$1"; disk=$2; shift 2
mount -t tmpfs -o size=1g,mode=711 disk "$disk"
mkdir "$HOSO_DATA" "$TMPDIR"
keep() { while :; do "$@" & wait $! || true; sleep 2; done; }
for part; do keep "$PYTHON" -m api.cli $part & done
wait
"""

#: The embedded servers as they are, but on the network card.
_SERVERS: Final = """
import json, sys
from pathlib import Path
from api.embedded import postgres, s3
folder, address, options = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
s3._LOOPBACK = address
dsn = postgres.start(folder / "postgres", options=options)
access = s3.start(folder / "s3")
print(json.dumps([dsn, access.endpoint, access.access_key, access.secret_key]))
"""


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    """A switch with nothing plugged in; in the end everything on it is killed and taken away.

    Args:
        folder: That the database's user may pass through.
    """
    _sweep_left_by_the_killed()
    lan = Network(folder, f"{_NAMES}{os.getpid()}-{uuid.uuid4().hex[:4]}")
    try:
        lan.open()
        yield lan
    finally:
        lan.close()


@dataclass
class Network:
    """The switch, and what is plugged in."""

    folder: Path
    name: str
    _machines: list[Machine] = field(default_factory=list)
    _closing: ExitStack = field(default_factory=ExitStack)

    @property
    def _switch(self) -> str:
        return f"{self.name}-switch"

    def open(self) -> None:
        """Put the switch there."""
        _ip("netns", "add", self._switch)
        _ip("-n", self._switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", self._switch, "link", "set", "switch", "up")

    def close(self) -> None:
        """Kill everything on every machine, and take all of it away."""
        for machine in self._machines:
            machine.kill()
        self._closing.close()
        for namespace in [machine.namespace for machine in self._machines] + [self._switch]:
            _ip("netns", "delete", namespace, check=False)

    def machine(self, name: str) -> Machine:
        """One more machine, with a cable to the switch."""
        number = len(self._machines) + 1
        machine = Machine(name, f"{self.name}-{name}", f"{_SUBNET}.{number}", self._switch, f"port{number}")
        self._machines.append(machine)
        _ip("netns", "add", machine.namespace)
        _ip("link", "add", "eth0", "netns", machine.namespace, "type", "veth", "peer", "name", machine.plug_name,
            "netns", self._switch)  # fmt: skip
        _ip("-n", self._switch, "link", "set", machine.plug_name, "master", "switch", "up")
        _ip("-n", machine.namespace, "addr", "add", f"{machine.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", machine.namespace, "link", "set", device, "up")
        return machine

    def store_room(self, options: Mapping[str, str]) -> StoreRoom:
        """The machine with the database and the objects, both on the network.

        Args:
            options: Further settings of the database.
        """
        machine, folder = self.machine("store"), self.folder / "store"
        folder.mkdir(mode=0o711)
        rules = folder / "pg_hba.conf"
        rules.write_text(f"local all all trust\nhost all hoso {_SUBNET}.0/24 scram-sha-256\n", encoding="ascii")
        settings = {"listen_addresses": f"'{machine.address}'", "hba_file": f"'{rules}'", **options}
        self._closing.callback(s3.stop, folder / "s3")
        self._closing.callback(postgres.stop, folder / "postgres")
        said = machine.call(sys.executable, "-c", _SERVERS, folder, machine.address, json.dumps(settings))
        inside, endpoint, access_key, secret_key = json.loads(said)
        with psycopg.connect(inside, autocommit=True) as connection:
            connection.execute(f"alter role hoso password '{_PASSWORD}'")  # type: ignore[call-overload]
        return StoreRoom(machine, inside, endpoint, access_key, secret_key)

    def host(self, name: str, room: StoreRoom, *parts: str) -> Machine:
        """A machine of the service: it has nothing but its own empty disk and the way to the store room.

        Args:
            parts: What runs on it: "serve", "worker", "worker --looking".
        """
        machine = self.machine(name)
        machine.environment = _environment(self.folder, machine, room)
        with (self.folder / f"{name}.log").open("ab") as log:
            machine.start(_MACHINE, name, str(self.folder), *parts, log=log)
        return machine

    def desk(self) -> Desk:
        """The computer of a person at a counter."""
        desk = Desk(self.machine("desk"))
        self._closing.callback(desk.close)
        return desk

    def logs(self) -> str:
        """What every machine said last."""
        return "\n".join(
            f"── {log.name}\n{log.read_text('utf-8')[-3000:]}" for log in sorted(self.folder.glob("*.log"))
        )


@dataclass
class Machine:
    """One machine. Two of them share the kernel and the program, and nothing else."""

    name: str
    namespace: str
    address: str
    switch: str
    plug_name: str
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    _init: subprocess.Popen[bytes] | None = None

    def start(self, script: str, *arguments: str, log: Any) -> None:
        """Switch it on."""
        self._init = subprocess.Popen(
            [*self._within, "unshare", "--uts", "--mount", "sh", "-c", script, "machine", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    def call(self, *command: str | Path) -> str:
        """Run a program on this machine to its end; gives what it wrote. On a host it sees that host's disk.

        Raises:
            AssertionError: It failed.
        """
        running = self.popen(*command)
        said, complained = running.communicate()
        assert running.returncode == 0, f"{command} on {self.name}: {running.returncode}\n{said!r}\n{complained!r}"
        return said.decode()

    def popen(self, *command: str | Path) -> subprocess.Popen[bytes]:
        """Begin a program on this machine."""
        inside = ["nsenter", "--target", str(self._init.pid), "--mount", "--uts"] if self._init else []
        return subprocess.Popen(
            [*inside, *self._within, *map(str, command)],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def unplug(self) -> None:
        """Pull its cable out at the switch."""
        _ip("-n", self.switch, "link", "set", self.plug_name, "down")

    def plug(self) -> None:
        """Put the cable back."""
        _ip("-n", self.switch, "link", "set", self.plug_name, "up")

    def freeze(self) -> None:
        """Stop every process where it is, as when a virtual machine is moved; its connections stay."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Switch it off at the plug."""
        while self.processes():
            self._signal(signal.SIGKILL)
            time.sleep(0.02)
        if self._init is not None:
            self._init.wait()

    def processes(self) -> list[int]:
        """Everything that runs on it."""
        return [int(pid) for pid in _ip("netns", "pids", self.namespace, check=False).split()]

    def cpu_s(self) -> float:
        """Processor seconds of all its processes so far, those that ended included."""
        ticks = 0
        for pid in self.processes():
            with suppress(OSError):  # it just ended; its parent has its time now, or has it in the next reading
                fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
                ticks += sum(int(spent) for spent in fields[11:15])
        return ticks / _TICKS

    def enter(self) -> None:
        """Put the calling thread onto this machine's network, for good."""
        descriptor = os.open(_NAMESPACES / self.namespace, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"setns {self.namespace}")
        finally:
            os.close(descriptor)

    @property
    def _within(self) -> list[str]:
        return ["ip", "netns", "exec", self.namespace]

    def _signal(self, which: signal.Signals) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, which)


@dataclass(frozen=True)
class StoreRoom:
    """Where everything is kept.

    Attributes:
        dsn: Of the database, for who stands in the room: through its socket, past every cable.
    """

    machine: Machine
    dsn: str
    endpoint: str
    access_key: str
    secret_key: str


class Desk:
    """A computer with a browser and no part of ours; who sits there asks any of the hosts."""

    def __init__(self, machine: Machine) -> None:
        self._thread = ThreadPoolExecutor(1, initializer=machine.enter)
        self._lines: dict[str, httpx2.Client] = {}
        self.token = ""

    def ask(self, host: Machine, method: str, path: str, **more: Any) -> httpx2.Response:
        """One request to that host, as whoever is signed in."""
        headers = {**({"authorization": f"Bearer {self.token}"} if self.token else {}), **more.pop("headers", {})}
        return self._thread.submit(self._ask, host, method, API + path, headers, more).result()

    def _ask(
        self, host: Machine, method: str, path: str, headers: dict[str, str], more: dict[str, Any]
    ) -> httpx2.Response:
        line = self._lines.setdefault(
            host.name, httpx2.Client(base_url=f"http://{host.address}:{PORT}", timeout=30.0, trust_env=False)
        )
        return line.request(method, path, headers=headers, **more)

    def is_up(self, host: Machine) -> bool:
        """Whether that host's web answers, and the store room answers it."""
        with suppress(httpx2.TransportError):
            return self.ask(host, "GET", "/health/ready", timeout=2.0).status_code == httpx2.codes.OK
        return False

    def close(self) -> None:
        """Hang up."""
        for line in self._lines.values():
            line.close()
        self._thread.shutdown()


def until(true: Callable[[], T | None], *, within_s: float, what: str, lan: Network) -> T:
    """Look until it is so, and give what was found.

    Raises:
        AssertionError: It isn't, in time.
    """
    give_up = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < give_up, f"not within {within_s:.0f} s: {what}\n{lan.logs()}"
        time.sleep(0.02)
    return found


def _environment(folder: Path, machine: Machine, room: StoreRoom) -> dict[str, str]:
    disk = {"HOSO_DATA": str(folder / "data"), "TMPDIR": str(folder / "tmp"), "HOME": str(folder)}
    return disk | {
        "PATH": os.environ["PATH"],
        "PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "OMP_THREAD_LIMIT": "1",
        "HOSO_MODE": "production",
        "HOSO_PUBLIC_URL": "https://ho-so.example",
        "HOSO_DATABASE": f"postgresql://hoso:{_PASSWORD}@{room.machine.address}/hoso",
        "HOSO_S3_ENDPOINT": room.endpoint,
        "HOSO_S3_SECURE": "false",
        "HOSO_S3_ACCESS_KEY": room.access_key,
        "HOSO_S3_SECRET_KEY": room.secret_key,
        "HOSO_SERVICE_SECRET": _PASSWORD,
        "HOSO_LISTEN_HOST": machine.address,
        "HOSO_LISTEN_PORT": str(PORT),
    }


def _ip(*arguments: str, check: bool = True) -> str:
    if shutil.which("ip") is None:
        raise FileNotFoundError("ip isn't installed: apt-get install iproute2")
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def _sweep_left_by_the_killed() -> None:
    """Take away the networks of runs that were killed before they could."""
    for namespace in _NAMESPACES.glob(f"{_NAMES}*") if _NAMESPACES.exists() else ():
        pid = namespace.name.removeprefix(_NAMES).split("-")[0]
        if not Path("/proc", pid).exists():
            Machine("", namespace.name, "", "", "").kill()
            _ip("netns", "delete", namespace.name, check=False)

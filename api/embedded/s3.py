"""An S3 server of our own, for one machine and for tests: `minio` where it is installed, else the bundled `weed mini`.

It lives in one folder (mode 0700): `server.json` (what runs, its ports, its keys; mode 0600), `secret.key` (the secret
key alone), `data/`, `server.log` and `server.pid`. It listens on the loopback address only. Like the database it has a
session of its own, so that killing whoever started it doesn't kill it; the next `start` finds it and takes it over.

"Ready" means that an object written at the first start can be read. After a SIGKILL `weed` lists its buckets after a
second, while older objects still answer 500 until its volumes have come back (`running.md`, object storage).
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import random
import secrets
import shutil
import signal
import socket
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3
from minio import Minio
from minio.error import MinioException

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 40.0
SECRET_FILE = "secret.key"  # noqa: S105  a file's name
_LOOPBACK = "127.0.0.1"
_SENTINEL = ("hoso-sentinel", "ready", b"ready\n")
_SAYS_NOTHING = (MinioException, urllib3.exceptions.HTTPError, OSError)
#: Below the range from which Linux takes outgoing ports, so that a kept port stays ours.
_PORTS = range(20_000, 31_000)
#: `weed` finds its administration by adding this to the port.
_WEED_OFFSET = 10_000
_ATTEMPTS = 5


class S3Unavailable(Exception):
    """The S3 server couldn't be started; the message says why and what to do. Nothing that was kept is lost."""


@dataclass(frozen=True)
class S3Access:
    """How to reach the server: plain HTTP on the loopback address."""

    endpoint: str
    access_key: str
    secret_key: str


@dataclass(frozen=True)
class _Server:
    """What is kept in server.json. `program` is "minio" or "weed": data of one are nothing to the other."""

    program: str
    port: int
    access_key: str
    secret_key: str

    @property
    def access(self) -> S3Access:
        return S3Access(f"{_LOOPBACK}:{self.port}", self.access_key, self.secret_key)


def start(folder: Path, *, program: str = "") -> S3Access:
    """Start the server of `folder`, or take over the one that runs; make it first if there is none.

    Args:
        folder: Where it lives.
        program: "minio" or "weed", for a new one; "" takes `minio` where it is installed.

    Raises:
        S3Unavailable: After `PATIENCE_S` nothing can be read from it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with _alone(folder):
        server = _kept(folder) or _keep(folder, _new_server(program))
        for _ in range(_ATTEMPTS):
            if _pid(folder) is None:
                if not _ports_free(server):
                    server = _keep(folder, _moved(server))
                _launch(folder, server)
            if _wait(folder, server):
                return server.access
        raise S3Unavailable(
            f"Kho tệp (S3) không khởi động; dữ liệu vẫn nguyên trong {folder}. Xem {folder / 'server.log'}. "
            "(The S3 server doesn't start; the data are as they were.)"
        )


def stop(folder: Path) -> None:
    """Stop the server of `folder` in order; nothing happens if none runs."""
    if not (folder / "server.json").exists():
        return
    with _alone(folder):
        _end(folder, signal.SIGTERM, within_s=20) or _end(folder, signal.SIGKILL, within_s=5)
        (folder / "server.pid").unlink(missing_ok=True)
        if server := _kept(folder):
            _sweep_sockets(server)


def running(folder: Path) -> S3Access | None:
    """How to reach the server that runs in `folder`, or None when none answers. What it gives is for others to see."""
    server = _kept(folder)
    return server.access if server and _pid(folder) is not None and _answers(server) else None


def is_alive(folder: Path) -> bool:
    """Whether its process lives; it may be too busy, or not ready, to answer."""
    return _pid(folder) is not None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two who start the same server at once wait for each other."""
    with (folder / "starting.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _kept(folder: Path) -> _Server | None:
    with suppress(FileNotFoundError):
        return _Server(**json.loads((folder / "server.json").read_text(encoding="utf-8")))
    return None


def _keep(folder: Path, server: _Server) -> _Server:
    unfinished = folder / "server.json.unfinished"
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(asdict(server)), encoding="utf-8")
    unfinished.rename(folder / "server.json")
    secret = folder / SECRET_FILE
    secret.touch(mode=0o600)
    secret.write_text(server.secret_key, encoding="utf-8")
    return server


def _new_server(program: str) -> _Server:
    program = program or ("minio" if shutil.which("minio") else "weed")
    return _Server(program, _free_block(), "hoso" + secrets.token_hex(8), secrets.token_urlsafe(32))


def _moved(server: _Server) -> _Server:
    return _Server(server.program, _free_block(), server.access_key, server.secret_key)


def _ports(server: _Server) -> dict[str, int]:
    """Every port it listens on, counted up from its first."""
    if server.program == "minio":
        return {"s3": server.port, "console": server.port + 1}
    names = ("s3", "s3.grpc", "master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "admin")
    ports = {name: server.port + n for n, name in enumerate(names)}
    return ports | {"admin.grpc": ports["admin"] + _WEED_OFFSET}


def _free_block() -> int:
    """A first port such that all that are needed are free just now."""
    while True:
        port = random.choice(_PORTS)  # noqa: S311  any will do
        if _ports_free(_Server("weed", port, "", "")):
            return port


def _ports_free(server: _Server) -> bool:
    for port in _ports(server).values():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_LOOPBACK, port))
            except OSError:
                return False
    return True


def _launch(folder: Path, server: _Server) -> None:
    """Start the program in a session of its own and note its process."""
    data = folder.absolute() / "data"
    data.mkdir(exist_ok=True)
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(folder.absolute())}
    if server.program == "minio":
        ports = _ports(server)
        environment |= {"MINIO_ROOT_USER": server.access_key, "MINIO_ROOT_PASSWORD": server.secret_key}
        command = [
            _program("minio"), "server", "--quiet", f"--address={_LOOPBACK}:{ports['s3']}",
            f"--console-address={_LOOPBACK}:{ports['console']}", str(data),
        ]  # fmt: skip
    else:
        command = _weed(folder.absolute(), data, server)
    log = folder / "server.log"
    write_log = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    # posix_spawn rather than Popen: nobody here waits for it, it is to outlive us.
    pid = os.posix_spawn(
        command[0],
        command,
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), write_log, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGPIPE],
    )
    (folder / "server.pid").write_text(f"{pid} {_started(pid)}", encoding="utf-8")


def _weed(folder: Path, data: Path, server: _Server) -> list[str]:
    keys = folder / "identities.json"
    keys.touch(mode=0o600)
    identity = {
        "name": "hoso",
        "credentials": [{"accessKey": server.access_key, "secretKey": server.secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    keys.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    ports = [
        f"-{name.removesuffix('.grpc')}.port{'.grpc' if name.endswith('.grpc') else ''}={port}"
        for name, port in _ports(server).items()
    ]
    return [
        _program("weed"), "-logtostderr=true", "mini", f"-dir={data}", f"-ip={_LOOPBACK}", f"-ip.bind={_LOOPBACK}",
        *ports, f"-s3.config={keys}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false",
        "-admin.ui=false", "-webdav=false", "-master.telemetry=false", "-volume.preStopSeconds=0",
        # Each bucket takes a volume of its own, and by itself `weed` allows one per free gigabyte.
        "-volume.max=5000",
    ]  # fmt: skip


def _program(name: str) -> str:
    beside_python = Path(sys.executable).parent / name
    found = shutil.which(name) or (str(beside_python) if beside_python.exists() else None)
    if found is None:
        raise S3Unavailable(
            f"Không tìm thấy chương trình {name}; hãy chạy `make run` hoặc chỉ HOSO_S3_ENDPOINT tới kho S3 của bạn. "
            f"({name} isn't installed: run `make run`, or name your own server in HOSO_S3_ENDPOINT.)"
        )
    return found


def _wait(folder: Path, server: _Server) -> bool:
    """Whether the sentinel could be read before patience ran out or the process died."""
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        if _reads(server):
            return True
        if _pid(folder) is None:
            return False
        time.sleep(0.1)
    # Not even after a crash does it need so long to give old objects: the disk is damaged where the sentinel lies. All
    # that is said here is that the server runs: whether it gives what the office keeps is for the store's own probe,
    # before anything is called ready.
    if any(_reads(server, anew=True) for _ in range(3)):  # a busy machine may need more than one try's 3 seconds
        return True
    _end(folder, signal.SIGKILL, within_s=5)
    return False


def _reads(server: _Server, *, anew: bool = False) -> bool:
    """Whether the sentinel can be read; on the very first start, or `anew`, it is written first."""
    bucket, name, content = _SENTINEL
    with urllib3.PoolManager(timeout=3.0, retries=False) as pool, suppress(*_SAYS_NOTHING):
        client = _client(server, pool)
        if not client.bucket_exists(bucket):
            client.make_bucket(bucket)
        if anew or not any(client.list_objects(bucket)):
            client.put_object(bucket, name, io.BytesIO(content), len(content))
        with client.get_object(bucket, name) as answer:
            return answer.read() == content
    return False


def _answers(server: _Server) -> bool:
    """Whether it says anything."""
    with urllib3.PoolManager(timeout=3.0, retries=False) as pool, suppress(*_SAYS_NOTHING):
        return _client(server, pool).bucket_exists(_SENTINEL[0])
    return False


def _client(server: _Server, pool: urllib3.PoolManager) -> Minio:
    access = server.access
    return Minio(
        access.endpoint, access_key=access.access_key, secret_key=access.secret_key, secure=False, http_client=pool
    )


def _pid(folder: Path) -> int | None:
    """The server's process, if it is alive and not merely a later one with the same number."""
    with suppress(OSError, ValueError):
        pid, started = (folder / "server.pid").read_text(encoding="utf-8").split()
        with suppress(ChildProcessError):
            os.waitpid(int(pid), os.WNOHANG)  # if it was our child and has ended, let it go
        return int(pid) if _started(int(pid)) == started else None
    return None


def _started(pid: int) -> str:
    """When the process began, in ticks since the machine started (proc(5), field 22)."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]


def _end(folder: Path, how: signal.Signals, *, within_s: float) -> bool:
    give_up = time.monotonic() + within_s
    if (pid := _pid(folder)) is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, how)
    while _pid(folder) is not None:
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True


def _sweep_sockets(server: _Server) -> None:
    """`weed` leaves sockets in /tmp, one per port."""
    if server.program == "weed":
        for port in _ports(server).values():
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108  its choice, not ours
                with suppress(OSError):
                    left.unlink()

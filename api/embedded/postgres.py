"""A PostgreSQL of our own, from Debian's binaries: for one machine, and for tests.

The server lives in one folder: `cluster/` (the data, with checksums), `run/` (its socket) and `server.log`. It listens
on no network. Whoever may enter `run/` (mode 0700) may connect, nobody else can. It is started in a session of its own,
so that killing whoever started it doesn't kill the database; the next `start` finds it and takes it over.

PostgreSQL refuses to run as root. As root, the folder belongs to a service user ("hoso", else "postgres"), who must be
able to reach it: not below root's home.

After a SIGKILL of the postmaster it may not be reaped, and its orphaned backends keep the shared memory, for a second
or two; every start is refused meanwhile, so `start` tries again until `PATIENCE_S` is over. A server that is up but
still recovering is given `RECOVERY_S`: what it replays, and a busy disk, decide how long that takes.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATIENCE_S = 30.0
RECOVERY_S = 600.0
SOCKET_PATH_LIMIT = 107  # bytes, of a Unix socket's address on Linux
_SOCKET_NAME = ".s.PGSQL.5432"
_DATABASE = "hoso"
_SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "80",
    "shared_buffers": "128MB",
    "fsync": "on",
    # After a crash, one flush of the file system instead of one for each of a thousand files.
    "recovery_init_sync_method": "syncfs",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements carry people's names: an error may be logged, its parameters and statement may not.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "lc_messages": "C.UTF-8",
}


class PostgresUnavailable(Exception):
    """The database couldn't be started; the message says why and what to do. Nothing that was kept is lost."""


def start(folder: Path, *, options: Mapping[str, str] | None = None) -> str:
    """Start the server of `folder`, or take over the one that runs; make it first if there is none.

    Args:
        folder: Made if missing.
        options: Server settings that replace ours, as they stand in postgresql.conf.

    Returns:
        The address of its database, for psycopg and SQLAlchemy alike.

    Raises:
        PostgresUnavailable: After `PATIENCE_S` it still doesn't run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        if (running := running_dsn(folder)) is not None:
            return running
        _prepare(folder)
        wanted = {**_SETTINGS, **(options or {})}
        _make_cluster(folder, durable=wanted["fsync"] == "on")
        dsn = _start(folder, wanted)
        _make_database(dsn)
        return dsn


def stop(folder: Path) -> None:
    """Stop the server of `folder` in order; nothing happens if none runs."""
    cluster = folder / "cluster"
    if not (cluster / "postmaster.pid").exists():
        return
    with _alone(folder):
        socket_folder = _socket_folder_in_use(folder)
        _run(_programs(cluster) / "pg_ctl", "stop", "--pgdata", cluster, "--mode=fast", "--timeout=60", check=False)
        if socket_folder and socket_folder.parent == Path(tempfile.gettempdir()):
            shutil.rmtree(socket_folder, ignore_errors=True)


def running_dsn(folder: Path) -> str | None:
    """The address of the server that runs in `folder`, or None when none answers."""
    socket_folder = _socket_folder_in_use(folder)
    if socket_folder is None:
        return None
    dsn = _dsn(socket_folder)
    with suppress(psycopg.OperationalError):
        psycopg.connect(_dsn(socket_folder, "postgres"), connect_timeout=3).close()
        return dsn
    return None


def is_alive(folder: Path) -> bool:
    """Whether its process lives; it may be too busy, or not ready, to answer."""
    with suppress(OSError, ValueError, IndexError):
        pid = int((folder / "cluster" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        # "4711 (postgres) S …": a zombie is dead, though whoever should collect it hasn't yet.
        name, _, rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").partition(") ")
        return name.endswith("(postgres") and not rest.startswith("Z")
    return False


def installed() -> list[Path]:
    """Folders with PostgreSQL's server programs, the newest version first."""
    found = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return sorted(found, key=lambda p: float(p.parent.name), reverse=True)


def service_user() -> str | None:
    """Who owns the server when we are root; None when we are not and it simply runs as we do."""
    if os.geteuid() != 0:
        return None
    for name in ("hoso", "postgres"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise PostgresUnavailable(
        "Chưa có người dùng hệ thống để chạy cơ sở dữ liệu; hãy chạy `make run` hoặc `useradd --system hoso`. "
        "(No system user to run the database: run `make run`, or `useradd --system hoso`.)"
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two who start the same server at once wait for each other."""
    with (folder / "starting.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prepare(folder: Path) -> None:
    user = service_user()
    # Others may pass through, as the service user must; what lies inside guards itself.
    folder.chmod(0o711 if user else 0o700)
    if user:
        reached = subprocess.run(
            ["/usr/bin/test", "-x", str(folder)], user=user, group=pwd.getpwnam(user).pw_gid, cwd="/", check=False
        )
        if reached.returncode != 0:
            raise PostgresUnavailable(
                f"Người dùng {user} không vào được {folder}; hãy đặt HOSO_DATA sang thư mục khác, ví dụ /var/lib/hoso. "
                f"(User {user} can't reach {folder}: set HOSO_DATA to another folder, for instance /var/lib/hoso.)"
            )


def _make_cluster(folder: Path, *, durable: bool) -> None:
    """Make the data folder, in one piece: it gets its name only when it is whole."""
    cluster, unfinished = folder / "cluster", folder / "cluster.unfinished"
    if cluster.exists():
        return
    shutil.rmtree(unfinished, ignore_errors=True)
    _own(unfinished)
    initdb = _programs(cluster) / "initdb"
    made = _run(
        initdb, "--pgdata", unfinished, "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8",
        "--username=hoso", "--auth-local=trust", "--auth-host=reject",
        *([] if durable else ["--no-sync"]), check=False,
    )  # fmt: skip
    if made.returncode != 0:
        raise PostgresUnavailable(f"Không tạo được cơ sở dữ liệu. (initdb failed.)\n{made.stdout[-2000:]}")
    unfinished.rename(cluster)


def _start(folder: Path, options: Mapping[str, str]) -> str:
    cluster, log = folder / "cluster", folder / "server.log"
    socket_folder = _socket_folder(folder)
    log.touch(mode=0o600)
    if user := service_user():
        shutil.chown(log, user)
    _write_options(cluster, {**options, "unix_socket_directories": f"'{socket_folder}'", "port": "5432"})
    pg_ctl = _programs(cluster) / "pg_ctl"
    began = time.monotonic()
    while True:
        if not is_alive(folder):
            # pg_ctl gives the server a session of its own, so a signal to our group passes it by.
            _run(pg_ctl, "start", "--pgdata", cluster, "--log", log, "--timeout=20", "--silent", check=False)
        if (dsn := running_dsn(folder)) is not None:
            return dsn
        if time.monotonic() - began > (RECOVERY_S if is_alive(folder) else PATIENCE_S):
            tail = log.read_text(errors="replace")[-2000:]
            raise PostgresUnavailable(
                f"Cơ sở dữ liệu không khởi động; dữ liệu vẫn nguyên trong {folder}. Xem {log}. "
                f"(The database doesn't start; the data are as they were.)\n{tail}"
            )
        time.sleep(0.3)


def _write_options(cluster: Path, options: Mapping[str, str]) -> None:
    """Our settings in a file of their own, which the server reads last."""
    (cluster / "postgresql.auto.conf").write_text(
        "".join(f"{name} = {value}\n" for name, value in options.items()), encoding="utf-8"
    )


def _make_database(dsn: str) -> None:
    server = dsn.replace(f"/{_DATABASE}?", "/postgres?", 1)
    with psycopg.connect(server, autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", (_DATABASE,)).fetchone() is None:
            connection.execute(f"create database {_DATABASE}")


def _dsn(socket_folder: Path, database: str = _DATABASE) -> str:
    return f"postgresql://hoso@/{database}?host={quote(str(socket_folder), safe='')}"


def _socket_folder(folder: Path) -> Path:
    """Where the socket goes: `run/`, or a folder with a short name when that one's would be too long."""
    run = folder.absolute() / "run"
    if len(os.fsencode(run / _SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
        shutil.rmtree(run, ignore_errors=True)
        return _own(run)
    return _own(Path(tempfile.mkdtemp(prefix="hoso-")))


def _socket_folder_in_use(folder: Path) -> Path | None:
    """The socket's folder as the running server noted it: the fifth line of postmaster.pid."""
    with suppress(OSError, IndexError):
        noted = (folder / "cluster" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[4].strip()
        return Path(noted) if noted else None
    return None


def _own(folder: Path) -> Path:
    """A folder that only the server may enter."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if user := service_user():
        shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
    return folder


def _programs(cluster: Path) -> Path:
    """The server programs that fit this cluster; the newest for a cluster yet to be made."""
    with suppress(FileNotFoundError):
        version = (cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
        for programs in installed():
            if programs.parent.name == version:
                return programs
        raise PostgresUnavailable(
            f"Dữ liệu thuộc PostgreSQL {version} nhưng máy này không có; hãy cài postgresql-{version}. "
            f"(The data are of PostgreSQL {version}, which isn't installed: install postgresql-{version}.)"
        )
    for programs in installed():
        return programs
    raise PostgresUnavailable(
        "Chưa cài PostgreSQL; hãy chạy `make run` hoặc `apt-get install postgresql`. (PostgreSQL isn't installed.)"
    )


def _run(program: Path, *arguments: str | Path, check: bool) -> subprocess.CompletedProcess[str]:
    user = service_user()
    identity = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    # To a file, not a pipe: the server inherits it, and a pipe would stay open as long as the server lives.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        done = subprocess.run(  # type: ignore[call-overload]  # the keys of `identity` are optional together
            [str(program), *map(str, arguments)],
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            umask=0o077,
            check=check,
            **identity,
        )
        output.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read())

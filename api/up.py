"""Everything on one machine, in the foreground: database, S3 server, demo trust service, workers, web.

A first start makes what is missing and, in a demo, loads the demo centre. Ctrl-C stops all of it in order: the web
first, so that nothing new comes in, the database last. The embedded servers outlive a SIGKILL of this process, the
others don't; either way the next start takes over what is there, or mends it.
"""

from __future__ import annotations

import fcntl
import hashlib
import multiprocessing
import os
import secrets
import shutil
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.embedded import postgres, s3
from api.heap import share_arenas
from api.settings import BadSettings, Settings, demo_centre, environment_of, s3_settings
from api.supervisor import Part, Supervisor, seconds_since_start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

READY = "/api/v1/health/ready"
_TEND_EVERY_S = 0.5
_READY_WITHIN_S = 90.0
_HOPELESS_DEATHS = 4


class CannotStart(Exception):
    """The service can't come up; the message says why, and what to do."""


def run(settings: Settings) -> int:
    """Start everything, keep it running, stop it on Ctrl-C or SIGTERM. The answer is the exit status."""
    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, _interrupt)  # also when we were started in the background, with SIGINT ignored
    os.umask(0o077)  # what we keep is nobody else's business
    share_arenas()  # the web is a fork of ours
    try:
        with ExitStack() as running:
            running.enter_context(_alone(_prepared(settings.data)))
            _start_and_tend(settings, running)
    except KeyboardInterrupt:
        _say("Đã dừng tất cả; dữ liệu vẫn còn.", "Everything is stopped; the data are kept.")
    except (CannotStart, BadSettings, postgres.PostgresUnavailable, s3.S3Unavailable) as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1
    return 0


def _start_and_tend(named: Settings, running: ExitStack) -> None:
    if named.is_demo and named.database:
        raise CannotStart(
            "Bản demo mang theo cơ sở dữ liệu riêng và không đụng tới cơ sở dữ liệu khác; hãy bỏ HOSO_DATABASE hoặc "
            "đặt HOSO_MODE=production. (A demo never fills a database that somebody named.)"
        )
    servers = _embedded(named)
    for server in servers:
        running.callback(server.stop)
    _say("Khởi động cơ sở dữ liệu và kho tệp…", "Starting the database and the object store…")
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(_led_to, named, servers)
        parts = _parts_of_ours()  # loading them takes about as long as the servers do
        settings = starting.result()
    _wait_for_port(settings)
    from storage.migrations import migrate

    migrate(settings.database)
    supervisor = Supervisor(
        settings.data, {**os.environ, **environment_of(settings), "TMPDIR": str(_scratch(settings))}
    )
    running.callback(_stop, supervisor)

    def tend() -> None:
        supervisor.tend()
        if not all(server.is_alive() for server in servers):
            _say("Một máy chủ dữ liệu đã dừng; đang khởi động lại…", "A server has died; starting it again…")
            if _led_to(named, servers) != settings:
                raise CannotStart("Máy chủ dữ liệu đổi địa chỉ; hãy khởi động lại. (A server moved: start again.)")

    if settings.is_demo:
        _start_demo(settings, supervisor, tend)
    supervisor.start(*parts(settings))
    _wait_for(_local_url(settings) + READY, supervisor, "web", tend, status=HTTPStatus.OK)
    _welcome(settings, seconds_since_start())
    while True:
        time.sleep(_TEND_EVERY_S)
        tend()


@dataclass(frozen=True)
class _Embedded:
    """A server that this machine brings along, because none is named."""

    lead: Callable[[], dict[str, Any]]
    stop: Callable[[], None]
    is_alive: Callable[[], bool]


def _embedded(named: Settings) -> list[_Embedded]:
    """Which servers to bring along, in the order of starting."""
    servers = []
    if not named.database:
        folder = named.data / "postgres"
        servers.append(
            _Embedded(
                lambda: {"database": postgres.start(folder)},
                lambda: postgres.stop(folder),
                lambda: postgres.is_alive(folder),
            )
        )
    if not named.s3_endpoint:
        store = named.data / "s3"
        servers.append(
            _Embedded(
                lambda: s3_settings(s3.start(store), store) | {"s3_secret_key_file": store / s3.SECRET_FILE},
                lambda: s3.stop(store),
                lambda: s3.is_alive(store),
            )
        )
    return servers


@contextmanager
def servers(named: Settings) -> Iterator[Settings]:
    """The database and the store of an instance that isn't up, for whoever fills it; stopped again afterwards.

    Raises:
        CannotStart: It is up.
        PostgresUnavailable, S3Unavailable: They don't start.
    """
    embedded = _embedded(named)
    with ExitStack() as running:
        running.enter_context(_alone(_prepared(named.data)))
        for server in embedded:
            running.callback(server.stop)
        yield _led_to(named, embedded)


def _led_to(named: Settings, servers: list[_Embedded]) -> Settings:
    """Start what doesn't run, and give the settings that lead to all of it."""
    with ThreadPoolExecutor() as pool:
        leads = [pool.submit(server.lead) for server in servers]
        found = {name: value for lead in leads for name, value in lead.result().items()}
    if named.is_demo and not named.service_secret_file:
        found["service_secret_file"] = _demo_secret(named.demo_secret_file)
    if named.is_demo and not named.tsa_urls:
        found["tsa_urls"] = (f"{named.demo_trust_url}/tsa",)
    if named.is_demo and not named.reports_by:
        found["reports_by"] = demo_centre()
    return Settings(**{name: getattr(named, name) for name in Settings.model_fields} | found)


def _demo_secret(file: Path) -> Path:
    if not file.exists():
        unfinished = file.with_suffix(".unfinished")
        unfinished.touch(mode=0o600)
        unfinished.write_text(secrets.token_urlsafe(48), encoding="ascii")
        unfinished.rename(file)
    return file


def _scratch(settings: Settings) -> Path:
    """An empty folder for what is only passing through: a worker that is killed leaves pictures of pages behind."""
    scratch = settings.data / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    return scratch


def _parts_of_ours() -> Callable[[Settings], list[Part]]:
    """Load the web and the workers, to be forked: the web, exactly one that signs, one that looks, and the others."""
    from api.commands.serve import serve
    from api.commands.worker import work
    from api.worker import LOOKING, READING, SIGNING

    def parts(settings: Settings) -> list[Part]:
        return [
            Part("web", partial(serve, settings)),
            Part("worker-signing", partial(work, settings, SIGNING)),
            Part("worker-looking", partial(work, settings, LOOKING)),
            *(Part(f"worker-{n}", partial(work, settings, READING)) for n in range(1, settings.reading_workers + 1)),
        ]

    return parts


def _trust_service(settings: Settings) -> Part:
    where = ("--folder", str(settings.demo_trust_folder), "--port", str(settings.demo_trust_port))
    return Part("demo-trust", (sys.executable, "-m", "api.demo.trust_service", *where), ends_within_s=5.0)


def _start_demo(settings: Settings, supervisor: Supervisor, tend: Callable[[], None]) -> None:
    """Load the demo centre unless it is there, and start the trust service that its signers need."""
    from api.demo import centre

    note = settings.data / "postgres" / "demo-centre"  # goes when the database goes
    wanted = hashlib.sha256(Path(centre.__file__).read_bytes()).hexdigest()
    if note.exists() and note.read_text(encoding="ascii") == wanted:
        supervisor.start(_trust_service(settings))
        return

    _say("Tạo trung tâm và dịch vụ chứng thực demo…", "Making the demo centre and its trust service…")
    supervisor.start(_trust_service(settings))
    _wait_for(settings.demo_trust_url, supervisor, "demo-trust", tend)
    # In a process of its own: what it uses starts threads, and we are yet to fork.
    filling = multiprocessing.get_context("fork").Process(target=_fill, args=(settings,))
    filling.start()
    filling.join()
    if filling.exitcode != 0:
        raise CannotStart("Không tạo được trung tâm demo. (The demo centre can't be made.)")
    note.write_text(wanted, encoding="ascii")


def _fill(settings: Settings) -> None:
    from api.demo import provision
    from api.wiring import wire

    office = wire(settings)
    try:
        provision.fill(office, trust_folder=settings.demo_trust_folder, trust_url=settings.demo_trust_url)
        provision.refresh(office)
    finally:
        office.close()


def _prepared(data: Path) -> Path:
    """The data folder. As root others may pass through it, since the database runs as its own user."""
    data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        data.chmod(0o711)
    return data


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    with (data / "up.lock").open("w") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # unlike flock's, not held on by our forks
        except OSError:
            raise CannotStart(
                f"Dịch vụ đang chạy với thư mục {data}; hãy dừng nó trước, hoặc đặt HOSO_DATA khác. "
                "(It is running already in this data folder.)"
            ) from None
        yield


def _wait_for_port(settings: Settings) -> None:
    """Wait until nobody listens where we are to: the web of one who was just killed may still be ending."""
    give_up = time.monotonic() + 15
    while True:
        try:
            with socket.create_server((settings.listen_host, settings.listen_port), reuse_port=False):
                return
        except OSError as taken:
            if time.monotonic() > give_up:
                raise CannotStart(
                    f"Cổng {settings.listen_port} đang bị chương trình khác dùng; hãy đặt HOSO_LISTEN_PORT khác. "
                    f"(Port {settings.listen_port} is taken: set HOSO_LISTEN_PORT.)"
                ) from taken
        time.sleep(0.2)


def _wait_for(
    url: str, supervisor: Supervisor, part: str, tend: Callable[[], None], *, status: int | None = None
) -> None:
    """Wait until `url` answers (with `status`, if one is given), as long as its part isn't past hope.

    Meanwhile everything is tended: a database that dies now would keep the web from ever being ready.
    """
    give_up = time.monotonic() + _READY_WITHIN_S
    while _status(url) not in ({status} if status else set(range(100, 600))):
        tend()
        if supervisor.deaths(part) >= _HOPELESS_DEATHS or time.monotonic() > give_up:
            raise CannotStart(
                f"Phần “{part}” không chạy được; dữ liệu vẫn còn nguyên. (Part {part} doesn't come up.)\n"
                f"{supervisor.log(part)}:\n{supervisor.last_words(part)}"
            )
        time.sleep(0.1)


def _status(url: str) -> int | None:
    """The status with which `url` answers; None when nobody does."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  our own http address
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code
    except OSError:
        return None


def _local_url(settings: Settings) -> str:
    """Where the web answers on this machine."""
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.listen_host)  # noqa: S104  compared
    return f"http://{host or settings.listen_host}:{settings.listen_port}"


def _welcome(settings: Settings, seconds: float) -> None:
    took = f"{seconds:.1f}".replace(".", ",")
    print(f"\nHồ sơ số đang chạy (sau {took} giây): {settings.base_url}", flush=True)
    if settings.is_demo:
        from api.demo import centre

        print(centre.welcome(settings.base_url), flush=True)
    _say(f"Nhật ký: {settings.data / 'logs'}. Dừng: Ctrl-C.", "Logs are there. Ctrl-C stops everything.")


def _stop(supervisor: Supervisor) -> None:
    """The web first, so that nothing new comes in; then the workers; the trust service when nobody signs any more."""
    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, signal.SIG_IGN)  # one wish is enough: stopping is bounded in time
    _say("\nĐang dừng…", "Stopping…")
    supervisor.stop(["web"])
    supervisor.stop([name for name in supervisor.names if name.startswith("worker")])
    supervisor.stop()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(vi: str, en: str) -> None:
    print(f"{vi} ({en})", flush=True)

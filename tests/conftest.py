"""The real parts that tests stand on: one PostgreSQL and one S3 server for each worker, gone at the end.

A test asks for `postgres_dsn` (an empty database), `migrated_dsn` (with our tables) or `s3_settings` (a bucket's name
that nothing uses yet). Each test has its own, so that none sees another's data.

Where a `minio` program is on the PATH, every test that asks for `s3_settings` runs on it too, beside the bundled server
(`make test-minio` builds one). HOSO_TEST_S3_ENDPOINT, HOSO_TEST_S3_ACCESS_KEY and HOSO_TEST_S3_SECRET_KEY (and
HOSO_TEST_S3_SECURE=1 for https) name one more S3 server, and those tests run on that as well.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from xdist.scheduler import LoadScopeScheduling

from api.embedded import postgres, s3
from tests.faults.power import can_cut_power

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.pki", "tests.softhsm"]

# What this machine's owner set for the service is none of the tests' business.
for _name in [name for name in os.environ if name.startswith("HOSO_") and not name.startswith("HOSO_TEST_")]:
    del os.environ[_name]

_SERVERS = "hoso-tests."
#: A test's database may be lost with the machine, so it needn't wait for the disk.
_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[Any]:
    """Give the process its umask back: `hoso init`, run inside a test, narrows it for good, and rightly so."""
    mask = os.umask(0o022)
    os.umask(mask)
    try:
        return (yield)
    finally:
        os.umask(mask)


@dataclass(frozen=True)
class S3Settings:
    """An S3 server and the name of a bucket that doesn't exist there yet."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str
    secure: bool = False


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """A folder for servers that the service user can reach (pytest's own can only be entered by who made it)."""
    _sweep_left_by_the_killed()
    folder = Path(tempfile.mkdtemp(prefix=f"{_SERVERS}{os.getpid()}."))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder for a whole service. As root, its database's user must reach it, which pytest's own don't allow."""
    with tempfile.TemporaryDirectory(prefix="hoso-service-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.fixture(scope="session")
def postgres_server(servers_folder: Path) -> Iterator[str]:
    """The address of a running PostgreSQL."""
    yield postgres.start(servers_folder / "postgres", options=_QUICK)
    postgres.stop(servers_folder / "postgres")


@pytest.fixture(scope="session")
def s3_server(servers_folder: Path) -> Iterator[s3.S3Access]:
    """How to reach a running S3 server: the bundled one, whatever else is installed."""
    yield s3.start(servers_folder / "s3", program="weed")
    s3.stop(servers_folder / "s3")


@pytest.fixture(scope="session")
def minio_server(servers_folder: Path) -> Iterator[s3.S3Access]:
    """How to reach a running MinIO."""
    yield s3.start(servers_folder / "minio", program="minio")
    s3.stop(servers_folder / "minio")


_S3_SERVERS = [
    "bundled",
    *(["minio"] if shutil.which("minio") else []),
    *(["named"] if "HOSO_TEST_S3_ENDPOINT" in os.environ else []),
]


@pytest.fixture
def postgres_dsn(postgres_server: str) -> Iterator[str]:
    """The address of an empty database."""
    yield from _database(postgres_server, template="template0")


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """The name of a database with our tables and nothing in them; databases are copied from it."""
    from storage.migrations import migrate

    _administer(postgres_server, "create database migrated template template0")
    migrate(_named(postgres_server, "migrated"))
    return "migrated"


@pytest.fixture
def migrated_dsn(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """The address of a database with our tables and nothing in them."""
    yield from _database(postgres_server, template=migrated_template)


@pytest.fixture(params=_S3_SERVERS)
def s3_settings(request: pytest.FixtureRequest) -> S3Settings:
    """An S3 server and the name of a bucket that doesn't exist there yet."""
    bucket = f"hoso-{uuid.uuid4().hex[:20]}"
    if request.param == "named":
        return S3Settings(
            os.environ["HOSO_TEST_S3_ENDPOINT"],
            os.environ["HOSO_TEST_S3_ACCESS_KEY"],
            os.environ["HOSO_TEST_S3_SECRET_KEY"],
            bucket,
            secure=os.environ.get("HOSO_TEST_S3_SECURE") == "1",
        )
    access: s3.S3Access = request.getfixturevalue("minio_server" if request.param == "minio" else "s3_server")
    return S3Settings(access.endpoint, access.access_key, access.secret_key, bucket)


class OneServiceForPages(LoadScopeScheduling):
    """All of acceptance goes to one worker, since its pages share a service and a browser; the rest goes by file.

    (pytest-xdist 3.8 has groups for that, but with pytest 9.2 its `--dist loadgroup` spreads them all the same.)
    """

    def _split_scope(self, nodeid: str) -> str:
        return "acceptance" if nodeid.startswith("tests/acceptance/") else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneServiceForPages | None:
    """Spread the tests as said above, in their order: what takes longest comes first, what is over at once last."""
    if config.getoption("dist") != "load":
        return None
    config.option.loadscopereorder = False
    return OneServiceForPages(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what can't be done on this machine; continuous integration can do it, or fails by it."""
    lacking = _lacking()
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in lacking)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _lacking() -> dict[str, str]:
    """Which tests are left out here, by their mark, and what is said of it."""
    if os.environ.get("HOSO_TEST_ALL"):
        return {}
    lacking = {}
    if os.geteuid() != 0:
        lacking["needs_root"] = "Without root, tests that make networks of their own are left out."
    if not can_cut_power():
        lacking["needs_own_disk"] = "Without root and a loop device, tests that cut a disk's power are left out."
    return lacking


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a run with a skipped test has failed, and what can't run here."""
    if skipped := len(terminalreporter.stats.get("skipped", [])):
        terminalreporter.write_line(f"{skipped} skipped: a test that doesn't run proves nothing", red=True)
    for told in _lacking().values():
        terminalreporter.write_line(told, yellow=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which a test was skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _database(server: str, *, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:16]}"
    _administer(server, f"create database {name} template {template}")
    yield _named(server, name)
    _administer(server, f"drop database {name} with (force)")


def _administer(server: str, command: str) -> None:
    with psycopg.connect(_named(server, "postgres"), autocommit=True) as connection:
        connection.execute(command)  # type: ignore[arg-type]  # names of our own making


def _named(server: str, database: str) -> str:
    """The address of another database of the same server."""
    return server.replace("/hoso?", f"/{database}?", 1)


def _sweep_left_by_the_killed() -> None:
    """Stop the servers of test runs that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_SERVERS}*"):
        with suppress(OSError, ValueError):
            pid = int(folder.name.removeprefix(_SERVERS).split(".")[0])
            if folder.stat().st_uid == os.geteuid() and not Path(f"/proc/{pid}").exists():
                postgres.stop(folder / "postgres")
                s3.stop(folder / "s3")
                s3.stop(folder / "minio")
                shutil.rmtree(folder, ignore_errors=True)

"""`hoso up` as an administrator meets it: started, killed, started again, stopped. An empty production instance."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from api import up
from api.embedded import postgres, s3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOSO = [sys.executable, "-m", "api.cli"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(true: Callable[[], bool], *, within_s: float = 200.0) -> None:
    give_up = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < give_up, "it never came true"
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


class Instance:
    """An instance made by `hoso init`."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "instance" / "data"
        self.port = _free_port()
        self.environment = os.environ | {
            "HOSO_CONFIG": str(folder / "instance" / "hoso.env"),
            "HOSO_LISTEN_PORT": str(self.port),
            "HOSO_READING_WORKERS": "1",
        }
        subprocess.run([*HOSO, "init", str(folder / "instance")], check=True, capture_output=True, cwd=folder)

    @contextmanager
    def up(self) -> Iterator[subprocess.Popen[bytes]]:
        with (
            (self.data.parent / "said").open("wb") as said,
            subprocess.Popen([*HOSO, "up"], env=self.environment, stdout=said, stderr=said) as process,
        ):
            try:
                _until(lambda: self.is_ready() or process.poll() is not None)
                assert process.poll() is None, (self.data.parent / "said").read_text()
                yield process
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                print((self.data.parent / "said").read_text())  # shown when the test fails

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{up.READY}", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def children(self) -> dict[str, int]:
        noted = json.loads((self.data / "children.json").read_text())
        return {name: pid for name, (pid, _) in noted.items()}


@pytest.fixture
def instance() -> Iterator[Instance]:
    with tempfile.TemporaryDirectory(prefix="hoso-up-") as name:
        Path(name).chmod(0o711)
        instance = Instance(Path(name))
        yield instance
        postgres.stop(instance.data / "postgres")
        s3.stop(instance.data / "s3")


@pytest.mark.timeout(900)  # it waits for real processes; a busy machine may take its time
def test_everything_comes_up_mends_itself_survives_sigkill_and_stops_in_order(instance: Instance) -> None:
    with instance.up() as first:
        dsn = postgres.running_dsn(instance.data / "postgres")
        assert dsn is not None
        with psycopg.connect(dsn) as connection:
            connection.execute("create table kept as select 1 as number")

        # A worker and the database die: both are started again.
        before = instance.children()
        os.kill(before["worker-1"], signal.SIGKILL)
        os.kill(int((instance.data / "postgres/cluster/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        _until(lambda: instance.children().get("worker-1") not in {None, before["worker-1"]})
        _until(lambda: postgres.running_dsn(instance.data / "postgres") is not None)
        _until(instance.is_ready)

        # A second one on the same data folder is refused.
        second = subprocess.run([*HOSO, "up"], env=instance.environment, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert str(instance.data) in second.stderr

        # We die: our children go, the servers stay.
        children = instance.children()
        first.kill()
        first.wait()
    _until(lambda: not any(map(_runs, children.values())))
    assert postgres.is_alive(instance.data / "postgres")
    assert s3.is_alive(instance.data / "s3")

    with instance.up() as again:
        again.send_signal(signal.SIGINT)
        assert again.wait(60) == 0
    assert not postgres.is_alive(instance.data / "postgres")
    assert not s3.is_alive(instance.data / "s3")
    assert not any(map(_runs, instance.children().values()))

    with psycopg.connect(postgres.start(instance.data / "postgres")) as connection:
        assert connection.execute("select number from kept").fetchone() == (1,)


@pytest.mark.timeout(600)
def test_a_database_that_dies_before_the_web_is_ready_is_started_again(instance: Instance) -> None:
    with subprocess.Popen([*HOSO, "up"], env=instance.environment, stdout=subprocess.DEVNULL) as process:
        try:
            _until(lambda: (instance.data / "children.json").exists() and "web" in instance.children())
            os.kill(int((instance.data / "postgres/cluster/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            _until(lambda: not postgres.is_alive(instance.data / "postgres"))
            _until(lambda: instance.is_ready() or process.poll() is not None)
            assert process.poll() is None, "it gave up"
            assert postgres.is_alive(instance.data / "postgres")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def test_a_demo_never_fills_a_database_that_somebody_named(tmp_path: Path, postgres_dsn: str) -> None:
    environment = os.environ | {"HOSO_DATABASE": postgres_dsn, "HOSO_DATA": str(tmp_path / "data")}
    refused = subprocess.run([*HOSO, "up"], env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "HOSO_DATABASE" in refused.stderr
    with psycopg.connect(postgres_dsn) as connection:
        assert connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone() == (0,)

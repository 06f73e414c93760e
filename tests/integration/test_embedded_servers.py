"""The servers a single machine brings along, killed as machines kill them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from minio import Minio

from api.embedded import postgres, s3

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a socket, and open to the service user, which pytest's own folders aren't."""
    with tempfile.TemporaryDirectory(prefix="hoso-embedded-") as name:
        Path(name).chmod(0o711)
        yield Path(name) / "server"
        postgres.stop(Path(name) / "server")
        s3.stop(Path(name) / "server")


def _postmaster(folder: Path) -> int:
    return int((folder / "cluster" / "postmaster.pid").read_text().split()[0])


def _write(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as number")


def _rows(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        return connection.execute("select count(*) from kept").fetchone()[0]


def test_the_database_survives_kill_9_and_starts_again_over_its_orphans(folder: Path) -> None:
    dsn = postgres.start(folder)
    _write(dsn)
    with psycopg.connect(dsn):  # an orphan that keeps the shared memory for a moment
        os.kill(_postmaster(folder), signal.SIGKILL)
        dsn = postgres.start(folder)
    assert _rows(dsn) == 1000


def test_a_running_database_is_taken_over_and_a_stopped_one_keeps_its_rows(folder: Path) -> None:
    dsn = postgres.start(folder)
    _write(dsn)
    pid = _postmaster(folder)
    assert postgres.start(folder) == dsn
    assert _postmaster(folder) == pid

    postgres.stop(folder)
    assert postgres.running_dsn(folder) is None
    assert _rows(postgres.start(folder)) == 1000


def test_the_database_has_checksums_and_is_on_no_network(folder: Path) -> None:
    with psycopg.connect(postgres.start(folder)) as connection:
        shown = {
            name: connection.execute(f"show {name}").fetchone()[0]
            for name in ("data_checksums", "fsync", "listen_addresses")
        }
    assert shown == {"data_checksums": "on", "fsync": "on", "listen_addresses": ""}
    assert stat.S_IMODE((folder / "run").stat().st_mode) == 0o700


def test_a_folder_with_a_name_too_long_for_a_socket_still_works(folder: Path) -> None:
    deep = folder / ("x" * 100)
    folder.mkdir(mode=0o711)
    try:
        _write(postgres.start(deep))
    finally:
        postgres.stop(deep)


def test_two_who_start_the_same_database_at_once_get_the_same_one(folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(postgres.start, [folder, folder]))) == 1


def _client(access: s3.S3Access) -> Minio:
    return Minio(access.endpoint, access_key=access.access_key, secret_key=access.secret_key, secure=False)


def _put(client: Minio, bucket: str) -> None:
    client.make_bucket(bucket)
    for number in range(20):
        client.put_object(bucket, f"{number}", BytesIO(b"%d" % number), len(f"{number}"))


def _all_there(client: Minio, bucket: str) -> bool:
    for number in range(20):
        with client.get_object(bucket, f"{number}") as answer:
            if answer.read() != b"%d" % number:
                return False
    return True


def test_the_s3_server_survives_kill_9_and_is_ready_only_when_old_objects_can_be_read(folder: Path) -> None:
    access = s3.start(folder)
    _put(_client(access), "kept")
    os.kill(int((folder / "server.pid").read_text().split()[0]), signal.SIGKILL)

    assert s3.start(folder) == access
    assert _all_there(_client(access), "kept")


def test_a_running_s3_server_is_taken_over_and_a_stopped_one_answers_no_more(folder: Path) -> None:
    access = s3.start(folder)
    pid = (folder / "server.pid").read_text()
    assert s3.start(folder) == access
    assert s3.running(folder) == access
    assert (folder / "server.pid").read_text() == pid

    s3.stop(folder)
    assert s3.running(folder) is None


@pytest.mark.parametrize("program", [name for name in ("weed", "minio") if name == "weed" or shutil.which(name)])
def test_an_s3_server_whose_sentinel_rotted_on_the_disk_is_taken_for_what_it_is(
    folder: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives everything else; no command may call it stopped, and `hoso up` may not wait for ever."""
    access = s3.start(folder, program=program)
    _put(_client(access), "kept")
    bucket, name, content = s3._SENTINEL
    for file in (folder / "data").glob(f"{bucket}_*.dat" if program == "weed" else f"{bucket}/{name}/xl.meta"):
        with file.open("r+b") as on_disk:
            on_disk.seek(on_disk.read().index(content))
            on_disk.write(content.upper())
    assert s3._reads(s3._kept(folder)) is False
    assert any(s3.running(folder) == access for _ in range(20))  # a busy machine may not answer within its 3 seconds

    monkeypatch.setattr(s3, "PATIENCE_S", 5.0)  # it is up already
    assert s3.start(folder) == access
    assert _client(access).get_object(bucket, name).read() == content
    assert _all_there(_client(access), "kept")


def _sockets(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed while we looked
            found.add(str(link.readlink()))
    return found


def test_the_s3_server_keeps_its_keys_to_itself_and_listens_on_the_loopback_address_only(folder: Path) -> None:
    access = s3.start(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("server.json", "identities.json"):
        if (folder / name).exists():
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600

    inodes = _sockets(int((folder / "server.pid").read_text().split()[0]))
    listening = [
        line.split()[1].split(":")[0]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and f"socket:[{line.split()[9]}]" in inodes
    ]
    assert access.endpoint.startswith("127.0.0.1:")
    assert "0100007F" in listening
    assert set(listening) <= {"0100007F", "0" * 24 + "01000000"}  # MinIO takes the loopback address of IPv6 as well


def test_an_s3_server_whose_port_was_taken_meanwhile_moves_and_keeps_its_objects(folder: Path) -> None:
    access = s3.start(folder)
    _put(_client(access), "kept")
    s3.stop(folder)
    with socket.socket() as squatter:
        # The server's own connections, closed a moment ago, may still hold the port for a minute.
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", int(access.endpoint.split(":")[1]) + 1))
        squatter.listen()
        moved = s3.start(folder)
        assert moved.endpoint != access.endpoint
        assert _all_there(_client(moved), "kept")


def test_every_test_has_a_database_of_its_own(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        tables = connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()[0]
    assert tables == 0

"""Originals kept near the worker: downloaded once, never wrong, never more than allowed."""

from __future__ import annotations

import hashlib
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from dossiers.ports import ObjectMissing
from dossiers.types import ObjectKey
from storage.object_cache import CachedObjects
from storage.objects import MinioObjectStore
from tests.contract.faulty_s3 import FaultyS3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from api.embedded.s3 import S3Access

PDF = "application/pdf"


@pytest.fixture(scope="module")
def counting(s3_server: S3Access) -> Iterator[FaultyS3]:
    """The server behind a proxy that counts what is asked of it."""
    with FaultyS3(s3_server.endpoint).running() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def store(s3_server: S3Access, counting: FaultyS3) -> Iterator[MinioObjectStore]:
    """One for all these tests: what they put has other bytes each time."""
    bucket = f"hoso-{uuid.uuid4().hex[:20]}"
    store = MinioObjectStore(counting.endpoint, s3_server.access_key, s3_server.secret_key, bucket, keep_locked=None)
    store.prepare()
    yield store
    store.close()


@pytest.fixture
def kept(store: MinioObjectStore, tmp_path: Path) -> Callable[..., ObjectKey]:
    def put(content: bytes, media_type: str = PDF) -> ObjectKey:
        (tmp_path / "in").write_bytes(content)
        return store.put(tmp_path / "in", media_type=media_type)

    return put


def downloads(proxy: FaultyS3, key: ObjectKey) -> int:
    return proxy.downloads.get(key.path, 0)


def test_a_file_is_downloaded_once(
    store: MinioObjectStore, counting: FaultyS3, kept: Callable[..., ObjectKey], tmp_path: Path
) -> None:
    key = kept(b"scan of many pages")
    cached = CachedObjects(store, tmp_path / "cache", limit_bytes=1000)
    before = downloads(counting, key)
    for number in range(5):
        cached.fetch(key, tmp_path / f"page-{number}")
        assert (tmp_path / f"page-{number}").read_bytes() == b"scan of many pages"
    assert downloads(counting, key) - before == 1


def test_what_is_read_once_is_not_kept(store: MinioObjectStore, kept: Callable[..., ObjectKey], tmp_path: Path) -> None:
    cached = CachedObjects(store, tmp_path / "cache", limit_bytes=1000)
    cached.fetch(kept(b"picture", "image/jpeg"), tmp_path / "picture")
    assert (tmp_path / "picture").read_bytes() == b"picture"
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_was_used_longest_ago_goes_first_and_nobody_loses_what_they_hold(
    store: MinioObjectStore, kept: Callable[..., ObjectKey], tmp_path: Path
) -> None:
    cached = CachedObjects(store, tmp_path / "cache", limit_bytes=250)
    one, two, three = (kept(letter * 100) for letter in (b"1", b"2", b"3"))
    for number, key in enumerate((one, two, one, three)):
        cached.fetch(key, tmp_path / f"held-{number}")
    left = {file.name for file in (tmp_path / "cache").iterdir() if file.suffix != ".lock"}
    assert left == {one.sha256, three.sha256}
    assert (tmp_path / "held-1").read_bytes() == b"2" * 100


def test_a_file_bigger_than_the_whole_cache_is_given_all_the_same(
    store: MinioObjectStore, kept: Callable[..., ObjectKey], tmp_path: Path
) -> None:
    cached = CachedObjects(store, tmp_path / "cache", limit_bytes=10)
    cached.fetch(kept(b"x" * 100), tmp_path / "held")
    assert (tmp_path / "held").read_bytes() == b"x" * 100


def test_a_file_somebody_wrote_into_is_not_given_to_others(
    store: MinioObjectStore, kept: Callable[..., ObjectKey], tmp_path: Path
) -> None:
    cached = CachedObjects(store, tmp_path / "cache", limit_bytes=1000)
    key = kept(b"as it came")
    cached.fetch(key, tmp_path / "careless")
    with (tmp_path / "careless").open("r+b") as file:
        file.write(b"AS")
    cached.fetch(key, tmp_path / "careful")
    assert (tmp_path / "careful").read_bytes() == b"as it came"


def test_an_existing_file_is_replaced(store: MinioObjectStore, kept: Callable[..., ObjectKey], tmp_path: Path) -> None:
    cached = CachedObjects(store, tmp_path / "cache", limit_bytes=1000)
    (tmp_path / "out").write_bytes(b"older")
    cached.fetch(kept(b"newer"), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"newer"


def test_a_missing_object_is_missing_here_too(store: MinioObjectStore, tmp_path: Path) -> None:
    cached = CachedObjects(store, tmp_path / "cache", limit_bytes=1000)
    with pytest.raises(ObjectMissing):
        cached.fetch(ObjectKey("0" * 64, 1, PDF), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_a_killed_process_left_half_done_is_cleared(
    store: MinioObjectStore, kept: Callable[..., ObjectKey], tmp_path: Path
) -> None:
    cached = CachedObjects(store, tmp_path / "cache", limit_bytes=1000)
    key = kept(b"whole")
    for left in (f"incoming-{key.sha256}", f".incoming-{key.sha256}.0123"):
        (tmp_path / "cache" / left).write_bytes(b"hal")
    cached.fetch(key, tmp_path / "out")
    assert [file.name for file in (tmp_path / "cache").iterdir() if file.suffix != ".lock"] == [key.sha256]


def test_everything_else_goes_straight_to_the_store(store: MinioObjectStore, tmp_path: Path) -> None:
    cached = CachedObjects(store, tmp_path / "cache", limit_bytes=1000)
    (tmp_path / "in").write_bytes(b"0123456789")
    key = cached.put(tmp_path / "in", media_type=PDF)
    with cached.open(key, offset=3, length=4) as body:
        assert body.read() == b"3456"
    cached.probe()


def test_several_workers_download_a_file_once_between_them(
    store: MinioObjectStore, counting: FaultyS3, kept: Callable[..., ObjectKey], tmp_path: Path
) -> None:
    """Each has a cache object of its own on the one folder, as processes have: the kernel's locks part them alike."""
    key = kept(b"scan " * 100_000)
    before = downloads(counting, key)
    together = threading.Barrier(4)

    def work(number: int) -> None:
        cached = CachedObjects(store, tmp_path / "cache", limit_bytes=10**7)
        together.wait()
        for page in range(5):
            out = tmp_path / f"{number}-{page}"
            cached.fetch(key, out)
            assert hashlib.sha256(out.read_bytes()).hexdigest() == key.sha256

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))
    assert downloads(counting, key) - before == 1

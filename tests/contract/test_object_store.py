"""What every S3 server must do for us, tried on the bundled one, on a real MinIO where there is one, and on another."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import os
import resource
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from minio import Minio
from minio.error import S3Error
from starlette.requests import Request

from api.files import file_response
from dossiers.ports import ObjectMissing, StoreRefuses, StoreUnavailable
from dossiers.types import ObjectKey
from storage import objects as stored
from storage import vault as vault_of_s3
from storage.capabilities import Capabilities
from storage.objects import MinioObjectStore
from storage.vault import S3Vault
from tests.contract.faulty_s3 import Fault, FaultyS3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import S3Settings

PDF = "application/pdf"
MIB = 1 << 20


@contextmanager
def opened(
    settings: S3Settings, *, endpoint: str = "", keep_locked: timedelta | None = None
) -> Iterator[MinioObjectStore]:
    store = MinioObjectStore(
        endpoint or settings.endpoint,
        settings.access_key,
        settings.secret_key,
        settings.bucket,
        secure=settings.secure and not endpoint,
        keep_locked=keep_locked,
    )
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def store(s3_settings: S3Settings) -> Iterator[MinioObjectStore]:
    with opened(s3_settings) as store:
        store.prepare()
        yield store


@pytest.fixture
def client(s3_settings: S3Settings) -> Minio:
    """The server itself, for looking behind the store's back."""
    return Minio(s3_settings.endpoint, s3_settings.access_key, s3_settings.secret_key, secure=s3_settings.secure)


@pytest.fixture
def a_file(tmp_path: Path) -> Callable[[bytes], Path]:
    def make(content: bytes) -> Path:
        file = tmp_path / f"in-{hashlib.sha256(content).hexdigest()[:12]}"
        file.write_bytes(content)
        return file

    return make


def test_what_is_put_can_be_fetched(store: MinioObjectStore, a_file: Callable[[bytes], Path], tmp_path: Path) -> None:
    key = store.put(a_file(b"%PDF-1.7 scan"), media_type=PDF)
    store.fetch(key, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"%PDF-1.7 scan"
    assert key == ObjectKey(hashlib.sha256(b"%PDF-1.7 scan").hexdigest(), 13, PDF)


def test_an_empty_file_is_an_object_too(
    store: MinioObjectStore, a_file: Callable[[bytes], Path], tmp_path: Path
) -> None:
    key = store.put(a_file(b""), media_type=PDF)
    store.fetch(key, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b""


def test_the_same_bytes_are_stored_once(
    store: MinioObjectStore, a_file: Callable[[bytes], Path], client: Minio, s3_settings: S3Settings
) -> None:
    first = store.put(a_file(b"same"), media_type=PDF)
    second = store.put(a_file(b"same"), media_type=PDF)
    versions = list(client.list_objects(s3_settings.bucket, prefix=first.path, include_version=True))
    assert (first, len(versions)) == (second, 1)


def test_bytes_found_damaged_are_stored_anew_and_the_damaged_ones_stay(
    store: MinioObjectStore, a_file: Callable[[bytes], Path], client: Minio, s3_settings: S3Settings, tmp_path: Path
) -> None:
    key = store.put(a_file(b"original"), media_type=PDF)
    client.put_object(s3_settings.bucket, key.path, io.BytesIO(b"originaL"), 8)
    with pytest.raises(ObjectMissing):
        store.fetch(key, tmp_path / "out")
    store.put(a_file(b"original"), media_type=PDF)
    store.fetch(key, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"original"
    assert len(list(client.list_objects(s3_settings.bucket, prefix=key.path, include_version=True))) == 3


def test_a_changed_object_is_refused_and_leaves_no_file(
    store: MinioObjectStore, a_file: Callable[[bytes], Path], client: Minio, s3_settings: S3Settings, tmp_path: Path
) -> None:
    key = store.put(a_file(b"original"), media_type=PDF)
    client.put_object(s3_settings.bucket, key.path, io.BytesIO(b"originaL"), 8)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(ObjectMissing, match="content"):
        store.fetch(key, out / "copy")
    assert list(out.iterdir()) == []


def test_of_a_damaged_object_no_download_is_ever_whole(
    store: MinioObjectStore, a_file: Callable[[bytes], Path], client: Minio, s3_settings: S3Settings
) -> None:
    request = Request({"type": "http", "method": "GET", "headers": [], "query_string": b""})
    for size in (8, MIB, 3 * MIB + 7):
        content = os.urandom(size)
        key = store.put(a_file(content), media_type=PDF)
        with store.open(key) as body:
            assert body.read() == content
        file_response(request, store, key, "a.pdf")
        damaged = content[:-1] + bytes([content[-1] ^ 1])
        client.put_object(s3_settings.bucket, key.path, io.BytesIO(damaged), size)
        given: list[bytes] = []
        with store.open(key) as body, pytest.raises(ObjectMissing, match="content"):
            given.extend(iter(lambda body=body: body.read(1000), b""))  # type: ignore[misc]
        assert len(b"".join(given)) < size
        if size <= MIB:  # nothing of it is given: an error, and not a download that breaks off
            with pytest.raises(ObjectMissing, match="content"):
                file_response(request, store, key, "a.pdf")


def test_what_was_never_put_is_missing(store: MinioObjectStore, tmp_path: Path) -> None:
    never = ObjectKey("0" * 64, 5, PDF)
    with pytest.raises(ObjectMissing):
        store.fetch(never, tmp_path / "out")
    with pytest.raises(ObjectMissing), store.open(never):
        pass
    with pytest.raises(ObjectMissing), store.open(never, offset=5):
        pass


RANGES: list[tuple[int, int | None, bytes]] = [
    (0, None, b"0123456789"),
    (0, 10, b"0123456789"),
    (0, 3, b"012"),
    (4, None, b"456789"),
    (4, 2, b"45"),
    (9, 1, b"9"),
    (8, 99, b"89"),
    (10, None, b""),
    (99, 5, b""),
    (3, 0, b""),
]


def test_a_range_is_what_was_asked_for(store: MinioObjectStore, a_file: Callable[[bytes], Path]) -> None:
    key = store.put(a_file(b"0123456789"), media_type=PDF)
    for offset, length, expected in RANGES:
        with store.open(key, offset=offset, length=length) as body:
            assert body.read() == expected, (offset, length)


def test_a_download_given_up_halfway_does_no_harm(store: MinioObjectStore, a_file: Callable[[bytes], Path]) -> None:
    key = store.put(a_file(b"x" * MIB), media_type=PDF)
    for _ in range(15):  # more than there are connections in the pool
        with store.open(key) as body:
            assert body.read(10) == b"x" * 10


def test_a_big_file_passes_through_in_constant_memory(s3_settings: S3Settings, tmp_path: Path) -> None:
    """48 MiB, in a process of its own whose memory is measured: several parts up, hashed, read back, and fetched."""
    worker = multiprocessing.get_context("spawn").Process(target=_pass_a_big_file, args=(s3_settings, tmp_path))
    worker.start()
    worker.join()
    assert worker.exitcode == 0


def _pass_a_big_file(settings: S3Settings, folder: Path) -> None:
    size = 48 * MIB
    with (folder / "big").open("wb") as big:
        block = os.urandom(MIB)
        for number in range(size // MIB):
            big.write(number.to_bytes(8, "big") + block[8:])
    with opened(settings) as store:
        store.prepare()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        key = store.put(folder / "big", media_type=PDF)
        store.fetch(key, folder / "back")
        grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert key.size == size
    with (folder / "back").open("rb") as back:
        assert hashlib.file_digest(back, "sha256").hexdigest() == key.sha256
    assert grown_mib < 32, f"{grown_mib:.0f} MiB"


def test_a_server_keeps_its_locks_and_can_do_all_we_ask_of_it(s3_settings: S3Settings) -> None:
    """The table in docs/operations.md."""
    with opened(s3_settings) as store:
        assert store.capabilities == Capabilities(), "nothing is believed before it was tried"
        able = store.prepare()
        assert store.capabilities == able
    assert able.server
    assert replace(able, server="") == Capabilities(
        versioned=True,
        enforced=True,
        reason="enforced",
        firm=True,
        prolongs=True,
        holds=True,
        lists_versions=True,
        ranges=True,
    )


def test_trying_a_server_leaves_nothing_but_what_is_locked(s3_settings: S3Settings, client: Minio) -> None:
    with opened(s3_settings) as store:
        for _ in range(3):
            store.prepare()
    left = list(client.list_objects(s3_settings.bucket, recursive=True, include_version=True))
    assert len(left) == 3
    for one in left:
        retention = client.get_object_retention(s3_settings.bucket, str(one.object_name), version_id=one.version_id)
        assert retention is not None
        assert retention.retain_until_date < datetime.now(UTC) + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("fault", "lost"),
    [
        (Fault.DELETES_ALL_THE_SAME, {"enforced": False, "reason": "deleted_all_the_same"}),
        (Fault.SHORTENS_LOCKS, {"firm": False}),
        (Fault.KNOWS_NO_HOLD, {"holds": False}),
        (Fault.IGNORES_RANGES, {"ranges": False}),
    ],
)
def test_what_a_server_only_pretends_to_do_is_found_out(
    s3_settings: S3Settings, store: MinioObjectStore, fault: Fault, lost: dict[str, Any]
) -> None:
    honest = store.capabilities
    with FaultyS3(s3_settings.endpoint).running() as proxy, opened(s3_settings, endpoint=proxy.endpoint) as lying:
        proxy.fault = fault
        able = lying.prepare()
    if fault is Fault.DELETES_ALL_THE_SAME:  # then no more is asked of its locks
        lost = lost | {"firm": False, "prolongs": False, "holds": False}
    assert able == replace(honest, **lost)


def test_a_bucket_without_lock_is_found_out(s3_settings: S3Settings, client: Minio, tmp_path: Path) -> None:
    client.make_bucket(s3_settings.bucket)
    with opened(s3_settings, keep_locked=timedelta(days=1)) as store:
        able = store.prepare()
        assert replace(able, server="") == Capabilities(reason="lock_refused", ranges=True)
        (tmp_path / "in").write_bytes(b"kept all the same")
        store.fetch(store.put(tmp_path / "in", media_type=PDF), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"kept all the same"


def test_what_is_locked_cannot_be_deleted_and_an_overwrite_hides_nothing(
    s3_settings: S3Settings, client: Minio, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(b"signed")
    with opened(s3_settings, keep_locked=timedelta(seconds=90)) as store:
        store.prepare()
        key = store.put(tmp_path / "in", media_type=PDF)
        stored = client.stat_object(s3_settings.bucket, key.path)
        with pytest.raises(S3Error):
            client.remove_object(s3_settings.bucket, key.path, version_id=stored.version_id)
        client.put_object(s3_settings.bucket, key.path, io.BytesIO(b"forged"), 6)
        response = client.get_object(s3_settings.bucket, key.path, version_id=stored.version_id)
        assert response.read() == b"signed"
        response.release_conn()


def test_bytes_brought_again_are_locked_anew(s3_settings: S3Settings, client: Minio, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"again")
    for minutes in (2, 4):
        with opened(s3_settings, keep_locked=timedelta(minutes=minutes)) as store:
            store.prepare()
            key = store.put(tmp_path / "in", media_type=PDF)
    version = client.stat_object(s3_settings.bucket, key.path).version_id
    retention = client.get_object_retention(s3_settings.bucket, key.path, version_id=version)
    assert retention is not None
    assert retention.retain_until_date > datetime.now(UTC) + timedelta(minutes=3)


def test_a_legal_hold_is_on_every_version_until_it_is_lifted(
    store: MinioObjectStore, a_file: Callable[[bytes], Path], client: Minio, s3_settings: S3Settings
) -> None:
    vault, bucket = S3Vault(store), s3_settings.bucket
    assert vault.can_hold
    key = store.put(a_file(b"asked for by the court"), media_type=PDF)
    client.put_object(bucket, key.path, io.BytesIO(b"hidden beneath"), 14)
    versions = [str(one.version_id) for one in client.list_objects(bucket, prefix=key.path, include_version=True)]
    assert (vault.hold(key), vault.hold(key)) == (2, 0)  # twice does no harm
    for version in versions:
        with pytest.raises(S3Error):
            client.remove_object(bucket, key.path, version_id=version)

    client.disable_object_legal_hold(bucket, key.path, version_id=versions[0])  # by another's hand
    assert vault.hold(key) == 1

    client.remove_object(bucket, key.path)  # a delete marker on top hides it and takes nothing
    assert vault.hold(key) == 0
    vault.lift(key)
    vault.lift(key)
    for version in versions:
        client.remove_object(bucket, key.path, version_id=version)
    with pytest.raises(ObjectMissing):
        vault.hold(key)
    with pytest.raises(ObjectMissing):
        vault.lift(key)


def test_lifting_a_hold_leaves_the_lock(s3_settings: S3Settings, client: Minio, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"locked, too")
    with opened(s3_settings, keep_locked=timedelta(seconds=90)) as store:
        store.prepare()
        key = store.put(tmp_path / "in", media_type=PDF)
        S3Vault(store).hold(key)
        S3Vault(store).lift(key)
    version = client.stat_object(s3_settings.bucket, key.path).version_id
    with pytest.raises(S3Error):
        client.remove_object(s3_settings.bucket, key.path, version_id=version)


@pytest.mark.parametrize("fault", [Fault.KNOWS_NO_HOLD, Fault.ONLY_SAYS_IT_HOLDS])
def test_a_hold_that_is_only_promised_is_not_believed(
    s3_settings: S3Settings, store: MinioObjectStore, a_file: Callable[[bytes], Path], fault: Fault
) -> None:
    key = store.put(a_file(b"asked for by the court"), media_type=PDF)
    with FaultyS3(s3_settings.endpoint).running() as proxy, opened(s3_settings, endpoint=proxy.endpoint) as lying:
        proxy.fault = fault
        lying.prepare()
        assert not S3Vault(lying).can_hold
        with pytest.raises(StoreUnavailable):
            S3Vault(lying).hold(key)


def test_a_lock_is_prolonged_on_every_version_and_never_shortened(
    s3_settings: S3Settings, client: Minio, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(b"kept for years")
    bucket, now = s3_settings.bucket, datetime.now(UTC).replace(microsecond=0)
    in_a_decade = now + timedelta(days=3650)
    with opened(s3_settings, keep_locked=timedelta(minutes=2)) as store:
        store.prepare()
        vault = S3Vault(store)
        assert vault.can_prolong
        key = store.put(tmp_path / "in", media_type=PDF)
        client.put_object(bucket, key.path, io.BytesIO(b"without a lock"), 14)
        for until in (in_a_decade, in_a_decade, now + timedelta(days=30)):
            vault.prolong(key, until)
            versions = list(client.list_objects(bucket, prefix=key.path, include_version=True))
            locks = [client.get_object_retention(bucket, key.path, version_id=one.version_id) for one in versions]
            assert [lock and (lock.mode, lock.retain_until_date) for lock in locks] == [("COMPLIANCE", in_a_decade)] * 2
        with pytest.raises(ObjectMissing):
            vault.prolong(ObjectKey("0" * 64, 5, PDF), in_a_decade)


def test_a_lock_that_is_only_promised_is_not_believed(
    s3_settings: S3Settings, store: MinioObjectStore, a_file: Callable[[bytes], Path]
) -> None:
    key = store.put(a_file(b"kept for years"), media_type=PDF)
    with FaultyS3(s3_settings.endpoint).running() as proxy, opened(s3_settings, endpoint=proxy.endpoint) as lying:
        proxy.fault = Fault.SHORTENS_LOCKS
        lying.prepare()
        assert not S3Vault(lying).can_prolong
        with pytest.raises(StoreUnavailable):
            S3Vault(lying).prolong(key, datetime.now(UTC).replace(microsecond=0) + timedelta(days=400))


def begun(client: Minio, bucket: str, name: str) -> str:
    """An upload in parts that a killed process leaves: one part is there, and no object."""
    upload = client._create_multipart_upload(bucket, name, {})
    client._upload_part(bucket, name, os.urandom(5 * MIB), {}, upload, 1)
    return upload


def test_an_upload_broken_off_is_ended_when_it_is_old_and_nothing_else_is(
    s3_settings: S3Settings, client: Minio, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(b"whole and locked")
    bucket, now = s3_settings.bucket, datetime.now(UTC)
    with opened(s3_settings, keep_locked=timedelta(seconds=90)) as store:
        store.prepare()
        key, vault = store.put(tmp_path / "in", media_type=PDF), S3Vault(store)
        broken = begun(client, bucket, key.path)
        assert vault.end_uploads(begun_before=now - timedelta(days=7)) == 0
        client._upload_part(bucket, key.path, os.urandom(5 * MIB), {}, broken, 2)  # it could go on
        assert vault.end_uploads(begun_before=now + timedelta(hours=1)) == 1
        with pytest.raises(S3Error) as gone:
            client._upload_part(bucket, key.path, b"more", {}, broken, 3)
        assert gone.value.code == "NoSuchUpload"
        assert vault.end_uploads(begun_before=now + timedelta(hours=1)) == 0
        store.fetch(key, tmp_path / "out")
    (version,) = client.list_objects(bucket, prefix=key.path, include_version=True)
    with pytest.raises(S3Error):
        client.remove_object(bucket, key.path, version_id=version.version_id)


def test_of_many_broken_uploads_all_are_ended(
    s3_settings: S3Settings, store: MinioObjectStore, client: Minio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than the server lists at once, two of them of one name."""
    monkeypatch.setattr(vault_of_s3, "_UPLOADS_AT_ONCE", 2)
    for name in ("sha256/aa/aa", "sha256/aa/bb", "sha256/aa/bb", "sha256/cc/cc", "log-stamps/2026"):
        client._create_multipart_upload(s3_settings.bucket, name, {})
    assert S3Vault(store).end_uploads(begun_before=datetime.now(UTC) + timedelta(hours=1)) == 5
    assert client._list_multipart_uploads(s3_settings.bucket).uploads == []


@pytest.mark.parametrize(
    "fault", [Fault.REFUSES_TO_LIST_UPLOADS, Fault.REFUSES_TO_END_UPLOADS, Fault.KNOWS_NO_LIST_OF_UPLOADS]
)
def test_a_store_that_does_not_let_us_end_uploads_is_told_from_one_that_does_not_answer(
    s3_settings: S3Settings, store: MinioObjectStore, client: Minio, fault: Fault
) -> None:
    client._create_multipart_upload(s3_settings.bucket, "sha256/aa/aa", {})
    with FaultyS3(s3_settings.endpoint).running() as proxy, opened(s3_settings, endpoint=proxy.endpoint) as behind:
        proxy.fault = fault
        with pytest.raises(StoreRefuses, match=r"NotImplemented|AccessDenied"):
            S3Vault(behind).end_uploads(begun_before=datetime.now(UTC) + timedelta(hours=1))
    assert len(client._list_multipart_uploads(s3_settings.bucket).uploads) == 1


def test_an_upload_that_another_ended_since_it_was_listed_stops_nobody(
    s3_settings: S3Settings, store: MinioObjectStore, client: Minio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the server lists it again and again."""
    monkeypatch.setattr(vault_of_s3, "_UPLOADS_AT_ONCE", 2)
    uploads = [client._create_multipart_upload(s3_settings.bucket, f"sha256/aa/{n}", {}) for n in range(3)]
    with FaultyS3(s3_settings.endpoint).running() as proxy, opened(s3_settings, endpoint=proxy.endpoint) as behind:
        proxy.fault, proxy.unreadable = Fault.ONE_UPLOAD_IS_GONE, {uploads[0]}
        assert S3Vault(behind).end_uploads(begun_before=datetime.now(UTC) + timedelta(hours=1)) == 2
    assert [one.upload_id for one in client._list_multipart_uploads(s3_settings.bucket).uploads] == uploads[:1]


def test_a_store_that_lies_is_not_believed(s3_settings: S3Settings, store: MinioObjectStore, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"true" * 1000)
    with (
        FaultyS3(s3_settings.endpoint).running() as proxy,
        opened(s3_settings, endpoint=proxy.endpoint) as lying,
    ):
        proxy.fault = Fault.FLIPS_A_BYTE
        with pytest.raises(StoreUnavailable, match="not what was sent"):
            lying.put(tmp_path / "in", media_type=PDF)
        proxy.fault = Fault.NONE
        key = lying.put(tmp_path / "in", media_type=PDF)
        proxy.fault = Fault.FLIPS_A_BYTE
        with pytest.raises(ObjectMissing):
            lying.fetch(key, tmp_path / "out")


def test_a_connection_cut_halfway_is_no_answer(
    s3_settings: S3Settings, store: MinioObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(b"long" * 100_000)
    key = store.put(tmp_path / "in", media_type=PDF)
    with (
        FaultyS3(s3_settings.endpoint).running() as proxy,
        opened(s3_settings, endpoint=proxy.endpoint) as cut,
    ):
        proxy.fault = Fault.STOPS_HALFWAY
        with pytest.raises(StoreUnavailable):
            cut.fetch(key, tmp_path / "out")
        with pytest.raises(StoreUnavailable), cut.open(key) as body:
            body.read()
    assert not (tmp_path / "out").exists()


def test_what_the_server_cannot_give_is_stored_anew_unless_it_gives_nothing(
    s3_settings: S3Settings, store: MinioObjectStore, tmp_path: Path, client: Minio, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = stored._pool
    monkeypatch.setattr(stored, "_pool", lambda retries: real(min(retries, 1)))
    (tmp_path / "in").write_bytes(b"on a damaged disk" * 1000)
    key = store.put(tmp_path / "in", media_type=PDF)
    with (
        FaultyS3(s3_settings.endpoint).running() as proxy,
        opened(s3_settings, endpoint=proxy.endpoint) as store_behind,
    ):
        proxy.fault = Fault.DOWN
        with pytest.raises(StoreUnavailable):
            store_behind.put(tmp_path / "in", media_type=PDF)
        for versions, fault in ((2, Fault.FAILS_FOR_ONE), (3, Fault.STOPS_FOR_ONE)):
            proxy.fault = fault
            proxy.unreadable.add(str(client.stat_object(s3_settings.bucket, key.path).version_id))
            with pytest.raises(StoreUnavailable):
                store_behind.fetch(key, tmp_path / "out")
            store_behind.put(tmp_path / "in", media_type=PDF)
            store_behind.fetch(key, tmp_path / "out")
            there = list(client.list_objects(s3_settings.bucket, prefix=key.path, include_version=True))
            assert len(there) == versions


def test_a_server_that_comes_back_is_waited_for(
    s3_settings: S3Settings, store: MinioObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(b"patience")
    with (
        FaultyS3(s3_settings.endpoint).running() as proxy,
        opened(s3_settings, endpoint=proxy.endpoint) as store_behind,
    ):
        proxy.fault = Fault.FAILS_TWICE
        key = store_behind.put(tmp_path / "in", media_type=PDF)
        store_behind.fetch(key, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"patience"


def test_a_server_without_ranges_is_not_taken_at_its_word(
    s3_settings: S3Settings, store: MinioObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(b"0123456789")
    key = store.put(tmp_path / "in", media_type=PDF)
    with (
        FaultyS3(s3_settings.endpoint).running() as proxy,
        opened(s3_settings, endpoint=proxy.endpoint) as store_behind,
    ):
        proxy.fault = Fault.IGNORES_RANGES
        with pytest.raises(StoreUnavailable, match="ranges"), store_behind.open(key, offset=4):
            pass


def test_the_probe_writes_and_reads_and_leaves_nothing_behind(
    store: MinioObjectStore, client: Minio, s3_settings: S3Settings
) -> None:
    for _ in range(3):
        store.probe()
    left = client.list_objects(s3_settings.bucket, prefix="probe/", recursive=True, include_version=True)
    assert [found.object_name for found in left] == ["probe/sentinel"]


SENTINEL = "probe/sentinel"


@pytest.fixture
def three_kept(store: MinioObjectStore, a_file: Callable[[bytes], Path]) -> list[ObjectKey]:
    store.probe()
    return [store.put(a_file(content), media_type=PDF) for content in (b"one", b"two", b"three")]


def version_of(client: Minio, bucket: str, name: str) -> str:
    return str(client.stat_object(bucket, name).version_id)


@pytest.mark.parametrize("fault", [Fault.FAILS_FOR_ONE, Fault.STOPS_FOR_ONE])
def test_a_damaged_sentinel_among_objects_that_are_given_is_written_anew(
    s3_settings: S3Settings, three_kept: list[ObjectKey], client: Minio, fault: Fault
) -> None:
    bucket = s3_settings.bucket
    with FaultyS3(s3_settings.endpoint).running() as proxy, opened(s3_settings, endpoint=proxy.endpoint) as behind:
        proxy.fault = fault
        proxy.unreadable = {version_of(client, bucket, SENTINEL)}
        behind.probe()
        assert version_of(client, bucket, SENTINEL) not in proxy.unreadable
        downloads = dict(proxy.downloads)
        behind.probe()  # by the new one alone
        assert all(proxy.downloads.get(key.path) == downloads.get(key.path) for key in three_kept)
    client.put_object(bucket, SENTINEL, io.BytesIO(b"HOSO\n"), 5)  # or its bytes are others
    with opened(s3_settings) as store:
        store.probe()
    assert client.get_object(bucket, SENTINEL).read() == b"hoso\n"


def test_a_sentinel_that_is_never_given_again_stops_nothing(
    s3_settings: S3Settings, three_kept: list[ObjectKey]
) -> None:
    with FaultyS3(s3_settings.endpoint).running() as proxy, opened(s3_settings, endpoint=proxy.endpoint) as behind:
        proxy.fault = Fault.FAILS_FOR_ONE
        proxy.unreadable = {SENTINEL}
        for _ in range(2):
            behind.probe()
        assert any(key.path in proxy.downloads for key in three_kept)


def test_a_store_that_takes_new_objects_and_gives_no_old_ones_is_out_of_order(
    s3_settings: S3Settings, three_kept: list[ObjectKey], client: Minio
) -> None:
    """As after a crash, until its volumes are back."""
    bucket = s3_settings.bucket
    with FaultyS3(s3_settings.endpoint).running() as proxy, opened(s3_settings, endpoint=proxy.endpoint) as behind:
        proxy.fault = Fault.FAILS_FOR_ONE
        proxy.unreadable = {version_of(client, bucket, name) for name in (SENTINEL, *(key.path for key in three_kept))}
        with pytest.raises(StoreUnavailable):
            behind.probe()
        assert version_of(client, bucket, SENTINEL) in proxy.unreadable  # nothing was written over what is to come back
        proxy.unreadable = {version_of(client, bucket, SENTINEL)}
        client.put_object(bucket, three_kept[0].path, io.BytesIO(b"!"), 1)
        client.put_object(bucket, three_kept[1].path, io.BytesIO(b"!"), 1)
        with pytest.raises(StoreUnavailable):  # what it gives is wrong
            behind.probe()


def test_a_store_that_gives_some_of_its_old_objects_is_out_of_order_however_often_it_is_asked(
    s3_settings: S3Settings,
    store: MinioObjectStore,
    three_kept: list[ObjectKey],
    a_file: Callable[[bytes], Path],
    client: Minio,
) -> None:
    """As after a crash, when one volume isn't back; the fault is injected."""
    bucket = s3_settings.bucket
    kept = [*three_kept, *(store.put(a_file(b"%d" % number), media_type=PDF) for number in range(60))]
    with FaultyS3(s3_settings.endpoint).running() as proxy, opened(s3_settings, endpoint=proxy.endpoint) as behind:
        proxy.fault, proxy.unreadable = Fault.FAILS_FOR_ONE, {SENTINEL}
        behind.probe()
        asked = [key for key in kept if key.path in proxy.downloads]
        assert len(asked) == 5
        assert len({key.sha256[0] for key in asked}) == 5  # from all over the store
        for key in asked:
            proxy.unreadable = {version_of(client, bucket, name) for name in (SENTINEL, key.path)}
            for _ in range(3):
                with pytest.raises(StoreUnavailable, match="nor each"):
                    behind.probe()
        # Neither the one that is to come back, nor what isn't among the five, is in the way.
        (other, *_) = set(kept) - set(asked)
        proxy.unreadable = {version_of(client, bucket, name) for name in (SENTINEL, other.path)}
        behind.probe()
        assert version_of(client, bucket, SENTINEL) not in proxy.unreadable


def test_a_store_whose_sentinel_is_listed_while_it_lists_nothing_that_was_kept_is_out_of_order(
    s3_settings: S3Settings, store: MinioObjectStore
) -> None:
    store.probe()
    with FaultyS3(s3_settings.endpoint).running() as proxy, opened(s3_settings, endpoint=proxy.endpoint) as behind:
        proxy.fault, proxy.unreadable = Fault.FAILS_FOR_ONE, {SENTINEL}
        with pytest.raises(StoreUnavailable, match="nor each"):
            behind.probe()


def test_what_is_asked_in_place_of_the_sentinel_is_given_soon_or_counts_as_not_given(
    s3_settings: S3Settings, three_kept: list[ObjectKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultyS3(s3_settings.endpoint).running() as proxy, opened(s3_settings, endpoint=proxy.endpoint) as behind:
        proxy.fault, proxy.unreadable = Fault.FAILS_FOR_ONE, {SENTINEL}
        monkeypatch.setattr(stored, "_ASKED_FOR_S", 0.0)
        with pytest.raises(StoreUnavailable):
            behind.probe()
        proxy.downloads.clear()
        monkeypatch.setattr(stored, "_ASKED_FOR_S", 120.0)
        monkeypatch.setattr(stored, "_SOON_READ", len(b"one"))  # and what takes long to read isn't asked for
        behind.probe()
        assert [key.path in proxy.downloads for key in three_kept] == [True, True, False]


def test_nobody_there_is_said_soon(s3_settings: S3Settings, unused_port: int) -> None:
    with opened(s3_settings, endpoint=f"127.0.0.1:{unused_port}") as store, pytest.raises(StoreUnavailable):
        store.probe()


def test_a_wrong_key_is_refused_and_said(s3_settings: S3Settings) -> None:
    store = MinioObjectStore(
        s3_settings.endpoint, s3_settings.access_key, "wrong", s3_settings.bucket, secure=s3_settings.secure
    )
    with pytest.raises(StoreUnavailable, match="refused"):
        store.prepare()
    store.close()


@pytest.fixture
def unused_port() -> int:
    """A port on which nothing listens: one that was free a moment ago and is low enough not to be given out."""
    return 1

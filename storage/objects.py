"""Bytes kept for ever on any S3 server, through the `minio` package: content-addressed, read back, never overwritten.

Correctness rests on nothing that servers do differently (`running.md`, object storage): not on conditional writes, not
on server checksums. An object is named by the hash of its content, and nothing counts as stored before it was read
back and hashed. Object lock comes on top where the server truly has it, which a self-test finds out: some accept a
lock and then delete the object all the same.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO, cast

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from dossiers.ports import ObjectMissing, StoreUnavailable
from dossiers.types import ObjectKey
from storage import capabilities, disk
from storage.capabilities import Capabilities, locked_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from minio.datatypes import Object
    from minio.retention import Retention

log = logging.getLogger(__name__)

#: A dossier goes to the archive within a year (Decree 45/2020); until then nobody can delete what was stored.
KEEP_LOCKED = timedelta(days=365)

_BLOCK = 1 << 20  # read at once
_PART = 16 << 20  # sent at once: what an upload holds in memory
_PROBE = "probe/"
_SENTINEL, _SENTINEL_SAYS = f"{_PROBE}sentinel", b"hoso\n"
_ASKED_AFTER = range(0, 256, 52)  # where the sentinel can't be given: the kept objects after these first bytes
_ASKED_FOR_S = 10.0
_SOON_READ = 4 << 20
_LISTED_AT_ONCE = 1000
_MISSING = frozenset({"NoSuchKey", "NoSuchVersion"})
_IO_ERRORS = (MinioException, urllib3.exceptions.HTTPError)


class MinioObjectStore:
    """`dossiers.ports.ObjectStore` in one bucket of an S3 server. Safe for threads; close it.

    Args:
        endpoint: "host:port".
        access_key, secret_key: Of a user who may write to the bucket, and make it if it isn't there.
        bucket: Its name.
        secure: https.
        region: As the server calls it.
        keep_locked: How long a stored object can't be deleted, where the server has object lock; None for no lock.
        on_disk: Folder of a server that runs on this very machine and may acknowledge what is only in the kernel's
            memory: its disk is flushed before anything counts as stored. None for a server that answers for itself.
    """

    def __init__(
        self,
        endpoint: str,
        access_key: str,
        secret_key: str,
        bucket: str,
        *,
        secure: bool = False,
        region: str = "us-east-1",
        keep_locked: timedelta | None = KEEP_LOCKED,
        on_disk: Path | None = None,
    ) -> None:
        def client(retries: int) -> tuple[urllib3.PoolManager, Minio]:
            pool = _pool(retries)
            return pool, Minio(endpoint, access_key, secret_key, secure=secure, region=region, http_client=pool)

        # After a crash a server may answer 500 for some seconds until its volumes are back: 0 + 0.6 + 1.2 + 2.4 + 4.8.
        self._pool, self._client = client(retries=5)
        self._impatient_pool, self._impatient_client = client(retries=0)
        self._bucket = bucket
        self._keep_locked = keep_locked
        self._on_disk = on_disk
        self._capabilities: Capabilities | None = None

    @property
    def client(self) -> Minio:
        """The server itself, for `storage.vault`, which looks after what is kept."""
        return self._client

    @property
    def bucket(self) -> str:
        """Its name."""
        return self._bucket

    @property
    def capabilities(self) -> Capabilities:
        """What the server was seen to do at the start; nothing at all until then."""
        return self._capabilities or Capabilities()

    def prepare(self) -> Capabilities:
        """Make the bucket if it isn't there, with object lock if the server has it, and find out what that is worth.

        Call once at start; until then objects are stored without a lock.

        Raises:
            StoreUnavailable: The server didn't answer, or the bucket is another's.
        """
        with vendor_errors_translated():
            if not self._client.bucket_exists(self._bucket):
                self._make_bucket()
            self._capabilities = capabilities.probe(self._client, self._bucket)
        log.info("object_store_probed", extra=asdict(self._capabilities))
        return self._capabilities

    def put(self, file: Path, *, media_type: str) -> ObjectKey:
        """Store a file durably and read it back; the same bytes are stored once.

        What is there already is read as well: a name in a list is no proof that the bytes are right. A copy found
        damaged, or that the store can't give though it answers else, is not touched; the right bytes are stored as
        its next version.

        Raises:
            StoreUnavailable: The server didn't answer or what came back differs; nothing may be called received.
        """
        with file.open("rb") as source:
            key = ObjectKey(hashlib.file_digest(source, "sha256").hexdigest(), file.stat().st_size, media_type)
        with vendor_errors_translated():
            there = self._there_already(key)
            if there.whole:
                self._extend_lock(key, there.version_id)
                self._flush()
                return key
            with file.open("rb") as source:
                stored = self._client.put_object(
                    self._bucket,
                    key.path,
                    source,
                    key.size,
                    content_type=media_type,
                    part_size=_PART,
                    num_parallel_uploads=1,
                    retention=self._retention(),
                )
            if not self._read_back(key, version_id=stored.version_id).whole:
                raise StoreUnavailable(f"{key.path}: what came back is not what was sent")
        self._flush()
        return key

    def put_at(self, path: str, file: Path, *, keep: timedelta) -> None:
        """Store a file that comes back from a backup under the name it had, unless it is there; read it back.

        Raises:
            StoreUnavailable: The server didn't answer or what came back differs.
        """
        content = file.read_bytes()
        with vendor_errors_translated():
            with suppress(S3Error):
                if self._read(self._client, path) == content:
                    self._flush()
                    return
            lock = locked_for(keep) if self.capabilities.enforced else None
            self._client.put_object(self._bucket, path, io.BytesIO(content), len(content), retention=lock)
            if self._read(self._client, path) != content:
                raise StoreUnavailable(f"{path}: what came back is not what was sent")
        self._flush()

    def fetch(self, key: ObjectKey, to: Path) -> None:
        """Write the object's bytes to `to`, checked against the key's hash. `to` is whole or not there.

        Raises:
            ObjectMissing: Not there, or the hash differs.
            StoreUnavailable: The server didn't answer.
        """
        unchecked = to.with_name(f".{to.name}.{uuid.uuid4().hex}")
        try:
            digest = hashlib.sha256()
            with unchecked.open("xb") as target, self.open(key) as source:
                while block := source.read(_BLOCK):
                    digest.update(block)
                    target.write(block)
            if digest.hexdigest() != key.sha256:
                raise ObjectMissing(f"{key.path}: its content doesn't fit its name")
            unchecked.replace(to)
        finally:
            unchecked.unlink(missing_ok=True)

    @contextmanager
    def open(self, key: ObjectKey, *, offset: int = 0, length: int | None = None) -> Iterator[BinaryIO]:
        """Stream an object or a range of it, for a download.

        A whole object is held against its hash on the way: of a damaged one the last bytes are never given, so that
        nobody takes it for whole. A range can't be checked.

        Args:
            key: Of the object.
            offset: First byte.
            length: At most so many bytes; None for all that follow.

        Raises:
            ObjectMissing: Not there.
            ObjectMissing: From `read`: its content doesn't fit its name.
            StoreUnavailable: The server didn't answer, or stopped in between (from `read`).
        """
        length = max(key.size - offset, 0) if length is None else min(length, max(key.size - offset, 0))
        if length == 0:
            self._must_exist(key)
            yield io.BytesIO()
            return
        whole = (offset, length) == (0, key.size)
        with vendor_errors_translated():
            response = self._client.get_object(self._bucket, key.path, offset=offset, length=0 if whole else length)
        try:
            if not whole and response.status != _PARTIAL_CONTENT:
                raise StoreUnavailable(f"{key.path}: the server doesn't give ranges")
            body = _WholeBody(response, key) if whole else _Body(response)
            yield cast("BinaryIO", io.BufferedReader(body, _BLOCK))
        finally:
            response.close()
            response.release_conn()

    def probe(self) -> None:
        """Write and read an object now, and read one that has been there for long, without patience.

        After a crash a server may take new objects while it can't yet give the old ones, or gives some of them. Only
        where it gives every other old one that it is asked for, and not the one that is there to be read, the disk is
        taken to be damaged at that place alone: that object is written anew.

        Raises:
            StoreUnavailable: It can't be done now.
        """
        client = self._impatient_client
        with vendor_errors_translated():
            fresh = os.urandom(16)
            name = f"{_PROBE}{uuid.uuid4()}"
            stored = client.put_object(self._bucket, name, io.BytesIO(fresh), len(fresh))
            came_back = self._read(client, name)
            with suppress(S3Error):  # the bucket may lock everything by itself
                client.remove_object(self._bucket, name, version_id=stored.version_id)
            if came_back != fresh:
                raise StoreUnavailable("the probe's bytes came back changed")
            try:
                if self._read(client, _SENTINEL) == _SENTINEL_SAYS:
                    return
                trouble: Exception = StoreUnavailable("the sentinel's bytes came back changed")
            except _IO_ERRORS as error:
                trouble = error
            if not (isinstance(trouble, S3Error) and trouble.code in _MISSING):
                if not self._gives_others(client):
                    raise StoreUnavailable("neither the sentinel nor each of a few kept objects is given") from trouble
                log.warning("sentinel_written_anew")
            client.put_object(self._bucket, _SENTINEL, io.BytesIO(_SENTINEL_SAYS), len(_SENTINEL_SAYS))

    def _gives_others(self, client: Minio) -> bool:
        """Whether each of a few kept objects from all over the store is given whole, and soon. None is no.

        Always the same ones: whoever asks a store with half of its volumes away, again and again and for others each
        time, is lucky once.
        """
        listed = partial(client.list_objects, self._bucket, prefix="sha256/", recursive=True)
        spread = (islice(listed(start_after=f"sha256/{at:02x}"), _LISTED_AT_ONCE) for at in _ASKED_AFTER)
        firsts = [next(filter(_is_soon_read, some), None) for some in spread]
        fill = filter(_is_soon_read, islice(listed(), _LISTED_AT_ONCE))  # all of them, where there are so few
        names = {str(one.object_name): None for one in chain(filter(None, firsts), fill)}
        give_up = time.monotonic() + _ASKED_FOR_S
        for name in islice(names, len(_ASKED_AFTER)):
            try:
                whole = self._read_back(ObjectKey(name.rpartition("/")[2], 0, ""), client=client).whole
            except _IO_ERRORS:
                whole = False
            if not whole or time.monotonic() > give_up:
                return False
        return bool(names)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()
        self._impatient_pool.clear()

    def _make_bucket(self) -> None:
        try:
            self._client.make_bucket(self._bucket, object_lock=True)
        except S3Error as error:
            if error.code in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                return  # another process was quicker
            self._client.make_bucket(self._bucket)

    def _flush(self) -> None:
        """Read back isn't kept yet: the server may have given it from the kernel's memory."""
        if self._on_disk is not None:
            try:
                disk.flush(self._on_disk)
            except OSError as error:
                raise StoreUnavailable(f"the store's disk couldn't be flushed: {error.strerror}") from error

    def _retention(self) -> Retention | None:
        return locked_for(self._keep_locked) if self.capabilities.enforced and self._keep_locked else None

    def _extend_lock(self, key: ObjectKey, version_id: str | None) -> None:
        """Bytes stored long ago and brought again are kept as long as if they were new."""
        retention = self._retention()
        if retention is None or version_id is None or not self.capabilities.prolongs:
            return
        try:
            self._client.set_object_retention(self._bucket, key.path, retention, version_id=version_id)
        except S3Error as error:  # a longer one holds already
            log.info("lock_not_extended", extra={"object": key.sha256, "code": error.code})

    def _there_already(self, key: ObjectKey) -> _ReadBack:
        """What the store gives for an object before it is stored; nothing where only this one can't be read."""
        try:
            return self._read_back(key)
        except _IO_ERRORS:
            self.probe()
            log.warning("object_unreadable", extra={"object": key.sha256})
            return _ReadBack(whole=False, version_id=None)

    def _read_back(self, key: ObjectKey, *, version_id: str | None = None, client: Minio | None = None) -> _ReadBack:
        try:
            response = (client or self._client).get_object(self._bucket, key.path, version_id=version_id)
        except S3Error as error:
            if error.code in _MISSING:
                return _ReadBack(whole=False, version_id=None)
            raise
        try:
            digest = hashlib.sha256()
            for block in response.stream(_BLOCK):
                digest.update(block)
            return _ReadBack(digest.hexdigest() == key.sha256, response.headers.get("x-amz-version-id"))
        finally:
            response.close()
            response.release_conn()

    def _must_exist(self, key: ObjectKey) -> None:
        with vendor_errors_translated():
            self._client.stat_object(self._bucket, key.path)

    def _read(self, client: Minio, name: str) -> bytes:
        response = client.get_object(self._bucket, name)
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()


def _is_soon_read(one: Object) -> bool:
    return 0 < (one.size or 0) <= _SOON_READ


@dataclass(frozen=True)
class _ReadBack:
    """Whether an object's content fits its name, and which version that was."""

    whole: bool
    version_id: str | None


_PARTIAL_CONTENT = 206


class _Body(io.RawIOBase):
    """The body of an answer as a file. What goes wrong while reading is the store's trouble, said in our words."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        super().__init__()
        self._response = response

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's wider buffer
        """Read up to the buffer's size; 0 at the end."""
        with vendor_errors_translated():
            block = self._response.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


class _WholeBody(_Body):
    """The body of a whole object, one block behind, so that the last one is given only when all of it fits."""

    def __init__(self, response: urllib3.BaseHTTPResponse, key: ObjectKey) -> None:
        super().__init__(response)
        self._key = key
        self._digest = hashlib.sha256()
        self._given = memoryview(b"")
        self._ahead: bytes | None = None

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's wider buffer
        """Read up to the buffer's size; 0 at the end."""
        if not self._given:
            ahead = self._block() if self._ahead is None else self._ahead
            self._ahead = self._block() if ahead else b""
            if not self._ahead and self._digest.hexdigest() != self._key.sha256:
                raise ObjectMissing(f"{self._key.path}: its content doesn't fit its name")
            self._given = memoryview(ahead)
        block = self._given[: len(buffer)]
        buffer[: len(block)] = block
        self._given = self._given[len(block) :]
        return len(block)

    def _block(self) -> bytes:
        with vendor_errors_translated():
            block = self._response.read(_BLOCK)
        self._digest.update(block)
        return block


def _pool(retries: int) -> urllib3.PoolManager:
    return urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=5, read=60 if retries else 10),
        maxsize=10,
        cert_reqs="CERT_REQUIRED",
        retries=urllib3.Retry(total=retries, backoff_factor=0.3, status_forcelist=(500, 502, 503, 504)),
    )


@contextmanager
def vendor_errors_translated() -> Iterator[None]:
    """The one door through which the store's errors leave."""
    try:
        yield
    except S3Error as error:
        if error.code in _MISSING:
            raise ObjectMissing(str(error.object_name)) from error
        raise StoreUnavailable(f"the object store refused: {error.code}") from error
    except _IO_ERRORS as error:
        raise StoreUnavailable(f"the object store didn't answer: {type(error).__name__}") from error

"""The object store as whoever looks after it sees it: every version of an object, and what lies beside the objects."""

from __future__ import annotations

import hashlib
import io
import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from minio.commonconfig import COMPLIANCE
from minio.error import S3Error
from minio.retention import Retention

from dossiers.ports import ObjectMissing, StoreRefuses, StoreUnavailable
from storage.capabilities import locked_for
from storage.objects import vendor_errors_translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from dossiers.types import ObjectKey
    from storage.objects import MinioObjectStore

log = logging.getLogger(__name__)

#: The proofs of the log outlive what they prove: the longest evidence of a result is renewed for longer than that.
KEEP_STAMPS = timedelta(days=3650)

_STAMPS = "log-stamps/"
_UPLOADS_AT_ONCE = 1000  # that many under way at a time, young ones, would hide the old
_GONE = "NoSuchUpload"
#: SeaweedFS says so of a version that was never on hold or locked; the package knows the words of others only.
_NEVER_HELD, _NEVER_LOCKED = "NoSuchObjectLegalHold", "ObjectLockConfigurationNotFoundError"


class S3Vault:
    """`dossiers.ports.Vault` over the bucket of a store."""

    def __init__(self, store: MinioObjectStore, *, keep_stamps: timedelta = KEEP_STAMPS) -> None:
        self._store = store
        self._keep_stamps = keep_stamps

    def keep_log_stamp(self, name: str, content: bytes) -> None:
        """Keep the proof of a log's head, locked for as long as the server can.

        Raises:
            StoreUnavailable: It didn't answer, or what came back differs.
        """
        path = f"{_STAMPS}{name}-{hashlib.sha256(content).hexdigest()[:16]}"
        lock = locked_for(self._keep_stamps) if self._store.capabilities.enforced else None
        with vendor_errors_translated():
            kept = self._store.client.put_object(
                self._store.bucket, path, io.BytesIO(content), len(content), retention=lock
            )
            if self._bytes(path, kept.version_id) != content:
                raise StoreUnavailable(f"{path}: what came back is not what was sent")

    def log_stamps(self) -> Sequence[bytes]:
        """All that were ever kept, also those that somebody hid behind a delete marker or a later version."""
        with vendor_errors_translated():
            return [self._bytes(*one) for one in self._versions(_STAMPS)]

    def versions(self, key: ObjectKey) -> int:
        """How many versions of an object the store has, hidden ones counted."""
        with vendor_errors_translated():
            return len(self._versions(key.path))

    def is_there(self, key: ObjectKey) -> bool:
        """Whether the store gives anything at all for an object."""
        try:
            with vendor_errors_translated():
                self._store.client.stat_object(self._store.bucket, key.path)
        except ObjectMissing:
            return False
        return True

    def objects(self) -> Iterator[tuple[str, datetime]]:
        """Every object by its hash, with when it was stored."""
        with vendor_errors_translated():
            for one in self._store.client.list_objects(self._store.bucket, prefix="sha256/", recursive=True):
                if one.object_name and one.last_modified:
                    yield one.object_name.rpartition("/")[2], one.last_modified

    def end_uploads(self, *, begun_before: datetime) -> int:
        """End uploads in parts that were begun before then and never finished; how many.

        A process killed in the middle leaves them: parts on the disk that no list of objects shows. What is not whole
        is no object, so that neither lock nor hold is on it.

        Raises:
            StoreRefuses: The store doesn't let us see or end them. Some may be ended.
            StoreUnavailable: It didn't answer. Some may be ended; try again.
        """
        ended: dict[str, bool] = {}
        with vendor_errors_translated():
            try:
                # The list is asked for from its beginning each time: SeaweedFS says that there is more and gives no
                # mark to go on from.
                while True:
                    # The package has no public method for it.
                    listed = self._store.client._list_multipart_uploads(  # noqa: SLF001
                        self._store.bucket, max_uploads=_UPLOADS_AT_ONCE
                    )
                    old = [
                        (str(one.object_name), str(one.upload_id))
                        for one in listed.uploads
                        if one.initiated_time and one.initiated_time < begun_before and one.upload_id not in ended
                    ]
                    for name, upload in old:
                        ended[upload] = self._end_upload(name, upload)
                    if not old or not listed.is_truncated:
                        return sum(ended.values())
            except S3Error as error:
                raise StoreRefuses(f"the object store refused: {error.code}") from error

    def _end_upload(self, name: str, upload: str) -> bool:
        """End one; False where somebody did, or finished it, since it was listed."""
        try:
            self._store.client._abort_multipart_upload(self._store.bucket, name, upload)  # noqa: SLF001
        except S3Error as error:
            if error.code == _GONE:
                return False
            raise
        return True

    @property
    def can_hold(self) -> bool:
        """Whether the store was seen to keep what is on legal hold, and lists the versions that must be."""
        able = self._store.capabilities
        return able.holds and able.lists_versions

    def hold(self, key: ObjectKey) -> int:
        """Put every version of an object on legal hold and see that it is; on how many there was none before.

        Raises:
            ObjectMissing: The store has no version of it.
            StoreUnavailable: It didn't answer, or a version isn't held all the same. Some may be; try again.
        """
        newly = 0
        with vendor_errors_translated():
            for version in self._every_version(key):
                if self._is_held(key, version):
                    continue
                self._store.client.enable_object_legal_hold(self._store.bucket, key.path, version_id=version)
                if not self._is_held(key, version):
                    raise StoreUnavailable(f"{key.path}: the store doesn't hold it, though it says so")
                newly += 1
        return newly

    def lift(self, key: ObjectKey) -> None:
        """Take the legal hold off every version of an object. Locks stay.

        Raises:
            ObjectMissing, StoreUnavailable: As `hold`.
        """
        with vendor_errors_translated():
            for version in self._every_version(key):
                if self._is_held(key, version):
                    self._store.client.disable_object_legal_hold(self._store.bucket, key.path, version_id=version)

    @property
    def can_prolong(self) -> bool:
        """Whether the store was seen to prolong locks and never to shorten one."""
        able = self._store.capabilities
        return able.enforced and able.firm and able.prolongs and able.lists_versions

    def prolong(self, key: ObjectKey, until: datetime) -> None:
        """Have every version of an object locked until then at least; a longer lock stays as it is.

        Raises:
            ObjectMissing: The store has no version of it.
            StoreUnavailable: It didn't answer, or a version isn't locked for so long all the same.
        """
        with vendor_errors_translated():
            for version in self._every_version(key):
                if self._is_locked(key, version, until):
                    continue
                try:
                    self._store.client.set_object_retention(
                        self._store.bucket, key.path, Retention(COMPLIANCE, until), version_id=version
                    )
                except S3Error as error:
                    # Where a lock can't be read, the server that was seen to be firm has a longer one already.
                    if self._is_locked(key, version, until) is False:
                        raise
                    log.info("lock_not_extended", extra={"object": key.sha256, "code": error.code})
                if self._is_locked(key, version, until) is False:
                    raise StoreUnavailable(f"{key.path}: the store doesn't lock it, though it says so")

    def _is_locked(self, key: ObjectKey, version: str | None, until: datetime) -> bool | None:
        """Whether a version is locked until then; None where the server tells it in a form the package can't read."""
        try:
            found = self._store.client.get_object_retention(self._store.bucket, key.path, version_id=version)
        except ValueError:
            return None
        except S3Error as error:
            if error.code == _NEVER_LOCKED:
                return False
            raise
        return found is not None and found.mode == COMPLIANCE and found.retain_until_date >= until

    def _is_held(self, key: ObjectKey, version: str | None) -> bool:
        try:
            return self._store.client.is_object_legal_hold_enabled(self._store.bucket, key.path, version_id=version)
        except S3Error as error:
            if error.code == _NEVER_HELD:
                return False
            raise

    def _every_version(self, key: ObjectKey) -> list[str | None]:
        found = [version for _, version in self._versions(key.path)]
        if not found:
            raise ObjectMissing(f"{key.path}: the store has no version of it")
        return found

    def _versions(self, prefix: str) -> list[tuple[str, str | None]]:
        """Names and versions under a prefix; where a server lists no versions, the names."""
        client, bucket = self._store.client, self._store.bucket
        with suppress(S3Error):
            return [
                (str(one.object_name), one.version_id)
                for one in client.list_objects(bucket, prefix=prefix, recursive=True, include_version=True)
                if not one.is_delete_marker
            ]
        return [(str(one.object_name), None) for one in client.list_objects(bucket, prefix=prefix, recursive=True)]

    def _bytes(self, path: str, version_id: str | None) -> bytes:
        response = self._store.client.get_object(self._store.bucket, path, version_id=version_id or None)
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()

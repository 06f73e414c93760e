"""What an S3 server truly does, tried on it at every start and written down in one table.

Servers differ, and some accept a lock and then delete the object all the same. So nothing is taken from a server's name
or version: each line is an experiment on a byte of ours, and only what was seen to hold counts. What isn't had is done
without: no lock where there is none, lists of names where versions aren't listed. Production may refuse to
(`HOSO_WORM`).
"""

from __future__ import annotations

import io
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from minio.commonconfig import COMPLIANCE
from minio.error import S3Error
from minio.retention import Retention

if TYPE_CHECKING:
    from collections.abc import Callable

    from minio import Minio

_SELF_TEST = "self-test/"
_LOCKED_FOR_TEST = timedelta(minutes=5)  # much longer than a test takes or clocks differ
_PROLONGED = timedelta(minutes=6)
_SHORTENED = timedelta(minutes=1)
_PARTIAL_CONTENT = 206


@dataclass(frozen=True)
class Capabilities:
    """What the server made of our experiments.

    Attributes:
        server: What it calls itself; nothing hangs on it.
        versioned: It gives versions, so a later write under the same name hides nothing for good.
        enforced: It refused to delete a version under COMPLIANCE retention.
        reason: Stable code: "enforced", "not_versioned", "lock_refused" or "deleted_all_the_same".
        firm: It refused to shorten such a retention.
        prolongs: It prolonged one.
        holds: It refused to delete what was under a legal hold, and deleted it once that was lifted.
        lists_versions: It lists every version of a name.
        ranges: Asked for a part of an object, it gives that part.
    """

    server: str = ""
    versioned: bool = False
    enforced: bool = False
    reason: str = "lock_refused"
    firm: bool = False
    prolongs: bool = False
    holds: bool = False
    lists_versions: bool = False
    ranges: bool = False


def probe(client: Minio, bucket: str) -> Capabilities:
    """Try everything on bytes of our own under `self-test/`; what earlier tests left is deleted as soon as it can be.

    Raises:
        S3Error, MinioException, HTTPError: The server didn't answer, or doesn't keep a byte at all.
    """
    _sweep(client, bucket)
    server, ranges = _gives_ranges(client, bucket)
    name, reason, version = _locked_byte(client, bucket)
    versioned = _is_version(version)
    enforced = firm = prolongs = False
    if not reason:
        enforced = _refuses(lambda: client.remove_object(bucket, name, version_id=version))
        reason = "enforced" if enforced else "deleted_all_the_same"
    if enforced:
        firm = _refuses(lambda: _retain(client, bucket, name, version, _SHORTENED))
        prolongs = not _refuses(lambda: _retain(client, bucket, name, version, _PROLONGED))
    return Capabilities(
        server=server,
        versioned=versioned,
        enforced=enforced,
        reason=reason,
        firm=firm,
        prolongs=prolongs,
        holds=enforced and _holds(client, bucket),
        lists_versions=versioned and _lists_versions(client, bucket),
        ranges=ranges,
    )


def locked_for(period: timedelta) -> Retention:
    """Retention that nobody can shorten, from now on."""
    return Retention(COMPLIANCE, (datetime.now(UTC) + period).replace(microsecond=0))


def _locked_byte(client: Minio, bucket: str) -> tuple[str, str, str | None]:
    """A byte under retention: its name, why it isn't under any ("": it is), and its version."""
    name = _new_name()
    try:
        stored = client.put_object(bucket, name, io.BytesIO(b"1"), 1, retention=locked_for(_LOCKED_FOR_TEST))
    except S3Error:
        # No lock on this bucket. Versions may be had all the same.
        stored = client.put_object(bucket, name, io.BytesIO(b"1"), 1)
        client.remove_object(bucket, name, version_id=stored.version_id)
        return name, "lock_refused", stored.version_id
    if not _is_version(stored.version_id):
        client.remove_object(bucket, name)
        return name, "not_versioned", None
    return name, "", stored.version_id


def _holds(client: Minio, bucket: str) -> bool:
    name = _new_name()
    stored = client.put_object(bucket, name, io.BytesIO(b"1"), 1)
    version = stored.version_id
    if _refuses(lambda: client.enable_object_legal_hold(bucket, name, version_id=version)):
        with suppress(S3Error):
            client.remove_object(bucket, name, version_id=version)
        return False
    held = _refuses(lambda: client.remove_object(bucket, name, version_id=version))
    if not held:
        return False
    lifted = not _refuses(lambda: client.disable_object_legal_hold(bucket, name, version_id=version))
    return lifted and not _refuses(lambda: client.remove_object(bucket, name, version_id=version))


def _lists_versions(client: Minio, bucket: str) -> bool:
    name = _new_name()
    versions = [client.put_object(bucket, name, io.BytesIO(byte), 1).version_id for byte in (b"1", b"2")]
    try:
        listed = {one.version_id for one in client.list_objects(bucket, prefix=name, include_version=True)}
    except S3Error:
        listed = set()
    for version in versions:
        with suppress(S3Error):
            client.remove_object(bucket, name, version_id=version)
    return listed == set(versions)


def _gives_ranges(client: Minio, bucket: str) -> tuple[str, bool]:
    """What the server calls itself, and whether it gives the part that was asked for."""
    name = _new_name()
    stored = client.put_object(bucket, name, io.BytesIO(b"0123"), 4)
    response = client.get_object(bucket, name, offset=1, length=2)
    try:
        ranges = response.status == _PARTIAL_CONTENT and response.read() == b"12"
        server = response.headers.get("server", "")[:60]
    finally:
        response.close()
        response.release_conn()
    with suppress(S3Error):  # the bucket may lock everything by itself
        client.remove_object(bucket, name, version_id=stored.version_id)
    return server, ranges


def _retain(client: Minio, bucket: str, name: str, version: str | None, period: timedelta) -> None:
    client.set_object_retention(bucket, name, locked_for(period), version_id=version)


def _refuses(what: Callable[[], object]) -> bool:
    try:
        what()
    except S3Error:
        return True
    return False


def _sweep(client: Minio, bucket: str) -> None:
    with suppress(S3Error):  # not every server lists versions
        for left in client.list_objects(bucket, prefix=_SELF_TEST, recursive=True, include_version=True):
            with suppress(S3Error):  # its lock holds still
                client.remove_object(bucket, str(left.object_name), version_id=left.version_id)


def _new_name() -> str:
    return f"{_SELF_TEST}{uuid.uuid4()}"


def _is_version(version_id: str | None) -> bool:
    return version_id not in {None, "", "null"}

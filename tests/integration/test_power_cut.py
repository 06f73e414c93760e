"""Stored means on the disk: what the embedded store has acknowledged is there after a power cut."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from api.embedded import s3
from dossiers.ports import ObjectMissing, StoreUnavailable
from storage import disk as disks
from storage.objects import MinioObjectStore

if TYPE_CHECKING:
    from pathlib import Path

    from dossiers.types import ObjectKey
    from tests.conftest import S3Settings
    from tests.faults.power import Disk

HOW_MANY = 12


def opened(access: s3.S3Access, bucket: str, on_disk: Path | None) -> MinioObjectStore:
    return MinioObjectStore(
        access.endpoint, access.access_key, access.secret_key, bucket, keep_locked=None, on_disk=on_disk
    )


def store_some(store: MinioObjectStore, folder: Path) -> list[ObjectKey]:
    keys = []
    for number in range(HOW_MANY):
        file = folder / f"scan-{number}"
        file.write_bytes(os.urandom(20_000 + 60_000 * (number % 4)))
        keys.append(store.put(file, media_type="image/png"))
    return keys


def those_there(store: MinioObjectStore, keys: list[ObjectKey], folder: Path) -> int:
    count = 0
    for key in keys:
        with suppress(ObjectMissing, StoreUnavailable):
            store.fetch(key, folder / "back")
            count += 1
    return count


def test_nothing_counts_as_stored_before_the_disk_below_was_flushed(
    s3_settings: S3Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = s3.S3Access(s3_settings.endpoint, s3_settings.access_key, s3_settings.secret_key)
    flushed: list[Path] = []
    monkeypatch.setattr(disks, "flush", flushed.append)
    store = opened(access, s3_settings.bucket, tmp_path)
    store.prepare()
    file = tmp_path / "scan"
    file.write_bytes(b"a scan")

    store.put(file, media_type="image/png")
    store.put(file, media_type="image/png")  # whoever stored it first may have died before its flush
    assert flushed == [tmp_path, tmp_path]

    def full(_folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(disks, "flush", full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        store.put(file, media_type="image/png")
    store.close()


def test_a_folder_that_isnt_there_is_no_disk(tmp_path: Path) -> None:
    disks.flush(tmp_path)
    with pytest.raises(FileNotFoundError):
        disks.flush(tmp_path / "none")


@pytest.fixture(params=[name for name in ("weed", "minio") if name == "weed" or shutil.which(name)])
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    really = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name != request.param else really(name))
    return str(request.param)


@pytest.mark.needs_own_disk
def test_what_the_embedded_store_has_acknowledged_survives_a_power_cut(
    own_disk: Disk, program: str, tmp_path: Path
) -> None:
    folder = own_disk.place / "s3"
    store = opened(s3.start(folder), "hoso", folder)
    store.prepare()
    keys = store_some(store, tmp_path)
    store.close()
    assert own_disk.cut_power() > 0

    again = opened(s3.start(folder), "hoso", folder)
    assert those_there(again, keys, tmp_path) == HOW_MANY, program
    again.close()
    s3.stop(folder)


@pytest.mark.needs_own_disk
def test_such_a_power_cut_costs_what_was_not_flushed(own_disk: Disk, tmp_path: Path) -> None:
    """Or the test above would prove nothing."""
    flushed, lost = own_disk.place / "flushed", own_disk.place / "lost"
    flushed.write_bytes(b"here")
    disks.flush(own_disk.place)
    lost.write_bytes(b"gone")
    own_disk.cut_power()
    assert (flushed.read_bytes(), lost.exists()) == (b"here", False)

"""Take everything an instance keeps to another disk, and bring it back.

A backup is a folder of its own below the place backups go to: the database as `pg_dump` writes it, a list of the
objects, and a manifest with the hash of both, written last. The objects themselves lie beside, once for all backups,
named by the hash of their content: the next backup copies what is new, and reads a share of the copies that it counts
on again, since the disk they lie on forgets too.

Order is what makes it whole. An object is durable before any row speaks of it, so the database is taken first and the
objects after it: whatever the database of a backup speaks of is among its objects. They come back in the other order.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dossiers.ports import ObjectMissing, StoreUnavailable
from storage.migrations import current, head, migrate
from storage.objects import vendor_errors_translated
from storage.tables import audit_head, metadata
from storage.vault import KEEP_STAMPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from storage.objects import MinioObjectStore

_DUMP, _LIST, _MANIFEST = "database.dump", "objects.jsonl", "manifest.json"
_OBJECTS = "objects"
#: What the store tries itself with.
_NOT_KEPT = ("self-test/", "probe/")
_CONTENT = "sha256/"
_BLOCK = 1 << 20
_SHA256_DIGITS = 64
#: Of what earlier backups copied, each one reads a share again: so many in a row read all of it.
_SHARES = 30


class BackupFailed(Exception):
    """It can't be taken or brought back; the message says what was found and what to do."""


@dataclass(frozen=True)
class Kept:
    """An object in a backup.

    Attributes:
        path: Its name in the bucket.
        sha256: Of its content.
    """

    path: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True)
class Backup:
    """A whole backup.

    Attributes:
        folder: Where it lies.
        taken_at: UTC.
        schema: Revision of the database.
        objects, size: How many, and bytes in all.
        copied: How many of them were new.
        log_end: Sequence and hash of the audit log's last line.
        damaged: Objects that the store couldn't give or whose content didn't fit their name, and which are therefore
            not in it.
        rotten: Objects whose earlier copy was lost or no longer right, and which were copied anew, but for `damaged`.
    """

    folder: Path
    taken_at: datetime
    schema: str
    objects: int
    size: int
    copied: int
    log_end: tuple[int, str]
    damaged: tuple[str, ...] = ()
    rotten: tuple[str, ...] = ()


@dataclass(frozen=True)
class Restored:
    """What was found after everything was brought back.

    Attributes:
        objects: How many are in the store now.
        missing: Objects that the database speaks of and the backup lacks, by hash.
        log_end: Sequence and hash of the audit log's last line.
    """

    objects: int
    missing: tuple[str, ...]
    log_end: tuple[int, str]


def take(
    dsn: str,
    store: MinioObjectStore,
    place: Path,
    *,
    programs: Path | None,
    everything: bool = False,
    told: Callable[[str, int, int], None] = lambda *_: None,
) -> Backup:
    """Take a backup into a new folder below `place`; it is there whole, or not at all.

    Args:
        dsn: The database; work may go on meanwhile.
        store: The objects.
        place: Where backups go to: another disk than the instance's. Made if it isn't there.
        programs: Folder of PostgreSQL's client programs, at least as new as the server; None: those on the PATH.
        everything: Read every copy that is counted on, not only this time's share.
        told: Called with what is being done, how much of it is done, and of how much.

    Raises:
        BackupFailed: PostgreSQL's program failed, or an object that the database speaks of isn't in the store.
        StoreUnavailable, OSError: The store doesn't answer at all, or the disk failed. Try again; what was copied is
            kept and not copied again.
    """
    taken_at = datetime.now(UTC)
    name = f"{taken_at:%Y%m%dT%H%M%S.%fZ}"  # two may be asked for in one second
    part = place / f".{name}.part"
    part.mkdir(mode=0o700, parents=True)
    try:
        told("database", 0, 1)
        schema, log_end, spoken_of = _dumped(dsn, part / _DUMP, programs)
        told("database", 1, 1)
        earlier = _earlier(place)
        kept, damaged, rotten, copied = [], [], [], 0
        versions = list(_versions(store))
        for done, (path, version_id, size) in enumerate(versions):
            told("objects", done, len(versions))
            there = earlier.kept.get(path)
            if there is not None and there.size != size:
                there = None  # another version
            if there is not None and not _still_right(place, there, read=everything or earlier.reads(there)):
                rotten.append(path)
                there = None
            one = there or _copied_if_readable(store, place, path, version_id)
            copied += there is None
            if one is None:
                damaged.append(path)
            else:
                kept.append(one)
        told("objects", len(versions), len(versions))
        kept = list(dict.fromkeys(kept))
        whole = {one.path for one in kept}
        _write(part / _LIST, "".join(json.dumps(asdict(one)) + "\n" for one in kept).encode())
        lost = spoken_of - {one.sha256 for one in kept} - {path.rpartition("/")[2] for path in damaged}
        backup = Backup(
            folder=place / name,
            taken_at=taken_at,
            schema=schema,
            objects=len(kept),
            size=sum(one.size for one in kept),
            copied=copied,
            log_end=log_end,
            damaged=tuple(sorted({*(path for path in damaged if path not in whole), *lost})),
            rotten=tuple(sorted(set(rotten))),
        )
        manifest = {
            "taken_at": taken_at.isoformat(),
            "schema": schema,
            "objects": backup.objects,
            "size": backup.size,
            "log_end": log_end,
            "damaged": backup.damaged,
            "rotten": backup.rotten,
            "share": earlier.share,
            "sha256": {name: _sha256(part / name) for name in (_DUMP, _LIST)},
        }
        _write(part / _MANIFEST, json.dumps(manifest, indent=1).encode())
        part.rename(backup.folder)
        _fsync_folder(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return backup


def restore(
    folder: Path,
    dsn: str,
    store: MinioObjectStore,
    *,
    programs: Path | None,
    told: Callable[[str, int, int], None] = lambda *_: None,
) -> Restored:
    """Bring a backup back into an empty database and a store that holds nothing else; broken off, begin again.

    Every file is held against its hash before the database is touched. A backup of an older program is brought up to
    this one's schema.

    Args:
        folder: Of one backup.
        dsn, store, programs, told: As `take`.

    Raises:
        BackupFailed: The backup isn't whole, or there is something already where it is to go. The database wasn't
            touched.
        StoreUnavailable, OSError: Try again.
    """
    manifest, kept = read(folder)
    if manifest["schema"] > head():
        raise BackupFailed(
            f"Bản sao lưu thuộc phiên bản mới hơn ({manifest['schema']}) chương trình này ({head()}). Hãy cài đúng "
            "phiên bản. (A newer program took it: install that one.)"
        )
    _require_empty(dsn)
    others = {path for path, _, _ in _versions(store)} - {one.path for one in kept}
    if others:
        raise BackupFailed(
            f"Kho tệp đã có {len(others)} tệp không thuộc bản sao lưu này, ví dụ {min(others)}. Hãy dùng ngăn chứa "
            "trống. (The bucket holds other objects: use an empty one.)"
        )
    bad = [one.path for one in _with_progress(kept, "check", told) if not _is_whole(_file(folder.parent, one), one)]
    if bad:
        raise BackupFailed(
            f"{len(bad)} tệp trong bản sao lưu bị thiếu hoặc hỏng, ví dụ {bad[0]}. Chưa có gì được phục hồi. Hãy dùng "
            "bản sao lưu khác. (Objects of the backup are missing or damaged.)"
        )
    for one in _with_progress(kept, "objects", told):
        _put(store, one, _file(folder.parent, one))
    told("database", 0, 1)
    _run(
        dsn,
        programs,
        "pg_restore",
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        str(folder / _DUMP),
    )
    migrate(dsn)
    told("database", 1, 1)
    _forget_what_the_other_store_did(dsn)
    with _connected(dsn) as connection:
        log_end, spoken_of = _read_database(connection)
    if list(log_end) != list(manifest["log_end"]):
        raise BackupFailed("Nhật ký phục hồi không khớp bản sao lưu. (The log's end differs from the backup's.)")
    return Restored(len(kept), tuple(sorted(spoken_of - {one.sha256 for one in kept})), log_end)


def newest(place: Path) -> Path | None:
    """The folder of the last whole backup below `place`."""
    found = sorted(path.parent for path in place.glob(f"*/{_MANIFEST}") if not path.parent.name.startswith("."))
    return found[-1] if found else None


def read(folder: Path) -> tuple[dict[str, Any], list[Kept]]:
    """The manifest of a backup and its objects.

    Raises:
        BackupFailed: It isn't one, or isn't whole.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        for name, sha256 in manifest["sha256"].items():
            if _sha256(folder / name) != sha256:
                raise BackupFailed(f"{folder / name} đã bị thay đổi. (It isn't as it was written.)")
        kept = [Kept(**json.loads(line)) for line in (folder / _LIST).read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupFailed(f"{folder} không phải bản sao lưu trọn vẹn. (It isn't a whole backup.)") from error
    return manifest, kept


# --- the database ---------------------------------------------------------------------------------------------------


def _dumped(dsn: str, file: Path, programs: Path | None) -> tuple[str, tuple[int, str], set[str]]:
    """Write the database to a file; give its schema, its log's end and the objects it speaks of, as of one moment."""
    schema = current(dsn)
    if schema is None:
        raise BackupFailed("Cơ sở dữ liệu chưa có gì. (The database is empty.)")
    with _connected(dsn) as connection:
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        moment = connection.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one()
        log_end, spoken_of = _read_database(connection)
        _run(
            dsn,
            programs,
            "pg_dump",
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={moment}",
            f"--file={file}",
        )
    return schema, log_end, spoken_of


def _run(dsn: str, programs: Path | None, program: str, *arguments: str) -> None:
    """One of PostgreSQL's programs. A password goes through its environment, where nobody else can read it."""
    named = conninfo_to_dict(dsn)
    password = named.pop("password", None)
    command = [
        str(programs / program) if programs else program,
        f"--dbname={make_conninfo(**{name: str(value) for name, value in named.items() if value is not None})}",
        *arguments,
    ]
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise BackupFailed(f"Chưa cài {program}: apt-get install postgresql-client. (It isn't installed.)") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise BackupFailed(f"{program} không làm được: {said[0][:300] if said else done.returncode}")


def _read_database(connection: sa.Connection) -> tuple[tuple[int, str], set[str]]:
    """Where the audit log ends, and every object that some row speaks of, by hash."""
    end = connection.execute(sa.select(audit_head.c.sequence, audit_head.c.hash)).one()
    named: set[str] = set()
    for table in metadata.tables.values():
        for column in table.columns:
            is_object = f"{column.name.removesuffix('sha256')}media_type" in table.columns
            if column.name.endswith("sha256") and is_object:
                there = sa.select(column).where(column.is_not(None)).distinct()
                named |= set(connection.execute(there).scalars())
    return (end.sequence, end.hash), named


@contextmanager
def _connected(dsn: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


def _forget_what_the_other_store_did(dsn: str) -> None:
    """Holds and locks were seen in the store that was; the signing worker has this one put them on."""
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE kept_objects SET hold = 'unsure', hold_seen_at = NULL WHERE hold <> 'free'")
        connection.execute("UPDATE kept_objects SET locked_until = NULL WHERE locked_until IS NOT NULL")
        connection.execute("UPDATE dossiers SET lock_checked_at = NULL WHERE lock_checked_at IS NOT NULL")


def _require_empty(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    if row is None or row[0]:
        raise BackupFailed(
            "Cơ sở dữ liệu đích không trống; không ghi đè. Hãy tạo cơ sở dữ liệu mới. (The database isn't empty.)"
        )


# --- the objects ----------------------------------------------------------------------------------------------------


def _versions(store: MinioObjectStore) -> Iterator[tuple[str, str | None, int]]:
    """Name, version and size of everything kept, also of what a later version or a delete marker hides."""
    with vendor_errors_translated():
        for one in store.client.list_objects(store.bucket, recursive=True, include_version=True):
            name = str(one.object_name)
            if not one.is_delete_marker and not name.startswith(_NOT_KEPT):
                yield name, one.version_id, int(one.size or 0)


@dataclass(frozen=True)
class _Earlier:
    """What the last backup noted of its objects, by path, and which share of their copies is read again this time."""

    kept: dict[str, Kept]
    share: int

    def reads(self, one: Kept) -> bool:
        """Whether it is this copy's turn."""
        return int(one.sha256[:8], 16) % _SHARES == self.share


def _earlier(place: Path) -> _Earlier:
    """By the last whole backup; where there is none or it isn't as it was written, everything is copied again."""
    last = newest(place)
    if last is None:
        return _Earlier({}, 0)
    try:
        manifest, kept = read(last)
    except BackupFailed:
        return _Earlier({}, 0)
    share = (int(manifest.get("share", -1)) + 1) % _SHARES
    return _Earlier({one.path: one for one in kept if one.path.startswith(_CONTENT)}, share)


def _still_right(place: Path, one: Kept, *, read: bool) -> bool:
    """Whether an earlier copy is there, with its size; to `read` it is to hold it against its hash once more."""
    file = _file(place, one)
    return _is_whole(file, one) if read else file.is_file() and file.stat().st_size == one.size


def _copied_if_readable(store: MinioObjectStore, place: Path, path: str, version_id: str | None) -> Kept | None:
    """As `_copied`; None also where the store can't give this one, though it answers.

    Raises:
        StoreUnavailable: It answers nothing else either.
    """
    try:
        return _copied(store, place, path, version_id)
    except ObjectMissing:
        return None
    except StoreUnavailable:
        store.probe()
        return None


def _copied(store: MinioObjectStore, place: Path, path: str, version_id: str | None) -> Kept | None:
    """Copy an object durably, named by its content; None where that doesn't fit the name the store has for it."""
    digest, size = hashlib.sha256(), 0
    objects = place / _OBJECTS
    objects.mkdir(mode=0o700, exist_ok=True)
    unfinished = objects / f".{os.getpid()}.part"
    with vendor_errors_translated(), _removed_on_failure(unfinished):
        response = store.client.get_object(store.bucket, path, version_id=version_id or None)
        try:
            media_type = str(response.headers.get("content-type", "application/octet-stream"))
            with unfinished.open("wb") as file:
                for block in response.stream(_BLOCK):
                    digest.update(block)
                    size += file.write(block)
                file.flush()
                os.fsync(file.fileno())
        finally:
            response.close()
            response.release_conn()
    one = Kept(path, digest.hexdigest(), size, media_type)
    if path.startswith(_CONTENT) and not path.endswith(one.sha256):
        unfinished.unlink()
        return None
    target = _file(place, one)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    unfinished.replace(target)
    _fsync_folder(target.parent)
    return one


@contextmanager
def _removed_on_failure(file: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _put(store: MinioObjectStore, one: Kept, file: Path) -> None:
    if one.path.startswith(_CONTENT):
        store.put(file, media_type=one.media_type)
        return
    store.put_at(one.path, file, keep=KEEP_STAMPS)


def _file(place: Path, one: Kept) -> Path:
    return place / _OBJECTS / one.sha256[:2] / one.sha256


def _is_whole(file: Path, one: Kept) -> bool:
    name = one.path.rpartition("/")[2]
    fits = not one.path.startswith(_CONTENT) or (len(name) == _SHA256_DIGITS and name == one.sha256)
    try:
        return fits and file.is_file() and file.stat().st_size == one.size and _sha256(file) == one.sha256
    except OSError:  # the disk doesn't give it any more
        return False


def _with_progress(kept: Sequence[Kept], what: str, told: Callable[[str, int, int], None]) -> Iterable[Kept]:
    for done, one in enumerate(kept):
        told(what, done, len(kept))
        yield one
    told(what, len(kept), len(kept))


def _write(file: Path, content: bytes) -> None:
    with file.open("xb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

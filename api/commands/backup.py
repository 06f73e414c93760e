"""`hoso backup PLACE`: everything the instance keeps, to another disk."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from api.commands import CommandFailed, configured
from api.embedded import postgres

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from api.settings import Settings
    from storage.objects import MinioObjectStore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument("place", type=Path, help="thư mục trên đĩa khác; mỗi lần một bản, tệp cũ không chép lại")
    parser.add_argument(
        "--keys-to",
        type=Path,
        metavar="FOLDER",
        help="chép cả khóa ký và bí mật vào thư mục này (0700), cất riêng · keys and secrets, to be kept elsewhere",
    )
    parser.add_argument(
        "--check-everything",
        action="store_true",
        help="đọc lại mọi tệp đã chép từ trước; bình thường mỗi lần đọc một phần 30 · read all earlier copies again",
    )
    parser.epilog = "Phục hồi (bring it back): hoso restore. docs/operations.md"


def run(given: argparse.Namespace) -> int:
    """Take a backup while work goes on."""
    from storage import backup

    settings = configured()
    if not settings.database or not settings.s3_endpoint:
        raise CommandFailed(
            "Cơ sở dữ liệu hoặc kho tệp chưa chạy; hãy chạy `hoso up`. (Start the instance first.)", os.EX_UNAVAILABLE
        )
    os.umask(0o077)
    store = store_of(settings)
    try:
        taken = backup.take(
            settings.database,
            store,
            given.place,
            programs=programs(),
            everything=given.check_everything,
            told=told(),
        )
    except backup.BackupFailed as failed:
        raise CommandFailed(str(failed)) from failed
    finally:
        store.close()
    print(
        f"\nĐã sao lưu vào {taken.folder}: {taken.objects} tệp, {taken.size / 1e6:.1f} MB, {taken.copied} tệp mới; "
        f"nhật ký tới dòng {taken.log_end[0]}.\n(Backed up: objects, of which new; the log up to that line.)"
    )
    if given.keys_to:
        copy_keys(settings, given.keys_to)
        print(f"Khóa và bí mật: {given.keys_to}. Cất ở nơi khác bản sao lưu. (Keep it apart from the backup.)")
    for path in taken.rotten:
        if path not in taken.damaged:
            print(
                f"Bản sao cũ bị mất hoặc hỏng, đã chép lại (an earlier copy was bad, copied anew): {path}",
                file=sys.stderr,
            )
    if taken.rotten:
        print("Kiểm tra đĩa sao lưu; chạy lại với --check-everything. (Look at the backup disk.)", file=sys.stderr)
    for path in taken.damaged:
        print(f"HỎNG, thiếu hoặc không đọc được trong kho (damaged, missing or unreadable): {path}", file=sys.stderr)
    return 1 if taken.damaged else 0


def store_of(settings: Settings) -> MinioObjectStore:
    """The store itself, without a cache before it."""
    from storage.objects import MinioObjectStore

    store = MinioObjectStore(
        settings.s3_endpoint,
        settings.s3_access_key,
        settings.s3_secret_key.get_secret_value(),
        settings.s3_bucket,
        secure=settings.s3_secure,
        region=settings.s3_region,
        on_disk=settings.s3_folder,
    )
    store.prepare()
    return store


def programs() -> Path | None:
    """PostgreSQL's programs, the newest on this machine; None for those on the PATH."""
    return next(iter(postgres.installed()), None)


def told() -> Callable[[str, int, int], None]:
    """A line that says how far it is, where somebody looks."""
    words = {"database": "Cơ sở dữ liệu", "objects": "Tệp", "check": "Kiểm tra tệp"}

    def tell(what: str, done: int, total: int) -> None:
        if sys.stderr.isatty() or done == total:
            print(f"\r{words[what]}: {done}/{total}  ", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return tell


def copy_keys(settings: Settings, to: Path) -> None:
    """Copy keys, what waits to be recorded beside them, and the service's secret.

    Raises:
        CommandFailed: There is something already.
    """
    if to.exists() and any(to.iterdir()):
        raise CommandFailed(f"{to} không trống; không ghi đè. (It isn't empty.)")
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    if settings.keys_folder.is_dir():
        shutil.copytree(settings.keys_folder, to / "keys", ignore=_sockets)
    if settings.is_demo and settings.demo_trust_folder.is_dir():  # else nobody would trust what the demo signed
        shutil.copytree(settings.demo_trust_folder, to / settings.demo_trust_folder.name, ignore=_sockets)
    secret = to / "service.secret"
    secret.touch(mode=0o600)
    secret.write_text(settings.service_secret.get_secret_value(), encoding="utf-8")


def _sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not (Path(folder, name).is_file() or Path(folder, name).is_dir())]

"""`hoso restore BACKUP`: everything an instance kept, into an empty one."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from api.commands import CommandFailed, configured
from api.commands.backup import programs, store_of, told

if TYPE_CHECKING:
    import argparse

    from api.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """From where."""
    parser.add_argument("backup", type=Path, help="một bản sao lưu, hoặc thư mục chứa chúng (lấy bản mới nhất)")
    parser.add_argument("--keys-from", type=Path, metavar="FOLDER", help="khóa và bí mật đã cất bằng --keys-to")
    parser.epilog = "Nơi đến phải trống (the target must be empty). docs/operations.md"


def run(given: argparse.Namespace) -> int:
    """Start the embedded servers where none are named, bring everything back, look whether it is all there."""
    from api import up
    from storage import backup

    folder = given.backup if (given.backup / "manifest.json").is_file() else backup.newest(given.backup)
    if folder is None:
        raise CommandFailed(f"Không có bản sao lưu nào trong {given.backup}. (There is no backup there.)")
    os.umask(0o077)
    named = configured(as_named=True)
    if given.keys_from:
        _bring_keys(named, given.keys_from)
    with up.servers(named) as settings:
        store = store_of(settings)
        try:
            restored = backup.restore(folder, settings.database, store, programs=programs(), told=told())
        except backup.BackupFailed as failed:
            raise CommandFailed(str(failed)) from failed
        finally:
            store.close()
    print(
        f"Đã phục hồi {folder.name}: {restored.objects} tệp, nhật ký tới dòng {restored.log_end[0]}.\n"
        "Tiếp theo: `hoso up`, `hoso audit verify`, `hoso doctor`. (Brought back; go on with these.)"
    )
    for sha256 in restored.missing:
        print(f"Thiếu từ lúc sao lưu (already missing when it was taken): {sha256}", file=sys.stderr)
    return 1 if restored.missing else 0


def _bring_keys(settings: Settings, source: Path) -> None:
    if settings.keys_folder.exists() and any(settings.keys_folder.iterdir()):
        raise CommandFailed(f"{settings.keys_folder} không trống; không ghi đè. (It isn't empty.)")
    if (source / "keys").is_dir():
        shutil.copytree(source / "keys", settings.keys_folder, dirs_exist_ok=True)
    trust = settings.demo_trust_folder
    if settings.is_demo and (source / trust.name).is_dir() and not trust.exists():
        shutil.copytree(source / trust.name, trust)
    target = settings.demo_secret_file if settings.is_demo else settings.service_secret_file
    if target is not None and not (target.exists() and target.stat().st_size):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / "service.secret", target)
        target.chmod(0o600)

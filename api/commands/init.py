"""`hoso init FOLDER`: an empty production instance, in which nothing is a demo's and no secret is anybody else's."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from api.commands import CommandFailed

if TYPE_CHECKING:
    import argparse

    from api.settings import Explained

_HEAD = """\
# Hồ sơ số: cấu hình vận hành thật. Settings of a production instance.
# Dòng bắt đầu bằng # là giá trị mặc định. A line behind # shows what holds when nothing is said.
# docs/operations.md nói thêm. Chạy với (run with): HOSO_CONFIG={file} hoso up
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where, and what is known already."""
    parser.add_argument("folder", type=Path, help="thư mục mới cho cấu hình, bí mật và dữ liệu")
    parser.add_argument("--public-url", default="", help="địa chỉ người dân thấy, https://…")
    parser.add_argument("--database", default="", metavar="postgresql://…", help="bỏ trống: bản kèm theo (bundled)")
    parser.add_argument("--s3-endpoint", default="", metavar="HOST:PORT", help="bỏ trống: bản kèm theo (bundled)")
    parser.add_argument("--s3-access-key", default="", metavar="KEY")


def run(given: argparse.Namespace) -> int:
    """Make the folder, its secrets and its settings file, and bring the database up to date when it can be reached."""
    from api.settings import explained

    folder: Path = given.folder.absolute()
    file = folder / "hoso.env"
    if file.exists():
        raise CommandFailed(f"{file} đã có; không ghi đè. (It exists already and was left alone.)")
    if bool(given.s3_endpoint) != bool(given.s3_access_key):
        raise CommandFailed("--s3-endpoint và --s3-access-key đi cùng nhau. (They go together.)", os.EX_USAGE)
    if given.public_url and not given.public_url.startswith("https://"):
        raise CommandFailed("--public-url phải bắt đầu bằng https:// (must be https)", os.EX_USAGE)

    os.umask(0o077)
    # Others may pass through to the data folder: the embedded database runs as its own user.
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)
    (folder / "secrets").mkdir(exist_ok=True)
    chosen = {
        "HOSO_MODE": "production",
        "HOSO_DATA": str(folder / "data"),
        "HOSO_SERVICE_SECRET_FILE": str(_write(folder / "secrets" / "service", secrets.token_urlsafe(48))),
        "HOSO_PUBLIC_URL": given.public_url,
        "HOSO_DATABASE": given.database,
    }
    if given.s3_endpoint:
        chosen |= {
            "HOSO_S3_ENDPOINT": given.s3_endpoint,
            "HOSO_S3_ACCESS_KEY": given.s3_access_key,
            "HOSO_S3_SECRET_KEY_FILE": str(_write(folder / "secrets" / "s3", "")),
            "HOSO_WORM": "required",
        }
    _write(file, _HEAD.format(file=file) + "\n" + "\n".join(_lines(explained(), chosen)))
    print(f"Đã tạo {file}. (The instance is made; read that file.)")
    if given.s3_endpoint:
        print(f"Ghi khóa bí mật S3 vào {folder / 'secrets' / 's3'}. (Put the S3 secret key there.)")
    _migrate(given.database)
    print(
        f"""
Tiếp theo (next):
  export HOSO_CONFIG={file}
  hoso up            chạy tất cả trên máy này · all of it on this machine
  hoso admin …       thêm cơ quan, người dùng, thủ tục, chứng thư · fill it
  hoso doctor        tự kiểm tra · what is still wrong, in words"""
    )
    return 0


def _migrate(dsn: str) -> None:
    if not dsn:
        print("Cơ sở dữ liệu kèm theo sẽ được tạo khi khởi động. (The bundled database is made at the first start.)")
        return
    import sqlalchemy.exc

    from storage.migrations import migrate

    try:
        migrate(dsn)
        print("Cơ sở dữ liệu đã sẵn sàng. (The database is up to date.)")
    except sqlalchemy.exc.OperationalError:
        print(
            "Chưa nối được tới cơ sở dữ liệu; kiểm tra HOSO_DATABASE, `hoso up` sẽ tự cập nhật khi nối được. "
            "(The database can't be reached yet; `hoso up` brings it up to date when it can.)",
            file=sys.stderr,
        )


def _lines(settings: list[Explained], chosen: dict[str, str]) -> list[str]:
    """Each setting with its purpose above it; what was chosen stands, the rest waits behind "#"."""
    lines = []
    for setting in settings:
        if setting.name in {"HOSO_S3_SECRET_KEY", "HOSO_SERVICE_SECRET"}:
            continue  # secrets belong in their files
        value = chosen.get(setting.name)
        lines += [f"# {setting.purpose}", f"{setting.name}={value}" if value else f"# {setting.name}={setting.default}"]
        lines.append("")
    return lines


def _write(file: Path, content: str) -> Path:
    """Write a file that only its owner may read."""
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(content, encoding="utf-8")
    return file

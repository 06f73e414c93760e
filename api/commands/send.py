"""`hoso send`: watch the folder a scanner fills, and send what lands in it. Loads nothing but `counter`."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from api.commands import CommandFailed
from counter import key
from counter.folder import Folder, shown
from counter.line import BadAddress, Line, LineLost, Refused, ServerBusy, SignedOut
from counter.sending import Sender
from counter.spool import Busy, Spool

if TYPE_CHECKING:
    import argparse

_DONE, _NOT_ALL, _USAGE, _UNREACHABLE, _NO_PERMISSION = 0, 1, 64, 69, 77
_LOOK_EVERY_S = 1.0
_KEYS = "desks.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `hoso send` takes; a token or code is never among it."""
    parser.allow_abbrev = False
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="thư mục mà máy quét lưu tệp vào")
    add_line(parser)
    parser.add_argument("--once", action="store_true", help="gửi hết những gì đang có rồi dừng")
    parser.add_argument("--delete", action="store_true", help="xóa tệp đã nhận thay vì chuyển vào da-nhan")
    parser.add_argument(
        "--settle", type=float, default=5.0, metavar="GIÂY", help="tệp phải đứng yên bao lâu (mặc định: 5)"
    )


def add_line(parser: argparse.ArgumentParser, *, needed: bool = True) -> None:
    """What reaching the server takes; `hoso scan` shares it."""
    parser.add_argument("--to", required=needed, metavar="URL", help="địa chỉ hệ thống, https://…")
    parser.add_argument("--pair", action="store_true", help="ghép lại máy này bằng mã mới (sẽ được hỏi)")
    parser.add_argument("--spool", type=Path, metavar="FOLDER", help="nơi giữ bản chép chờ gửi, trên đĩa máy này")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="tệp giữ quyền gửi của máy này (0600)")
    parser.add_argument(
        "--plain-http", action="store_true", help="cho phép http không mã hóa (chỉ trong mạng riêng được bảo vệ)"
    )


def run(given: argparse.Namespace) -> int:
    """Send until stopped, or once; the exit status says whether all went."""
    root = given.folder.expanduser().resolve()
    if not root.is_dir():
        raise CommandFailed(f"không có thư mục {root} (no such folder)", _USAGE)
    with contextlib.closing(signed_in(given)) as line, contextlib.closing(spool_for(given, root)) as spool:
        sender = Sender(Folder(root, settle_s=given.settle), spool, line, say, delete=given.delete)
        return watch(sender, once=given.once)


def watch(sender: Sender, *, once: bool) -> int:
    """Round after round.

    Raises:
        CommandFailed: The machine isn't known any more.
    """
    while True:
        try:
            done = sender.round()
        except SignedOut:
            raise CommandFailed(
                "máy này chưa được ghép, hoặc đã bị thu hồi. Tệp đã lấy vẫn an toàn. Nhờ cán bộ lấy mã ở trang "
                "“Hộp nhận”, rồi chạy lại với --pair. (This machine must be paired again; everything is safe.)",
                _NO_PERMISSION,
            ) from None
        except OSError as error:
            say(f"⚠ Thư mục quét hay nơi giữ bản chép chưa đọc được ({error.strerror}); các tệp còn nguyên, thử lại")
            done = False
        if once and done:
            return _NOT_ALL if sender.refused else _DONE
        if once and sender.line_is_lost:
            return _UNREACHABLE
        time.sleep(_LOOK_EVERY_S if not once else min(_LOOK_EVERY_S, max(sender.folder.settle_s / 4, 0.05)))


def signed_in(given: argparse.Namespace) -> Line:
    """A line with this machine's token; asks for a code where there is none.

    Raises:
        CommandFailed: A bad address, an open key file, or a code that isn't right.
    """
    url, file = given.to.rstrip("/"), given.keys or key.own_folder() / _KEYS
    try:
        bare = Line(url, plain=given.plain_http)
        paired = None if given.pair else key.known(file, url)
    except BadAddress:
        raise CommandFailed(
            f"{url}: cần địa chỉ https://…; http chỉ dùng được với --plain-http (https is needed)", _USAGE
        ) from None
    except key.KeyOpen:
        raise CommandFailed(f"người khác đọc được {file}; chạy chmod 600 rồi làm lại (others can read it)") from None
    if paired is None:
        paired = _paired(bare, file, url)
    say(f"✓ {paired['desk']} · {paired['agency']} → {url}")
    return Line(url, paired["token"], plain=given.plain_http)


def spool_for(given: argparse.Namespace, root: Path) -> Spool:
    """The spool for this folder and server.

    Raises:
        CommandFailed: Another one is at work on it.
    """
    name = hashlib.sha256(f"{root}\0{given.to.rstrip('/')}".encode(errors="surrogatepass")).hexdigest()[:16]
    place = given.spool or key.own_folder() / "spool" / name
    try:
        return Spool(place, root)
    except Busy:
        raise CommandFailed(f"đã có một hoso send đang chạy cho {root} (another one is at work there)") from None


def _paired(line: Line, file: Path, url: str) -> dict[str, str]:
    print("Mã ghép máy (13 số, lấy ở trang “Hộp nhận” trên hệ thống):", end=" ", file=sys.stderr, flush=True)
    code = sys.stdin.readline().strip()
    try:
        paired = line.pair(code)
    except (LineLost, ServerBusy) as error:
        raise CommandFailed(f"máy chủ chưa phản hồi ({error}); thử lại sau (no answer)", _UNREACHABLE) from None
    except Refused as error:
        raise CommandFailed(str(error), _NO_PERMISSION) from None
    key.keep(file, url, paired)
    return paired


def say(words: str) -> None:
    """One line for the person at the counter; sending goes on where nobody reads it any more."""
    with contextlib.suppress(OSError):
        print(f"{datetime.now().astimezone():%H:%M:%S} {shown(words)}", flush=True)

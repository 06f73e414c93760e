"""The command `hoso`: each subcommand is a module of `api.commands`, and only the one asked for is loaded.

A command module has `add_arguments(parser)` and `run(given) -> int`, the exit status. Wrong usage exits with 64, a
server that can't be reached with 69 and a bad configuration with 78, as sysexits.h has them.
"""

from __future__ import annotations

import argparse
import importlib
import io
import sys
from typing import TYPE_CHECKING, NoReturn

from api.commands import CONFIGURATION, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = 64
UNAVAILABLE = 69
INTERRUPTED = 130

COMMANDS = {
    "digitize": "ảnh quét thành PDF tìm kiếm được · scans to a searchable PDF",
    "sign": "ký một tệp PDF · sign a PDF",
    "verify": "kiểm tra chữ ký của tệp PDF · verify PDFs",
    "serve": "chạy trang web và API · run the web and the API",
    "worker": "chạy một tiến trình xử lý · run a worker",
    "send": "gửi tệp quét từ quầy lên hệ thống · send scans from a counter",
    "scan": "điều khiển máy quét ở quầy rồi gửi · drive a scanner at a counter, and send",
    "up": "khởi động tất cả trên một máy · start all of it on one machine",
    "demo": "chạy thử từ ảnh quét tới kết luận · the whole way on a sample, without a person",
    "init": "tạo cấu hình vận hành thật · make an empty production instance",
    "migrate": "nâng cấp cấu trúc cơ sở dữ liệu · bring the database up to date",
    "admin": "thêm cơ quan, người dùng, thủ tục, chứng thư · fill an instance",
    "report": "máy đọc sai ở đâu, theo những gì người soát đã sửa · where the reader was wrong, by what people changed",
    "audit": "kiểm tra nhật ký và dấu thời gian của nó · verify the audit log and its stamps",
    "archive": "xuất, nhập hồ sơ lưu trữ (BagIt) · export and import dossiers for the archive",
    "backup": "sao lưu tất cả sang đĩa khác · take everything to another disk",
    "restore": "phục hồi bản sao lưu vào nơi trống · bring a backup back into an empty instance",
    "objects": "đọc lại mọi tệp lưu và so giá trị băm · read every object again and compare",
    "doctor": "tự kiểm tra và nói điều gì chưa ổn · say in words what is wrong",
}


class _Parser(argparse.ArgumentParser):
    """argparse, with the exit status that the system's conventions give to wrong usage."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; the answer is the exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    _speak_utf8()
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(_overview(), file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else USAGE
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"hoso: không có lệnh “{name}” (no such command)\n\n{_overview()}", file=sys.stderr)
        return USAGE
    command = importlib.import_module(f"api.commands.{name}")
    parser = _Parser(prog=f"hoso {name}", description=COMMANDS[name])
    command.add_arguments(parser)
    try:
        return int(command.run(parser.parse_args(rest)))
    except CommandFailed as failed:
        print(f"hoso: {failed}", file=sys.stderr)
        return failed.status
    except Exception as failed:
        told = _told(failed)
        if told is None:
            raise
        sentence, status = told
        print(f"hoso: {sentence}", file=sys.stderr)
        return status
    except KeyboardInterrupt:
        return INTERRUPTED


def _speak_utf8() -> None:
    """Vietnamese goes out as UTF-8 whatever the terminal's language is set to."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(encoding="utf-8")


def _told(error: Exception) -> tuple[str, int] | None:
    """A sentence and an exit status for what any command may meet; None for what nobody foresaw."""
    if _is_a("api.settings", "BadSettings", error):
        return str(error), CONFIGURATION
    if _is_a("storage.connection", "DatabaseUnavailable", error):
        return _unreachable("Cơ sở dữ liệu", "The database"), UNAVAILABLE
    if _is_a("dossiers.ports", "StoreUnavailable", error):
        return _unreachable("Kho lưu trữ", "The object store"), UNAVAILABLE
    return None


def _is_a(module: str, kind: str, error: Exception) -> bool:
    """Whether it is of this kind; a command that never loaded the module needn't load it to tell."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(error, getattr(loaded, kind))


def _unreachable(vi: str, en: str) -> str:
    return (
        f"{vi} chưa phản hồi. Hồ sơ và các tệp đã nhận vẫn an toàn. "
        "Chạy `hoso doctor` để biết cần sửa gì, rồi chạy lại lệnh này.\n"
        f"({en} doesn't answer. Everything received so far is safe. "
        "Run `hoso doctor` to see what to mend, then repeat this command.)"
    )


def _overview() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:<{width}}{what}" for name, what in COMMANDS.items()]
    return "\n".join(["hoso LỆNH [...]    hoso LỆNH --help", "", *lines])


if __name__ == "__main__":
    sys.exit(main())

"""`hoso digitize`: scans in, one searchable PDF/A out. Needs no database and no server.

The answer is a sentence on stdout; progress and remarks go to stderr. The inputs are only ever read.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from digitize.batch import UnreadableInput, digitize_files, natural_key
from digitize.types import RESCAN, Flag, ReadingFailed
from dossiers.labels import label

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from digitize.batch import Digitised, PageOutcome

DONE = 0
NEEDS_RESCAN = 3
USAGE = 64
UNREADABLE = 65
UNAVAILABLE = 69
CANNOT_WRITE = 73

_SCAN_SUFFIXES = {".pdf", ".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}
_UNREAD = {"timeout": "đọc chữ quá thời gian", "crashed": "máy đọc chữ dừng giữa chừng"}


class _Usage(Exception):
    """The command can't be carried out as it was given."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `hoso digitize` takes."""
    parser.add_argument(
        "inputs", nargs="+", type=Path, metavar="INPUT", help="tệp PDF, JPEG, PNG, WebP, TIFF, hoặc thư mục chứa chúng"
    )
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="OUT.pdf", help="tệp PDF/A sẽ tạo")
    parser.add_argument("--text", type=Path, metavar="OUT.txt", help="ghi thêm văn bản UTF-8, mỗi trang cách nhau \\f")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="ghi thêm từng từ, vị trí, độ tin cậy, trường")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="số trang đọc cùng lúc (mặc định: số nhân)"
    )


def run(args: argparse.Namespace) -> int:
    """Digitise, say how it went, and return the exit status."""
    try:
        outputs = _outputs(args)
        inputs = _inputs(args.inputs, outputs)
    except _Usage as error:
        print(f"Chưa làm gì cả: {error}", file=sys.stderr)
        return USAGE
    try:
        digitised = digitize_files(
            inputs,
            args.output,
            created_at=datetime.now(UTC),
            text_to=args.text,
            json_to=args.json,
            jobs=args.jobs,
            progress=_show_progress,
        )
    except UnreadableInput as error:
        print(f"Không số hóa được: tệp «{error.path.name}» không đọc được. {error.why}")
        print("Không có tệp nào được ghi; các tệp gốc còn nguyên.")
        return UNREADABLE
    except ReadingFailed as error:
        print(f"Không số hóa được: {error}")
        return UNAVAILABLE
    except OSError as error:
        print(
            f"Không ghi được tệp kết quả ({error.strerror}). Các tệp gốc còn nguyên; hãy kiểm tra chỗ trống và quyền."
        )
        return CANNOT_WRITE
    return _answer(digitised, args.output)


def _outputs(args: argparse.Namespace) -> list[Path]:
    if args.jobs < 1:
        raise _Usage("--jobs phải từ 1 trở lên.")
    outputs = [path for path in (args.output, args.text, args.json) if path is not None]
    for path in outputs:
        if path.is_dir():
            raise _Usage(f"«{path}» là thư mục, không phải tên tệp kết quả.")
        if not path.parent.is_dir():
            raise _Usage(f"không có thư mục «{path.parent}» để ghi «{path.name}».")
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise _Usage("các tệp kết quả phải khác tên nhau.")
    return outputs


def _inputs(given: Sequence[Path], outputs: Sequence[Path]) -> list[Path]:
    """The scan files, those of a folder in natural order. An output is never an input."""
    written = {path.resolve() for path in outputs}
    inputs: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = [file for file in _scans_in(path) if file.resolve() not in written]
            if not inside:
                raise _Usage(f"thư mục «{path}» không có tệp quét nào (PDF, JPEG, PNG, WebP, TIFF).")
            inputs += inside
        elif not path.exists():
            raise _Usage(f"không thấy «{path}».")
        elif path.resolve() in written:
            raise _Usage(f"«{path}» vừa là tệp vào vừa là tệp kết quả; tệp gốc không bao giờ bị ghi đè.")
        else:
            inputs.append(path)
    return inputs


def _scans_in(folder: Path) -> Iterator[Path]:
    files = sorted((path for path in folder.iterdir() if path.is_file()), key=natural_key)
    for path in files:
        if path.name.startswith("."):
            continue
        if path.suffix.lower() in _SCAN_SUFFIXES:
            yield path
        else:
            print(f"Bỏ qua «{path.name}»: không phải tệp quét.", file=sys.stderr)


def _show_progress(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    start = "\r" if sys.stderr.isatty() else ""
    if start or done == total or done % 10 == 0:
        print(f"{start}Đã đọc {done}/{total} trang", end=end or ("" if start else "\n"), file=sys.stderr, flush=True)


def _answer(digitised: Digitised, output: Path) -> int:
    pages = digitised.pages
    rescan = [(place, page) for place, page in enumerate(pages, start=1) if page.needs_rescan]
    if rescan:
        print(f"Đã số hóa {len(pages)} trang vào «{output}», nhưng {len(rescan)} trang cần quét lại:")
    else:
        print(f"Đã số hóa {len(pages)} trang vào «{output}».")
    for place, page in rescan:
        print(f"  Trang {place} («{page.source.name}», trang {page.number}): {_why(page)}.")
    if digitised.signed:
        names = ", ".join(f"«{path.name}»" for path in digitised.signed)
        print(f"Tệp gốc {names} có chữ ký số và được giữ nguyên; bản vừa tạo là bản dẫn xuất, không có chữ ký số.")
    for path, carried in digitised.active:
        inside = ", ".join(label(kind) for kind in carried)
        print(f"Tệp gốc «{path.name}» có {inside}; những thứ này không được đưa vào bản vừa tạo.")
    for place, page in enumerate(pages, start=1):
        remarks = [label(flag) for flag in Flag if flag in page.flags.flags and flag not in RESCAN]
        if remarks:
            print(f"Trang {place}: {', '.join(remarks)}.", file=sys.stderr)
    return NEEDS_RESCAN if rescan else DONE


def _why(page: PageOutcome) -> str:
    reasons = []
    for flag in Flag:
        if flag in page.flags.flags & RESCAN:
            measured = f" ({page.flags.measured['dpi']:.0f} dpi)" if flag is Flag.LOW_RESOLUTION else ""
            reasons.append(label(flag) + measured)
    if page.unread:
        reasons.append(_UNREAD.get(page.unread, "không đọc được chữ"))
    return ", ".join(reasons)

"""The door for scans: what a file is, and its pages as pixels, whatever somebody sends.

A scan comes from a stranger's machine. Its type is found in its first bytes, never in its name; sizes are read from
headers before anything is decoded; and every way of being bad ends in `UnreadableScan` with a stable reason and words
for the person at the counter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from digitize import picture
from digitize.types import PageImage, ScanFacts, UnreadableScan

if TYPE_CHECKING:
    from pathlib import Path

PDF = "application/pdf"
_HEAD_BYTES = 1024
#: What an iPhone writes unless told otherwise (ISO/IEC 23008-12, annex B): pictures in HEVC, which we can't read.
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


@dataclass(frozen=True)
class Limits:
    """How much is accepted of one file.

    Attributes:
        max_bytes: Size of the file.
        max_pages: Pages in it.
        max_pixels: Pixels of one page, as stored.
    """

    max_bytes: int = 200 * 1024 * 1024
    max_pages: int = 2000
    max_pixels: int = 180_000_000


LIMITS = Limits()


def inspect(path: Path, *, limits: Limits = LIMITS) -> ScanFacts:
    """Find out what a scan is, without decoding its pages.

    Raises:
        UnreadableScan: See its `reason`.
    """
    kind = media_type(path, limits)
    if kind == PDF:
        from digitize.pdf import scan as pdf_scan

        facts = pdf_scan.inspect(path, max_pixels=limits.max_pixels)
    else:
        facts = ScanFacts(kind, picture.count_pages(path, kind, max_pixels=limits.max_pixels))
    if facts.pages < 1:
        raise UnreadableScan("no_pages", "Tệp không có trang nào. Hãy quét lại và gửi tệp khác.")
    if facts.pages > limits.max_pages:
        raise UnreadableScan(
            "too_many_pages",
            f"Tệp có {facts.pages} trang, nhiều hơn mức nhận {limits.max_pages} trang. Hãy chia thành nhiều tệp.",
        )
    return facts


def page(path: Path, number: int, *, limits: Limits = LIMITS) -> PageImage:
    """Decode one page.

    Args:
        path: A file that `inspect` accepts.
        number: 1-based.
        limits: As for `inspect`.

    Raises:
        UnreadableScan: The file or this page can't be read; "no_pages" when there is no such page.
    """
    kind = media_type(path, limits)
    if number < 1:
        raise UnreadableScan("no_pages", "Số trang phải từ 1 trở lên.")
    if kind == PDF:
        from digitize.pdf import scan as pdf_scan

        return pdf_scan.page(path, number, max_pixels=limits.max_pixels)
    return picture.page(path, number, kind, max_pixels=limits.max_pixels)


def media_type(path: Path, limits: Limits = LIMITS) -> str:
    """What a file is by its first bytes.

    Raises:
        UnreadableScan: Empty, too large, or nothing we take.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise UnreadableScan("damaged", "Không đọc được tệp trên máy. Hãy kiểm tra tệp rồi thử lại.") from error
    if size == 0:
        raise UnreadableScan("empty", "Tệp rỗng (0 byte). Hãy quét lại và gửi tệp khác.")
    if size > limits.max_bytes:
        raise UnreadableScan(
            "too_large",
            f"Tệp nặng {size // 2**20} MB, quá mức nhận {limits.max_bytes // 2**20} MB. Hãy chia thành nhiều tệp.",
        )
    return _sniff(head)


def _sniff(head: bytes) -> str:
    # Readers accept a PDF whose header starts anywhere in the first kilobyte; mail gateways do put bytes before it.
    if b"%PDF-" in head:
        return PDF
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "image/tiff"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        raise UnreadableScan(
            "heic",
            "Ảnh dạng HEIC của iPhone không nhận được ở đây. Trên iPhone vào Cài đặt → Camera → Định dạng, chọn Tương "
            "thích nhất rồi chụp lại; hoặc xuất ảnh ra JPEG.",
        )
    raise UnreadableScan(
        "wrong_type",
        "Tệp không phải PDF, JPEG, PNG, WebP hay TIFF (xét theo nội dung, không theo tên). Hãy quét lại thành PDF.",
    )

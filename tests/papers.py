"""Small files for tests: papers that can be read in a second, and files that can't be taken at all."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import pikepdf
import pypdfium2
import typst
from PIL import Image

from signing import templates, typeface, typesetting

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

_PAGE = """
#set page(width: 148mm, height: 105mm, margin: 12mm)
#set text(font: "{typeface}", size: 13pt, lang: "vi")
{body}
"""


def page_pdf(*paragraphs: str) -> bytes:
    """A small born-digital page with these paragraphs."""
    source = _PAGE.format(typeface=typeface.ours().family, body="\n\n".join(paragraphs).replace("@", "\\@"))
    made = typst.compile(
        source.encode(),
        font_paths=typesetting.fonts(typeface.FOLDER),
        format="pdf",
    )
    assert isinstance(made, bytes)
    return made


def scan_png(*paragraphs: str, dpi: int = 200) -> bytes:
    """The same page as a clean scan."""
    return scanned(page_pdf(*paragraphs), dpi=dpi)


def decision_pdf(*, number: int, dated: date) -> bytes:
    """A decision in the layout of Decree 30."""
    data = {
        "agency_name": "Ủy ban nhân dân phường Hồng Gai",
        "place": "Hồng Gai",
        "symbol": "QĐ-UBND",
        "number": number,
        "dated": dated,
        "subject": "Về việc công nhận tổ hòa giải",
        "authority": "Chủ tịch Ủy ban nhân dân phường Hồng Gai",
        "bases": ["Căn cứ Luật Tổ chức chính quyền địa phương ngày 16 tháng 6 năm 2025"],
        "articles": ["Công nhận tổ hòa giải.", "Quyết định này có hiệu lực kể từ ngày ký."],
        "signer_title": "Chủ tịch",
        "signer_name": "Trần Thị Bình",
    }
    return templates.render("decision", data).pdf


def scanned(pdf: bytes, *, dpi: int = 300) -> bytes:
    """The first page of a PDF as a clean scan, PNG."""
    document = pypdfium2.PdfDocument(pdf)
    picture = document[0].render(scale=dpi / 72).to_pil().convert("RGB")
    document.close()
    file = io.BytesIO()
    picture.save(file, "PNG", dpi=(dpi, dpi))
    return file.getvalue()


def scan_pdf(*pages: str, dpi: int = 200) -> bytes:
    """Pages as a scanner's PDF: pictures only."""
    pictures = [Image.open(io.BytesIO(scan_png(text, dpi=dpi))) for text in pages]
    file = io.BytesIO()
    pictures[0].save(file, "PDF", resolution=dpi, save_all=True, append_images=pictures[1:])
    return file.getvalue()


def _encrypted() -> bytes:
    file = io.BytesIO()
    with pikepdf.open(io.BytesIO(page_pdf("Mật"))) as pdf:
        pdf.save(file, encryption=pikepdf.Encryption(owner="o", user="u"))
    return file.getvalue()


def _no_pages() -> bytes:
    file = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.save(file)
    return file.getvalue()


def _png(width: int, height: int) -> bytes:
    """A PNG of that many pixels whose data is a few kilobytes of zeros."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = zlib.compress(bytes(width // 8 + 1) * 64, 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def heic() -> bytes:
    """The head of an iPhone's picture (ISO/IEC 14496-12, 4.3), and some bytes behind it."""
    kind = struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"heic", 0, b"mif1", b"heic")
    return kind + struct.pack(">I4s", 5128, b"mdat") + bytes(range(256)) * 20


#: File name, content, and the reason it is refused with.
BAD_FILES: dict[str, tuple[str, Callable[[], bytes], set[str]]] = {
    "empty": ("trong.pdf", lambda: b"", {"empty"}),
    "truncated pdf": ("cut.pdf", lambda: scan_pdf("Đơn đề nghị")[:4000], {"truncated", "damaged"}),
    "truncated png": ("cut.png", lambda: scan_png("Đơn đề nghị")[:3000], {"truncated", "damaged"}),
    "encrypted": ("mat-khau.pdf", _encrypted, {"encrypted"}),
    "wrong type": ("don.pdf", lambda: b"MZ\x90\x00" + bytes(2000), {"wrong_type"}),
    "text in disguise": ("don.jpg", lambda: "Xin chào".encode() * 50, {"wrong_type"}),
    "heic": ("IMG_0001.HEIC", heic, {"heic"}),
    "no pages": ("khong-trang.pdf", _no_pages, {"no_pages", "damaged"}),
    "huge picture": ("lon.png", lambda: _png(60_000, 60_000), {"page_too_large"}),
}

"""What can be said of a PDF/A without the reference validator: the rules that templates break in practice.

veraPDF judges our own templates in tests; where an agency's template is taken in, no Java is at hand. What is looked at
here: the claim, the output intent, fonts embedded and mappable to Unicode, nothing that acts, nothing attached, nothing
encrypted, images without interpolation, every annotation printed and drawn.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACTS = ("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/ResetForm", "/Movie", "/Sound", "/Hide", "/SetState")
_LEVELS = {"A", "U", "B"}
_PRINTED, _HIDDEN = 4, 2 | 1 | 32


def claimed(pdf: bytes) -> str:
    """What it says it is, "2a", "2u" or "2b"; "" when it says nothing of the kind."""
    with pikepdf.open(BytesIO(pdf)) as document, document.open_metadata() as said:
        part, level = str(said.get("pdfaid:part", "")), str(said.get("pdfaid:conformance", ""))
    return f"{part}{level.lower()}" if part == "2" and level in _LEVELS else ""


def broken_rules(pdf: bytes) -> list[str]:
    """Which of the rules it breaks, in words; none when it keeps them."""
    try:
        with pikepdf.open(BytesIO(pdf)) as document:
            return [*dict.fromkeys(_broken(document, claimed(pdf)))]
    except pikepdf.PdfError:
        return ["không phải PDF (no PDF)"]


def _broken(document: pikepdf.Pdf, level: str) -> Iterator[str]:
    root = document.Root
    if not level:
        yield "không tự nhận là PDF/A-2 (doesn't claim PDF/A-2)"
    if document.is_encrypted:
        yield "được mã hóa (encrypted)"
    intents = [one for one in root.get("/OutputIntents", []) if one.get("/S") == pikepdf.Name.GTS_PDFA1]
    if not any("/DestOutputProfile" in one for one in intents):
        yield "thiếu hồ sơ màu (no output intent)"
    if "/ID" not in document.trailer:
        yield "thiếu mã tệp (no file identifier)"
    if level == "2a" and not (_is_marked(root) and "/StructTreeRoot" in root):
        yield "không có cấu trúc (untagged)"
    if "/OpenAction" in root or "/AA" in root or "/JavaScript" in root.get("/Names", {}):
        yield "có hành động tự chạy (acts by itself)"
    if "/EmbeddedFiles" in root.get("/Names", {}):
        yield "có tệp đính kèm (files attached)"
    for thing in document.objects:
        if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
            yield from _of_thing(thing, unicode_asked=level in {"2a", "2u"})


def _is_marked(root: Any) -> bool:
    return "/MarkInfo" in root and bool(root.MarkInfo.get("/Marked", False))


def _of_thing(thing: Any, *, unicode_asked: bool) -> Iterator[str]:
    kind, sort = str(thing.get("/Type", "")), str(thing.get("/Subtype", ""))
    if str(thing.get("/S", "")) in _ACTS or "/AA" in thing:
        yield "có hành động (an action)"
    if kind == "/Font":
        yield from _of_font(thing, sort, unicode_asked=unicode_asked)
    if sort == "/Image" and thing.get("/Interpolate", False):
        yield "ảnh được nội suy (an interpolated image)"
    if sort in {"/PS", "/Movie", "/Sound", "/3D", "/RichMedia", "/Screen", "/FileAttachment"}:
        yield f"có {sort} (isn't allowed)"
    if kind == "/Annot" and sort != "/Popup":
        flags = int(thing.get("/F", 0))
        if not flags & _PRINTED or flags & _HIDDEN:
            yield "có chú thích không in (an annotation that isn't printed)"
        if sort not in {"/Link", "/Popup"} and "/AP" not in thing:
            yield "có chú thích không vẽ (an annotation without appearance)"
    if "/LZWDecode" in str(thing.get("/Filter", "")):
        yield "nén LZW (LZW)"


def _of_font(font: Any, sort: str, *, unicode_asked: bool) -> Iterator[str]:
    name = str(font.get("/BaseFont", "?")).lstrip("/")
    if sort == "/Type3":
        yield "có phông vẽ (Type 3 font)"
    if unicode_asked and sort not in {"/CIDFontType0", "/CIDFontType2"} and "/ToUnicode" not in font:
        yield f"phông {name} không dò được chữ (no Unicode)"
    if sort in {"/CIDFontType0", "/CIDFontType2", "/TrueType", "/Type1"}:
        told = font.get("/FontDescriptor", {})
        if not any(f"/FontFile{which}" in told for which in ("", "2", "3")):
            yield f"phông {name} không được nhúng (isn't embedded)"

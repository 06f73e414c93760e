"""PDFs as scans: counted and judged with pypdf, turned into pixels with PDFium.

A scanner's PDF is usually one picture a page. That picture is taken as it is, at its own resolution: drawing the page
anew would blur it. What stands upon it, such as the visible signatures of a scan that arrived signed, is laid over it.
"""

from __future__ import annotations

import ctypes
import math
import threading
import warnings
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pikepdf
import pypdf
import pypdf.errors
import pypdfium2
import pypdfium2.raw as pdfium

from digitize.cleaning.resample import shrunk
from digitize.pdf import active_content
from digitize.pdf import cost as pdf_cost
from digitize.pdf import words as pdf_words
from digitize.types import PageImage, ScanFacts, UnreadableScan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

POINTS_PER_INCH = 72.0
#: Marks a page's picture as a photograph, bound by `digitize.parts`: how large the paper is, nobody has measured.
PHOTOGRAPH = "HosoPhotograph"

_DRAWN_DPI = 300.0  # for pages without a picture of their own
_FINEST_DPI = 400.0
_COARSEST_DPI = 100.0
_COVERS = 0.90  # share of the page's width and height from which a picture is the page
_SQUARE = 0.015  # how far from square a scanner's pixels may be and still be taken as they are
_SAMPLE_PAGES = 20  # pages looked at to call a PDF born digital
_MOST_SHOWN_PIXELS = 8_000_000  # of a page that is looked at: A3 at 200 dpi

_COARSELY = {8: cv2.IMREAD_REDUCED_GRAYSCALE_8, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4, 2: cv2.IMREAD_REDUCED_GRAYSCALE_2}

#: PDFium keeps global state and may be called by one thread at a time.
_ONE_AT_A_TIME = threading.Lock()


def inspect(path: Path, *, max_pixels: int) -> ScanFacts:
    """Count the pages, see whether any signature is in it, and whether it is a scan at all.

    Raises:
        UnreadableScan: Encrypted, truncated or damaged, or its first page is too large.
    """
    signed, counted = _judged(path)
    if counted == 0:  # PDFium calls such a file damaged
        return ScanFacts("application/pdf", 0)
    _refuse_bombs(path, range(1, min(counted or _SAMPLE_PAGES, _SAMPLE_PAGES) + 1))
    with _opened(path) as document:
        pages = len(document)
        looked_at = min(pages, _SAMPLE_PAGES)
        with_text = 0
        for index in range(looked_at):
            with closing(document[index]) as leaf:
                if index == 0:
                    _refuse_large(leaf, max_pixels)
                if _picture_of(leaf) is None and _has_text(leaf):
                    with_text += 1
    born_digital = pages > 0 and with_text == looked_at
    carried = active_content.found(path)
    return ScanFacts("application/pdf", pages, signed=signed, born_digital=born_digital, active_content=carried)


def page(path: Path, number: int, *, max_pixels: int) -> PageImage:
    """One page as pixels: the scan's own picture where there is one, drawn at 300 dpi otherwise.

    Raises:
        UnreadableScan: No such page, damaged, or larger than `max_pixels`.
    """
    _refuse_bombs(path, (number,))
    with _opened(path) as document:
        if number > len(document):
            raise UnreadableScan("no_pages", f"Tệp chỉ có {len(document)} trang, không có trang {number}.")
        document.init_forms()  # before the page is loaded, or its signature fields are not drawn
        with closing(document[number - 1]) as leaf:
            _refuse_large(leaf, max_pixels)
            whole = _picture_of(leaf)
            own = whole and _own_pixels(leaf, whole)
            image = own or _drawn(leaf, whole.dpi if whole else _DRAWN_DPI, max_pixels)
            if whole is not None and whole.photographed:
                image = replace(image, dpi_is_stated=False)
            # Under a picture that is the page stands a scanner's reading, or anything: it isn't what is seen.
            if whole is None and leaf.get_rotation() == 0 and not pdf_words.are_under_pictures(leaf):
                image = replace(image, **_own_words(document, number, leaf, image.dpi))
            return replace(image, active=number == 1 and bool(active_content.found(path)))


def sheet_sizes(path: Path) -> list[tuple[float, float]]:
    """Width and height of every page as a reader sees it, in points; nothing is drawn.

    Raises:
        UnreadableScan: Damaged.
    """
    with _opened(path) as document:
        return [document.get_page_size(index) for index in range(len(document))]


def page_jpeg(path: Path, number: int, *, dpi: float, max_pixels: int) -> bytes:
    """One page as a reader sees it, with its stamps and signatures: a JPEG at `dpi`, coarser for a huge sheet.

    Raises:
        UnreadableScan: No such page, damaged, or larger than `max_pixels` even when coarse.
    """
    _refuse_bombs(path, (number,))
    with _opened(path) as document:
        if not 1 <= number <= len(document):
            raise UnreadableScan("no_pages", f"Tệp chỉ có {len(document)} trang, không có trang {number}.")
        document.init_forms()  # before the page is loaded, or its signature fields are not drawn
        with closing(document[number - 1]) as leaf:
            _refuse_large(leaf, max_pixels)
            width_pt, height_pt = leaf.get_size()
            dpi = min(dpi, math.sqrt(_MOST_SHOWN_PIXELS / (width_pt * height_pt / POINTS_PER_INCH**2)))
            width, height = (max(1, round(side / POINTS_PER_INCH * dpi)) for side in (width_pt, height_pt))
            pixels = _bitmap(leaf, width, height, annotations=True)
    clear = [cv2.IMWRITE_JPEG_QUALITY, 88, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), clear)
    return data.tobytes()


def small_page(path: Path, number: int, *, dpi: float, max_pixels: int) -> NDArray[np.uint8]:
    """A page in grey at about `dpi`, without what is drawn upon it.

    Raises:
        UnreadableScan: Damaged, or larger than `max_pixels`.
    """
    _refuse_bombs(path, (number,))
    with _opened(path) as document, closing(document[number - 1]) as leaf:
        _refuse_large(leaf, max_pixels)
        width_pt, height_pt = leaf.get_size()
        dpi = min(dpi, math.sqrt(_MOST_SHOWN_PIXELS / (width_pt * height_pt / POINTS_PER_INCH**2)))
        width, height = (max(1, round(side / POINTS_PER_INCH * dpi)) for side in (width_pt, height_pt))
        return np.asarray(cv2.cvtColor(_bitmap(leaf, width, height, annotations=False), cv2.COLOR_RGB2GRAY))


def glimpse(path: Path, number: int, *, dpi: float, max_pixels: int) -> tuple[NDArray[np.uint8], float] | None:
    """A page in grey, as coarse as its JPEG can be decoded without falling below `dpi`; and its resolution.

    A tenth of what drawing costs. None for a page that is more than one upright JPEG, or another thing: draw it.

    Raises:
        UnreadableScan: Damaged, or larger than `max_pixels`.
    """
    _refuse_bombs(path, (number,))
    with _opened(path) as document, closing(document[number - 1]) as leaf:
        _refuse_large(leaf, max_pixels)
        whole = _picture_of(leaf)
        if whole is None or not whole.upright or whole.image.get_filters() != ["DCTDecode"]:
            return None
        jpeg, own_dpi = np.frombuffer(whole.image.get_data(), dtype=np.uint8), whole.dpi
    coarse = next((mode for times, mode in _COARSELY.items() if own_dpi / times >= dpi), cv2.IMREAD_GRAYSCALE)
    pixels = cv2.imdecode(jpeg, coarse | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        return None
    return np.asarray(pixels, dtype=np.uint8), own_dpi * pixels.shape[1] / whole.width_px


def _judged(path: Path) -> tuple[bool, int | None]:
    """Whether a signature field holds a value, and how many pages pypdf counts; None when it can't.

    Raises:
        UnreadableScan: Only a password opens it.
    """
    try:
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")
            reader = pypdf.PdfReader(file, strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                raise pypdf.errors.FileNotDecryptedError  # noqa: TRY301  answered below with its kind
            return _form_has_signature(reader) or _pages_have_signature(reader), len(reader.pages)
    except (pypdf.errors.FileNotDecryptedError, pypdf.errors.DependencyError) as error:
        raise _encrypted() from error
    except (Exception, RecursionError):  # noqa: BLE001  a hostile file may break pypdf anywhere; PDFium is asked next
        return _signed_by_bytes(path), None


def _form_has_signature(reader: pypdf.PdfReader) -> bool:
    form = _dictionary(reader.root_object.get("/AcroForm"))
    return form is not None and _any_signed(form.get("/Fields"), "", set())


def _pages_have_signature(reader: pypdf.PdfReader) -> bool:
    """Some producers leave a signature's widget on a page and forget to list it in the form."""
    for leaf in reader.pages[: min(len(reader.pages), _SAMPLE_PAGES)]:
        annotations = leaf.get("/Annots")
        if annotations is not None and _any_signed(annotations.get_object(), "", set()):
            return True
    return False


def _any_signed(fields: Any, inherited_type: str, seen: set[int]) -> bool:
    """Walk a field tree that may loop or hold anything at all."""
    waiting = [(fields, inherited_type)]
    while waiting:
        node, kind = waiting.pop()
        entries = node.get_object() if hasattr(node, "get_object") else node
        if not isinstance(entries, list):
            continue
        for entry in entries:
            field = _dictionary(entry)
            if field is None or id(field) in seen:
                continue
            seen.add(id(field))
            own_kind = str(field.get("/FT", kind))
            value = _dictionary(field.get("/V"))
            if own_kind == "/Sig" and value is not None and "/Contents" in value:
                return True
            waiting.append((field.get("/Kids"), own_kind))
    return False


def _dictionary(value: Any) -> dict[str, Any] | None:
    found = value.get_object() if hasattr(value, "get_object") else value
    return found if isinstance(found, dict) else None


def _signed_by_bytes(path: Path) -> bool:
    """When its structure can't be followed: a byte range is what every PDF signature writes in clear."""
    overlap = b""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            if b"/ByteRange" in overlap + chunk:
                return True
            overlap = chunk[-16:]
    return False


def _refuse_bombs(path: Path, numbers: Iterable[int]) -> None:
    """Refuse a page that takes more than any honest one, before PDFium reads it.

    Raises:
        UnreadableScan: It does, or only PDFium can follow the file, so that nothing is known of it beforehand.
    """
    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            reckoning = pdf_cost.Reckoning()
            for number in numbers:
                if 1 <= number <= len(pdf.pages):
                    reckoning.page(pdf.pages[number - 1])
    except (pypdf.errors.LimitReachedError, pdf_cost.TooMuch, MemoryError) as error:
        raise _bomb() from error
    except (Exception, RecursionError) as error:  # a hostile file may break it anywhere
        with _opened(path):  # which has its own words for a file that is encrypted or cut off
            raise UnreadableScan("damaged", "Tệp PDF hỏng, không mở được trang. Hãy quét lại.") from error


def _bomb() -> UnreadableScan:
    return UnreadableScan("page_too_large", "Trang phình ra quá lớn khi giải nén, không nhận. Hãy quét lại trang này.")


def _encrypted() -> UnreadableScan:
    return UnreadableScan("encrypted", "Tệp PDF có mật khẩu nên không đọc được. Hãy bỏ mật khẩu rồi gửi lại.")


@contextmanager
def _opened(path: Path) -> Iterator[pypdfium2.PdfDocument]:
    with _ONE_AT_A_TIME:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            raise _unopened(path, error) from error
        try:
            yield document
        except pypdfium2.PdfiumError as error:
            raise UnreadableScan("damaged", "Tệp PDF hỏng, không mở được trang. Hãy quét lại.") from error
        except MemoryError as error:
            raise _bomb() from error
        finally:
            document.close()


def _unopened(path: Path, error: pypdfium2.PdfiumError) -> UnreadableScan:
    if getattr(error, "err_code", None) in {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}:
        return _encrypted()
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2048))
        if b"%%EOF" not in file.read():
            return UnreadableScan("truncated", "Tệp PDF bị cắt cụt, chưa nhận đủ. Hãy gửi lại hoặc quét lại.")
    return UnreadableScan("damaged", "Tệp PDF hỏng, không mở được. Hãy quét lại và gửi tệp khác.")


@dataclass(frozen=True)
class _Picture:
    """A picture that covers its page."""

    image: Any
    width_px: int
    height_px: int
    across_dpi: float
    down_dpi: float
    upright: bool
    photographed: bool = False

    @property
    def dpi(self) -> float:
        return math.sqrt(self.across_dpi * self.down_dpi)


def _picture_of(leaf: pypdfium2.PdfPage) -> _Picture | None:
    """The one picture that is the page, if there is one."""
    page_width, page_height = leaf.get_size()
    if leaf.get_rotation() in {90, 270}:
        page_width, page_height = page_height, page_width
    found = None
    others = 0
    for thing in leaf.get_objects(max_depth=3):
        if thing.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = thing.get_bounds()
            width, height = right - left, top - bottom
            if width >= _COVERS * page_width and height >= _COVERS * page_height and found is None:
                width_px, height_px = thing.get_px_size()
                if not width_px or not height_px:
                    continue
                a, b, c, d, _, _ = thing.get_matrix().get()
                upright = a > 0 and d > 0 and abs(b) + abs(c) < 1e-3 * a and leaf.get_rotation() == 0
                across, down = width_px / width * POINTS_PER_INCH, height_px / height * POINTS_PER_INCH
                whole = width <= page_width / _COVERS and height <= page_height / _COVERS and thing.container is None
                found = _Picture(thing, width_px, height_px, across, down, upright and whole, _is_marked(thing))
                continue
            others += 1
        elif thing.type != pdfium.FPDF_PAGEOBJ_TEXT or _is_visible(thing):
            others += 1
    if found and others:
        return replace(found, upright=False)
    return found


def _is_marked(thing: Any) -> bool:
    """Whether we bound this picture into the PDF as a photograph."""
    for index in range(pdfium.FPDFPageObj_CountMarks(thing)):
        name, used = (ctypes.c_ushort * (len(PHOTOGRAPH) + 1))(), ctypes.c_ulong()
        mark = pdfium.FPDFPageObj_GetMark(thing, index)
        read = pdfium.FPDFPageObjMark_GetName(mark, name, ctypes.sizeof(name), used)
        if read and bytes(name).decode("utf-16-le", "replace").rstrip("\0") == PHOTOGRAPH:
            return True
    return False


def _is_visible(text: Any) -> bool:
    return bool(pdfium.FPDFTextObj_GetTextRenderMode(text) != pdfium.FPDF_TEXTRENDERMODE_INVISIBLE)


def _has_text(leaf: pypdfium2.PdfPage) -> bool:
    with closing(leaf.get_textpage()) as text:
        return bool(text.count_chars() > 0)


def _own_pixels(leaf: pypdfium2.PdfPage, whole: _Picture) -> PageImage | None:
    """The picture itself, if it is what the page shows; None when the page must be drawn instead."""
    if not whole.upright or abs(whole.across_dpi / whole.down_dpi - 1) > _SQUARE or whole.dpi > _FINEST_DPI:
        return None
    try:
        pixels = _as_rgb(whole.image.get_bitmap())
    except pypdfium2.PdfiumError:
        return None
    if pixels.shape[:2] != (whole.height_px, whole.width_px) or not _shows(leaf, pixels):
        return None
    bitonal = _is_bitonal(whole.image, pixels)
    if pdfium.FPDFPage_GetAnnotCount(leaf) > 0:
        bare = _bitmap(leaf, whole.width_px, whole.height_px, annotations=False)
        stamped = _bitmap(leaf, whole.width_px, whole.height_px, annotations=True)
        differs = (bare != stamped).any(axis=2)
        if differs.any():
            pixels[differs] = stamped[differs]
            bitonal = False
    return PageImage(pixels, whole.dpi, bitonal=bitonal)


def _shows(leaf: pypdfium2.PdfPage, pixels: NDArray[np.uint8]) -> bool:
    """Whether the page, drawn small, looks like the picture: masks, inverted colours and clips make it differ."""
    height, width = 150, 106
    drawn = _bitmap(leaf, width, height, annotations=False)
    small = cv2.resize(shrunk(pixels, 4 * width / pixels.shape[1]), (width, height), interpolation=cv2.INTER_AREA)
    return float(np.mean(cv2.absdiff(drawn, small))) < 16  # noqa: PLR2004  two ways of shrinking differ by 2 to 8


def _is_bitonal(image: Any, pixels: NDArray[np.uint8]) -> bool:
    metadata = image.get_metadata()
    if metadata.bits_per_pixel != 1:
        return False
    return not bool(((pixels != 0) & (pixels != 255)).any())  # noqa: PLR2004  a palette may hold two other colours


def _drawn(leaf: pypdfium2.PdfPage, dpi: float, max_pixels: int) -> PageImage:
    width_pt, height_pt = leaf.get_size()
    square_inches = width_pt * height_pt / POINTS_PER_INCH**2
    dpi = min(max(dpi, _COARSEST_DPI), _FINEST_DPI, math.sqrt(max_pixels / square_inches))
    width = max(1, round(width_pt / POINTS_PER_INCH * dpi))
    height = max(1, round(height_pt / POINTS_PER_INCH * dpi))
    pixels = _bitmap(leaf, width, height, annotations=True)
    return PageImage(pixels, dpi)


def _own_words(document: pypdfium2.PdfDocument, number: int, leaf: pypdfium2.PdfPage, dpi: float) -> dict[str, Any]:
    """The words of a page and whether they are all of it; those of stamps and signatures drawn upon it too."""
    is_all = pdf_words.are_all(leaf)
    if pdfium.FPDFPage_GetAnnotCount(leaf) > 0:  # what is drawn upon the page becomes the page's own, in memory
        pdfium.FPDFPage_Flatten(leaf, pdfium.FLAT_NORMALDISPLAY)
        with closing(document[number - 1]) as whole:
            words = tuple(pdf_words.of(whole, dpi))
    else:
        words = tuple(pdf_words.of(leaf, dpi))
    return {"own_words": words, "own_is_all": is_all and bool(words)}


def _bitmap(leaf: pypdfium2.PdfPage, width: int, height: int, *, annotations: bool) -> NDArray[np.uint8]:
    """The page drawn on white, RGB, stretched to the size asked for."""
    flags = pdfium.FPDF_ANNOT if annotations else 0
    with closing(pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGR)) as bitmap:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        pdfium.FPDF_RenderPageBitmap(bitmap, leaf, 0, 0, width, height, 0, flags)
        if annotations and leaf.formenv:
            pdfium.FPDF_FFLDraw(leaf.formenv, bitmap, leaf, 0, 0, width, height, 0, flags)
        return _as_rgb(bitmap)


def _as_rgb(bitmap: pypdfium2.PdfBitmap) -> NDArray[np.uint8]:
    """A copy that outlives the bitmap."""
    pixels = bitmap.to_numpy()
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]  # noqa: PLR2004
    if channels == 1:
        return np.asarray(cv2.cvtColor(pixels.reshape(pixels.shape[:2]), cv2.COLOR_GRAY2RGB), dtype=np.uint8)
    conversion = cv2.COLOR_BGRA2RGB if channels == 4 else cv2.COLOR_BGR2RGB  # noqa: PLR2004
    return np.asarray(cv2.cvtColor(pixels, conversion), dtype=np.uint8)


def _refuse_large(leaf: pypdfium2.PdfPage, max_pixels: int) -> None:
    """Refuse before decoding: a page whose picture, or whose paper, is larger than anything we take."""
    for thing in leaf.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        width, height = ctypes.c_uint(), ctypes.c_uint()
        if pdfium.FPDFImageObj_GetImagePixelSize(thing, width, height) and width.value * height.value > max_pixels:
            raise UnreadableScan(
                "page_too_large",
                f"Trang quá lớn ({width.value * height.value // 10**6} triệu điểm ảnh), không nhận. "
                "Hãy quét lại ở 300 dpi.",
            )
    width_pt, height_pt = leaf.get_size()
    if not (math.isfinite(width_pt) and math.isfinite(height_pt)) or min(width_pt, height_pt) < 1:
        raise UnreadableScan("damaged", "Trang PDF không có kích thước hợp lệ. Hãy quét lại.")
    if width_pt * height_pt / POINTS_PER_INCH**2 * _COARSEST_DPI**2 > max_pixels:
        raise UnreadableScan("page_too_large", "Khổ trang PDF quá lớn, không nhận. Hãy quét lại đúng khổ giấy.")

"""What stands on a made page, read back and measured: letters with box, size and font, and the rules between them."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import pypdfium2 as pdfium
from pypdfium2 import raw

if TYPE_CHECKING:
    from signing.templates import RenderedResult


class Letter:
    def __init__(self, page: Any, at: int) -> None:
        self.text = page.get_text_range(at, 1)
        self.left, self.base, self.right, self.top = page.get_charbox(at, loose=False)
        self.size = raw.FPDFText_GetFontSize(page.raw, at)
        buffer = ctypes.create_string_buffer(128)
        length = raw.FPDFText_GetFontInfo(page.raw, at, buffer, 128, None)
        self.font = bytes(buffer)[: max(length - 1, 0)].decode().rpartition("+")[2]


def page_letters(rendered: RenderedResult, index: int) -> list[Letter]:
    with pdfium.PdfDocument(rendered.pdf) as document:
        page = document[index]
        text = page.get_textpage()
        letters = [Letter(text, at) for at in range(text.count_chars())]
        text.close()
        page.close()
    return [letter for letter in letters if letter.text.isprintable()]


def find(letters: list[Letter], phrase: str, nth: int = 0) -> list[Letter]:
    """The printed letters of a phrase, spaces left out."""
    shown = [letter for letter in letters if letter.text.strip()]
    whole, wanted = "".join(letter.text for letter in shown), "".join(phrase.split())
    starts = [at for at in range(len(whole)) if whole.startswith(wanted, at)]
    return shown[starts[nth] : starts[nth] + len(wanted)]


def middle(letters: list[Letter]) -> float:
    return (min(letter.left for letter in letters) + max(letter.right for letter in letters)) / 2


def rules(rendered: RenderedResult) -> list[tuple[float, float, float]]:
    """Left, right and height of the horizontal lines of the first page."""
    with pdfium.PdfDocument(rendered.pdf) as document:
        page = document[0]
        boxes = [thing.get_bounds() for thing in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=1)]
        page.close()
    return [(left, right, low) for left, low, right, high in boxes if high - low < 3]


def text_of(rendered: RenderedResult, index: int = 0) -> str:
    with pdfium.PdfDocument(rendered.pdf) as document:
        page = document[index]
        text = page.get_textpage()
        found = text.get_text_range()
        text.close()
        page.close()
    return str(found)


def page_count(rendered: RenderedResult) -> int:
    with pdfium.PdfDocument(rendered.pdf) as document:
        return len(document)

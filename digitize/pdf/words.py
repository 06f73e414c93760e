"""The words that a PDF's page itself says it shows, with their places.

Only words that are drawn: text in the invisible mode isn't, and text under a picture that came later may not be. Pages
set in fonts of the time before Unicode say nonsense ("Céng hßa" for "Cộng hòa"); they are recognised by their names,
and such a page says nothing.
"""

from __future__ import annotations

import ctypes
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pypdfium2.raw as pdfium

from digitize.types import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pypdfium2

_MOST_LETTERS = 20_000
_POINTS_PER_INCH = 72.0
#: Fonts of the TCVN3 and VNI encodings call themselves so, after a subset's tag.
_BEFORE_UNICODE = re.compile(r"^(?:[A-Z]{6}\+)?(?:\.Vn|VNI-)", re.IGNORECASE)
#: How PDFium says a hyphen at the end of a line; what follows stands on the next one.
_BREAKING = {0x02: "-", 0xFFFE: "-"}
_WORD = re.compile(r"[^\s\x00-\x1f\ufffe]+[\x02\ufffe]?")
_HIDDEN_MODES = frozenset({pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP})


def of(leaf: pypdfium2.PdfPage, dpi: float) -> Iterator[tuple[str, Box]]:
    """Words of the page's text with their boxes in pixels of the page drawn at `dpi`; none in a font before Unicode."""
    left_pt, _, _, top_pt = leaf.get_bbox()
    points = dpi / _POINTS_PER_INCH
    with closing(leaf.get_textpage()) as text:
        count = min(text.count_chars(), _MOST_LETTERS)
        letters = text.get_text_range(0, count) if count > 0 else ""
        if len(letters) != count:  # letters outside the basic plane: places can't be told apart any more
            return
        words = list(_WORD.finditer(letters))
        objects = [pdfium.FPDFText_GetTextObject(text, word.start()) for word in words]
        if any(_BEFORE_UNICODE.match(_font_name(thing)) for thing in objects if thing):
            return
        for word, thing in zip(words, objects, strict=True):
            if thing and pdfium.FPDFTextObj_GetTextRenderMode(thing) in _HIDDEN_MODES:
                continue
            boxes = [text.get_charbox(index) for index in range(*word.span())]
            yield (
                word[0].translate(_BREAKING),
                Box(
                    round((min(box[0] for box in boxes) - left_pt) * points),
                    round((top_pt - max(box[3] for box in boxes)) * points),
                    round((max(box[2] for box in boxes) - left_pt) * points),
                    round((top_pt - min(box[1] for box in boxes)) * points),
                ),
            )


def are_all(leaf: pypdfium2.PdfPage) -> bool:
    """Whether text and lines are all that the page draws: pictures and annotations may show words of their own."""
    if pdfium.FPDFPage_GetAnnotCount(leaf) > 0:
        return False
    return all(thing.type != pdfium.FPDF_PAGEOBJ_IMAGE for thing in leaf.get_objects(max_depth=5))


def _font_name(thing: Any) -> str:
    font = pdfium.FPDFTextObj_GetFont(thing)
    size = pdfium.FPDFFont_GetBaseFontName(font, None, 0) if font else 0
    if not size:
        return ""
    buffer = ctypes.create_string_buffer(size)
    pdfium.FPDFFont_GetBaseFontName(font, buffer, size)
    return buffer.value.decode("utf-8", "replace")

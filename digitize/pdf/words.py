"""The words that a PDF's page itself says it shows, with their places.

Only letters that are drawn: those in the invisible mode or of no opacity aren't, and a word is cut where they stand.
Text under a picture may not be seen either: where pictures cover the page, its text isn't to be believed. Pages set in
fonts of the time before Unicode say nonsense ("Céng hßa" for "Cộng hòa"); they are recognised by their names, and such
a page says nothing.
"""

from __future__ import annotations

import ctypes
import math
import re
from contextlib import closing
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pypdfium2.raw as pdfium

from digitize.types import Box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pypdfium2

_MOST_LETTERS = 20_000
_POINTS_PER_INCH = 72.0
#: Fonts of the TCVN3 and VNI encodings call themselves so, after a subset's tag.
_BEFORE_UNICODE = re.compile(r"^(?:[A-Z]{6}\+)?(?:\.Vn|VNI-)", re.IGNORECASE)
#: How PDFium says a hyphen at the end of a line; what follows stands on the next one.
_BREAKING = {0x02: "-", 0xFFFE: "-"}
_WORD = re.compile(r"[^\s\x00-\x1f\ufffe]+[\x02\ufffe]?")
_HIDDEN_MODES = frozenset({pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP})
_FILLED_MODES = frozenset({pdfium.FPDF_TEXTRENDERMODE_FILL, pdfium.FPDF_TEXTRENDERMODE_FILL_CLIP})
_STROKED_MODES = frozenset({pdfium.FPDF_TEXTRENDERMODE_STROKE, pdfium.FPDF_TEXTRENDERMODE_STROKE_CLIP})
_LIGHT = 200  # of 255, in each colour: hardly to be seen on paper
_COVERS = 0.8  # share of the page's area from which pictures are the page
_COVER_CELLS = 100  # along each side of the page


def of(leaf: pypdfium2.PdfPage, dpi: float) -> Iterator[tuple[str, Box]]:
    """Words of the page's text with their boxes in pixels of the page drawn at `dpi`; none in a font before Unicode."""
    left_pt, _, _, top_pt = leaf.get_bbox()
    points = dpi / _POINTS_PER_INCH
    with closing(leaf.get_textpage()) as text:
        count = min(text.count_chars(), _MOST_LETTERS)
        letters = text.get_text_range(0, count) if count > 0 else ""
        if len(letters) != count:  # letters outside the basic plane: places can't be told apart any more
            return
        words = [word.span() for word in _WORD.finditer(letters)]
        drawn = {index: pdfium.FPDFText_GetTextObject(text, index) for word in words for index in range(*word)}
        # Of each object once: a page has some hundred of them, and thousands of letters.
        by_address = {_address(thing): thing for thing in drawn.values() if thing}
        if any(_BEFORE_UNICODE.match(_font_name(thing)) for thing in by_address.values()):
            return
        hidden = {address for address, thing in by_address.items() if _is_hidden(thing)}
        light = {address for address, thing in by_address.items() if _is_light(thing)}
        looks = {index: (_address(thing) in hidden, _address(thing) in light) for index, thing in drawn.items()}
        for start, end in _seen(words, looks):
            boxes = [text.get_charbox(index) for index in range(start, end)]
            yield (
                letters[start:end].translate(_BREAKING),
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


def are_under_pictures(leaf: pypdfium2.PdfPage) -> bool:
    """Whether pictures cover the page, in one piece or in strips: text may lie under them, unseen."""
    left_pt, bottom_pt, right_pt, top_pt = leaf.get_bbox()
    across, up = (_COVER_CELLS / max(side, 1.0) for side in (right_pt - left_pt, top_pt - bottom_pt))
    covered = np.zeros((_COVER_CELLS, _COVER_CELLS), np.bool_)
    for thing in leaf.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=5):
        left, bottom, right, top = bounds = thing.get_bounds()
        if not all(map(math.isfinite, bounds)):
            continue
        rows = slice(max(0, round((bottom - bottom_pt) * up)), max(0, round((top - bottom_pt) * up)))
        covered[rows, max(0, round((left - left_pt) * across)) : max(0, round((right - left_pt) * across))] = True
    return float(covered.mean()) >= _COVERS


def _seen(words: Iterable[tuple[int, int]], looks: Mapping[int, tuple[bool, bool]]) -> Iterator[tuple[int, int]]:
    """From where to where the words are shown; cut where letters are hidden, and where light ones meet dark ones.

    Light letters may be unseen on the paper: by themselves they are asked for ink, as every word is.
    """
    for first, last in words:
        for (is_hidden, _), piece in groupby(range(first, last), key=looks.__getitem__):
            letters = list(piece)
            if not is_hidden:
                yield letters[0], letters[-1] + 1


def _address(thing: Any) -> int | None:
    return ctypes.cast(thing, ctypes.c_void_p).value


def _is_hidden(thing: Any) -> bool:
    """Whether nothing of a text object is painted: by its mode, or because its paint lets everything through."""
    mode = pdfium.FPDFTextObj_GetTextRenderMode(thing)
    if mode in _HIDDEN_MODES:
        return True
    fill, stroke = (
        _opacity(thing, ask) for ask in (pdfium.FPDFPageObj_GetFillColor, pdfium.FPDFPageObj_GetStrokeColor)
    )
    return (fill if mode in _FILLED_MODES else stroke if mode in _STROKED_MODES else max(fill, stroke)) == 0


def _is_light(thing: Any) -> bool:
    red, green, blue, alpha = (ctypes.c_uint(0) for _ in range(4))
    pdfium.FPDFPageObj_GetFillColor(thing, red, green, blue, alpha)
    return min(red.value, green.value, blue.value) >= _LIGHT


def _opacity(thing: Any, ask: Callable[..., int]) -> int:
    red, green, blue, alpha = (ctypes.c_uint(255) for _ in range(4))
    return int(alpha.value) if ask(thing, red, green, blue, alpha) else 255


def _font_name(thing: Any) -> str:
    font = pdfium.FPDFTextObj_GetFont(thing)
    size = pdfium.FPDFFont_GetBaseFontName(font, None, 0) if font else 0
    if not size:
        return ""
    buffer = ctypes.create_string_buffer(size)
    pdfium.FPDFFont_GetBaseFontName(font, buffer, size)
    return buffer.value.decode("utf-8", "replace")

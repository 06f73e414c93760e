"""Ink of a pen found where a document's number and day stand, and where somebody signed or wrote beside the print.

In most offices the number and the day are filled in by hand on a printed head, and a reader turns them into digits
that look as sure as print. Nothing is read here: it is only told where a hand wrote. Digits of print stand on their
line, are equally tall, and have the strokes, the colour and the form of type of the words beside them; a hand's don't.
All of it is measured against the print of the same line, so that typeface, weight, resolution and scanner fall out, and
black ink on a bitonal page is found as blue ink on a coloured one. Digits that another program set in off the line are
found too: readers stumble over those just as much.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning.resample import shrunk
from digitize.pen import signatures
from digitize.pen import strokes as pen_strokes
from digitize.pen import zones as pen_zones
from digitize.types import MM_PER_INCH, Box, PenMark, PenZone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digitize.types import OcrPage, OcrWord, PageImage

#: Lines are measured with letters about this tall: at fewer pixels a stroke's thickness is a matter of luck.
_LINE_PX = 100
#: A label that was boxed two pixels high is no reason to enlarge the page fifty times.
_MOST_ENLARGED = 8
_MOST_VALUES = 4_000_000  # of an enlarged stretch; an ordinary one has about 1.7 million
_MEASURED_DPI = 75.0
_BLUER = 35
_SIGNATURE_MM = (9.0, 6.0)  # width and height of the least of signatures
_NOTE_MM = 3.5  # a stroke of a note beside the print, at least; coloured print is lower
_JOIN_MM = 1.2
_COVERED = 0.5
_SURE_OF_PRINT = 85.0


def find(page: PageImage, ocr: OcrPage) -> tuple[PenMark, ...]:
    """Find where a pen wrote on a page.

    Args:
        page: The display page, upright and straight, RGB.
        ocr: What was read on it, in its pixels; its printed labels say where number and day belong.

    Returns:
        A mark for each place of number and day with ink that isn't the print's, one for each blue signature or note,
        and one for a black signature above the name of who signs. None for a place that is blank.
    """
    filled_in = tuple(_filled_in(page, ocr))
    blue = tuple(m for m in _blue_ink(page, ocr) if not any(_overlap(m.box, known.box) for known in filled_in))
    black = (
        PenMark(box, PenZone.SIGNATURE)
        for box in signatures.black(page, ocr)
        if not any(_overlap(box, known.box) for known in (*filled_in, *blue))
    )
    return (*filled_in, *blue, *black)


def marked(ocr: OcrPage, marks: tuple[PenMark, ...]) -> OcrPage:
    """The page with its marks, and its words that a pen wrote said to be by pen.

    In the places of number and day that is every word that stands in one in good part. Under a signature print goes on
    being print: only what was read poorly there is the signature's.
    """
    return replace(ocr, words=tuple(replace(w, by_pen=_is_by_pen(w, marks)) for w in ocr.words), pen=marks)


def _is_by_pen(word: OcrWord, marks: tuple[PenMark, ...]) -> bool:
    for mark in marks:
        share = _share(word.box, mark.box)
        if mark.zone in (PenZone.NUMBER, PenZone.DAY):
            # "Số:11" is a word of which a part is by hand: the whole of it is a guess.
            if share > 0.25 or _share(mark.box, word.box) > _COVERED:  # noqa: PLR2004
                return True
        elif share > _COVERED and word.confidence < _SURE_OF_PRINT:
            return True
    return False


def _filled_in(page: PageImage, ocr: OcrPage) -> Iterator[PenMark]:
    for place in pen_zones.places(ocr):
        around = (place.box, *place.beside)
        margin = round(float(np.median([box.bottom - box.top for box in around])))
        left = max(0, min(box.left for box in around) - margin)
        top = max(0, min(box.top for box in around) - margin)
        right, bottom = max(box.right for box in around) + margin, max(box.bottom for box in around) + margin
        pixels = page.pixels[top:bottom, left:right]
        if pixels.size == 0:
            continue
        affordable = int((_MOST_VALUES / pixels.size) ** 0.5)
        scale = max(1, min(round(_LINE_PX / max(margin, 1)), _MOST_ENLARGED, affordable))
        if scale > 1:
            large = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            pixels = np.asarray(large, dtype=np.uint8)

        def here(box: Box, left: int = left, top: int = top, scale: int = scale) -> Box:
            return Box(*(scale * v for v in (box.left - left, box.top - top, box.right - left, box.bottom - top)))

        ink = pen_strokes.ink_of(pixels)
        printed = pen_strokes.print_of(pixels, ink, [here(box) for box in place.beside])
        look = printed and pen_strokes.look_at(pixels, ink, here(place.box), printed)
        if look and look.is_by_hand(usual=place.usual):
            yield PenMark(place.box, place.zone)


def _blue_ink(page: PageImage, ocr: OcrPage) -> Iterator[PenMark]:
    """Blue strokes larger than print: signatures, notes. Black ones are known only where a signature belongs."""
    if page.bitonal:
        return
    scale = min(1.0, _MEASURED_DPI / page.dpi)
    small = shrunk(page.pixels, scale).astype(np.int16)
    blue = (small[:, :, 2] - small[:, :, 0] > _BLUER) & (small[:, :, 2] >= small[:, :, 1])
    mm = page.dpi * scale / MM_PER_INCH
    reach = max(1, round(_JOIN_MM * mm))
    joined = cv2.morphologyEx(blue.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(np.asarray(joined, dtype=np.uint8), connectivity=8)
    for left, top, width, height, area in stats[1:].tolist():
        box = Box(*(round(v / scale) for v in (left, top, left + width, top + height)))
        if height < _NOTE_MM * mm or width < 0.5 * _NOTE_MM * mm or _is_solid(area, width, height):
            continue
        if _printed_share(box, ocr) > _COVERED:
            continue
        is_signature = width >= _SIGNATURE_MM[0] * mm and height >= _SIGNATURE_MM[1] * mm
        yield PenMark(box, PenZone.SIGNATURE if is_signature else PenZone.ELSEWHERE)


def _is_solid(area: int, width: int, height: int) -> bool:
    """A filled area, or a long straight line: a logo, a shaded cell, a rule."""
    return area > 0.6 * width * height or min(width, height) < 0.02 * max(width, height)


def _printed_share(box: Box, ocr: OcrPage) -> float:
    """How much of a box is covered by words that were read surely: the blue print of a signature's own stamp."""
    area = max(1, (box.right - box.left) * (box.bottom - box.top))
    covered = sum(_overlap(word.box, box) for word in ocr.words if word.confidence >= _SURE_OF_PRINT)
    return covered / area


def _overlap(one: Box, other: Box) -> int:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0, width) * max(0, height)


def _share(box: Box, of: Box) -> float:
    """Which part of a box lies in the other."""
    return _overlap(box, of) / max(1, (box.right - box.left) * (box.bottom - box.top))

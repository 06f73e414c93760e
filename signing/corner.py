"""Where a signature shows on a page nobody laid out for it: a corner, beside no text.

On scans (`requirements.md` 1.1 and 2.2): top right of the first page for the agency's electronic copy, top left for the
scanning person; the size is what real tools use on A4, 170 x 30 pt and 8 pt from the edges, scaled with the page. The
leader and the seal, asked for without a printed title and name, get the bottom right of the last page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pypdfium2

from signing.types import Place, SignaturePlace

if TYPE_CHECKING:
    from pathlib import Path

_A4_WIDTH_PT = 595.0
_BLOCK_PT = (170.0, 30.0)
_FROM_EDGE_PT = 8.0
#: Where the text stands high, the block becomes lower rather than cover it; below this it couldn't be read.
_LOWEST_PT = 16.0
#: On A4, points: the leader's signature, and the seal over a third of it on its left.
_AT_THE_END = {Place.LEADER: (400.0, 60.0, 553.0, 122.0), Place.SEAL: (349.0, 40.0, 451.0, 142.0)}


def corner(file: Path, place: Place) -> SignaturePlace:
    """The corner of `file` for `place`; on a first page it gives way to text as far as it stays legible."""
    with pypdfium2.PdfDocument(file) as document:
        last = len(document)
        page = document[last - 1 if place in _AT_THE_END else 0]
        left, low, right, top = page.get_mediabox()
        scale = (right - left) / _A4_WIDTH_PT
        if place in _AT_THE_END:
            x1, y1, x2, y2 = (side * scale for side in _AT_THE_END[place])
            return SignaturePlace(place=place, page=last, box=(left + x1, low + y1, left + x2, low + y2))
        width, height = (side * scale for side in _BLOCK_PT)
        edge = _FROM_EDGE_PT * scale
        x1 = right - edge - width if place is Place.COPY else left + edge
        ceiling = _highest_text(page, x1, x1 + width, top - edge - height, top - edge)
    floor = max(top - edge - height, min(ceiling, top - edge - _LOWEST_PT * scale))
    return SignaturePlace(place=place, page=1, box=(x1, floor, x1 + width, top - edge))


def _highest_text(page: pypdfium2.PdfPage, x1: float, x2: float, y1: float, y2: float) -> float:
    """Top of the highest letter inside a rectangle of the page, or the rectangle's own bottom."""
    text = page.get_textpage()
    highest = y1
    for index in range(text.count_rects()):
        left, bottom, right, top = text.get_rect(index)
        if left < x2 and right > x1 and bottom < y2 and top > y1:
            highest = max(highest, top)
    return highest

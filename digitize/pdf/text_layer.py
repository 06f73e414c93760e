"""`OcrPage` → the invisible text of a PDF page. Pure.

Each word is stretched to the width of its box and set on its line's baseline, with a blank between words of one line,
so that readers that go by geometry and readers that go by characters both find the words that are there.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from digitize.pdf.text_font import encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from digitize.pdf.text_font import TextFont
    from digitize.types import OcrPage, OcrWord

POINTS_PER_INCH = 72.0
_LEAST_SIZE_PT, _MOST_SIZE_PT = 2.0, 200.0
_LEAST_STRETCH, _MOST_STRETCH = 1.0, 1000.0
_DESCENT_SHARE = 0.22  # of a line's height, where Tesseract knows no baseline
_STEEPEST = 0.2
#: Of a line's height between its words. Nearer than 0.15 they are one to poppler, and to pdf.js where boxes touch,
#: whatever blanks are written.
_LEAST_GAP = 0.18
_LEAST_SHARE = 0.2  # of its box that a word keeps


def content(ocr: OcrPage, font: TextFont, *, name: str = "F1") -> bytes:
    """Content stream that writes the page's words in rendering mode 3 (neither filled nor stroked).

    Args:
        ocr: Words in pixels, origin at the top left.
        font: Whose widths are used.
        name: Of the font in the page's resources.

    Returns:
        Operators in points, origin at the bottom left; empty when there are no words.
    """
    if not ocr.words:
        return b""
    lines = groupby(ocr.words, key=lambda word: (word.block, word.paragraph, word.line))
    words = (placed for _, line in lines for placed in _line(list(line), ocr, font))
    return b"BT\n3 Tr\n" + b"".join(_operators(words, name)) + b"ET\n"


class _Placed(NamedTuple):
    """A word in points: where its baseline begins, its size and how far it is stretched, in percent."""

    text: str
    x: float
    y: float
    size: float
    stretch: float


def _line(words: list[OcrWord], ocr: OcrPage, font: TextFont) -> Iterator[_Placed]:
    points = POINTS_PER_INCH / ocr.dpi
    left = min(word.box.left for word in words)
    top = min(word.box.top for word in words)
    bottom = max(word.box.bottom for word in words)
    slope, offset = words[0].baseline
    if not offset and not slope:
        offset = -_DESCENT_SHARE * (bottom - top)
    slope = min(max(slope, -_STEEPEST), _STEEPEST)
    size = round(min(max((bottom - top) * points, _LEAST_SIZE_PT), _MOST_SIZE_PT), 1)
    for index, word in enumerate(words):
        natural = font.width(word.text) / 1000 * size
        wanted = (word.box.right - word.box.left) * points
        if index < len(words) - 1:
            apart = (words[index + 1].box.left - word.box.left) * points - _LEAST_GAP * size
            wanted = min(wanted, max(apart, _LEAST_SHARE * wanted))
        stretch = min(max(100 * wanted / natural, _LEAST_STRETCH), _MOST_STRETCH) if natural else 100.0
        y = (ocr.height_px - (bottom + offset + slope * (word.box.left - left))) * points
        # Upright, each on the leaning line's baseline: letters that lean with it are split by poppler from 1.7° on.
        yield _Placed(word.text + (" " if index < len(words) - 1 else ""), word.box.left * points, y, size, stretch)


def _operators(words: Iterable[_Placed], name: str) -> Iterator[bytes]:
    """Each word moved to from the one before, in hundredths of a point: a third of a page's text is numbers."""
    x = y = size = stretch = 0
    for word in words:
        if (wanted := round(100 * word.size)) != size:
            size = wanted
            yield b"/%s %s Tf\n" % (name.encode("ascii"), _number(size))
        right, up = round(100 * word.x), round(100 * word.y)
        yield b"%s %s Td" % (_number(right - x), _number(up - y))
        x, y = right, up
        if (wanted := 10 * round(10 * word.stretch)) != stretch:
            stretch = wanted
            yield b" %s Tz" % _number(stretch)
        yield b" <%s> Tj\n" % encoded(word.text)


def _number(hundredths: int) -> bytes:
    return b"%g" % (hundredths / 100)

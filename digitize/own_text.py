"""What a PDF says its letters are, believed where the reader sees nearly the same.

A page written on a computer carries its own text, exact to the last accent, and Tesseract mistakes accents. But a PDF
may also say things that nobody sees, in hidden text or broken encodings. So only the spelling of words that were read
is mended, never a word added: what isn't seen doesn't enter.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from digitize.vietnamese import fold, nfc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitize.types import Box, OcrPage, OcrWord

_SURE = 100.0
_COVERED = 0.6  # share of the smaller box that both have in common
_ROW_PX = 64


def mended(ocr: OcrPage, own: Sequence[tuple[str, Box]]) -> OcrPage:
    """The page with its own spelling.

    Args:
        ocr: As read from the page's picture.
        own: Words of the page's own text with their boxes, in the same pixels.

    Returns:
        Each word that stands where an own word stands, and differs from it in marks only, spelt as that one.
    """
    if not own:
        return ocr
    rows: dict[int, list[tuple[str, Box]]] = {}
    for text, box in own:
        for row in range(box.top // _ROW_PX, box.bottom // _ROW_PX + 1):
            rows.setdefault(row, []).append((nfc(text), box))
    return replace(ocr, words=tuple(_mended_word(word, rows) for word in ocr.words))


def _mended_word(word: OcrWord, rows: dict[int, list[tuple[str, Box]]]) -> OcrWord:
    middle = (word.box.top + word.box.bottom) // 2
    for text, box in rows.get(middle // _ROW_PX, []):
        if _share(word.box, box) >= _COVERED and fold(text) == fold(word.text):
            return replace(word, text=text, confidence=_SURE)
    return word


def _share(one: Box, other: Box) -> float:
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    if across <= 0 or down <= 0:
        return 0.0
    smaller = min(
        (one.right - one.left) * (one.bottom - one.top), (other.right - other.left) * (other.bottom - other.top)
    )
    return across * down / max(smaller, 1)

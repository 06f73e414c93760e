"""What a PDF says its letters are, taken where the page shows that something stands there.

A page written on a computer carries its own text, exact to the last accent, and Tesseract mistakes accents. But a PDF
may also say things that nobody sees, in hidden text or broken encodings. So a word enters only where ink is, where no
other word claims the same place, and only when the page as a whole is spelt in letters that Vietnamese is written in.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.tables import rules as table_rules
from digitize.types import MM_PER_INCH, OcrPage, OcrWord
from digitize.words.vietnamese import nfc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from digitize.types import Box, PageImage

_SURE = 100.0
_ROW_PX = 64
_FEWEST_WORDS = 5
_INK = 40  # levels between the darkest and the lightest dot of a box in which something is written
_OVERLAP = 0.5  # share of the smaller box from which two words claim one place
_STRANGE_SHARE = 0.03  # of the letters; more, and the encoding is broken
_AROUND_MM = (0.2, 0.4)  # beside a word and above it: smoothed edges, and letters that lean out of their boxes
_RULE_MM = 9.0  # longer than any stroke of print
_THICK_MM = 1.3  # thicker is a bar, and something may stand in it
_DOTS_MM = 0.6  # between the dots of which something is drawn
_LETTER_MM = 1.0  # digits of 4 points are taller; dots, dashes and what is left of an underline are lower
_SAME_LINE = 0.5  # share of the lower of two words' heights that they have in common
_NEW_BLOCK = 1.2  # of a line's height: a wider gap is between blocks
_PUNCTUATION = frozenset("–—‘’“”…•·°²³½×÷±≤≥→©®™€₫§\u00ad\u00a0−‑")


def read(page: PageImage) -> OcrPage | None:
    """The page's own words as if they had been read; None when it has none that can be believed.

    Args:
        page: Drawn from a PDF, neither turned nor cut.
    """
    own = [(nfc(text), box) for text, box in page.own_words]
    if len(own) < _FEWEST_WORDS or _is_strange("".join(text for text, _ in own)):
        return None
    seen = _once([(text, box) for text, box in own if _has_ink(page, box)])
    rows = _by_rows([box for _, box in seen])
    alone = [(text, box) for text, box in seen if not _stands_on(box, rows, itself=True)]
    # Of words in one place nobody can tell which is seen. Few: the reader looks there; many: it reads the page.
    if len(alone) < _FEWEST_WORDS or len(seen) - len(alone) > _STRANGE_SHARE * len(seen):
        return None
    return OcrPage(page.width_px, page.height_px, page.dpi, tuple(_in_lines(alone)), _SURE)


def is_all(page: PageImage, own: OcrPage) -> bool:
    """Whether the page shows nothing that could be read but its own words: no pictures, and no ink outside of them.

    Letters may be drawn as curves, and words that claim one place were left out: either leaves ink as tall as a letter
    where no word stands. Straight rules are no such ink; a filled cell, an emblem or a ticked box is.

    Args:
        page: Drawn from a PDF, neither turned nor cut.
        own: From `read`.
    """
    if not page.own_is_all:
        return False
    # The darkest channel: yellow is nearly white when it is made grey.
    ink, step = table_rules.small_ink(np.ascontiguousarray(page.pixels.min(axis=2)), dpi=page.dpi)
    mm = page.dpi / step / MM_PER_INCH
    ink[_rules(ink, mm) > 0] = 0
    beside, above = (round(side * mm) for side in _AROUND_MM)
    for box in (word.box for word in own.words):
        top, left = max(0, box.top // step - above), max(0, box.left // step - beside)
        ink[top : max(0, -(-box.bottom // step) + above), left : max(0, -(-box.right // step) + beside)] = 0
    dots = max(1, round(_DOTS_MM * mm))
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((dots, dots), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    return not bool((stats[1:, cv2.CC_STAT_HEIGHT] >= _LETTER_MM * mm).any())


def _rules(ink: NDArray[np.uint8], mm: float) -> NDArray[np.uint8]:
    """Long straight lines along and down, a little wider than they are."""
    long, thick = round(_RULE_MM * mm), round(_THICK_MM * mm)
    along = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    down = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((long, 1), np.uint8))
    lines = cv2.bitwise_or(along, down)
    bars = cv2.morphologyEx(lines, cv2.MORPH_OPEN, np.ones((thick, thick), np.uint8))
    return np.asarray(cv2.dilate(cv2.subtract(lines, bars), np.ones((3, 3), np.uint8)), np.uint8)


def joined(own: OcrPage, ocr: OcrPage) -> OcrPage:
    """The page's own words, and after them those that only its picture shows: stamps, numbers, signatures.

    Args:
        own: From `read`.
        ocr: The same page as Tesseract read it.
    """
    rows = _by_rows([word.box for word in own.words])
    block = 1 + max((word.block for word in own.words), default=0)
    seen = (word for word in ocr.words if not _stands_on(word.box, rows))
    # Of seals and lines Tesseract makes dashes and dots.
    more = tuple(replace(word, block=block + word.block) for word in seen if any(map(str.isalnum, word.text)))
    return replace(ocr, words=own.words + more, mean_confidence=_SURE if not more else ocr.mean_confidence)


def _is_strange(text: str) -> bool:
    """Whether too many letters are none that an office writes: fonts before Unicode, or no map to it at all."""
    strange = sum(not _is_usual(letter) for letter in text)
    return strange > _STRANGE_SHARE * len(text)


def _is_usual(letter: str) -> bool:
    if letter.isascii() or letter in _PUNCTUATION:
        return True
    if not unicodedata.category(letter).startswith("L"):
        return False
    base = unicodedata.normalize("NFD", letter)
    marks = set(base[1:])
    return (base[0] in "đĐ" or base[0].isascii()) and marks <= set("\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323")


def _has_ink(page: PageImage, box: Box) -> bool:
    top, left = max(0, box.top - 2), max(0, box.left)  # no wider than it is: the letters beside it have ink
    here = page.pixels[top : max(0, box.bottom) + 2, left : max(left + 1, box.right)]
    return here.size > 0 and int(np.ptp(here.reshape(-1, 3), axis=0).max()) >= _INK


def _once(own: Sequence[tuple[str, Box]]) -> list[tuple[str, Box]]:
    """Without words drawn twice in one place, as some programs do for bold print."""
    kept: list[tuple[str, Box]] = []
    of_text: dict[str, list[Box]] = {}
    for text, box in own:
        twins = of_text.setdefault(text, [])
        if not any(_share(box, twin) >= _OVERLAP for twin in twins):
            kept.append((text, box))
        twins.append(box)
    return kept


def _by_rows(boxes: Iterable[Box]) -> dict[int, list[Box]]:
    rows: dict[int, list[Box]] = {}
    for box in boxes:
        for row in range(box.top // _ROW_PX, box.bottom // _ROW_PX + 1):
            rows.setdefault(row, []).append(box)
    return rows


def _stands_on(box: Box, rows: dict[int, list[Box]], *, itself: bool = False) -> bool:
    near = {
        id(other): other for row in range(box.top // _ROW_PX, box.bottom // _ROW_PX + 1) for other in rows.get(row, [])
    }
    return any(_share(box, other) >= _OVERLAP for other in near.values() if not (itself and other is box))


def _in_lines(own: Sequence[tuple[str, Box]]) -> Iterable[OcrWord]:
    """Words in the order in which the file says them, which is the writer's, with their lines and blocks."""
    block = line = 0
    last: Box | None = None
    for text, box in own:
        if last is not None:
            height = max(1, min(last.bottom - last.top, box.bottom - box.top))
            common = min(last.bottom, box.bottom) - max(last.top, box.top)
            if common < _SAME_LINE * height or box.left < last.left:
                line += 1
                far = not -_NEW_BLOCK * height < box.top - last.bottom < _NEW_BLOCK * height
                block += far
        yield OcrWord(text, box, _SURE, block=block, paragraph=block, line=line)
        last = box


def _share(one: Box, other: Box) -> float:
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    if across <= 0 or down <= 0:
        return 0.0
    smaller = min(
        (one.right - one.left) * (one.bottom - one.top), (other.right - other.left) * (other.bottom - other.top)
    )
    return across * down / max(smaller, 1)

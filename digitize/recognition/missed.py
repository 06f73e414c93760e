"""Lines of print that were not read at all: found by their ink, read again by themselves.

Tesseract takes a whole signature block for a picture when a seal touches it, and loses the second line or the number of
a narrow heading beside a wide one. What looks like a line of print and has no word on it is cut out, set below one
another on a clean sheet, and read once more. Only what then reads surely and like Vietnamese is added.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning.resample import shrunk
from digitize.recognition.reading_order import in_order
from digitize.types import Box
from digitize.words.syllables import is_syllable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitize.types import OcrPage, OcrWord

_MEASURED_DPI = 100.0
_AS_DARK = 0.55  # of the way from the page's print to its paper
_CLEAR = 0.6
_FEWEST_WORDS = 20
_SURE = 75.0  # of a line read again, mean over its letters
_SURE_WORD = 50.0
_SAME_ROW = 0.5  # of the lower height
_MOST_LINES = 12
_SIGNS = ".,:;()/-\"'“”"
# Shares of the median height of the page's longer words.
_LOWEST, _HIGHEST = 0.5, 2.2
_SHORTEST = 2.5
_LETTER_HIGH, _LETTERS_WIDE = 1.5, 6.0
_REACH = 0.7  # letters and words of one line stand no farther apart
# Shares of the line's box that ink fills: a rule fills it all, a pen stroke hardly any.
_THINNEST, _FULLEST = 0.08, 0.6
_MARGIN = 0.4


def find(grey: NDArray[np.uint8], page: OcrPage) -> tuple[Box, ...]:
    """Boxes of what looks like a line of print and has no word on it, from top to bottom; at most a dozen.

    Args:
        grey: The picture that was read, colours dropped, upright.
        page: Its words, in the same pixels.
    """
    heights = [word.box.bottom - word.box.top for word in page.words if len(word.text) > 2 and word.confidence > _SURE]  # noqa: PLR2004
    if len(heights) < _FEWEST_WORDS:
        return ()
    scale = min(1.0, _MEASURED_DPI / page.dpi)
    unit = float(np.median(heights)) * scale
    small = shrunk(grey, scale)
    paper, dark = _levels(small, page, scale)
    # A seal copied in grey is lighter than print, and would make one large shape of it and the lines below it.
    ink = (small < dark + _AS_DARK * (paper - dark)).astype(np.uint8)
    for word in page.words:
        pad = round(0.25 * unit)
        left, top, right, bottom = (
            round(side * scale) for side in (word.box.left, word.box.top, word.box.right, word.box.bottom)
        )
        ink[max(0, top - pad) : bottom + pad, max(0, left - pad) : right + pad] = 0
    ink = _of_letters(ink, unit)
    reach = max(1, round(_REACH * unit))
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, 2 * reach + 1), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(np.asarray(joined, np.uint8), connectivity=8)
    found = []
    for left, top, width, height, _ in stats[1:].tolist():
        filled = float(ink[top : top + height, left : left + width].mean())
        like_a_line = _LOWEST * unit <= height <= _HIGHEST * unit and width >= _SHORTEST * unit
        if like_a_line and _THINNEST <= filled <= _FULLEST:
            pad = round(_MARGIN * unit)
            corners = left - pad, top - pad, left + width + pad, top + height + pad
            box = Box(*(max(0, round(corner / scale)) for corner in corners))
            if any(table.box.holds_middle_of(box) for table in page.tables):
                continue  # cells are read by themselves, a rule left over isn't print
            found.append(replace(box, right=min(box.right, page.width_px), bottom=min(box.bottom, page.height_px)))
    return tuple(sorted(found, key=lambda box: box.top)) if len(found) <= _MOST_LINES else ()


def _of_letters(ink: NDArray[np.uint8], unit: float) -> NDArray[np.uint8]:
    """Only what is of the size of letters and marks: not the ring of a seal, a rule, a signature."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    width, height = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    # Bold capitals run together, and marks stand by themselves.
    small = (height <= _LETTER_HIGH * unit) & (width <= _LETTERS_WIDE * unit) & (stats[:, cv2.CC_STAT_AREA] > 1)
    small[0] = False
    return np.asarray(small[labels], dtype=np.uint8)


def stacked(grey: NDArray[np.uint8], boxes: Sequence[Box]) -> tuple[NDArray[np.uint8], tuple[int, ...]]:
    """The boxes below one another on paper-white, left-aligned, and where each begins. Greys are made lighter."""
    gap = max(box.bottom - box.top for box in boxes) // 2
    width = max(box.right - box.left for box in boxes) + 2 * gap
    height = sum(box.bottom - box.top + gap for box in boxes) + gap
    paper = float(np.percentile(grey[::8, ::8], 80))
    dark = min(float(np.percentile(grey[box.top : box.bottom, box.left : box.right], 4)) for box in boxes)
    clearer = np.clip(dark + (np.arange(256) - dark) / _CLEAR, 0, paper).astype(np.uint8)
    sheet = np.full((height, width), int(paper), np.uint8)
    tops, at = [], gap
    for box in boxes:
        cut = grey[box.top : box.bottom, box.left : box.right]
        sheet[at : at + cut.shape[0], gap : gap + cut.shape[1]] = cv2.LUT(cut, clearer)
        tops.append(at)
        at += box.bottom - box.top + gap
    return sheet, tuple(tops)


def added(page: OcrPage, boxes: Sequence[Box], tops: Sequence[int], again: OcrPage) -> OcrPage:
    """The page with the lines that read surely the second time, each a line of its own, in reading order.

    Args:
        page: As read first.
        boxes: From `find`.
        tops: From `stacked`, with the same boxes.
        again: The stacked sheet as read.
    """
    gap = tops[0] if tops else 0
    block = max((word.block for word in page.words), default=0)
    line = max((word.line for word in page.words), default=0)
    words = list(page.words)
    for box, top in zip(boxes, tops, strict=True):
        inside = [word for word in again.words if top - gap / 2 <= _middle(word) < top + box.bottom - box.top + gap / 2]
        numbers = [word for word in inside if any(map(str.isdecimal, word.text))]
        inside = [word for word in inside if _is_surely_known(word)]
        # Without one of its numbers a line would look whole: "ngày tháng 8 năm 2025".
        if any(word not in inside for word in numbers) or not _reads_as_print(inside):
            continue
        block, line = block + 1, line + 1
        found = []
        for word in inside:
            moved = Box(
                min(max(0, word.box.left - gap + box.left), page.width_px - 1),
                min(max(0, word.box.top - top + box.top), page.height_px - 1),
                min(word.box.right - gap + box.left, page.width_px),
                min(word.box.bottom - top + box.top, page.height_px),
            )
            found.append(replace(word, box=moved, block=block, paragraph=0, line=line, baseline=(0.0, 0.0)))
        at = _place_of(box, words)
        words[at:at] = found
    return page if len(words) == len(page.words) else replace(page, words=in_order(words, page.tables))


def _place_of(box: Box, words: Sequence[OcrWord]) -> int:
    """Before which word a line belongs: the first of what stands to its right in its row, or below it."""
    height = box.bottom - box.top
    for index, word in enumerate(words):
        other = word.box
        beside = min(box.bottom, other.bottom) - max(box.top, other.top)
        follows = beside > _SAME_ROW * min(height, other.bottom - other.top) and other.left >= box.right
        below = other.top >= box.bottom - _SAME_ROW * height and other.left < box.right and other.right > box.left
        if follows or below:
            line = word.block, word.paragraph, word.line
            first = index
            while first and (words[first - 1].block, words[first - 1].paragraph, words[first - 1].line) == line:
                first -= 1
            # In a line that runs on over the place, it belongs behind what is left of it.
            return index if any(w.box.right <= box.left for w in words[first:index]) else first
    return len(words)


def _levels(small: NDArray[np.uint8], page: OcrPage, scale: float) -> tuple[float, float]:
    """How light the paper is and how dark the print, at this scale."""
    paper = float(np.percentile(small[::4, ::4], 80))
    darks = []
    for word in page.words[:: max(1, len(page.words) // 60)]:
        box = word.box
        left, top, right, bottom = (round(side * scale) for side in (box.left, box.top, box.right, box.bottom))
        cut = small[top:bottom, left:right]
        if cut.size:
            darks.append(float(np.percentile(cut, 10)))
    return paper, float(np.median(darks)) if darks else 0.0


def _reads_as_print(words: Sequence[OcrWord]) -> bool:
    letters = sum(len(word.text) for word in words)
    if letters < 3:  # noqa: PLR2004
        return False
    return sum(word.confidence * len(word.text) for word in words) / letters >= _SURE


def _is_known(text: str) -> bool:
    """A syllable, an abbreviation or a number: what a line lost whole is made of."""
    core = text.strip(_SIGNS)
    if core.isdecimal() or core in {"m2", "m²"}:
        return True
    if core.isalpha():
        plain = core.replace("Đ", "D").isascii()
        return is_syllable(core) or (core.isupper() and plain and 1 < len(core) < 9)  # noqa: PLR2004
    return len(core) > 2 and any(letter.isdigit() for letter in core) and set(core).isdisjoint("|\\*~'$")  # noqa: PLR2004


def _is_surely_known(word: OcrWord) -> bool:
    core = word.text.strip(_SIGNS)
    # Strokes, too, are read as one digit or two.
    least = _SURE if core.isdecimal() and len(core) <= 2 else _SURE_WORD  # noqa: PLR2004
    return word.confidence >= least and _is_known(word.text)


def _middle(word: OcrWord) -> float:
    return (word.box.top + word.box.bottom) / 2

"""Two pages side by side in one picture: an open booklet, photographed or on one scan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning.resample import shrunk
from digitize.recognition import hocr
from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitize.types import OcrPage, OcrWord

_MEASURED_DPI = 75.0
_WIDE = 1.15  # width to height of two pages side by side; two of the A series make 1.41
_MIDDLE = 0.08  # of the width: how far from the middle the fold may lie
_GAP_MM = 7.0  # two inner margins; no column gap of a landscape table is as wide and free of ink all the way down
_SPECK_MM = 0.8
_TALL = 0.25  # of the height: the fold's own shadow, not print
_FEWEST_LINES = 4
_SPAN = 0.3  # of its page's width that the writing on each side covers at least


def find_fold(grey: NDArray[np.uint8], *, dpi: float) -> int | None:
    """Where two pages meet, as a column of the picture; None for one page.

    A single landscape page has a heading, a table or a centred title across its middle. Two pages have a strip there
    that is free from top to bottom, and lines of their own on both sides.

    Args:
        grey: Shape (height_px, width_px), evenly lit, upright and straight.
        dpi: Of `grey`.
    """
    height, width = grey.shape
    if width < _WIDE * height:
        return None
    scale = min(1.0, _MEASURED_DPI / dpi)
    small = shrunk(grey, scale)
    mm = scale * dpi / MM_PER_INCH
    level, _ = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    ink = (small < level).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    is_print = np.maximum(stats[:, 2], stats[:, 3]) >= _SPECK_MM * mm
    is_print &= stats[:, 3] <= _TALL * small.shape[0]
    is_print[0] = False
    ink = is_print[labels].astype(np.uint8)
    gap = _widest_gap(ink.any(axis=0), round(_MIDDLE * small.shape[1]))
    if gap is None or gap[1] - gap[0] < _GAP_MM * mm:
        return None
    if not all(_is_page(side, mm) for side in (ink[:, : gap[0]], ink[:, gap[1] :])):
        return None
    return int((gap[0] + gap[1]) / 2 / scale)


def sides(width_px: int, fold: int | None) -> tuple[slice, ...]:
    """The columns of each page, left first: one slice for a single page."""
    return (slice(0, width_px),) if fold is None else (slice(0, fold), slice(fold, width_px))


def joined(pages: Sequence[OcrPage], lefts: Sequence[int], *, width_px: int) -> OcrPage:
    """Pages that were read apart, as one page again: their words in order, with boxes on the whole picture.

    Args:
        pages: Left first.
        lefts: Where each begins, in pixels of the whole picture.
        width_px: Of the whole picture.
    """
    words: list[OcrWord] = []
    blocks = 0
    for page, left in zip(pages, lefts, strict=True):
        for word in page.words:
            box = replace(word.box, left=word.box.left + left, right=word.box.right + left)
            words.append(replace(word, box=box, block=word.block + blocks))
        blocks = max((word.block for word in words), default=0) + 1
    return replace(pages[0], width_px=width_px, words=tuple(words), mean_confidence=hocr.mean_confidence(tuple(words)))


def _widest_gap(inked: NDArray[np.bool_], reach: int) -> tuple[int, int] | None:
    """The widest run of columns without print whose middle lies near the picture's."""
    steps = np.diff(np.concatenate([[1], inked.astype(np.int8), [1]]))
    starts, ends = np.flatnonzero(steps == -1), np.flatnonzero(steps == 1)
    runs = [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]
    near = [(start, end) for start, end in runs if abs(start + end - len(inked)) <= 2 * reach]
    return max(near, key=lambda run: run[1] - run[0], default=None)


def _is_page(ink: NDArray[np.uint8], mm: float) -> bool:
    """Whether there are lines of writing, and not a margin's note only."""
    columns = np.flatnonzero(ink.any(axis=0))
    if columns.size < 2 or columns[-1] - columns[0] < _SPAN * ink.shape[1]:  # noqa: PLR2004  from one to another
        return False
    full = (ink.sum(axis=1) > 2 * mm).astype(np.int8)
    return int((np.diff(full, prepend=0) == 1).sum()) >= _FEWEST_LINES

"""Dust taken off a dirty copy, and left alone on a page that isn't one: Vietnamese is written with small marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning.border import paper_level
from digitize.cleaning.resample import shrunk
from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: From this many specks for each letter-sized shape a page is dirty: copies with dust measure 0.09 to 0.6, one of a
#: dirty drum 0.07, everything else, faint print and photographs too, at most 0.01.
DIRTY = 0.04

_LETTER_MM = (1.2, 8.0)
_DARKER = 0.15  # of the way from print to paper: how much darker than print's darkest tenth a spot of dust is
_SPOT_MM = 1.0
_ROUND = 2.0  # dust is hardly longer than wide; the thick parts of thin letters are
_BOLD_MM = 1.5  # dark strokes as long as this are print, and so may be what is dark beside them
_SPECK_MM = 0.42
_FREE_SPECK_MM = 0.7  # what stands free on a page known to be dirty; 0.42 left 13% character errors where this left 8
_DOT_PITCH_MM = 1.3
_FEWEST_DOTS = 6
_ABOVE_MM = 0.7  # how near its letter a mark stands: an accent above, a dot below,
_BEFORE_MM = 0.5
_AFTER_MM = 0.8  # a colon after
_MEASURED_DPI = 200.0
_STEP = 0.25  # of the way from print to paper: how much darker than all round it a spot of dust is
_TOWARDS_PALE_INK = 0.15
_TOWARDS_INK = 0.3  # how far from paper to ink a pixel counts as inked: thin strokes of faint print must hold together


def speckle_level(grey: NDArray[np.uint8], *, dpi: float) -> float:
    """How dirty a page is: free-standing specks for each letter-sized shape."""
    scale = min(1.0, _MEASURED_DPI / dpi)
    specks, letters, _ = _specks(shrunk(grey, scale), dpi * scale, largest_mm=_SPECK_MM, fewest=DIRTY)
    return len(specks) / max(letters, 20)


def remove(grey: NDArray[np.uint8], *, dpi: float) -> NDArray[np.uint8]:
    """Take off dust, and touch nothing else.

    Dust that is darker than the print goes wherever it lies, on letters too; dust as dark as the print goes where it
    stands free of any letter. Accents, dots and commas are as dark as their letters and stand near them, and stay; so
    do the rows of dots that a form is filled in on.

    Args:
        grey: Shape (height_px, width_px), evenly lit; better before it is set straight, which smears dust into print.
        dpi: Of `grey`.
    """
    cleaned = _without_dark_dust(grey, dpi)
    specks, _, labels = _specks(cleaned, dpi, largest_mm=_FREE_SPECK_MM)
    if len(specks) == 0 and cleaned is grey:
        return grey
    gone = np.zeros(int(labels.max()) + 1, dtype=np.uint8)
    gone[specks] = 1
    mask = cv2.dilate(gone[labels], np.ones((3, 3), np.uint8))
    cleaned = cleaned.copy()
    cleaned[mask > 0] = paper_level(grey)
    # Nothing more: a median, a blur and a bilateral filter gained no more on worn copies than they lost on faint print.
    return cleaned


def _without_dark_dust(grey: NDArray[np.uint8], dpi: float) -> NDArray[np.uint8]:
    """The page without small spots that are clearly darker than its print; `grey` itself where there are none.

    Copying dulls thin strokes, and dust on the glass stays black. Where the print nearby is as dark as the spot, a
    heading in bold for instance, it may be print's own dot and stays. What was below a spot is painted in from its rim.
    """
    mm = dpi / MM_PER_INCH
    ink = _inked(grey, _TOWARDS_INK)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    size = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    letter = (size >= _LETTER_MM[0] * mm) & (size <= _LETTER_MM[1] * mm)
    letter[0] = False
    printed = grey[letter[labels]]
    if printed.size == 0:
        return grey
    core = float(np.percentile(printed, 10))
    paper = paper_level(grey)
    dark = (grey < core - _DARKER * (paper - core)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    size = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    narrow = np.minimum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    spot = (size <= _SPOT_MM * mm) & (size <= _ROUND * np.maximum(narrow, 2))
    spot[0] = False
    bold = size > _BOLD_MM * mm
    bold[0] = False
    reach = 2 * round(_BOLD_MM * mm) + 1
    beside = cv2.dilate(bold.astype(np.uint8)[labels], np.ones((reach, reach), np.uint8))
    spot[labels[beside > 0]] = False
    spot &= _stands_out(grey, np.asarray(labels, np.int32), _STEP * (paper - core))
    if not spot.any():
        return grey
    mask = cv2.dilate(spot.astype(np.uint8)[labels], np.ones((3, 3), np.uint8))
    return np.asarray(cv2.inpaint(grey, mask, 3, cv2.INPAINT_NS), dtype=np.uint8)


def _stands_out(grey: NDArray[np.uint8], labels: NDArray[np.int32], step: float) -> NDArray[np.bool_]:
    """Which shapes are darker, by `step` grey levels, than all that lies a few pixels round them.

    A stroke goes on beyond the part of it that happens to be darkest; dust ends.
    """
    wide, wider = (cv2.dilate(labels.astype(np.float32), np.ones((size, size), np.uint8)) for size in (5, 9))
    ring = (wide == 0) & (wider > 0)
    count = int(labels.max()) + 1
    around, within = np.full(count, 255, np.uint8), np.full(count, 255, np.uint8)
    np.minimum.at(around, wider[ring].astype(np.int64), grey[ring])
    inside = labels > 0
    np.minimum.at(within, labels[inside], grey[inside])
    return np.asarray(within + step < around)


def _specks(
    grey: NDArray[np.uint8], dpi: float, *, largest_mm: float, fewest: float = 0.0
) -> tuple[NDArray[np.int64], int, NDArray[np.int32]]:
    """Labels of free-standing specks, the number of letter-sized shapes, and all labels.

    Fewer than `fewest` for each letter are given before pale print and rows of dots are looked for, at half the cost.
    """
    mm = dpi / MM_PER_INCH
    ink = _inked(grey, _TOWARDS_INK)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    size = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    small = size <= max(2, largest_mm * mm)
    small[0] = False
    larger = ~small
    larger[0] = False
    above, before, after = (max(1, round(reach * mm)) for reach in (_ABOVE_MM, _BEFORE_MM, _AFTER_MM))
    kernel, anchor = np.ones((2 * above + 1, before + after + 1), np.uint8), (after, above)
    inked = np.flatnonzero(ink)  # a tenth of the page: only there is anything to look up
    of = labels.ravel()[inked]
    shelter = np.zeros_like(ink)
    shelter.ravel()[inked] = larger[of]
    letters = int((larger & (size <= _LETTER_MM[1] * mm)).sum())
    kept = np.zeros(len(stats), dtype=bool)
    kept[of[cv2.dilate(shelter, kernel, anchor=anchor).ravel()[inked] > 0]] = True
    if np.count_nonzero(small & ~kept) < fewest * letters:
        return np.asarray(np.flatnonzero(small & ~kept), dtype=np.int64), letters, np.asarray(labels, dtype=np.int32)
    kept[labels[cv2.dilate(_print(grey, mm), kernel, anchor=anchor) > 0]] = True
    kept |= _in_rows(small & ~kept, np.asarray(labels, np.int32), np.asarray(stats, np.int32), mm)
    free = np.asarray(np.flatnonzero(small & ~kept), dtype=np.int64)
    return free, letters, np.asarray(labels, dtype=np.int32)


def _print(grey: NDArray[np.uint8], mm: float) -> NDArray[np.uint8]:
    """Where letters are, pale ones too: of letters printed with little toner only scraps are dark."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(_inked(grey, _TOWARDS_PALE_INK), connectivity=8)
    large = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= _LETTER_MM[0] * mm
    large[0] = False
    return np.asarray(large.astype(np.uint8)[labels], dtype=np.uint8)


def _in_rows(
    small: NDArray[np.bool_], labels: NDArray[np.int32], stats: NDArray[np.int32], mm: float
) -> NDArray[np.bool_]:
    """Which of the small shapes are dots of a row of dots."""
    reach = 2 * round(_DOT_PITCH_MM * mm / 2) + 1
    joined = cv2.dilate(small.astype(np.uint8)[labels], np.ones((1, reach), np.uint8))
    _, rows = cv2.connectedComponents(joined, connectivity=4)
    chosen = np.flatnonzero(small)
    left, top = stats[chosen, cv2.CC_STAT_LEFT], stats[chosen, cv2.CC_STAT_TOP]
    middle = left + stats[chosen, cv2.CC_STAT_WIDTH] // 2, top + stats[chosen, cv2.CC_STAT_HEIGHT] // 2
    row = rows[middle[1], middle[0]]
    together = np.bincount(row, minlength=1)[row] >= _FEWEST_DOTS
    found = np.zeros(len(small), dtype=bool)
    found[chosen[together & (row > 0)]] = True
    return found


def _inked(grey: NDArray[np.uint8], towards_ink: float) -> NDArray[np.uint8]:
    """1 where a pixel, with its neighbours, is at least this share of the way from paper to ink."""
    paper = paper_level(grey)
    sample = grey[::2, ::2]
    otsu, _ = cv2.threshold(sample, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    inked = sample[sample < otsu]
    ink = float(np.median(inked)) if inked.size else 0.0
    level = paper - towards_ink * max(paper - ink, 0.0)
    return np.asarray(cv2.GaussianBlur(grey, (3, 3), 0) < level, dtype=np.uint8)

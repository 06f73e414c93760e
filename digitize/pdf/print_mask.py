"""Which pixels of a page are print, told by what was read there: for a mask without loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitize.types import OcrPage, OcrWord

_SURE = 70.0
_ROOM = 0.25  # of a line's height around its words, for accents above and tails below
_INSIDE = 0.9  # share of a letter that lies within sure words
_PALER = 45.0  # how much lighter than the page's print a letter may be and still be print
_TINTED = 28.0  # how far its strongest channel may stand above its weakest
_COLOURED = 56.0  # the same of one pixel, which JPEG tints more
_BLUR_MM = 0.17  # spread of a scanner's optics, generously
_GRAIN = 8.0
_BAND_PX = 1024
_RIM = 5.0  # levels below the paper at which a rim begins
_RUN = 1.5  # of a line's height; no stroke of a letter runs straight for longer
_FAINT_RUN = 2.6  # the same in grey, where blur joins up to three letters at their serifs
_SLOPES = (0.0, 0.05, -0.05, 0.11, -0.11)  # of strokes drawn along a line
_FAINTEST = 12.0  # levels below the paper at which a drawn stroke is seen
_LETTER = 0.65  # of the darkest ink: what only letters reach, or a stroke as dark as they are
_SHARP_MM = 0.14  # the spread of optics, this time sparingly
_BETWEEN = 0.12  # share of a stroke that is seen between letters, where no print explains it


@dataclass(frozen=True)
class Print:
    """The print of a page.

    Attributes:
        mask: 255 where print is, shape (height_px, width_px).
        colour: RGB of all of it.
        drawn: 255 where a stroke is drawn along or through it, same shape.
    """

    mask: NDArray[np.uint8]
    colour: tuple[int, int, int]
    drawn: NDArray[np.uint8]


def of(pixels: NDArray[np.uint8], ocr: OcrPage) -> Print | None:
    """The page's print; None when there is none that is sure.

    A shape is print when it lies whole within words that were read surely and not written by a pen, has no colour and
    is as dark as the others. A stroke that leaves the line, such as a signature over a name, is none, nor is one that
    runs straight for longer than any letter's, such as a line through a word, nor the letters that either touches.

    Args:
        pixels: RGB, shape (height_px, width_px, 3).
        ocr: Its words, in its pixels.
    """
    words = (word for word in ocr.words if word.confidence >= _SURE and not word.by_pen)
    lines = groupby(words, key=lambda word: (word.block, word.paragraph, word.line))
    found = [line for line in (_line(pixels, list(line), ocr.dpi) for _, line in lines) if line]
    if not found:
        return None
    usual = float(np.median(np.concatenate([line.levels for line in found])))
    mask, drawn = np.zeros(pixels.shape[:2], np.uint8), np.zeros(pixels.shape[:2], np.uint8)
    colours = []
    for line in found:
        chosen = line.may_be_print & (line.levels < usual + _PALER)
        letters = (np.concatenate([[False], chosen]) * np.uint8(255))[line.labels]
        for page, part in ((mask, letters), (drawn, line.drawn)):
            here = page[line.top : line.top + part.shape[0], line.left : line.left + part.shape[1]]
            cv2.bitwise_or(here, part, dst=here)
        colours.append(line.colours[chosen])
    every = np.concatenate(colours)
    if not len(every):
        return None
    red, green, blue = (round(float(value)) for value in np.median(every, axis=0))
    return Print(mask, (red, green, blue), drawn)


def with_rim(pixels: NDArray[np.uint8], found: Print, dpi: float) -> NDArray[np.uint8]:
    """The print with the grey rim that a scanner's optics leave around it.

    No more than optics explain: a pencil line under or through a word, a rule that a letter touches, coloured ink are
    no rim.

    Returns:
        255 where print or its rim is, shape (height_px, width_px).
    """
    paper = round(float(np.percentile(pixels[::8, ::8].max(axis=2), 85)))
    spread = _BLUR_MM * dpi / MM_PER_INCH
    edge = 1 + math.ceil(4 * spread)
    whole = found.mask.copy()
    for top in range(0, whole.shape[0], _BAND_PX):  # an A3 sheet at 400 dpi would take ten planes of 31 MB
        first, last = max(0, top - edge), top + _BAND_PX + edge
        part = Print(found.mask[first:last], found.colour, found.drawn[first:last])
        band = _rim(pixels[first:last], part, paper, spread)
        rows = whole[top : top + _BAND_PX]
        cv2.bitwise_or(rows, band[top - first : top - first + rows.shape[0]], dst=rows)
    return whole


def _rim(pixels: NDArray[np.uint8], found: Print, paper: int, spread: float) -> NDArray[np.uint8]:
    red, green, blue = cv2.split(pixels)
    lightest, darkest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    darkness: Any = cv2.subtract(np.full_like(lightest, paper), lightest)
    soft: Any = cv2.GaussianBlur(cv2.dilate(found.mask, np.ones((3, 3), np.uint8)), (0, 0), spread)
    explained: Any = cv2.convertScaleAbs(soft, alpha=max(0, paper - max(found.colour)) / 255, beta=_GRAIN)
    rim = cv2.bitwise_and(
        cv2.compare(darkness, explained, cv2.CMP_LE), cv2.threshold(soft, 2, 255, cv2.THRESH_BINARY)[1]
    )
    tint: Any = cv2.subtract(lightest, darkest)
    _, plain = cv2.threshold(tint, _TINTED, 255, cv2.THRESH_BINARY_INV)
    _, darker = cv2.threshold(darkness, _RIM, 255, cv2.THRESH_BINARY)
    rim = cv2.subtract(cv2.bitwise_and(cv2.bitwise_and(rim, plain), darker), found.drawn)
    return np.asarray(rim, dtype=np.uint8)


@dataclass(frozen=True)
class _Line:
    """The shapes of one line: where they are, how dark each is, its colour, and whether it may be print.

    `drawn` is 255 where a stroke is drawn along the line.
    """

    left: int
    top: int
    labels: NDArray[np.integer[Any]]
    levels: NDArray[np.float64]
    colours: NDArray[np.float64]
    may_be_print: NDArray[np.bool_]
    drawn: NDArray[np.uint8]


def _line(pixels: NDArray[np.uint8], words: list[OcrWord], dpi: float) -> _Line | None:
    room = max(2, round(_ROOM * (max(w.box.bottom for w in words) - min(w.box.top for w in words))))
    left, top = max(0, min(w.box.left for w in words) - room), max(0, min(w.box.top for w in words) - room)
    right, bottom = max(w.box.right for w in words) + room, max(w.box.bottom for w in words) + room
    here = pixels[top:bottom, left:right]
    if here.size == 0:
        return None
    # Coloured ink is light in its own channel, black print is dark in all three.
    red, green, blue = cv2.split(here)
    lightest = cv2.max(cv2.max(red, green), blue)
    paper, ink = (float(level) for level in np.percentile(lightest[::2, ::3], (85, 2)))
    _, dark = cv2.threshold(lightest, (paper + ink) / 2, 1, cv2.THRESH_BINARY_INV)
    _, plain = cv2.threshold(
        cv2.subtract(lightest, cv2.min(cv2.min(red, green), blue)), _COLOURED, 1, cv2.THRESH_BINARY_INV
    )
    dark = cv2.bitwise_and(dark, plain)
    # Sixteen bits a label: four times as fast as thirty-two.
    labels: Any
    try:
        count, labels, edges, _ = cv2.connectedComponentsWithStatsWithAlgorithm(dark, 8, cv2.CV_16U, cv2.CCL_SPAGHETTI)
    except cv2.error:  # more shapes than there are labels: specks, no print
        return None
    if count < 2:  # noqa: PLR2004  the first is the paper
        return None
    sure = np.zeros_like(dark)
    for word in words:
        box = word.box
        rows = slice(max(0, box.top - room - top), box.bottom + room - top)
        sure[rows, max(0, box.left - room - left) : box.right + room - left] = 1
    inked = np.flatnonzero(dark)
    numbers = labels.ravel()[inked]

    def sums(plane: Any) -> NDArray[np.float64]:
        return np.asarray(np.bincount(numbers, plane.ravel()[inked], count)[1:], dtype=np.float64)

    left_px, top_px, width_px, height_px, areas = edges[1:].T
    colours = np.stack([sums(plane) for plane in (red, green, blue)], axis=1) / areas[:, None]
    whole = (left_px > 0) & (top_px > 0)
    whole &= (left_px + width_px < dark.shape[1]) & (top_px + height_px < dark.shape[0])
    untinted = np.ptp(colours, axis=1) < _TINTED
    run_px = round(_RUN * float(np.median([word.box.bottom - word.box.top for word in words])))
    drawn = _drawn(cv2.subtract(np.full_like(lightest, round(paper)), lightest), dark, run_px, paper - ink, dpi)
    free = np.bincount(labels[drawn > 0], minlength=count)[1:] == 0
    may_be_print = whole & untinted & free & (sums(sure) >= _INSIDE * areas)
    return _Line(left, top, labels, colours.max(axis=1), colours, may_be_print, drawn)


def _drawn(darkness: Any, dark: Any, run_px: int, darkest: float, dpi: float) -> NDArray[np.uint8]:
    """255 where a stroke runs along a line of print: under it, through it.

    A stroke is a straight run as dark as print, or one in grey that nowhere comes down to the paper. In rows of letters
    grey runs happen where serifs touch: they are shorter, and optics explain what is seen between the letters.

    Args:
        darkness: Levels below the paper.
        dark: 1 where print may be.
        run_px: The least length.
        darkest: The darkness of ink.
        dpi: Of the page.
    """
    found = np.zeros_like(dark)
    _, inked = cv2.threshold(darkness, _FAINTEST, 255, cv2.THRESH_BINARY)
    unexplained: Any = None
    for slope in _SLOPES:
        kernel = _stroke(run_px, slope)
        cores = cv2.erode(inked, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        if not cv2.countNonZero(cores):
            continue
        count, strokes, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(cores, kernel), connectivity=8)
        kept = stats[:, cv2.CC_STAT_WIDTH] >= _FAINT_RUN / _RUN * run_px
        kept[0] = False
        if kept.any():
            if unexplained is None:
                _, letters = cv2.threshold(darkness, _LETTER * darkest, 255, cv2.THRESH_BINARY)
                soft = cv2.GaussianBlur(letters, (0, 0), _SHARP_MM * dpi / MM_PER_INCH)
                explained = cv2.convertScaleAbs(soft, alpha=darkest / 255, beta=_FAINTEST)
                unexplained = cv2.subtract(cv2.compare(darkness, explained, cv2.CMP_GT), letters)
            between = np.bincount(strokes[unexplained > 0], minlength=count)
            kept &= between >= _BETWEEN * stats[:, cv2.CC_STAT_AREA]
            cv2.bitwise_or(found, (kept * np.uint8(255))[strokes], dst=found)
        solid = cv2.erode(dark, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        cv2.bitwise_or(found, cv2.dilate(solid, kernel) * np.uint8(255), dst=found)
    return np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)), dtype=np.uint8)


def _stroke(length_px: int, slope: float) -> NDArray[np.uint8]:
    """A straight stroke as a kernel, the same when turned around."""
    half, rise = length_px // 2, round(abs(slope) * length_px / 2)
    kernel = np.zeros((2 * rise + 1, 2 * half + 1), np.uint8)
    across = np.arange(-half, half + 1)
    kernel[rise + np.rint(slope * across).astype(int).clip(-rise, rise), half + across] = 1
    return kernel

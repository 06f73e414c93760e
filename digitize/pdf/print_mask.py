"""Which pixels of a page are print, told by what was read there: for a mask without loss."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from digitize.pdf import strokes
from digitize.pdf.planes import shrunk
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
_BAND_PX = 64  # rows that are taken through all steps together: they stay in the processor's cache
_SOFT_STEPS = 2  # how much coarser the blur of print is reckoned than the page
_RIM = 5.0  # levels below the paper at which a rim begins
_MOST_COLOURS = 12  # lines that tell the colour of all print
_AROUND = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Print:
    """The print of a page.

    Attributes:
        mask: 255 where print is, shape (height_px, width_px).
        colour: RGB of all of it.
        lightest: The strongest channel of each pixel, same shape.
        tint: How far it stands above the weakest one, same shape.
        drawn: Where strokes are drawn along or through lines: left and top of each part, and 255 within it.
    """

    mask: NDArray[np.uint8]
    colour: tuple[int, int, int]
    lightest: NDArray[np.uint8]
    tint: NDArray[np.uint8]
    drawn: tuple[tuple[int, int, NDArray[np.uint8]], ...]


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
    lines = [list(line) for _, line in groupby(words, key=lambda word: (word.block, word.paragraph, word.line))]
    if not lines:
        return None
    lightest, tint = _shades(pixels)
    found = [line for line in (_line(pixels, lightest, tint, line, ocr.dpi) for line in lines) if line]
    if not found:
        return None
    usual = float(np.median(np.concatenate([line.levels for line in found])))
    mask = np.zeros(pixels.shape[:2], np.uint8)
    printed = []
    for line in found:
        chosen = line.may_be_print & (line.levels < usual + _PALER)
        if chosen.any():
            printed.append((line, chosen))
            letters = np.zeros(line.shape, np.uint8)
            letters.ravel()[line.inked] = (np.concatenate([[False], chosen]) * np.uint8(255))[line.numbers]
            here = mask[line.top : line.top + line.shape[0], line.left : line.left + line.shape[1]]
            cv2.bitwise_or(here, letters, dst=here)
    if not printed:
        return None
    colours = [line.colours(pixels)[chosen] for line, chosen in printed[:: -(-len(printed) // _MOST_COLOURS)]]
    red, green, blue = (round(float(value)) for value in np.median(np.concatenate(colours), axis=0))
    drawn = tuple((line.left, line.top, line.drawn) for line in found if line.drawn is not None)
    return Print(mask, (red, green, blue), lightest, tint, drawn)


def without(found: Print, dpi: float) -> NDArray[np.uint8]:
    """The page without its print and the grey rim that a scanner's optics leave around it.

    No more than optics explain: a pencil line under or through a word, a rule that a letter touches, coloured ink are
    no rim.

    Returns:
        0 where print or its rim is, 255 elsewhere, shape (height_px, width_px).
    """
    height, width = found.mask.shape
    paper = round(float(np.percentile(found.lightest[::8, ::8], 85)))
    spread = _BLUR_MM * dpi / MM_PER_INCH
    # Shrinking and stretching blur too: each adds its own variance.
    own = (_SOFT_STEPS**2 - 1) / 12 + _SOFT_STEPS**2 / 6
    spread = max(0.5, (spread**2 - own) ** 0.5 / _SOFT_STEPS) if spread**2 > own else 0.5
    soft: Any = cv2.GaussianBlur(shrunk(cv2.dilate(found.mask, _AROUND), _SOFT_STEPS), (0, 0), spread)
    explained: Any = cv2.convertScaleAbs(soft, alpha=max(0, paper - max(found.colour)) / 255, beta=_GRAIN)
    # As light as this, or lighter, is what optics explain; far from print nothing is.
    floor = cv2.bitwise_or(cv2.subtract(np.full_like(explained, paper), explained), _up_to(soft, 2))
    floor = cv2.copyMakeBorder(floor, 1, 1, 0, 0, cv2.BORDER_REPLICATE)
    bare = np.empty_like(found.mask)
    for top in range(0, height, _BAND_PX):
        rows = slice(top, top + _BAND_PX)
        lightest = found.lightest[rows]
        part = floor[top // _SOFT_STEPS : (top + _BAND_PX) // _SOFT_STEPS + 2]
        wide = cv2.resize(part, (part.shape[1] * _SOFT_STEPS, part.shape[0] * _SOFT_STEPS))
        wide = wide[_SOFT_STEPS : _SOFT_STEPS + lightest.shape[0], :width]
        rim = cv2.bitwise_and(cv2.compare(lightest, wide, cv2.CMP_GE), _up_to(lightest, paper - _RIM - 1))
        rim = cv2.bitwise_and(rim, _up_to(found.tint[rows], _TINTED))
        cv2.bitwise_not(rim, dst=bare[rows])
    for left, top, part in found.drawn:
        here = bare[top : top + part.shape[0], left : left + part.shape[1]]
        cv2.bitwise_or(here, part, dst=here)
    return np.asarray(cv2.subtract(bare, found.mask), dtype=np.uint8)


def _up_to(plane: Any, level: float) -> Any:
    """255 where the plane is at this level or below."""
    return cv2.threshold(plane, level, 255, cv2.THRESH_BINARY_INV)[1]


def _shades(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The strongest channel of each pixel, and how far it stands above the weakest.

    Coloured ink is light in its own channel, black print is dark in all three.
    """
    lightest, tint = np.empty(pixels.shape[:2], np.uint8), np.empty(pixels.shape[:2], np.uint8)
    for top in range(0, pixels.shape[0], _BAND_PX):
        rows = slice(top, top + _BAND_PX)
        red, green, blue = cv2.split(pixels[rows])
        most = cv2.max(cv2.max(red, green), blue, dst=lightest[rows])
        cv2.subtract(most, cv2.min(cv2.min(red, green), blue), dst=tint[rows])
    return lightest, tint


@dataclass(frozen=True)
class _Line:
    """The shapes of one line: where they are, how dark each is, and whether it may be print.

    Attributes:
        left: Of the line on the page, in pixels.
        top: The same.
        shape: Height and width.
        inked: Places of its dark pixels, counted along its rows.
        numbers: The shape that each of them belongs to, from 1.
        areas: Of each shape.
        levels: Of each shape: how light it is.
        may_be_print: Of each shape.
        drawn: 255 where a stroke is drawn along the line, or None.
    """

    left: int
    top: int
    shape: tuple[int, int]
    inked: NDArray[np.intp]
    numbers: NDArray[np.intp]
    areas: NDArray[np.integer[Any]]
    levels: NDArray[np.float64]
    may_be_print: NDArray[np.bool_]
    drawn: NDArray[np.uint8] | None

    def colours(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Mean RGB of each shape."""
        return _colours(pixels, (self.left, self.top), self.shape, self.inked, self.numbers, self.areas)


def _line(
    pixels: NDArray[np.uint8], page_lightest: Any, page_tint: Any, words: list[OcrWord], dpi: float
) -> _Line | None:
    room = max(2, round(_ROOM * (max(w.box.bottom for w in words) - min(w.box.top for w in words))))
    left, top = max(0, min(w.box.left for w in words) - room), max(0, min(w.box.top for w in words) - room)
    right, bottom = max(w.box.right for w in words) + room, max(w.box.bottom for w in words) + room
    lightest, tint = page_lightest[top:bottom, left:right], page_tint[top:bottom, left:right]
    if lightest.size == 0:
        return None
    paper, ink = (float(level) for level in np.percentile(lightest[::2, ::3], (85, 2)))
    _, dark = cv2.threshold(lightest, (paper + ink) / 2, 1, cv2.THRESH_BINARY_INV)
    dark = cv2.bitwise_and(dark, cv2.threshold(tint, _COLOURED, 1, cv2.THRESH_BINARY_INV)[1])
    # Sixteen bits a label: four times as fast as thirty-two.
    labels: Any
    try:
        count, labels, edges, _ = cv2.connectedComponentsWithStatsWithAlgorithm(dark, 8, cv2.CV_16U, cv2.CCL_SPAGHETTI)
    except cv2.error:  # more shapes than there are labels: specks, no print
        return None
    if count < 2:  # noqa: PLR2004  the first is the paper
        return None
    inked = np.flatnonzero(dark.view(np.bool_))
    numbers = labels.ravel()[inked].astype(np.intp)
    left_px, top_px, width_px, height_px, areas = edges[1:].T

    def means(plane: Any) -> NDArray[np.float64]:
        return np.asarray(np.bincount(numbers, plane.ravel()[inked], count)[1:] / areas, dtype=np.float64)

    may_be_print = (left_px > 0) & (top_px > 0)
    may_be_print &= (left_px + width_px < dark.shape[1]) & (top_px + height_px < dark.shape[0])
    sure = np.zeros_like(dark)
    for word in words:
        box = word.box
        rows = slice(max(0, box.top - room - top), box.bottom + room - top)
        sure[rows, max(0, box.left - room - left) : box.right + room - left] = 1
    if not sure.all():
        may_be_print &= means(sure) >= _INSIDE
    # The channels' means lie no farther apart than the channels do in the mean.
    tinted = means(tint) >= _TINTED
    if (tinted & may_be_print).any():
        colours = _colours(pixels, (left, top), dark.shape, inked, numbers, areas)
        may_be_print &= np.ptp(colours, axis=1) < _TINTED
    run_px = round(strokes.RUN * float(np.median([word.box.bottom - word.box.top for word in words])))
    drawn = strokes.drawn(lightest, dark, run_px, (round(paper), paper - ink), dpi)
    if drawn is not None:
        may_be_print &= np.bincount(labels[drawn > 0], minlength=count)[1:] == 0
    return _Line(left, top, dark.shape, inked, numbers, areas, means(lightest), may_be_print, drawn)


def _colours(
    pixels: NDArray[np.uint8],
    corner: tuple[int, int],
    shape: tuple[int, int],
    inked: NDArray[np.intp],
    numbers: NDArray[np.intp],
    areas: NDArray[np.integer[Any]],
) -> NDArray[np.float64]:
    """Mean RGB of each shape."""
    left, top = corner
    planes = cv2.split(pixels[top : top + shape[0], left : left + shape[1]])
    sums = [np.bincount(numbers, plane.ravel()[inked], len(areas) + 1)[1:] for plane in planes]
    return np.asarray(np.stack(sums, axis=1) / areas[:, None], dtype=np.float64)

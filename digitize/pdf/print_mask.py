"""Which pixels of a page are print, told by what was read there: for a mask without loss."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from digitize.cleaning.resample import means_of_squares
from digitize.pdf import strokes
from digitize.types import MM_PER_INCH, Box

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
_NEIGHBOURS = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Print:
    """The print of a page.

    Attributes:
        mask: 255 where print is, shape (height_px, width_px).
        colour: RGB of all of it.
        lightest: The strongest channel of each pixel, same shape.
        tint: How far it stands above the weakest one, same shape.
        drawn: Where strokes are drawn along or through lines: left and top of each part, and 255 within it.
        region: All print lies in it, and what surrounds it; elsewhere `lightest` and `tint` are not told.
    """

    mask: NDArray[np.uint8]
    colour: tuple[int, int, int]
    lightest: NDArray[np.uint8]
    tint: NDArray[np.uint8]
    drawn: tuple[tuple[int, int, NDArray[np.uint8]], ...]
    region: Box


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
    region = _around([_place(line) for line in lines], pixels.shape, ocr.dpi)
    lightest, tint = _shades(pixels, region)
    found = [line for line in (_line(pixels, lightest, tint, line, ocr.dpi) for line in lines) if line]
    if not found:
        return None
    usual = float(np.percentile(np.concatenate([line.levels for line in found]), 50))
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
    red, green, blue = (round(float(value)) for value in np.percentile(np.concatenate(colours), 50, axis=0))
    drawn = tuple((line.left, line.top, line.drawn) for line in found if line.drawn is not None)
    return Print(mask, (red, green, blue), lightest, tint, drawn, region)


def without(found: Print, dpi: float) -> NDArray[np.uint8]:
    """The page without its print and the grey rim that a scanner's optics leave around it.

    No more than optics explain: a pencil line under or through a word, a rule that a letter touches, coloured ink are
    no rim.

    Returns:
        0 where print or its rim is, 255 elsewhere, shape (height_px, width_px).
    """
    here = np.s_[found.region.top : found.region.bottom, found.region.left : found.region.right]
    mask, page_lightest, page_tint = found.mask[here], found.lightest[here], found.tint[here]
    (paper,) = _levels(page_lightest[::8, ::8], 0.85)
    spread = _BLUR_MM * dpi / MM_PER_INCH
    # Shrinking and stretching blur too: each adds its own variance.
    own = (_SOFT_STEPS**2 - 1) / 12 + _SOFT_STEPS**2 / 6
    spread = max(0.5, (spread**2 - own) ** 0.5 / _SOFT_STEPS) if spread**2 > own else 0.5
    soft: Any = cv2.GaussianBlur(means_of_squares(cv2.dilate(mask, _NEIGHBOURS), _SOFT_STEPS), (0, 0), spread)
    explained: Any = cv2.convertScaleAbs(soft, alpha=max(0, paper - max(found.colour)) / 255, beta=_GRAIN)
    # As light as this, or lighter, is what optics explain; far from print nothing is.
    floor = cv2.bitwise_or(cv2.subtract(np.full_like(explained, paper), explained), _up_to(soft, 2))
    floor = cv2.copyMakeBorder(floor, 1, 1, 0, 0, cv2.BORDER_REPLICATE)
    bare = np.full_like(found.mask, 255)
    bare_here = bare[here]
    for top in range(0, mask.shape[0], _BAND_PX):
        rows = slice(top, top + _BAND_PX)
        lightest = page_lightest[rows]
        part = floor[top // _SOFT_STEPS : (top + _BAND_PX) // _SOFT_STEPS + 2]
        wide = cv2.resize(part, (part.shape[1] * _SOFT_STEPS, part.shape[0] * _SOFT_STEPS))
        wide = wide[_SOFT_STEPS : _SOFT_STEPS + lightest.shape[0], : lightest.shape[1]]
        rim = cv2.bitwise_and(cv2.compare(lightest, wide, cv2.CMP_GE), _up_to(lightest, paper - _RIM - 1))
        rim = cv2.bitwise_and(rim, _up_to(page_tint[rows], _TINTED))
        bare_here[rows] = cv2.bitwise_not(rim)
    for left, top, part in found.drawn:
        drawn = bare[top : top + part.shape[0], left : left + part.shape[1]]
        cv2.bitwise_or(drawn, part, dst=drawn)
    bare_here[:] = cv2.subtract(bare_here, mask)
    return bare


def _up_to(plane: Any, level: float) -> Any:
    """255 where the plane is at this level or below."""
    return cv2.threshold(plane, level, 255, cv2.THRESH_BINARY_INV)[1]


def _shades(pixels: NDArray[np.uint8], region: Box) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The strongest channel of each pixel of a region, and how far it stands above the weakest.

    Coloured ink is light in its own channel, black print is dark in all three.
    """
    lightest, tint = np.zeros(pixels.shape[:2], np.uint8), np.zeros(pixels.shape[:2], np.uint8)
    columns = slice(region.left, region.right)
    for top in range(region.top, region.bottom, _BAND_PX):
        rows = slice(top, min(top + _BAND_PX, region.bottom))
        red, green, blue = cv2.split(pixels[rows, columns])
        most = cv2.max(cv2.max(red, green), blue)
        lightest[rows, columns] = most
        tint[rows, columns] = cv2.subtract(most, cv2.min(cv2.min(red, green), blue))
    return lightest, tint


def _place(words: list[OcrWord]) -> Box:
    """Where a line's letters may stand: around its words, within the page above and to the left."""
    left, top = min(word.box.left for word in words), min(word.box.top for word in words)
    right, bottom = max(word.box.right for word in words), max(word.box.bottom for word in words)
    room = _room(words)
    return Box(max(0, left - room), max(0, top - room), right + room, bottom + room)


def _room(words: list[OcrWord]) -> int:
    return max(2, round(_ROOM * (max(word.box.bottom for word in words) - min(word.box.top for word in words))))


def _around(places: list[Box], shape: tuple[int, ...], dpi: float) -> Box:
    """A box on the page around places and the rim of what is there."""
    rim = 2 + round(4 * _BLUR_MM * dpi / MM_PER_INCH)
    left, top = (max(0, min(edges) - rim) for edges in zip(*((p.left, p.top) for p in places), strict=True))
    right, bottom = (max(edges) + rim for edges in zip(*((p.right, p.bottom) for p in places), strict=True))
    return Box(min(left, shape[1]), min(top, shape[0]), min(right, shape[1]), min(bottom, shape[0]))


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
    place, room = _place(words), _room(words)
    left, top = place.left, place.top
    here = np.s_[top : place.bottom, left : place.right]
    lightest, tint = page_lightest[here], page_tint[here]
    if lightest.size == 0:
        return None
    paper, ink = _levels(lightest[::2, ::3], 0.85, 0.02)
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
    run_px = round(strokes.RUN * statistics.median(word.box.bottom - word.box.top for word in words))
    drawn = strokes.drawn(lightest, dark, run_px, (round(paper), paper - ink), dpi)
    if drawn is not None:
        may_be_print &= np.bincount(labels[drawn > 0], minlength=count)[1:] == 0
    return _Line(left, top, dark.shape, inked, numbers, areas, means(lightest), may_be_print, drawn)


def _levels(plane: NDArray[np.uint8], *shares: float) -> tuple[int, ...]:
    """The levels below which these shares of a plane lie."""
    below = np.cumsum(np.bincount(plane.ravel(), minlength=256))
    return tuple(int(np.searchsorted(below, share * below[-1])) for share in shares)


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

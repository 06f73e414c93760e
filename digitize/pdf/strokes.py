"""Strokes drawn along a line of print: under it, through it. No stroke of a letter runs straight for as long.

A line's pixels are kept as the bits of one whole number, row after row: moving all of them is one shift, and comparing
them with their neighbours one operation. That is five times as fast as the same erosion pixel by pixel.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUN = 1.5  # of a line's height; no stroke of a letter runs straight for longer
_FAINT_RUN = 2.6  # the same in grey, where blur joins up to three letters at their serifs
_SLOPES = (0.0, 0.05, -0.05, 0.11, -0.11)  # of strokes drawn along a line
_FAINTEST = 12  # levels below the paper at which a drawn stroke is seen
_LETTER = 0.65  # of the darkest ink: what only letters reach, or a stroke as dark as they are
_SHARP_MM = 0.14  # the spread of optics, sparingly
_BETWEEN = 0.12  # share of a stroke that is seen between letters, where no print explains it


def drawn(
    lightest: NDArray[np.uint8], dark: Any, run_px: int, shades: tuple[int, float], dpi: float
) -> NDArray[np.uint8] | None:
    """255 where a stroke runs along a line of print; None where none does.

    A stroke is a straight run as dark as print, or one in grey that nowhere comes down to the paper. In rows of letters
    grey runs happen where serifs touch: they are shorter, and optics explain what is seen between the letters.

    Args:
        lightest: The strongest channel of each pixel.
        dark: 1 where print may be.
        run_px: The least length.
        shades: The level of paper, and how far the darkest ink is below it.
        dpi: Of the page.
    """
    paper, darkest = shades
    bits = _Bits(lightest.shape, 2 * (run_px // 2) + 1)
    inked = bits.packed(cv2.threshold(lightest, paper - _FAINTEST - 1, 1, cv2.THRESH_BINARY_INV)[1])
    printed = bits.packed(dark)
    least_px = _FAINT_RUN / RUN * run_px
    unexplained: Any = None
    found = 0
    for slope in _SLOPES:
        runs = bits.runs(inked, run_px, slope)
        if not runs:
            continue
        # What hangs together is no longer than the columns that it covers.
        if _all_of(bits.shadow(runs), math.ceil(least_px)):
            if unexplained is None:
                unexplained = _unexplained(lightest, paper, darkest, dpi)
            found |= bits.packed(_seen(bits.unpacked(runs), unexplained, least_px))
        found |= bits.runs(printed, run_px, slope)
    if not found:
        return None
    return np.asarray(cv2.dilate(bits.unpacked(found) * np.uint8(255), np.ones((3, 3), np.uint8)), dtype=np.uint8)


def _unexplained(lightest: Any, paper: int, darkest: float, dpi: float) -> Any:
    """Not 0 where it is darker than the blur of letters explains."""
    darkness = cv2.subtract(np.full_like(lightest, paper), lightest)
    _, letters = cv2.threshold(darkness, _LETTER * darkest, 255, cv2.THRESH_BINARY)
    soft = cv2.GaussianBlur(letters, (0, 0), _SHARP_MM * dpi / MM_PER_INCH)
    explained = cv2.convertScaleAbs(soft, alpha=darkest / 255, beta=_FAINTEST)
    return cv2.subtract(cv2.compare(darkness, explained, cv2.CMP_GT), letters)


def _seen(runs: NDArray[np.uint8], unexplained: Any, least_px: float) -> NDArray[np.bool_]:
    """Where grey runs are long enough and seen between letters."""
    labels: Any
    stats: Any
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(runs, 8, cv2.CV_32S, cv2.CCL_SPAGHETTI)
    kept = stats[:, cv2.CC_STAT_WIDTH] >= least_px
    kept[0] = False
    seen = np.zeros(runs.shape, np.bool_)
    for number in np.flatnonzero(kept).tolist():
        left, top, width, height, area = stats[number].tolist()
        here = np.s_[top : top + height, left : left + width]
        stroke = labels[here] == number
        if np.count_nonzero(stroke & (unexplained[here] > 0)) >= _BETWEEN * area:
            seen[here] |= stroke
    return seen


class _Bits:
    """Planes of one shape as whole numbers, the first pixel in the highest bit; rows end in `room` zeros or more."""

    def __init__(self, shape: tuple[int, ...], room: int) -> None:
        self._height, self._width = shape
        self._pitch = -(-(self._width + room) // 8) * 8

    def packed(self, plane: Any) -> int:
        """A bit for each pixel that isn't 0."""
        wide = np.zeros((self._height, self._pitch), np.uint8)
        wide[:, : self._width] = plane
        return int.from_bytes(np.packbits(wide).tobytes(), "big")

    def unpacked(self, bits: int) -> NDArray[np.uint8]:
        """1 for each bit that is set."""
        data = np.frombuffer(bits.to_bytes(self._height * self._pitch // 8, "big"), np.uint8)
        return np.ascontiguousarray(np.unpackbits(data).reshape(self._height, self._pitch)[:, : self._width])

    def shadow(self, bits: int) -> int:
        """One row, with a bit wherever a column has any."""
        done = 1
        while done < self._height:
            bits |= bits >> done * self._pitch
            done *= 2
        return bits & ((1 << self._pitch) - 1)

    def runs(self, bits: int, length_px: int, slope: float) -> int:
        """What straight runs of this length and slope cover (the opening by such a stroke)."""
        parts = [(row * self._pitch + column, length) for row, column, length in _stroke(length_px, slope)]
        nearest = min(offset for offset, _ in parts)  # else the end of a stroke on the last row would be off the plane
        parts = [(offset - nearest, length) for offset, length in parts]
        level: dict[int, int] = {}
        ends = bits
        for offset, length in parts:
            if length not in level:
                level[length] = _all_of(bits, length)
            ends &= level[length] >> offset
            if not ends:
                return 0
        return _any_of(ends, parts)


def _all_of(bits: int, length: int) -> int:
    """Where a pixel and the `length - 1` before it are all set."""
    done = 1
    while 2 * done <= length:
        bits &= bits >> done
        done *= 2
    return bits & (bits >> (length - done))


def _any_of(ends: int, parts: list[tuple[int, int]]) -> int:
    """All pixels of the runs that end in these."""
    found = 0
    for offset, length in parts:
        run, done = ends, 1
        while 2 * done <= length:
            run |= run << done
            done *= 2
        found |= (run | run << (length - done)) << offset
    return found


@cache
def _stroke(length_px: int, slope: float) -> tuple[tuple[int, int, int], ...]:
    """A straight stroke as rows, first columns and lengths of its level parts, the same when turned around."""
    half, rise = length_px // 2, round(abs(slope) * length_px / 2)
    across = np.arange(-half, half + 1)
    rows = rise + np.rint(slope * across).astype(int).clip(-rise, rise)
    starts = [0, *(np.flatnonzero(np.diff(rows)) + 1).tolist()]
    ends = [*starts[1:], len(rows)]
    return tuple((int(rows[start]), start, end - start) for start, end in zip(starts, ends, strict=True))

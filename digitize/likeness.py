"""Whether two pages look alike: a number that says how a page looks from afar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE = 32
_ROWS, _COLUMNS = 9, 6
BITS = _ROWS * _COLUMNS - 2  # a float holds whole numbers of 53 bits exactly
#: Scans of one page differ in no more bits than this. Pages full of print may differ in as few: their words decide.
ALIKE = 6


def look(grey: NDArray[np.uint8], levels: NDArray[np.float32]) -> float:
    """How a page looks from afar, as a whole number of 52 bits; scans of the same page differ in few of them.

    Args:
        grey: Shape (height_px, width_px).
        levels: The paper's level at each pixel.

    Source: perceptual hash of the lowest cosine terms, C. Zauner, "Implementation and benchmarking of perceptual image
        hash functions", 2010; on what is ink instead of on light, since paper is white on all of them.
    """
    dark = cv2.subtract(levels, grey.astype(np.float32))
    small = cv2.resize(np.maximum(dark, 0), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    terms = cv2.dct(small)[: _ROWS + 1, : _COLUMNS + 1].ravel()[1 : BITS + 1]
    bits = terms > np.median(terms)
    return float(sum(1 << index for index, bit in enumerate(bits.tolist()) if bit))


def difference(one: float, other: float) -> int:
    """In how many of the bits two looks differ, from 0 to `BITS`."""
    return (int(one) ^ int(other)).bit_count()

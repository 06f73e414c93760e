"""Photographs of a screen: the coloured pattern between its dots and the camera's, kept from the reader."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning import resample
from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitize.types import PageImage

#: Levels by which red and blue differ from one pixel of paper to the next: scans and photographs of paper measure at
#: most 0.4, screens 14 and more.
_UNREST = 4.0
_AROUND_PX = 3.0
_SAMPLE_PX = 512
_SOFT_MM = 0.13  # blurs the dots of a screen away and leaves the strokes of 12-point print


def is_of_a_screen(page: PageImage) -> bool:
    """Whether the light parts of the page shimmer in colour from pixel to pixel, as nothing on paper does."""
    if page.bitonal:
        return False
    unrest = [_unrest(page.pixels[top : top + _SAMPLE_PX, left : left + _SAMPLE_PX]) for top, left in _samples(page)]
    return float(np.median(unrest)) >= _UNREST


def softened(page: PageImage) -> PageImage:
    """The page for reading, its dots run into each other; colour is compared only after that.

    Without it the separation of seal ink takes the pattern for ink: 2.6% wrong characters become 0.2%.
    """
    soft = cv2.GaussianBlur(page.pixels, (0, 0), max(_SOFT_MM * page.dpi / MM_PER_INCH, 0.8))
    return replace(page, pixels=np.asarray(soft, dtype=np.uint8))


def _samples(page: PageImage) -> list[tuple[int, int]]:
    """Corners of five pieces: the middle and the four quarters."""
    places = ((0.5, 0.5), (0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75))
    return [
        (max(0, round(page.height_px * y) - _SAMPLE_PX // 2), max(0, round(page.width_px * x) - _SAMPLE_PX // 2))
        for y, x in places
    ]


def _unrest(pixels: NDArray[np.uint8]) -> float:
    red, green, blue = cv2.split(pixels)
    difference = red.astype(np.float32) - blue
    unrest = np.abs(difference - cv2.GaussianBlur(difference, (0, 0), _AROUND_PX))
    least = np.asarray(cv2.min(cv2.min(red, green), blue), dtype=np.uint8)
    return float(unrest[least >= resample.percentile(least, 50)].mean())

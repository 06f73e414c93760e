"""Uneven light evened out: shadows of a phone, grey paper, the fold of a book."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning import resample
from digitize.cleaning.resample import shrunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from digitize.types import PageImage

_BACKGROUND_PX = 420  # width at which the background is measured: letters vanish, shadows stay
_EVEN = 0.06  # spread of the background, as a share of its level, below which light counts as even
_PAPER = 245.0
_MOST_LIGHTENING = 3.0
_BAND_PX = 256


def background(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the page would be without ink, smooth, on a small picture of it.

    Source: grey-scale closing removes what is darker and narrower than its window; a median then takes out the steps.
    """
    scale = min(1.0, _BACKGROUND_PX / grey.shape[1])
    small = shrunk(grey, scale)
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((11, 11), np.uint8))
    smooth = cv2.medianBlur(closed, 21)
    return np.asarray(smooth, dtype=np.float32)


def is_even(levels: NDArray[np.float32]) -> bool:
    """Whether the light is so even, and the paper so light, that dividing by it could only do harm.

    Args:
        levels: As `background` gives them.
    """
    low, middle, high = np.percentile(levels, (2, 50, 98))
    return bool(high - low < _EVEN * max(middle, 1.0))


def flatten(grey: NDArray[np.uint8], levels: NDArray[np.float32] | None = None) -> NDArray[np.uint8]:
    """Divide the page by its background, for reading. Grey stays grey: nothing is thresholded.

    Args:
        grey: Shape (height_px, width_px).
        levels: Its background at any size, where it is known.
    """
    levels = np.maximum(background(grey) if levels is None else levels, 8.0)
    flat = np.empty_like(grey)
    for rows, here in _spread_in_bands(np.asarray(levels, dtype=np.float32), *grey.shape):
        flat[rows] = cv2.divide(grey[rows], here, scale=_PAPER, dtype=cv2.CV_8U)
    return flat


def lighten(page: PageImage, *, in_place: bool = False) -> PageImage:
    """Lighten the page that people see, in colour, without changing any hue.

    All three channels of a pixel are multiplied by the same smooth factor, so a red seal stays red and a yellowed sheet
    stays yellowish. Nothing is ever darkened, and pages that are light already are left alone.

    Args:
        page: As it is displayed.
        in_place: Its pixels are nobody else's: no copy is made.
    """
    if page.bitonal:
        return page
    levels = background(resample.grey(page.pixels))
    gain = np.clip(_PAPER / np.maximum(levels, 1.0), 1.0, _MOST_LIGHTENING)
    if float(gain.max()) < 1.03:  # noqa: PLR2004  not worth touching the pixels
        return page
    lighter = page.pixels if in_place else np.empty_like(page.pixels)
    for rows, here in _spread_in_bands(np.asarray(gain, dtype=np.float32), page.height_px, page.width_px):
        lighter[rows] = cv2.multiply(page.pixels[rows], cv2.merge((here, here, here)), dtype=cv2.CV_8U)
    return replace(page, pixels=lighter)


def _spread_in_bands(
    small: NDArray[np.float32], height: int, width: int
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """A smooth picture at the page's own size, band by band: the whole of it, in floats, would be the largest thing."""
    wide = np.asarray(cv2.resize(small, (width, small.shape[0]), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    for top in range(0, height, _BAND_PX):
        bottom = min(height, top + _BAND_PX)
        at = np.clip((np.arange(top, bottom) + 0.5) * small.shape[0] / height - 0.5, 0, small.shape[0] - 1)
        upper = np.minimum(at.astype(np.int64), max(small.shape[0] - 2, 0))
        share = (at - upper).astype(np.float32)[:, None]
        lower = np.minimum(upper + 1, small.shape[0] - 1)
        yield slice(top, bottom), np.asarray(wide[upper] * (1 - share) + wide[lower] * share, dtype=np.float32)

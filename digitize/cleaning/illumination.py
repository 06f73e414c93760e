"""Uneven light evened out: shadows of a phone, grey paper, the fold of a book."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning import resample
from digitize.cleaning.resample import shrunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitize.types import PageImage

_BACKGROUND_PX = 420  # width at which the background is measured: letters vanish, shadows stay
_EVEN = 0.06  # spread of the background, as a share of its level, below which light counts as even
_PAPER = 245.0
_MOST_LIGHTENING = 3.0


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
    levels = background(grey) if levels is None else levels
    levels = np.asarray(
        cv2.resize(np.maximum(levels, 8.0), (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_LINEAR),
        dtype=np.float32,
    )
    return np.asarray(cv2.divide(grey, levels, scale=_PAPER, dtype=cv2.CV_8U), dtype=np.uint8)


def lighten(page: PageImage) -> PageImage:
    """Lighten the page that people see, in colour, without changing any hue.

    All three channels of a pixel are multiplied by the same smooth factor, so a red seal stays red and a yellowed sheet
    stays yellowish. Nothing is ever darkened, and pages that are light already are left alone.
    """
    if page.bitonal:
        return page
    levels = background(resample.grey(page.pixels))
    gain = np.clip(_PAPER / np.maximum(levels, 1.0), 1.0, _MOST_LIGHTENING)
    if float(gain.max()) < 1.03:  # noqa: PLR2004  not worth touching the pixels
        return page
    whole = cv2.resize(gain, (page.width_px, page.height_px), interpolation=cv2.INTER_LINEAR)
    lighter = np.empty_like(page.pixels)
    for channel in range(3):  # one at a time: a float copy of a whole page is large
        lighter[:, :, channel] = cv2.multiply(page.pixels[:, :, channel], whole, dtype=cv2.CV_8U)
    return replace(page, pixels=lighter)

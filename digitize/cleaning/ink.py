"""Coloured ink set aside: the reader sees the black text under a red seal or a blue signature.

Only for the picture that is read. The page that is kept never passes through here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from digitize.cleaning import resample
from digitize.cleaning.resample import shrunk
from digitize.types import MM_PER_INCH, Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitize.types import PageImage

_COLOURED = 28  # how far the strongest channel of paper-white stands above the others in an ink that is a colour
_SEAL_MM = 9.0  # a seal or signature is larger than this both ways; coloured print has letters and lines that are not
_JOIN_MM = 0.6
_MEASURED_DPI = 75.0
_BAND_PX = 512


def has_colour(page: PageImage) -> bool:
    """Whether the three channels differ anywhere that matters."""
    step = max(1, page.width_px // 400)
    red, green, blue = cv2.split(np.ascontiguousarray(page.pixels[::step, ::step]))
    apart = cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue))
    return bool((apart > _COLOURED).mean() > 2e-4)  # noqa: PLR2004


def drop(page: PageImage) -> NDArray[np.uint8]:
    """The page in grey without the ink of seals and signatures.

    Red ink is nearly white in the red channel, blue ink in the blue one, and black print is dark in both: inside the
    outline of a seal or signature the pixel takes its value from the ink's own channel, each channel measured against
    the paper's colour. Coloured print stays: its letters are smaller than any seal.

    Returns:
        Grey, uint8, shape (height_px, width_px).
    """
    grey = resample.grey(page.pixels)
    if page.bitonal or not has_colour(page):
        return grey
    paper = _paper_colour(page.pixels)
    table = np.clip(np.arange(256)[:, None] * (250.0 / paper[None, :]), 0, 255).astype(np.uint8)[:, None, :]
    for outline in _large_outlines(_coloured(page.pixels, table), page.dpi):
        _drop_within(outline, grey, page.pixels, table)
    return grey


def _coloured(pixels: NDArray[np.uint8], table: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Where there is red ink, and where blue: sought apart, so that two inks don't make one large shape of print.

    Band by band: three channels of an A3 page, measured against its paper, are as large as the page.
    """
    inks: list[NDArray[np.uint8]] = [np.empty(pixels.shape[:2], np.uint8) for _ in range(2)]
    for top in range(0, pixels.shape[0], _BAND_PX):
        rows = slice(top, top + _BAND_PX)
        red, green, blue = cv2.split(cv2.LUT(pixels[rows], table))
        for ink, colour in zip(inks, (cv2.subtract(red, cv2.max(green, blue)), cv2.subtract(blue, red)), strict=True):
            ink[rows] = cv2.threshold(colour, _COLOURED, 255, cv2.THRESH_BINARY)[1]
    return inks


def _drop_within(outline: Box, grey: NDArray[np.uint8], pixels: NDArray[np.uint8], table: NDArray[np.uint8]) -> None:
    """Lighten, in place, every coloured pixel of a box to what its own ink's channel shows of the print below."""
    here = np.s_[outline.top : outline.bottom, outline.left : outline.right]
    red, green, blue = cv2.split(cv2.LUT(np.ascontiguousarray(pixels[here]), table))
    own = cv2.max(red, blue)  # where a blue signature crosses a red seal, the lighter of the two
    least = cv2.min(cv2.min(red, green), blue)
    # The more colour, the surer it is ink of that colour and not black print with a tinge.
    sure = np.clip((cv2.subtract(own, least).astype(np.float32) - 14) / 36, 0, 1)
    light = np.clip((own.astype(np.float32) - 85) / 75, 0, 1) * sure
    before = grey[here].astype(np.float32)
    paper = float(np.percentile(before, 80))
    pushed = np.maximum(own * sure + before * (1 - sure), before)
    grey[here] = np.minimum(pushed + (paper - pushed) * light, 255).astype(np.uint8)


def _large_outlines(inks: list[NDArray[np.uint8]], dpi: float) -> list[Box]:
    """Boxes round the coloured shapes, 255 in each of `inks`, that are larger than print, in pixels of the page."""
    scale = min(1.0, _MEASURED_DPI / dpi)
    mm = scale * dpi / MM_PER_INCH
    reach = max(1, round(_JOIN_MM * mm))
    margin = max(1, round(1.0 * mm))
    boxes = []
    for inked in inks:
        small = (shrunk(inked, scale) > 50).astype(np.uint8)  # noqa: PLR2004  a fifth of the pixel
        joined = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(_as_uint8(joined), connectivity=8)
        for left, top, width, height, _ in stats[1:].tolist():
            if min(width, height) >= _SEAL_MM * mm:
                corners = left - margin, top - margin, left + width + margin, top + height + margin
                boxes.append(Box(*(max(0, round(corner / scale)) for corner in corners)))
    return boxes


def _paper_colour(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    step = max(1, pixels.shape[1] // 300)
    sample = pixels[::step, ::step].reshape(-1, 3)
    return np.maximum(np.percentile(sample, 80, axis=0), 60.0)


def _as_uint8(pixels: Any) -> NDArray[np.uint8]:
    return np.asarray(pixels, dtype=np.uint8)

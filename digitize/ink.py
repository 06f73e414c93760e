"""Coloured ink set aside: the reader sees the black text under a red seal or a blue signature.

Only for the picture that is read. The page that is kept never passes through here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from digitize import resample
from digitize.resample import shrunk, spread
from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitize.types import PageImage

_COLOURED = 28  # how far the strongest channel of paper-white stands above the others in an ink that is a colour
_SEAL_MM = 9.0  # a seal or signature is larger than this both ways; coloured print has letters and lines that are not
_JOIN_MM = 0.6
_MEASURED_DPI = 75.0


def has_colour(page: PageImage) -> bool:
    """Whether the three channels differ anywhere that matters."""
    step = max(1, page.width_px // 400)
    sample = page.pixels[::step, ::step].astype(np.int16)
    return bool((sample.max(axis=2) - sample.min(axis=2) > _COLOURED).mean() > 2e-4)  # noqa: PLR2004


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
    table = np.clip(np.arange(256)[:, None] * (250.0 / paper[None, :]), 0, 255).astype(np.uint8)
    red, green, blue = (_as_uint8(cv2.LUT(page.pixels[:, :, i], table[:, i])) for i in range(3))
    _drop_one(grey, red, _as_uint8(cv2.subtract(red, cv2.max(green, blue))), page.dpi)
    _drop_one(grey, blue, _as_uint8(cv2.subtract(blue, red)), page.dpi)
    return grey


def _drop_one(grey: NDArray[np.uint8], own: NDArray[np.uint8], colour: NDArray[np.uint8], dpi: float) -> None:
    """Replace, in place, one ink of one colour inside the outlines of seals and signatures."""
    inked = (colour > _COLOURED).astype(np.uint8)
    outlines = _large_outlines(inked, dpi)
    if outlines is None:
        return
    here = outlines > 0
    # The more colour, the surer it is ink of that colour and not black print with a tinge: push it to paper white.
    sure = np.clip((colour[here].astype(np.float32) - 12) / 40, 0, 1)
    value = own[here].astype(np.float32)
    light = np.clip((value - 90) / 80, 0, 1) * sure
    pushed = np.maximum(value * sure + grey[here] * (1 - sure), grey[here])
    grey[here] = (pushed + (255 - pushed) * light).astype(np.uint8)


def _large_outlines(inked: NDArray[np.uint8], dpi: float) -> NDArray[np.uint8] | None:
    """Boxes round the coloured shapes that are larger than print, at full size; None when there are none."""
    scale = min(1.0, _MEASURED_DPI / dpi)
    small = (shrunk(_as_uint8(inked * 255), scale) > 50).astype(np.uint8)  # noqa: PLR2004  a fifth of the shrunken pixel is inked
    mm = scale * dpi / MM_PER_INCH
    reach = max(1, round(_JOIN_MM * mm))
    joined = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    mask = np.zeros_like(small)
    margin = max(1, round(1.0 * mm))
    for left, top, width, height, _ in stats[1:count]:
        if min(width, height) >= _SEAL_MM * mm:
            mask[max(0, top - margin) : top + height + margin, max(0, left - margin) : left + width + margin] = 1
    if not mask.any():
        return None
    return spread(mask, *inked.shape)


def _paper_colour(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    step = max(1, pixels.shape[1] // 300)
    sample = pixels[::step, ::step].reshape(-1, 3)
    return np.maximum(np.percentile(sample, 80, axis=0), 60.0)


def _as_uint8(pixels: Any) -> NDArray[np.uint8]:
    return np.asarray(pixels, dtype=np.uint8)

"""Which way up a page is, and turning it.

Most pages come upright, and their own lines say so at no cost: letters and their marks reach above the line far more
than below it, in Vietnamese even more than in other Latin writing. Only when the lines don't say so is Tesseract asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning.resample import shrunk
from digitize.recognition import tesseract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

#: Tesseract's orientation is right above this, mostly; the confidence of the reading has the last word.
WORTH_TRYING = 6.0

_ASKED_DPI = 200.0
_MEASURED_DPI = 100.0
_STRIPS = 4
_LINE_PX = (6, 40)  # heights of a text line at the measured resolution
_ENOUGH_LINES = 40  # a page on its side shows up to 30 by chance
_UPRIGHT_SHARE = 0.60  # of the ink outside the lines' bodies, what stands above; upright 0.65 to 0.8, upside down 0.3


def estimate_turn(grey: NDArray[np.uint8], *, dpi: float, skew_deg: float = 0.0) -> int:
    """Quarter turn in degrees, clockwise, that makes the page upright: 0, 90, 180 or 270.

    Args:
        grey: Shape (height_px, width_px), dark ink on light paper.
        dpi: Of `grey`.
        skew_deg: Its lean, as `deskew.estimate_skew` says.
    """
    lines, above = _lines(grey, dpi, skew_deg)
    if lines >= _ENOUGH_LINES and above >= _UPRIGHT_SHARE:
        return 0
    scale = min(1.0, _ASKED_DPI / dpi)
    turn_deg, sureness = tesseract.orientation(shrunk(grey, scale), dpi=dpi * scale)
    return turn_deg if sureness > WORTH_TRYING else 0


def turn(pixels: NDArray[np.uint8], turn_deg: int) -> NDArray[np.uint8]:
    """Turn clockwise by a quarter, a half or three quarters; no pixel is resampled."""
    turns = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
    return np.asarray(cv2.rotate(pixels, turns[turn_deg]), dtype=np.uint8) if turn_deg else pixels


def _lines(grey: NDArray[np.uint8], dpi: float, skew_deg: float) -> tuple[int, float]:
    """How many pieces of text line there are, and the share of their overhanging ink that hangs above.

    Source: ascender and descender statistics, Bloomberg, Kopec, Dasari, SPIE 2422 (1995), on row profiles instead of
    hit-miss transforms.
    """
    small = shrunk(grey, min(1.0, _MEASURED_DPI / dpi))
    level, _ = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    rows, columns = np.nonzero(small < level)
    height, width = small.shape
    rows = np.clip((rows + (columns - width / 2) * np.tan(np.radians(skew_deg))).astype(int), 0, height - 1)
    count, above, below = 0, 0.0, 0.0
    for strip in range(_STRIPS):  # narrow strips: columns beside each other don't share their lines
        here = (columns >= width * strip / _STRIPS) & (columns < width * (strip + 1) / _STRIPS)
        profile = np.bincount(rows[here], minlength=height).astype(np.float64)
        for line in _bands(profile, least=max(3.0, 0.02 * width / _STRIPS)):
            body = np.flatnonzero(line >= 0.5 * line.max())
            above += float(line[: body[0]].sum())
            below += float(line[body[-1] + 1 :].sum())
            count += 1
    return count, above / (above + below) if above + below else 0.0


def _bands(profile: NDArray[np.float64], *, least: float) -> Iterator[NDArray[np.float64]]:
    """Runs of inked rows as high as a line of text."""
    inked = np.concatenate([[0], (profile >= least).astype(np.int8), [0]])
    steps = np.diff(inked)
    for start, end in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True):
        if _LINE_PX[0] <= end - start <= _LINE_PX[1]:
            yield profile[start:end]

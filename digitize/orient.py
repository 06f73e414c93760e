"""Which way up a page is, and turning it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize import tesseract
from digitize.resample import shrunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Tesseract's orientation is right above this, mostly; the confidence of the reading has the last word.
WORTH_TRYING = 6.0
_ASKED_DPI = 200.0

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def estimate_turn(grey: NDArray[np.uint8], *, dpi: float) -> int:
    """Quarter turn in degrees, clockwise, that makes the page upright: 0, 90, 180 or 270."""
    scale = min(1.0, _ASKED_DPI / dpi)
    small = shrunk(grey, scale)
    turn_deg, sureness = tesseract.orientation(small, dpi=dpi * scale)
    return turn_deg if sureness > WORTH_TRYING else 0


def turn(pixels: NDArray[np.uint8], turn_deg: int) -> NDArray[np.uint8]:
    """Turn clockwise by a quarter, a half or three quarters; no pixel is resampled."""
    return np.asarray(cv2.rotate(pixels, _TURNS[turn_deg]), dtype=np.uint8) if turn_deg else pixels

"""A picture of text → its words, read at the size at which Tesseract reads best.

Tesseract brings each line to 36 pixels before it recognises a letter, so finer print gives it nothing but work; print
much larger than that it even reads worse. Smaller print than that is never enlarged: that was measured to gain nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning.resample import shrunk
from digitize.recognition import hocr, tesseract
from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitize.types import OcrPage

#: Height of small letters at which pages are read, pixels. `bench/reading_size.py` measures others beside it.
BEST_X_HEIGHT_PX = 14.0
_FINEST_DPI = 300.0  # where no letters can be measured
_WORTH_IT = 0.9  # a page that would shrink by less stays as it is: resampling softens it
_MEASURED_DPI = 150.0
_LETTER_MM = (0.8, 8.0)  # marks above letters are lower, but for the largest print's
_THIN_MM = 0.3
#: Percentile. More than a third of the shapes of Vietnamese print are letters without ascender or mark; from here on a
#: few lines of smaller print count too: three of 8 points below thirty of 14 read at 0.45 % instead of 1.79.
_SMALL_SHARE = 15
_FEWEST_LETTERS = 60


def read(grey: NDArray[np.uint8], *, dpi: float, language: str, column: bool = False) -> OcrPage:
    """Recognise a page, or a picture of some of its lines.

    Args:
        grey: Shape (height_px, width_px), upright, dark on light.
        dpi: Of `grey`.
        language: Tesseract's name, for instance "vie".
        column: It is one column of text; else Tesseract finds the columns.

    Returns:
        Its words with boxes in pixels of `grey`.

    Raises:
        ReadingFailed: As `tesseract.recognise` says.
    """
    scale = best_scale(grey, dpi=dpi)
    markup = tesseract.recognise(shrunk(grey, scale), dpi=dpi * scale, language=language, column=column)
    height, width = grey.shape
    return hocr.parse(markup, width_px=width, height_px=height, dpi=dpi, scale=scale)


def best_scale(grey: NDArray[np.uint8], *, dpi: float) -> float:
    """How much smaller to read a page: 1.0 as it is, where its print is small or hardly any and not very fine."""
    height_px = x_height(grey, dpi=dpi)
    scale = BEST_X_HEIGHT_PX / height_px if height_px else _FINEST_DPI / dpi
    return scale if scale < _WORTH_IT else 1.0


def x_height(grey: NDArray[np.uint8], *, dpi: float) -> float:
    """Height of the small letters, pixels; 0.0 where too few shapes could be letters.

    Of print in several sizes it is that of the smaller, so that a footnote decides and not a heading.
    """
    scale = min(1.0, _MEASURED_DPI / dpi)
    small = shrunk(grey, scale)
    mm = scale * dpi / MM_PER_INCH
    level, _ = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    _, _, stats, _ = cv2.connectedComponentsWithStats((small <= level).astype(np.uint8), connectivity=8)
    width, height = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]
    is_letter = (height >= _LETTER_MM[0] * mm) & (np.maximum(width, height) <= _LETTER_MM[1] * mm)
    is_letter &= width >= _THIN_MM * mm
    if int(is_letter.sum()) < _FEWEST_LETTERS:
        return 0.0
    return float(np.percentile(height[is_letter], _SMALL_SHARE)) / scale

"""The back of a thin sheet showing through: seen, and kept out of the picture that is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: From this share of weak shapes to strong ones the back shows through: pages that do have 0.1 to 1.1, nearly all of
#: them 0.17 and more; other scans and photographs 0 to 0.04, a copy with dust up to 0.14.
SEEN = 0.16

_WEAKEST = 0.05  # of the paper's level
_STRONG = 0.45  # of the contrast of the page's own print
_NEAR_PX = 3  # as far as the soft rim of strong print reaches
_LETTER_PX = (8, 60)  # at about 100 dpi, the longer side
_THIN_PX = 4
_FEWEST_STRONG = 60
_FEWEST_WEAK = 60  # a page that shows through shows 110 and more; the pattern of an identity card 20
_PRINT_SHARE = 90  # percentile of all inked pixels that is surely print


def share(grey: NDArray[np.uint8], levels: NDArray[np.float32], tinted: NDArray[np.bool_]) -> float:
    """How many weak letter-sized shapes there are for each strong one.

    Print of one page is about equally dark; what shows through from the back is far weaker, all of it. A page of weak
    print only (an old typewriter, the last of the toner) has nothing strong to be weak against: its share is 0.

    Args:
        grey: Shape (height_px, width_px), at about 100 dpi.
        levels: The paper's level at each pixel.
        tinted: Where there is coloured ink, which is weak in grey by its nature.
    """
    soft = cv2.GaussianBlur(grey, (3, 3), 0).astype(np.float32)
    depth = np.asarray(1 - soft / np.maximum(levels, 1.0), dtype=np.float32)
    depth[cv2.dilate(tinted.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0] = 0
    ink = depth > _WEAKEST
    if not ink.any():
        return 0.0
    strong = (depth >= _STRONG * float(np.percentile(depth[ink], _PRINT_SHARE))).astype(np.uint8)
    letters = _letters(strong)
    if letters < _FEWEST_STRONG:
        return 0.0
    # Each by itself: the back's lines run between and through the front's, and all of it would be one shape.
    near = cv2.dilate(strong, np.ones((2 * _NEAR_PX + 1, 2 * _NEAR_PX + 1), np.uint8))
    weak = _letters((ink & (near == 0)).astype(np.uint8))
    return weak / letters if weak >= _FEWEST_WEAK else 0.0


def _letters(ink: NDArray[np.uint8]) -> int:
    """How many shapes are as large as letters."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    width, height = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]
    size = np.maximum(width, height)
    is_letter = (size >= _LETTER_PX[0]) & (size <= _LETTER_PX[1]) & (np.minimum(width, height) >= _THIN_PX)
    return int(is_letter.sum())

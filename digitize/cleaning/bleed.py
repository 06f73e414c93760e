"""The back of a thin sheet showing through: seen, and kept out of the picture that is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: From this share of weak shapes to strong ones the back shows through; other scans, copies and photographs: 0 to 0.03.
SEEN = 0.1

_WEAKEST = 0.05  # of the paper's level
_STRONG = 0.45  # of the contrast of the page's own print
_LETTER_PX = (8, 60)  # at about 100 dpi, the longer side
_THIN_PX = 4
_FEWEST_STRONG = 60


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
    ink = (depth > _WEAKEST).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    size = np.maximum(stats[:, 2], stats[:, 3])
    letters = (size >= _LETTER_PX[0]) & (size <= _LETTER_PX[1]) & (np.minimum(stats[:, 2], stats[:, 3]) >= _THIN_PX)
    letters[0] = False
    darkest: NDArray[np.float32] = np.zeros(count, np.float32)
    inked = ink > 0
    np.maximum.at(darkest, np.asarray(labels[inked], dtype=np.int64), depth[inked])
    print_depth = resample.percentile(np.asarray(np.clip(darkest[letters] * 255, 0, 255), dtype=np.uint8), 80) / 255
    strong = int((darkest[letters] >= _STRONG * print_depth).sum())
    if strong < _FEWEST_STRONG:
        return 0.0
    return float((darkest[letters] < _STRONG * print_depth).sum()) / strong

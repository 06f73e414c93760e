"""Coarser planes of a page, made fast: what the layers are told apart by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def shrunk(plane: Any, steps: int) -> NDArray[np.uint8]:
    """Means of squares of `steps` pixels; the last ones are means of what is left of the page.

    Whole squares go the fast way, which a side that doesn't divide would bar to all of them.
    """
    height, width = plane.shape[:2]
    down, across = height // steps, width // steps
    small = np.empty((-(-height // steps), -(-width // steps), *plane.shape[2:]), np.uint8)
    for rows, small_rows in ((slice(0, down * steps), slice(0, down)), (slice(down * steps, None), slice(down, None))):
        for cols, small_cols in (
            (slice(0, across * steps), slice(0, across)),
            (slice(across * steps, None), slice(across, None)),
        ):
            size = small[small_rows, small_cols].shape[1::-1]
            if all(size):
                small[small_rows, small_cols] = cv2.resize(plane[rows, cols], size, interpolation=cv2.INTER_AREA)
    return small
